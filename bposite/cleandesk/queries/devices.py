"""Workstations as they last reported, what contradicts the doors, exemptions and lockers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bposite.cleandesk.rules.posture import Kind, Reading, Seat, is_stale, left_unlocked
from bposite.cleandesk.tables import EndpointReading, Exemption, Locker, Place, Workstation
from bposite.doors.queries import present


@dataclass(frozen=True, slots=True)
class WorkstationNow:
    """A workstation and the newest reading of each kind. `stale`: silent so long that what it said no longer counts;
    `usb_seen`: when removable storage was last there."""

    host: str
    place_id: str | None
    zone: str
    person: str
    heard_at: datetime
    stale: bool
    newest: dict[str, Reading]

    @property
    def usb_seen(self) -> datetime | None:
        """When removable storage was last reported."""
        seen = self.newest.get("usb_device")
        return seen.at if seen else None

    def rule(self, kind: Kind) -> bool | None:
        """Whether a rule is kept; None when nothing was said, or too long ago: never good by default."""
        reading = self.newest.get(kind)
        return None if reading is None or self.stale else reading.good


@dataclass(frozen=True, slots=True)
class ExemptionRow:
    """A device exemption; `in_force` at the moment that was asked about."""

    id: str
    tag: str
    what: str
    person: str
    person_name: str
    reason: str
    until: datetime
    given_by: str
    in_force: bool


@dataclass(frozen=True, slots=True)
class LockerRow:
    """A locker and who has it."""

    id: str
    zone: str
    person: str | None
    person_name: str
    since: datetime


def workstations(session: Session, at: datetime) -> list[WorkstationNow]:
    """All workstations: first those that nobody has claimed, then by name."""
    zones = dict(session.execute(select(Place.id, Place.zone)).tuples().all())
    newest = _newest(session)
    rows = session.scalars(select(Workstation).order_by(Workstation.place_id.is_not(None), Workstation.host))
    return [
        WorkstationNow(
            row.host, row.place_id, zones.get(row.place_id or "", ""), row.person, row.heard_at,
            is_stale(row.heard_at, at), newest.get(row.host, {}),
        )
        for row in rows
    ]  # fmt: skip


def unlocked_seats(session: Session, found: list[WorkstationNow], at: datetime) -> list[Seat]:
    """Claimed workstations that stand unlocked while the doors have their user elsewhere."""
    seats = [
        Seat(row.host, row.zone, row.person, row.newest["session"])
        for row in found
        if row.zone and row.person and "session" in row.newest and not row.stale
    ]
    where = {one.person: (one.zone, one.at) for one in present(session) if one.person}
    return left_unlocked(seats, where, at)


def exemptions(session: Session, at: datetime) -> list[ExemptionRow]:
    """All exemptions, those in force first, the next to end before the others."""
    rows = [
        ExemptionRow(
            row.id, row.tag, row.what, row.person, row.person_name, row.reason, row.until, row.given_by,
            row.ended_at is None and row.until > at,
        )
        for row in session.scalars(select(Exemption).order_by(Exemption.until))
    ]  # fmt: skip
    return sorted(rows, key=lambda row: not row.in_force)


def lockers(session: Session) -> list[LockerRow]:
    """All lockers by number."""
    rows = session.scalars(select(Locker).order_by(Locker.zone, Locker.id))
    return [LockerRow(row.id, row.zone, row.person, row.person_name, row.since) for row in rows]


def _newest(session: Session) -> dict[str, dict[str, Reading]]:
    last = (
        select(EndpointReading.host, EndpointReading.kind, func.max(EndpointReading.at).label("at"))
        .group_by(EndpointReading.host, EndpointReading.kind)
        .subquery()
    )
    statement = select(EndpointReading).join(
        last,
        (EndpointReading.host == last.c.host)
        & (EndpointReading.kind == last.c.kind)
        & (EndpointReading.at == last.c.at),
    )
    found: dict[str, dict[str, Reading]] = {}
    for row in session.scalars(statement.order_by(EndpointReading.id)):
        reading = Reading(row.host, row.kind, row.at, row.good, row.words)  # type: ignore[arg-type]
        before = found.setdefault(row.host, {}).get(row.kind)
        # Two readings of one moment: the worse one counts.
        found[row.host][row.kind] = reading if before is None or before.good else before
    return found
