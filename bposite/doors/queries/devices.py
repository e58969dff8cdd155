"""Devices: how they are, what they lack, what they said that nobody could read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bposite.doors.rules.sequence import Range
from bposite.doors.tables import CommandRow, Device, DeviceState, Gap, LockdownRow, Quarantine, SequenceRow

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
