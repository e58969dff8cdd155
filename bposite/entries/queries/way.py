"""A visit's way through the doors: every entry with its still, and the stays between passages as bands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from bposite.doors.queries import EntryFilter, EntryRow, search_entries
from bposite.entries.queries.lines import Line, Names, lines
from bposite.entries.rules.way import Band, Passage, bands, stays

MOST = 300
MARGIN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Way:
    """``steps`` oldest first. ``bands`` lie between ``start`` and ``end``; ``zones`` are theirs, in order of entering.

    ``more``: the visit has further entries that are not shown.
    """

    steps: list[Line]
    bands: list[Band]
    zones: list[str]
    start: datetime
    end: datetime
    more: bool


def way_of_visit(session: Session, visit_id: str, known: Names, at: datetime, *, pictures: bool) -> Way | None:
    """The way of a visit as far as the doors know it at ``at``; None when no door has seen it."""
    rows = search_entries(session, EntryFilter(visits=(visit_id,)), limit=MOST + 1)
    if not rows:
        return None
    shown = rows[:MOST][::-1]
    found = stays(passages(shown, known), frozenset(zone.id for zone in known.zones.values() if zone.kind == "outside"))
    inside = bool(found) and found[-1].until is None
    start = shown[0].time_used - MARGIN
    end = max(at if inside else shown[-1].time_used, shown[-1].time_used) + MARGIN
    drawn = bands(found, start, end)
    zones = list(dict.fromkeys(band.stay.zone for band in drawn))
    told = [row for row in shown if row.decision != "granted" or row.taken or not _told(row, shown)]
    return Way(lines(session, told, known, pictures=pictures), drawn, zones, start, end, len(rows) > MOST)


def passages(rows: Sequence[EntryRow], known: Names) -> list[Passage]:
    """Entries that are passages. A grant counts where no passage is told within a minute: not every door senses it."""
    taken = [row for row in rows if row.decision == "taken" or row.taken]
    granted = [row for row in rows if row.decision == "granted" and not row.taken and not _told(row, rows)]
    found = []
    for row in sorted((*taken, *granted), key=lambda one: one.cursor):
        door = known.doors.get(row.door or "")
        if door is not None:
            left, entered = door.left(row.direction), door.entered(row.direction)
            found.append(Passage(row.position, row.time_used, door.name, left, entered))
    return found


def _told(granted: EntryRow, rows: Sequence[EntryRow]) -> bool:
    """Whether a door said what became of a grant: passed, or not taken."""
    return any(
        row.decision in ("taken", "not-taken")
        and row.door == granted.door
        and timedelta(0) <= row.time_used - granted.time_used <= timedelta(minutes=1)
        for row in rows
    )
