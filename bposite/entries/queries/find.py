"""Free text -> what it means in the log: people and visitors first, then doors, zones and reasons, then a mix.

"priya card room" finds Priya at the card room door. Case, accents and the order of words do not matter.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from bposite.doors.reasons import REASONS
from bposite.entries.queries.lines import Names
from bposite.people.queries import search_persons
from bposite.visits.queries.names import find_visits
from bposite.visits.rules.names import folded

MOST = 40
LONGEST = 120


@dataclass(frozen=True, slots=True)
class Found:
    """What a text means. ``said`` tells the person how it was understood; nothing found = all empty."""

    persons: tuple[str, ...] = ()
    visits: tuple[str, ...] = ()
    doors: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    said: tuple[str, ...] = field(default=())

    @property
    def nothing(self) -> bool:
        """Whether the text means nothing here."""
        return not (self.persons or self.visits or self.doors or self.zones or self.reasons)


def understand(session: Session, text: str, known: Names) -> Found:
    """The meaning of ``text``; words that name a door or a zone may stand before or after the words of a name."""
    whole = _people(session, text)
    if not whole.nothing:
        return whole
    places = _places(text, known)
    if not places.nothing:
        return places
    words = folded(text[:LONGEST]).split()
    for cut in range(1, len(words)):
        head, tail = " ".join(words[:cut]), " ".join(words[cut:])
        for name, place in ((head, tail), (tail, head)):
            where = _places(place, known)
            if where.nothing:
                continue
            who = _people(session, name)
            if not who.nothing:
                return Found(who.persons, who.visits, where.doors, where.zones, where.reasons, who.said + where.said)
    return Found()


def _people(session: Session, text: str) -> Found:
    persons = search_persons(session, text, active=False, limit=MOST) if folded(text) else []
    visits = find_visits(session, text, limit=MOST)
    said = [*(person.name for person in persons), *dict.fromkeys(visit.visitor for visit in visits)]
    return Found(
        tuple(person.number for person in persons), tuple(visit.id for visit in visits), said=tuple(_few(said))
    )


def _places(text: str, known: Names) -> Found:
    wanted = folded(text[:LONGEST]).split()
    if not wanted:
        return Found()
    doors = [door for door in known.doors.values() if _holds(f"{door.id} {door.name}", wanted)]
    if doors:
        return Found(doors=tuple(door.id for door in doors), said=tuple(_few([door.name for door in doors])))
    zones = [zone for zone in known.zones.values() if _holds(f"{zone.id} {zone.name} {zone.client}", wanted)]
    if zones:
        return Found(zones=tuple(zone.id for zone in zones), said=tuple(_few([zone.name for zone in zones])))
    reasons = [reason for reason in REASONS.values() if _holds(f"{reason.code} {reason.meaning}", wanted)]
    return Found(
        reasons=tuple(reason.code for reason in reasons), said=tuple(_few([reason.meaning for reason in reasons]))
    )


def _holds(text: str, words: list[str]) -> bool:
    own = folded(text).split()
    return all(any(one.startswith(word) for one in own) for word in words)


def _few(said: list[str]) -> list[str]:
    return said if len(said) <= 3 else [*said[:3], f"{len(said) - 3} more"]
