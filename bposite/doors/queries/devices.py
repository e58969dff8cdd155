"""Devices: how they are, what they lack, what they said that nobody could read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bposite.doors.queries.push import KINDS as PUSHING
from bposite.doors.rules.sequence import Range, Watermark, completeness
from bposite.doors.rules.times import hint
from bposite.doors.tables import Claim, CommandRow, Device, DeviceState, Door, Gap, LockdownRow, Quarantine, SequenceRow
from bposite.doors.wire.adapters.registry import COUNTING

SILENT = timedelta(minutes=15)
"""A planned device that says nothing for so long is not believed to be well, whatever its link says."""
SKEW_WARN_MS = 5_000
COUNTERS = ("stored", "duplicates", "retained", "rejected", "foreign_codes")


@dataclass(frozen=True, slots=True)
class DeviceMemo:
    """What a listener must remember of a device when it starts."""

    device: str
    kind: str = "native"
    planned: bool = False
    zone_name: str = ""
    options: dict[str, str] = field(default_factory=dict)
    skew_ms: int | None = None
    heard_at: datetime | None = None
    counts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sequence:
    """The stored watermark of one boot."""

    device: str
    boot: str
    upto: int
    ahead: tuple[Range, ...]
    oldest_held: int | None
    first_at: datetime
    last_at: datetime


def device_memos(session: Session) -> dict[str, DeviceMemo]:
    """Every device that is planned or was ever heard of."""
    states = {row.device: row for row in session.scalars(select(DeviceState))}
    plans = {row.id: row for row in session.scalars(select(Device))}
    return {name: _memo(name, plans.get(name), states.get(name)) for name in states.keys() | plans.keys()}


def _memo(name: str, plan: Device | None, state: DeviceState | None) -> DeviceMemo:
    return DeviceMemo(
        name,
        plan.kind if plan else "native",
        plan is not None and plan.planned,
        plan.zone_name if plan else "",
        dict(plan.options) if plan else {},
        state.skew_ms if state else None,
        state.heard_at if state else None,
        {counter: getattr(state, counter) for counter in COUNTERS} if state else {},
    )


def sequences(session: Session) -> list[Sequence]:
    """All watermarks."""
    return [
        Sequence(
            row.device, row.boot, row.upto, tuple((first, last) for first, last in row.ahead), row.oldest_held,
            row.first_at, row.last_at,
        )
        for row in session.scalars(select(SequenceRow))
    ]  # fmt: skip


def signed_off(session: Session, device: str) -> list[tuple[str, int, int]]:
    """Gaps of a device that a person signed off: (boot, first, last)."""
    rows = session.execute(select(Gap.boot, Gap.first, Gap.last).where(Gap.device == device, Gap.state == "signed_off"))
    return [(boot, first, last) for boot, first, last in rows]


def quarantined_raw(session: Session, message_id: str) -> tuple[str, bytes] | None:
    """(topic, payload) of a quarantined message that is to be read again."""
    row = session.get(Quarantine, message_id)
    return None if row is None or row.state != "replayed" else (row.topic, row.raw)


@dataclass(frozen=True, slots=True)
class QueuedCommand:
    """A command that waits to be sent."""

    nonce: str
    name: str
    device: str
    door: str | None
    body: dict[str, Any]
    operator: str
    reason: str
    expires_at: datetime


def commands_to_send(session: Session) -> list[QueuedCommand]:
    """Commands that wait, oldest first."""
    rows = session.scalars(select(CommandRow).where(CommandRow.state == "queued").order_by(CommandRow.queued_at))
    return [
        QueuedCommand(row.nonce, row.name, row.device, row.door, row.body, row.operator, row.reason, row.expires_at)
        for row in rows
    ]


def any_late_command(session: Session, at: datetime) -> bool:
    """Whether a command ran out of time unanswered, or a lockdown has come to its end."""
    late = select(CommandRow.nonce).where(CommandRow.state.in_(("queued", "sent")), CommandRow.expires_at <= at)
    ended = select(LockdownRow.scope).where(LockdownRow.until.is_not(None), LockdownRow.until <= at)
    return any(session.scalar(one.limit(1)) is not None for one in (late, ended))


# --- the health page -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DeviceHealth:
    """A device and how it is. ``status``: good | attention | alarm | unknown; ``word`` says why.

    ``missing`` events of its present boots are not here (yet); ``completeness`` in percent, None when it never counted.
    """

    id: str
    name: str
    kind: str
    model: str
    fw: str
    planned: bool
    revoked: bool
    online: bool | None
    heard_at: datetime | None
    boot: str | None
    clock: str
    skew_ms: int | None
    skew_hint: str
    buffered: int | None
    buffer_max: int | None
    missing: int
    completeness: float | None
    counts: dict[str, int]
    certificate_until: datetime | None
    doors: tuple[str, ...]
    status: str
    word: str

    @property
    def counts_events(self) -> bool:
        """Whether its events have numbers, so that a lost one shows."""
        return self.kind in COUNTING

    @property
    def pushes(self) -> bool:
        """Whether it sends its events over HTTP, to an address with a secret."""
        return self.kind in PUSHING


def devices_health(session: Session, at: datetime) -> list[DeviceHealth]:
    """Every device that is planned or spoke, worst first."""
    plans = {row.id: row for row in session.scalars(select(Device))}
    states = {row.device: row for row in session.scalars(select(DeviceState))}
    counted = _counted(session)
    doors: dict[str, list[str]] = {}
    for device, name in session.execute(select(Door.device_id, Door.name).where(Door.retired.is_(False))):
        doors.setdefault(device, []).append(name)
    found = [
        _health(name, plans.get(name), states.get(name), counted.get(name, (0, 0)), tuple(doors.get(name, ())), at)
        for name in plans.keys() | states.keys()
    ]
    order = {"alarm": 0, "attention": 1, "unknown": 2, "good": 3}
    return sorted(found, key=lambda one: (order[one.status], one.id))


def _counted(session: Session) -> dict[str, tuple[int, int]]:
    """Device -> (stored, missing) over the boots it counted in; given-up numbers count as missing."""
    totals: dict[str, tuple[int, int]] = {}
    lost: dict[tuple[str, str], int] = {}
    for device, boot, first, last in session.execute(
        select(Gap.device, Gap.boot, Gap.first, Gap.last).where(Gap.state.in_(("lost", "signed_off")))
    ):
        lost[device, boot] = lost.get((device, boot), 0) + last - first + 1
    for row in sequences(session):
        mark = Watermark(row.upto, row.ahead)
        holes = sum(last - first + 1 for first, last in mark.missing(limit=100_000))
        missing = holes + lost.get((row.device, row.boot), 0)
        stored, gone = totals.get(row.device, (0, 0))
        totals[row.device] = (stored + mark.highest - missing, gone + missing)
    return totals


def _health(
    name: str,
    plan: Device | None,
    state: DeviceState | None,
    counted: tuple[int, int],
    doors: tuple[str, ...],
    at: datetime,
) -> DeviceHealth:
    status, word = _verdict(plan, state, counted[1], at)
    return DeviceHealth(
        id=name, name=plan.name if plan else name, kind=plan.kind if plan else "unknown",
        model=(state.model if state else "") or (plan.model if plan else ""), fw=state.fw if state else "",
        planned=plan is not None and plan.planned, revoked=plan is not None and plan.revoked_at is not None,
        online=state.online if state and state.link_at else None, heard_at=state.heard_at if state else None,
        boot=state.boot if state else None, clock=state.clock if state else "unset",
        skew_ms=state.skew_ms if state else None,
        skew_hint=hint(state.skew_ms) if state and state.skew_ms is not None else "",
        buffered=state.buffered if state else None, buffer_max=state.buffer_max if state else None,
        missing=counted[1], completeness=completeness(*counted),
        counts={one: getattr(state, one) for one in COUNTERS} if state else {},
        certificate_until=plan.certificate_until if plan else None, doors=doors, status=status, word=word,
    )  # fmt: skip


def _verdict(plan: Device | None, state: DeviceState | None, missing: int, at: datetime) -> tuple[str, str]:
    if state is None or state.heard_at is None:
        return "unknown", "Never heard of"
    if plan is None:
        return "attention", "Not in the plan"
    if state.link_at is not None and not state.online:
        return "alarm", "Not reachable"
    if at - state.heard_at > SILENT:
        return "alarm", "Silent"
    if missing:
        return "attention", f"{missing} events missing"
    if state.skew_ms is not None and abs(state.skew_ms) > SKEW_WARN_MS:
        return "attention", "Clock is wrong"
    return "good", "Working"


@dataclass(frozen=True, slots=True)
class GapRow:
    """Numbers of a device that did not come."""

    id: str
    device: str
    boot: str
    first: int
    last: int
    state: str
    found_at: datetime
    closed_at: datetime | None
    closed_by: str
    reason: str

    @property
    def count(self) -> int:
        """How many events."""
        return self.last - self.first + 1


def gaps(session: Session, device: str | None = None, *, open_only: bool = False, limit: int = 100) -> list[GapRow]:
    """Gaps, open ones first, then newest first."""
    columns = [getattr(Gap, name) for name in GapRow.__dataclass_fields__]
    statement = select(*columns).order_by((Gap.state != "open"), Gap.found_at.desc()).limit(limit)
    if device is not None:
        statement = statement.where(Gap.device == device)
    if open_only:
        statement = statement.where(Gap.state == "open")
    return [GapRow(*row) for row in session.execute(statement)]


@dataclass(frozen=True, slots=True)
class QuarantineRow:
    """A message nobody could read; ``raw`` may be cut (then ``size`` is larger)."""

    id: str
    topic: str
    device: str | None
    digest: str
    code: str
    detail: str
    raw: bytes
    size: int
    first_at: datetime
    last_at: datetime
    count: int
    state: str
    handled_by: str
    note: str


_QUARANTINE = tuple(QuarantineRow.__dataclass_fields__)


def quarantine(session: Session, *, state: str = "open", before: str = "", limit: int = 50) -> list[QuarantineRow]:
    """Quarantined messages in ``state``, newest first; ``before`` is the last id of the page before."""
    columns = [getattr(Quarantine, name) for name in _QUARANTINE]
    statement = select(*columns).where(Quarantine.state == state).order_by(Quarantine.id.desc()).limit(limit)
    if before:
        statement = statement.where(Quarantine.id < before)
    return [QuarantineRow(*row) for row in session.execute(statement)]


def quarantined(session: Session, message_id: str) -> QuarantineRow | None:
    """One quarantined message."""
    columns = [getattr(Quarantine, name) for name in _QUARANTINE]
    row = session.execute(select(*columns).where(Quarantine.id == message_id)).one_or_none()
    return None if row is None else QuarantineRow(*row)


def open_quarantine(session: Session) -> int:
    """How many messages wait for a person."""
    return session.scalar(select(func.count()).select_from(Quarantine).where(Quarantine.state == "open")) or 0


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """Something that speaks and is not in the plan; an empty ``ref`` is the device itself."""

    device: str
    ref: str
    first_at: datetime
    last_at: datetime
    count: int


def claims(session: Session) -> list[ClaimRow]:
    """What waits to be claimed, newest first."""
    columns = [getattr(Claim, name) for name in ClaimRow.__dataclass_fields__]
    statement = select(*columns).where(Claim.state == "open").order_by(Claim.last_at.desc())
    return [ClaimRow(*row) for row in session.execute(statement)]
