"""One search over people, visits, passes, doors, zones, cameras and entries, each only for who may see it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from bposite.cameras.queries import cameras
from bposite.doors.queries import EntryFilter, search_entries
from bposite.entries.queries.find import understand
from bposite.entries.queries.lines import PERSON_PAGE, VISIT_PAGE, Names, lines, names
from bposite.passes.codes import code_hash
from bposite.passes.queries import pass_of_reading
from bposite.passes.rules import ReadingKind, read
from bposite.people.queries import search_persons
from bposite.people.rules import Permission
from bposite.plumbing.clock import now
from bposite.visits.queries.board import Card, search
from bposite.visits.queries.names import visit_names
from bposite.visits.rules.names import folded

LONGEST = 120
MOST = 8
ENTRIES = 6


@dataclass(frozen=True, slots=True)
class Hit:
    """One result: where it leads, what it is, and a second line in quiet."""

    href: str
    title: str
    detail: str
    icon: str


@dataclass(frozen=True, slots=True)
class Group:
    """Results of one kind. ``more``: an address that shows all of them, or empty."""

    title: str
    hits: Sequence[Hit]
    more: str = ""


Finder = Callable[[Session, str, Names], Sequence[Hit]]


def search_everything(session: Session, text: str, held: frozenset[Permission]) -> list[Group]:
    """Groups that found something, in the order in which people look; ``held`` are the searcher's permissions."""
    known = names(session)
    groups = [
        Group(title, finder(session, text, known), "/entries/" if title == "Entries" else "")
        for title, permission, finder in FINDERS
        if permission in held
    ]
    return [group for group in groups if group.hits]


def _people(session: Session, text: str, _known: Names) -> list[Hit]:
    found = search_persons(session, text, active=False, limit=MOST) if folded(text) else []
    return [
        Hit(
            f"{PERSON_PAGE}{one.id}", one.name,
            " · ".join(filter(None, (one.number, one.title, one.client, "" if one.active else "has left"))), "user",
        )
        for one in found
    ]  # fmt: skip


def _visits(session: Session, text: str, _known: Names) -> list[Hit]:
    return [_card(card) for card in search(session, text, now(), limit=MOST)]


def _card(card: Card) -> Hit:
    state = card.state.value.replace("_", " ")
    detail = " · ".join(filter(None, (card.company, f"visits {card.host_name}", state)))
    return Hit(f"{VISIT_PAGE}{card.id}", card.name, detail, "ticket")


def _passes(session: Session, text: str, _known: Names) -> list[Hit]:
    reading = read(text)
    if reading.kind is ReadingKind.MISREAD:
        return []
    found = pass_of_reading(session, reading, code_hash(reading.text))
    visit = visit_names(session, [found.visit_id]).get(found.visit_id) if found else None
    if found is None or visit is None:
        return []
    return [
        Hit(f"{VISIT_PAGE}{visit.id}", f"Pass {found.number} of {visit.visitor}", found.state.value, "qr-code")
    ]  # fmt: skip


def _doors(_session: Session, text: str, known: Names) -> list[Hit]:
    words = folded(text).split()
    found = [door for door in known.doors.values() if _matches(f"{door.id} {door.name}", words)]
    return [
        Hit(f"/doors/{door.id}", door.name, f"{known.zone(door.from_zone)} – {known.zone(door.to_zone)}", "door-closed")
        for door in found[:MOST]
    ]  # fmt: skip


def _zones(_session: Session, text: str, known: Names) -> list[Hit]:
    words = folded(text).split()
    found = [zone for zone in known.zones.values() if _matches(f"{zone.id} {zone.name} {zone.client}", words)]
    return [
        Hit(f"/entries/?zone={zone.id}", zone.name, zone.client or "entries into this zone", "map-pin")
        for zone in found[:MOST]
    ]  # fmt: skip


def _cameras(session: Session, text: str, _known: Names) -> list[Hit]:
    words = folded(text).split()
    found = [one for one in cameras(session) if _matches(f"{one.id} {one.name}", words)]
    return [Hit(f"/cameras/{one.id}", one.name, one.word, "cctv") for one in found[:MOST]]


def _entries(session: Session, text: str, known: Names) -> list[Hit]:
    found = understand(session, text, known)
    if found.nothing:
        return []
    wanted = EntryFilter(
        persons=found.persons, visits=found.visits, doors=found.doors, zones=found.zones, reasons=found.reasons
    )
    rows = search_entries(session, wanted, limit=ENTRIES)
    return [
        Hit(
            f"/entries/{line.position}", f"{line.who.name or line.what or line.row.reason}",
            " · ".join(filter(None, (line.door, line.answer.word))), "scroll-text",
        )
        for line in lines(session, rows, known, pictures=False)
    ]  # fmt: skip


def _matches(text: str, words: Sequence[str]) -> bool:
    own = folded(text).split()
    return bool(words) and all(any(one.startswith(word) for one in own) for word in words)


FINDERS: Sequence[tuple[str, Permission, Finder]] = (
    ("Visits", "visits:read", _visits),
    ("Passes", "visits:read", _passes),
    ("People", "people:read", _people),
    ("Doors", "doors:read", _doors),
    ("Zones", "entries:read", _zones),
    ("Cameras", "cameras:read", _cameras),
    ("Entries", "entries:read", _entries),
)
"""Every kind of result: its title, who may see it, and how it is found."""
