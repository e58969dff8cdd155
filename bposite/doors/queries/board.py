"""Doors, zones and alarms as they are now: what the wall page, the guard and the roll call look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bposite.doors.queries.entries import EntryRow, last_entries
from bposite.doors.tables import Alarm, CommandRow, Device, DeviceState, Door, DoorState, LockdownRow, Presence, Zone

VISIT = "visit:"


@dataclass(frozen=True, slots=True)
class DoorNow:
    """A door and how it stands. ``contact``: open | closed | unknown; ``mode``: normal | locked | unlocked | lockdown.

    ``online``: its controller is there; None when nothing was ever heard of it. ``alarm``: the reason, or empty.
    """

    id: str
    name: str
    device: str
    device_name: str
    from_zone: str
    from_name: str
    to_zone: str
    to_name: str
    contact: str
    lock: str
    mode: str
    alarm: str
    changed_at: datetime | None
    online: bool | None
    heard_at: datetime | None
    out_of_service: bool
    unlocked: str | None
    last: EntryRow | None

    @property
    def status(self) -> str:
        """The one status that its card shows: alarm | unknown | attention | good."""
        if self.alarm:
            return "alarm"
        if not self.online:
            return "unknown"
        as_planned = self.mode == "normal" or (self.mode == "unlocked" and self.unlocked is not None)
        if not as_planned or self.out_of_service:
            return "attention"
        return "good"

    @property
    def word(self) -> str:
        """The status in words."""
        if self.alarm:
            return {"forcedOpen": "Forced open", "doorOpenTooLong": "Open too long"}.get(self.alarm, "Alarm")
        if not self.online:
            return "Never heard of" if self.online is None else "Not reachable"
        if self.out_of_service:
            return "Out of service"
        modes = {"locked": "Locked", "unlocked": "Unlocked", "lockdown": "Lockdown"}
        return modes.get(self.mode) or {"open": "Open", "closed": "Closed"}.get(self.contact, "Working")


@dataclass(frozen=True, slots=True)
class ZoneNow:
    """A zone and who is in it: staff, visitors; ``capacity`` 0 = no limit."""

    id: str
    name: str
    kind: str
    client: str
    capacity: int
    no_device: bool
    escort: bool
    two_person: bool
    staff: int
    visitors: int
    lockdown: LockdownNow | None

    @property
    def heads(self) -> int:
        """Everybody in the zone."""
        return self.staff + self.visitors


@dataclass(frozen=True, slots=True)
class LockdownNow:
    """A lockdown in force; scope ``*`` is the site."""

    scope: str
    rank: int
    since: datetime
    until: datetime | None
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Present:
    """Where somebody was last seen. Either ``person`` (number) or ``visit`` (id) is set; zone None: unknown."""

    subject: str
    person: str | None
    visit: str | None
    zone: str | None
    at: datetime
    door: str | None
    direction: str | None
    confidence: str
    position: int


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """An alarm. ``state``: open | acknowledged | closed; ``severity``: alarm | warning; ``live`` False: digest only."""

    id: str
    kind: str
    severity: str
    summary: str
    door: str | None
    device: str | None
    zone: str | None
    camera: str | None
    person: str | None
    visit: str | None
    entry: int | None
    live: bool
    condition_over: bool
    count: int
    state: str
    raised_at: datetime
    last_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str
    closed_at: datetime | None
    closed_by: str
    closed_reason: str


@dataclass(frozen=True, slots=True)
class CommandNow:
    """A command and what became of it. ``state``: queued | sent | done | failed | expired."""

    nonce: str
    name: str
    device: str
    door: str | None
    operator: str
    reason: str
    state: str
    queued_at: datetime
    result_at: datetime | None
    detail: str


_ALARM = tuple(AlarmRow.__dataclass_fields__)
_COMMAND = tuple(CommandNow.__dataclass_fields__)


def doors_now(session: Session, ids: Iterable[str] | None = None) -> list[DoorNow]:
    """All doors of the plan (or those of ``ids``), in the order of the plan."""
    statement = select(Door).where(Door.retired.is_(False)).order_by(Door.ordinal, Door.id)
    if ids is not None:
        statement = select(Door).where(Door.id.in_(list(ids))).order_by(Door.ordinal, Door.id)
    doors = list(session.scalars(statement))
    zones = {row.id: row.name for row in session.scalars(select(Zone))}
    devices = {row.id: row.name for row in session.scalars(select(Device))}
    states = {row.door: row for row in session.scalars(select(DoorState))}
    links = {row.device: row for row in session.scalars(select(DeviceState))}
    last = last_entries(session, [door.id for door in doors])
    return [
        _door(door, zones, devices, states.get(door.id), links.get(door.device_id), last.get(door.id)) for door in doors
    ]


def door_now(session: Session, door_id: str) -> DoorNow | None:
    """One door, retired or not; None when there is none."""
    found = doors_now(session, [door_id])
    return found[0] if found else None


def _door(
    door: Door,
    zones: dict[str, str],
    devices: dict[str, str],
    state: DoorState | None,
    link: DeviceState | None,
    last: EntryRow | None,
) -> DoorNow:
    return DoorNow(
        id=door.id, name=door.name, device=door.device_id, device_name=devices.get(door.device_id, door.device_id),
        from_zone=door.from_zone, from_name=zones.get(door.from_zone, door.from_zone), to_zone=door.to_zone,
        to_name=zones.get(door.to_zone, door.to_zone), contact=state.contact if state else "unknown",
        lock=state.lock if state else "unknown", mode=state.mode if state else "normal",
        alarm=state.alarm if state else "", changed_at=state.changed_at if state else None,
        online=link.online if link and link.link_at else None if link is None else link.heard_at is not None,
        heard_at=link.heard_at if link else None, out_of_service=door.out_of_service, unlocked=door.unlocked, last=last,
    )  # fmt: skip


def zones_now(session: Session) -> list[ZoneNow]:
    """All zones in the order of the plan with their head-counts."""
    staff: Counter[str] = Counter()
    guests: Counter[str] = Counter()
    for subject, zone in session.execute(select(Presence.subject, Presence.zone)):
        if zone is not None:
            (guests if subject.startswith(VISIT) else staff)[zone] += 1
    locked = {row.scope: row for row in lockdowns_now(session)}
    return [
        ZoneNow(
            row.id, row.name, row.kind, row.client, row.capacity, row.no_device, row.escort, row.two_person,
            staff[row.id], guests[row.id], locked.get(row.id) or locked.get("*"),
        )
        for row in session.scalars(select(Zone).order_by(Zone.ordinal, Zone.id))
    ]  # fmt: skip


def lockdowns_now(session: Session) -> list[LockdownNow]:
    """Lockdowns in force."""
    rows = session.scalars(select(LockdownRow).order_by(LockdownRow.since))
    return [LockdownNow(row.scope, row.rank, row.since, row.until, row.by, row.reason) for row in rows]


def present(session: Session, zones: Sequence[str] | None = None) -> list[Present]:
    """Where everybody was last seen, longest there first; ``zones`` narrows it to some zones."""
    statement = select(Presence).order_by(Presence.at)
    if zones is not None:
        statement = statement.where(Presence.zone.in_(list(zones)))
    return [_present(row) for row in session.scalars(statement)]


def inside(session: Session) -> list[Present]:
    """Everybody who was last seen in a zone of the building, that is in none of the kind ``outside``."""
    statement = select(Presence).join(Zone, Zone.id == Presence.zone).where(Zone.kind != "outside")
    return [_present(row) for row in session.scalars(statement.order_by(Presence.at))]


def _present(row: Presence) -> Present:
    visit = row.subject.removeprefix(VISIT) if row.subject.startswith(VISIT) else None
    person = None if visit else row.subject
    return Present(
        row.subject, person, visit, row.zone, row.at, row.door, row.direction, row.confidence, row.position
    )  # fmt: skip


def alarms(
    session: Session, *, states: Sequence[str] = ("open", "acknowledged"), before: str = "", limit: int = 50
) -> list[AlarmRow]:
    """Alarms in ``states``, newest first; ``before`` is the id of the last one of the page before."""
    columns = [getattr(Alarm, name) for name in _ALARM]
    statement = select(*columns).where(Alarm.state.in_(states)).order_by(Alarm.id.desc()).limit(limit)
    if before:
        statement = statement.where(Alarm.id < before)
    return [AlarmRow(*row) for row in session.execute(statement)]


def alarm(session: Session, alarm_id: str) -> AlarmRow | None:
    """One alarm."""
    columns = [getattr(Alarm, name) for name in _ALARM]
    row = session.execute(select(*columns).where(Alarm.id == alarm_id)).one_or_none()
    return None if row is None else AlarmRow(*row)


def open_alarms(session: Session) -> int:
    """How many alarms nobody has closed, without those of the digest."""
    statement = select(func.count()).select_from(Alarm).where(Alarm.state != "closed", Alarm.live)
    return session.scalar(statement) or 0


def commands_of(session: Session, door: str, *, limit: int = 10) -> list[CommandNow]:
    """The last commands to a door, newest first."""
    columns = [getattr(CommandRow, name) for name in _COMMAND]
    statement = select(*columns).where(CommandRow.door == door).order_by(CommandRow.queued_at.desc()).limit(limit)
    return [CommandNow(*row) for row in session.execute(statement)]
