"""What doors and zones are called, and how they lie to each other: for every list that shows an entry."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from bposite.doors.tables import Door, Zone


@dataclass(frozen=True, slots=True)
class DoorName:
    """A door, retired ones included: their log stays. Direction "in" leads from ``from_zone`` to ``to_zone``."""

    id: str
    name: str
    from_zone: str
    to_zone: str
    retired: bool

    def left(self, direction: str | None) -> str:
        """The zone that a passage in ``direction`` leaves."""
        return self.to_zone if direction == "out" else self.from_zone

    def entered(self, direction: str | None) -> str:
        """The zone that a passage in ``direction`` enters."""
        return self.from_zone if direction == "out" else self.to_zone


@dataclass(frozen=True, slots=True)
class ZoneName:
    """A zone. ``kind``: outside | lobby | operations | clean_room | server_room | restricted; capacity 0 = no limit."""

    id: str
    name: str
    kind: str
    client: str
    capacity: int


def door_names(session: Session) -> dict[str, DoorName]:
    """All doors by id, in the order of the plan."""
    rows = session.scalars(select(Door).order_by(Door.retired, Door.ordinal, Door.id))
    return {row.id: DoorName(row.id, row.name, row.from_zone, row.to_zone, row.retired) for row in rows}


def zone_names(session: Session) -> dict[str, ZoneName]:
    """All zones by id, in the order of the plan."""
    rows = session.scalars(select(Zone).order_by(Zone.ordinal, Zone.id))
    return {row.id: ZoneName(row.id, row.name, row.kind, row.client, row.capacity) for row in rows}
