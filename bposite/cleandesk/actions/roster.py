"""The roster: places come from the site plan, a CSV file or a form; who has them changes with a history."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select

from bposite.cleandesk import photos, queries
from bposite.cleandesk.photos import Kept
from bposite.cleandesk.queries import Floor
from bposite.cleandesk.rules.roster import FARTHEST, FaultyRowError, PlaceRow, Surroundings, read_row
from bposite.cleandesk.tables import FloorPicture, Occupancy, Place
from bposite.journal.work import Work
from bposite.plumbing.errors import NotFound, Refusal
from bposite.plumbing.ids import new_id

TAG_LETTERS = "BCDFGHJKLMNPQRSTVWXZ23456789"
TAG_LENGTH = 10
AREA = "area-"


@dataclass(frozen=True, slots=True)
class FaultyLine:
    """A line of a file that was not taken: number (1 = first line of the file), column, what is wrong."""

    line: int
    column: str
    words: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    same: int
    faulty: tuple[FaultyLine, ...]


def apply_plan(work: Work, section: Iterable[Mapping[str, Any]]) -> None:
    """Make the roster hold every place of a site plan's `desks`; others stay. Applying it twice changes nothing.

    A row of the plan names its shifts in `shifts` (default: day). Each zone with places also gets one place for the
    zone seen as a whole. Refusal names the row that is wrong, and nothing is taken.
    """
    around = queries.surroundings(work.session)
    rows = []
    for at, raw in enumerate(section):
        try:
            rows.append(read_row(raw, around))
        except FaultyRowError as fault:
            message = f"desks, row {at + 1}: {fault.field}: {fault}"
            raise Refusal("plan", message, field=f"desks[{at}]", remedy="Mend the plan file.") from fault
    ids = [row.id for row in rows]
    if twice := sorted({place for place in ids if ids.count(place) > 1}):
        raise Refusal("plan", f"desks: the id {twice[0]} is there twice", field="desks")
    rows += _areas(rows, around)
    changed = [row.id for row in rows if _upsert(work, row) != "same"]
    if changed:
        work.record("cleandesk:roster:planned", data={"places": changed})


def _areas(rows: list[PlaceRow], around: Surroundings) -> list[PlaceRow]:
    """One place per zone for what belongs to no desk (doors, cameras, boards), unless the plan has its own."""
    own = {row.zone for row in rows if row.kind == "area"}
    added: dict[str, PlaceRow] = {}
    for row in rows:
        if row.zone in own:
            continue
        before = added.get(row.zone)
        shifts = tuple(dict.fromkeys((*(before.shifts if before else ()), *row.shifts)))
        raw = {"id": f"{AREA}{row.zone}"[:40], "kind": "area", "label": "Whole zone", "zone": row.zone}
        added[row.zone] = read_row(raw | {"client": row.client, "shifts": list(shifts)}, around)
    return list(added.values())


def import_places(work: Work, lines: Iterable[tuple[int, Mapping[str, Any]]]) -> Imported:
    """Take every good line of a file (line number, row) and tell what is wrong with the others.

    Taking the same file again changes nothing. A place that was removed comes back.
    """
    around = queries.surroundings(work.session)
    done: dict[str, list[str]] = {"added": [], "changed": [], "same": []}
    faulty, seen = [], set()
    for number, raw in lines:
        try:
            row = read_row(raw, around)
            if row.id in seen:
                raise FaultyRowError("id", f"{row.id} is in the file twice")
        except FaultyRowError as fault:
            faulty.append(FaultyLine(number, fault.field, str(fault)))
            continue
        seen.add(row.id)
        done[_upsert(work, row)].append(row.id)
    if done["added"] or done["changed"]:
        work.record("cleandesk:roster:imported", data={"added": done["added"], "changed": done["changed"]})
    return Imported(tuple(done["added"]), tuple(done["changed"]), len(done["same"]), tuple(faulty))


def save_place(work: Work, raw: Mapping[str, Any]) -> str:
    """Add or change one place from a form; returns its id. Refusal beside the field that is wrong."""
    try:
        row = read_row(raw, queries.surroundings(work.session))
    except FaultyRowError as fault:
        raise Refusal("place", f"{str(fault)[:1].upper()}{str(fault)[1:]}.", field=fault.field) from fault
    if (did := _upsert(work, row)) != "same":
        work.record(f"cleandesk:place:{did}", subject=row.id, data=asdict(row))
    return row.id


def position_places(work: Work, positions: Mapping[str, tuple[float, float]]) -> int:
    """Put places on the plan (metres); returns how many moved. NotFound names one that does not exist."""
    moved = {}
    for place_id, (x, y) in positions.items():
        if not (0 <= x <= FARTHEST and 0 <= y <= FARTHEST):
            raise Refusal("position", f"{place_id[:40]} would stand outside of the plan.")
        place = _place(work, place_id)
        if (place.x, place.y) != (x, y):
            place.x, place.y = x, y
            moved[place_id] = [x, y]
    if moved:
        work.record("cleandesk:roster:positioned", data={"places": moved})
    return len(moved)


def assign(work: Work, place_id: str, shift: str, team: str, *, vacant: bool, reason: str) -> None:
    """From now on `team` has the place in `shift` (or nobody: `vacant`); what was before stays as history."""
    _place(work, place_id)
    if _occupy(work, place_id, shift, team, vacant=vacant, reason=reason):
        data = {"shift": shift, "team": team, "vacant": vacant, "reason": reason}
        work.record("cleandesk:place:assigned", subject=place_id, data=data)


def keep_floor(data: bytes) -> Kept:
    """Store a picture of the floor before its transaction begins; Refusal when it cannot be read."""
    return photos.keep(data)


def set_floor(work: Work, kept: Kept, metres: float) -> None:
    """Lay a stored picture below the plan; `metres` is how wide it is in the building."""
    if not 2 <= metres <= 2000:
        raise Refusal("metres", "Say how many metres wide the picture is (2 to 2000).", field="metres")
    work.session.add(
        FloorPicture(
            id=new_id(),
            sha256=kept.sha256,
            path=kept.path,
            width=kept.width,
            height=kept.height,
            metres=metres,
            added_at=work.now,
        )
    )
    work.record("cleandesk:floor:drawn", data={"sha256": kept.sha256, "metres": metres})


def floor_file(row: Floor) -> bytes | None:
    """The stored picture of the floor; None when its file is gone or was changed."""
    return photos.load(row.path, row.sha256)


def remove_place(work: Work, place_id: str, reason: str) -> None:
    """Take a place out of the roster; its observations and findings stay."""
    place = _place(work, place_id)
    if not reason.strip():
        raise Refusal("reason_needed", "Say why the place is removed.", field="reason")
    if place.removed_at is None:
        place.removed_at = work.now
        work.record("cleandesk:place:removed", subject=place_id, data={"reason": reason.strip()})


def _place(work: Work, place_id: str) -> Place:
    place = work.session.get(Place, place_id, with_for_update=True)
    if place is None:
        raise NotFound("place", f"There is no place {place_id}.", remedy="Search the roster.")
    return place


def _upsert(work: Work, row: PlaceRow) -> str:
    """`added`, `changed` or `same`."""
    place = work.session.get(Place, row.id)
    values: dict[str, Any] = {
        "kind": row.kind, "label": row.label, "zone": row.zone, "zone_type": row.zone_type, "row": row.row,
        "client": row.client, "removed_at": None,
    }  # fmt: skip
    if row.x is not None and row.y is not None:
        values |= {"x": row.x, "y": row.y}
    if place is None:
        tag = "".join(secrets.choice(TAG_LETTERS) for _ in range(TAG_LENGTH))
        work.session.add(Place(id=row.id, tag=tag, added_at=work.now, **values))
        work.session.flush()
        _set_shifts(work, row)
        return "added"
    changed = any(getattr(place, name) != value for name, value in values.items())
    for name, value in values.items():
        setattr(place, name, value)
    return "changed" if _set_shifts(work, row) or changed else "same"


def _set_shifts(work: Work, row: PlaceRow) -> bool:
    """Make the shifts of a place what the row says; an occupancy somebody changed by hand since keeps its team."""
    now = {o.shift: o for o in work.session.scalars(_current(row.id))}
    changed = False
    for shift in row.shifts:
        if shift not in now or (row.team and now[shift].team != row.team):
            changed |= _occupy(work, row.id, shift, row.team, vacant=False, reason="roster")
    for shift, occupancy in now.items():
        if shift not in row.shifts:
            occupancy.until_at = work.now
            changed = True
    return changed


def _occupy(work: Work, place_id: str, shift: str, team: str, *, vacant: bool, reason: str) -> bool:
    before = work.session.scalar(_current(place_id).where(Occupancy.shift == shift))
    if before is not None:
        if (before.team, before.vacant) == (team, vacant):
            return False
        before.until_at = work.now
        work.session.flush()
    work.session.add(
        Occupancy(
            id=new_id(), place_id=place_id, shift=shift, team=team, vacant=vacant, from_at=work.now, reason=reason
        )
    )
    work.session.flush()
    return True


def _current(place_id: str) -> Any:
    return select(Occupancy).where(Occupancy.place_id == place_id, Occupancy.until_at.is_(None))
