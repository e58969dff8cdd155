"""One entry as a line of a list: who, where, what was answered, in words, with its still."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from bposite.doors.queries import EntryRow
from bposite.doors.queries.names import DoorName, ZoneName, door_names, zone_names
from bposite.entries.queries.stills import NO_STILL, Still, stills_of
from bposite.entries.rules.words import CREDENTIALS, Answer, answer, sentence
from bposite.people.queries import PersonRow, persons_by_number
from bposite.visits.queries.names import visit_names

SHORT_REF = 8
PERSON_PAGE = "/people/"
VISIT_PAGE = "/reception/visits/"


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody at a door. ``kind``: person | visit | unknown | nobody; ``id`` the person's number or the visit's id.

    ``href``: their own page, empty when they have none.
    """

    kind: str
    name: str
    detail: str = ""
    id: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """What a list shows of an entry; ``row`` keeps everything else."""

    row: EntryRow
    who: Who
    door: str
    zone: str
    answer: Answer
    what: str
    still: Still

    @property
    def position(self) -> int:
        """The entry's position."""
        return self.row.position

    @property
    def at(self) -> datetime:
        """The time used."""
        return self.row.time_used


@dataclass(frozen=True, slots=True)
class Names:
    """Doors and zones of the plan, fetched once for a page."""

    doors: dict[str, DoorName]
    zones: dict[str, ZoneName]

    def door(self, row: EntryRow) -> str:
        """The door's name; for an unknown one what the device calls it."""
        if row.door is not None:
            return self.doors[row.door].name if row.door in self.doors else row.door
        return f"unknown door {row.door_ref}" if row.door_ref else ""

    def zone(self, zone_id: str | None) -> str:
        """The zone's name, or its id when the plan has lost it."""
        return self.zones[zone_id].name if zone_id in self.zones else zone_id or ""


def names(session: Session) -> Names:
    """What doors and zones are called now."""
    return Names(door_names(session), zone_names(session))


def lines(session: Session, rows: Sequence[EntryRow], known: Names, *, pictures: bool = True) -> list[Line]:
    """``rows`` as lines, in their order, with a fixed number of statements; ``pictures`` False leaves stills out."""
    people = whos(session, rows)
    stills = stills_of(session, [row.position for row in rows]) if pictures else {}
    return [_line(row, people[row.position], known, stills.get(row.position, NO_STILL)) for row in rows]


def _line(row: EntryRow, who: Who, known: Names, still: Still) -> Line:
    badge = answer(row.cls, row.decision, row.notable)
    what = sentence(row.decision, row.reason, row.vendor_reason, row.factors)
    return Line(row, who, known.door(row), known.zone(row.zone), badge, what, still)


def whos(session: Session, rows: Sequence[EntryRow]) -> dict[int, Who]:
    """Who stands behind each entry, by position."""
    persons = persons_by_number(session, (row.person for row in rows if row.person))
    visits = visit_names(session, (row.visit for row in rows if row.visit))
    found = {}
    for row in rows:
        if row.visit is not None and row.visit in visits:
            visit = visits[row.visit]
            found[row.position] = Who(
                "visit",
                visit.visitor,
                visit.company or f"visits {visit.host_name}",
                visit.id,
                f"{VISIT_PAGE}{visit.id}",
            )
        elif row.person is not None:
            found[row.position] = _person(row.person, persons.get(row.person))
        else:
            found[row.position] = stranger(row)
    return found


def _person(number: str, person: PersonRow | None) -> Who:
    if person is None:
        return Who("person", number, "no longer in the directory", number)
    return Who("person", person.name, number, number, f"{PERSON_PAGE}{person.id}")


def stranger(row: EntryRow) -> Who:
    """An entry with nobody behind it: an unknown credential, a button, or no credential at all."""
    kind = CREDENTIALS.get(row.credential_type or "", row.credential_type or "")
    if row.credential_type is None:
        return Who("nobody", "")
    if row.credential_ref is None or row.credential_type in ("rex", "operator"):
        return Who("nobody", kind)
    ref = row.credential_ref.removeprefix("h:")[:SHORT_REF]
    return Who("unknown", f"Unknown {kind[0].lower()}{kind[1:]}" if not kind.isupper() else f"Unknown {kind}", ref)
