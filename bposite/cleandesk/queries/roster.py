"""The roster as screens and draws read it: places with the teams that have them now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from bposite.cleandesk.queries import catalogue
from bposite.cleandesk.rules.roster import Surroundings
from bposite.cleandesk.tables import FloorPicture, Occupancy, Place
from bposite.doors.queries.names import zone_names
from bposite.people.queries import search_persons


@dataclass(frozen=True, slots=True)
class PlaceNow:
    """A place. `teams`: shift -> team that has it now; `vacant`: shifts in which nobody is assigned. x, y in metres."""

    id: str
    kind: str
    label: str
    zone: str
    zone_type: str
    row: str
    client: str
    x: float | None
    y: float | None
    tag: str
    added_at: datetime
    removed_at: datetime | None
    teams: dict[str, str]
    vacant: frozenset[str]


@dataclass(frozen=True, slots=True)
class Move:
    """One line of a place's history."""

    shift: str
    team: str
    vacant: bool
    from_at: datetime
    until_at: datetime | None
    reason: str


def surroundings(session: Session) -> Surroundings:
    """What a row of the roster may refer to."""
    return Surroundings({zone.id: zone.kind for zone in zone_names(session).values()}, catalogue.in_force())


def places(
    session: Session,
    *,
    zones: Sequence[str] = (),
    kinds: Sequence[str] = (),
    shift: str = "",
    text: str = "",
    removed: bool = False,
) -> list[PlaceNow]:
    """Places in the order of zones and names; every filter is optional. `shift`: only those that shift uses."""
    statement = select(Place).order_by(Place.zone, Place.row, Place.id)
    if not removed:
        statement = statement.where(Place.removed_at.is_(None))
    if zones:
        statement = statement.where(Place.zone.in_(zones))
    if kinds:
        statement = statement.where(Place.kind.in_(kinds))
    if text:
        columns = (Place.id, Place.label, Place.client)
        statement = statement.where(
            or_(*(func.lower(column).contains(text.lower(), autoescape=True) for column in columns))
        )
    rows = list(session.scalars(statement))
    teams = _teams_now(session, [row.id for row in rows])
    found = [_place(row, teams.get(row.id, {})) for row in rows]
    return [place for place in found if not shift or shift in place.teams]


def place(session: Session, place_id: str) -> PlaceNow | None:
    """One place, removed ones included."""
    row = session.get(Place, place_id)
    return None if row is None else _place(row, _teams_now(session, [place_id]).get(place_id, {}))


def labels(session: Session, ids: Sequence[str]) -> dict[str, str]:
    """What places are called: id -> label."""
    found: dict[str, str] = {}
    for start in range(0, len(ids), 500):
        chunk = ids[start : start + 500]
        found |= dict(session.execute(select(Place.id, Place.label).where(Place.id.in_(chunk))).tuples().all())
    return found


def place_of_tag(session: Session, tag: str) -> str | None:
    """The id of the place whose sticker says `tag`."""
    return session.scalar(select(Place.id).where(Place.tag == tag, Place.removed_at.is_(None)))


def moves(session: Session, place_id: str) -> list[Move]:
    """The history of a place, newest first."""
    newest = (Occupancy.from_at.desc(), Occupancy.until_at.is_not(None), Occupancy.id.desc())
    rows = session.scalars(select(Occupancy).where(Occupancy.place_id == place_id).order_by(*newest))
    return [Move(row.shift, row.team, row.vacant, row.from_at, row.until_at, row.reason) for row in rows]


def shifts(session: Session) -> list[str]:
    """The shifts that any place knows now."""
    return sorted(session.scalars(select(Occupancy.shift).where(Occupancy.until_at.is_(None)).distinct()))


@dataclass(frozen=True, slots=True)
class Floor:
    """The picture below the plan; `metres` is its width in the building."""

    id: str
    sha256: str
    path: str
    width: int
    height: int
    metres: float

    @property
    def tall(self) -> float:
        """Its height in the building, in metres."""
        return self.metres * self.height / self.width


def floor_picture(session: Session) -> Floor | None:
    """The picture that lies below the plan now."""
    row = session.scalar(select(FloorPicture).order_by(FloorPicture.added_at.desc(), FloorPicture.id.desc()).limit(1))
    return None if row is None else Floor(row.id, row.sha256, row.path, row.width, row.height, row.metres)


def team_sizes(session: Session) -> dict[str, int]:
    """team -> how many people of the directory belong to it."""
    sizes: dict[str, int] = {}
    for person in search_persons(session, "", limit=100_000):
        sizes[person.team] = sizes.get(person.team, 0) + 1
    return sizes


def counts(session: Session) -> dict[tuple[str, str], int]:
    """(zone, kind) -> number of places."""
    rows = session.execute(
        select(Place.zone, Place.kind, func.count()).where(Place.removed_at.is_(None)).group_by(Place.zone, Place.kind)
    )
    return {(zone, kind): count for zone, kind, count in rows}


def _teams_now(session: Session, ids: Sequence[str]) -> dict[str, dict[str, tuple[str, bool]]]:
    found: dict[str, dict[str, tuple[str, bool]]] = {}
    for start in range(0, len(ids), 500):  # databases limit the parameters of one statement
        chunk = ids[start : start + 500]
        rows = session.scalars(
            select(Occupancy)
            .where(Occupancy.place_id.in_(chunk), Occupancy.until_at.is_(None))
            .order_by(Occupancy.shift)
        )
        for row in rows:
            found.setdefault(row.place_id, {})[row.shift] = (row.team, row.vacant)
    return found


def _place(row: Place, teams: dict[str, tuple[str, bool]]) -> PlaceNow:
    return PlaceNow(
        id=row.id, kind=row.kind, label=row.label, zone=row.zone, zone_type=row.zone_type, row=row.row,
        client=row.client, x=row.x, y=row.y, tag=row.tag, added_at=row.added_at, removed_at=row.removed_at,
        teams={shift: team for shift, (team, _) in teams.items()},
        vacant=frozenset(shift for shift, (_, vacant) in teams.items() if vacant),
    )  # fmt: skip
