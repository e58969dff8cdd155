"""The search form of the entry log: what stands in the address -> a filter, or errors beside the fields.

Everything is in the address, so that a filter is a permalink. A value that does not exist is told, never ignored.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from wtforms import Form, SelectField, StringField

from bposite.doors.events import DECISIONS
from bposite.doors.queries import Cursor, EntryFilter
from bposite.doors.reasons import REASONS
from bposite.entries.queries import Found, Names, understand
from bposite.entries.queries.find import LONGEST
from bposite.entries.rules.moments import typed_moment
from bposite.entries.rules.words import ANSWERS
from bposite.people.queries import persons_by_number
from bposite.plumbing.clock import from_micros, site_zone, to_micros
from bposite.visits.queries.names import visit_names

SHOWS: dict[str, tuple[str, EntryFilter]] = {
    "": ("People at doors", EntryFilter(classes=("access", "reader", "alarm"))),
    "refused": ("Refused", EntryFilter(decisions=("denied",))),
    "alarms": ("Alarms", EntryFilter(classes=("alarm",))),
    "late": ("Arrived late", EntryFilter(late=True)),
    "devices": ("Doors and devices", EntryFilter(classes=("door", "system"))),
    "all": ("Everything", EntryFilter()),
}
"""The ready views: parameter ``show`` -> its name and its filter."""
FIELDS = ("q", "person", "visit", "door", "zone", "decision", "reason", "from", "to", "show")
LONGEST_VALUE = 200


def _letters(text: str | None) -> str:
    """What was typed without control characters (a NUL breaks PostgreSQL) and outer blanks."""
    return "".join(letter for letter in text or "" if letter.isprintable()).strip()


class SearchForm(Form):
    """Fields carry the names that the API uses too."""

    q = StringField("Search", filters=[_letters])
    person = StringField("Person", filters=[_letters])
    visit = StringField("Visit", filters=[_letters])
    door = SelectField("Door", validate_choice=False, filters=[_letters])
    zone = SelectField("Zone entered", validate_choice=False, filters=[_letters])
    decision = SelectField("Answer", validate_choice=False, filters=[_letters])
    reason = SelectField("Reason", validate_choice=False, filters=[_letters])
    since = StringField("From", name="from", filters=[_letters])
    until = StringField("To", name="to", filters=[_letters])
    show = StringField("View", filters=[_letters])


@dataclass(frozen=True, slots=True)
class Search:
    """What was asked for. ``filter`` None: something is wrong, and the form says what.

    ``said``: how the free text was understood; ``people``: names of the person and the visit asked for by id.
    """

    form: SearchForm
    filter: EntryFilter | None
    said: tuple[str, ...]
    people: tuple[str, ...]


def read_search(session: Session, args: MultiDict[str, str], known: Names) -> Search:
    """The search in ``args``; every field is checked, and every wrong one gets its words."""
    form = SearchForm(args)
    _offer(form, known)
    wanted = _fixed(session, form, known)
    text = form.q.data or ""
    if len(text) > LONGEST:
        _fault(form.q, f"Type at most {LONGEST} letters.")
        return Search(form, None, (), ())
    found = understand(session, text, known) if text else None
    if found is not None:
        wanted = _narrowed(wanted, found)
    wrong = any(field.errors for field in form)
    return Search(form, None if wrong else wanted, found.said if found else (), _people(session, form))


def _offer(form: SearchForm, known: Names) -> None:
    doors = sorted(known.doors.values(), key=lambda door: door.retired)
    form.door.choices = [("", "Any door"), *((d.id, d.name + (" (retired)" if d.retired else "")) for d in doors)]
    form.zone.choices = [("", "Any zone"), *((zone.id, zone.name) for zone in known.zones.values())]
    form.decision.choices = [("", "Any answer"), *ANSWERS.items()]
    spoken = sorted(REASONS.values(), key=lambda reason: (reason.outcome, reason.meaning))
    form.reason.choices = [("", "Any reason"), *((reason.code, reason.meaning) for reason in spoken)]


def _fixed(session: Session, form: SearchForm, known: Names) -> EntryFilter:
    """The parts that stand in fields of their own."""
    show = form.show.data or ""
    if show not in SHOWS:
        _fault(form.show, "There is no such view.")
    wanted = SHOWS.get(show, SHOWS[""])[1]
    door = _one(form.door, known.doors, "There is no such door.")
    zone = _one(form.zone, known.zones, "There is no such zone.")
    decision = _one(form.decision, dict.fromkeys(DECISIONS), "There is no such answer.")
    reason = _one(form.reason, REASONS, "There is no such reason.")
    since, until = _moment(form.since, end=False), _moment(form.until, end=True)
    if since is not None and until is not None and since >= until:
        _fault(form.until, "This is not after the start.")
    if form.person.data and not persons_by_number(session, [form.person.data[:LONGEST_VALUE]]):
        _fault(form.person, "There is nobody with this number.")
    if form.visit.data and not visit_names(session, [form.visit.data[:LONGEST_VALUE]]):
        _fault(form.visit, "There is no such visit.")
    return replace(
        wanted,
        persons=_some(form.person.data), visits=_some(form.visit.data), doors=door, zones=zone, reasons=reason,
        decisions=decision or wanted.decisions, since=since, until=until,
        # who asks for one decision or reason means it whatever the class
        classes=() if decision or reason else wanted.classes,
    )  # fmt: skip


def _narrowed(wanted: EntryFilter, found: Found) -> EntryFilter:
    """Fields and text together: whoever or whatever satisfies both. Persons and visits are one question, who."""
    who_fixed, who_found = {*wanted.persons, *wanted.visits}, {*found.persons, *found.visits}
    who = who_fixed & who_found if who_fixed and who_found else who_fixed | who_found
    doors, zones = _both(wanted.doors, found.doors), _both(wanted.zones, found.zones)
    reasons = _both(wanted.reasons, found.reasons)
    clash = bool(who_fixed and who_found and not who) or None in (doors, zones, reasons)
    return replace(
        wanted,
        nothing=found.nothing or clash,
        persons=tuple(one for one in (*wanted.persons, *found.persons) if one in who),
        visits=tuple(one for one in (*wanted.visits, *found.visits) if one in who),
        doors=doors or (), zones=zones or (), reasons=reasons or (),
    )  # fmt: skip


def _both(fixed: tuple[str, ...], found: tuple[str, ...]) -> tuple[str, ...] | None:
    """Values that satisfy a field and the text; None when nothing can."""
    if not fixed or not found:
        return fixed or found
    return tuple(value for value in found if value in fixed) or None


def _one(field: SelectField, known: Any, words: str) -> tuple[str, ...]:
    value = field.data or ""
    if value and value not in known:
        _fault(field, words)
        return ()
    return _some(value)


def _some(value: str | None) -> tuple[str, ...]:
    return (value,) if value else ()


def _moment(field: StringField, *, end: bool) -> datetime | None:
    if not field.data:
        return None
    try:
        return typed_moment(field.data, site_zone(), end=end)
    except ValueError as error:
        _fault(field, str(error))
        return None


def _fault(field: Any, words: str) -> None:
    field.errors = [*field.errors, words]


def _people(session: Session, form: SearchForm) -> tuple[str, ...]:
    """Names for the chips of a person and a visit that are asked for by id."""
    person = persons_by_number(session, _some(form.person.data))
    visit = visit_names(session, _some(form.visit.data))
    return tuple([one.name for one in person.values()] + [one.visitor for one in visit.values()])


def cursor_text(cursor: Cursor) -> str:
    """A place in the log for an address: microseconds and position."""
    return f"{to_micros(cursor.at)}.{cursor.position}"


def read_cursor(text: str | None) -> Cursor | None:
    """The place in an address; None when there is none or it is not one of ours."""
    at, _, position = (text or "").partition(".")
    if not (_digits(at) and _digits(position)):
        return None
    return Cursor(from_micros(int(at)), int(position))


def _digits(text: str) -> bool:
    return 0 < len(text) <= 16 and text.isascii() and text.isdigit()
