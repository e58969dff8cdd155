"""The directory of staff and hosts: one person at a time, or a whole section of a site plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import msgspec
from sqlalchemy import select

from bposite.journal.work import Work
from bposite.people import rules
from bposite.people.queries import PersonRow
from bposite.people.tables import Person
from bposite.plumbing.errors import Conflict, NotFound, Refusal
from bposite.plumbing.ids import new_id

Short = Annotated[str, msgspec.Meta(max_length=80)]


class PersonPlan(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One person as a site plan or a form writes it; ``number`` is the key."""

    number: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,39}\Z")]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    email: Annotated[str, msgspec.Meta(max_length=254)] = ""
    phone: Annotated[str, msgspec.Meta(max_length=40)] = ""
    client: Short = ""
    team: Short = ""
    role: Short = ""
    shift: Annotated[str, msgspec.Meta(max_length=40)] = ""
    host: bool = True
    active: bool = True


_SHAPES = "A staff number has letters, digits and . _ / - only, and at most 40 of them."


def apply_plan(work: Work, section: Iterable[Mapping[str, Any]]) -> None:
    """Make the directory hold every person of ``section``; others stay. Refusal names the row that is wrong."""
    rows = [_read(at, row) for at, row in enumerate(section)]
    numbers = [row.number for row in rows]
    if twice := {number for number in numbers if numbers.count(number) > 1}:
        raise Refusal("plan", f"persons: the number {min(twice)} is there twice")
    known = {row.number: row for row in work.session.scalars(select(Person).where(Person.number.in_(numbers)))}
    changed = [row.number for row in rows if _upsert(work, row, known.get(row.number))]
    if changed:
        work.record("people:person:planned", data={"numbers": changed})


def read_person(form: Mapping[str, Any], before: PersonRow | None) -> PersonPlan:
    """A person from the fields of a form (``title``, ``can_host``); Refusal beside the field that is wrong."""
    row = {name: form.get(name) or "" for name in ("number", "name", "email", "phone", "client", "team")}
    shift = before.shift if before else ""  # set by the site plan only
    more = {"role": form.get("title") or "", "shift": shift, "host": form["can_host"], "active": form["active"]}
    try:
        return msgspec.convert(row | more, PersonPlan)
    except msgspec.ValidationError as error:
        raise Refusal("person", _SHAPES, field="number") from error


def save_person(work: Work, plan: PersonPlan, person_id: str | None = None) -> str:
    """Add or change one person; returns the id. Refusal beside the field when the number is somebody else's."""
    found = work.session.scalar(select(Person).where(Person.number == plan.number))
    row = work.session.get(Person, person_id) if person_id else None
    if person_id and row is None:
        raise NotFound("person", "This person is not in the directory.")
    if found is not None and found is not row:
        raise Conflict("number_taken", "Somebody else has this number.", field="number")
    changed = _upsert(work, plan, row)
    if changed is not None:
        kind = "people:person:changed" if row else "people:person:added"
        work.record(kind, subject=changed.id, data=msgspec.to_builtins(plan))
    return changed.id if changed else person_id or ""


def _read(at: int, row: Mapping[str, Any]) -> PersonPlan:
    try:
        return msgspec.convert(row, PersonPlan)
    except msgspec.ValidationError as error:
        raise Refusal("plan", f"persons, row {at + 1}: {error}", field=f"persons[{at}]") from error


def _upsert(work: Work, plan: PersonPlan, row: Person | None) -> Person | None:
    """The row when something changed, else None."""
    values = {
        "number": plan.number, "name": plan.name.strip(), "email": plan.email.strip(), "phone": plan.phone.strip(),
        "client": plan.client, "team": plan.team, "title": plan.role, "shift": plan.shift,
        "can_host": plan.host, "active": plan.active,
    }  # fmt: skip
    if row is not None and all(getattr(row, name) == value for name, value in values.items()):
        return None
    if row is None:
        row = Person(id=new_id())
        work.session.add(row)
    for name, value in values.items():
        setattr(row, name, value)
    row.search = rules.fold(" ".join([row.name, row.number, row.email, row.client, row.team, row.title]))[:600]
    row.changed_at = work.now
    return row
