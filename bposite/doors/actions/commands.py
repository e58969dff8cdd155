"""Commands to doors: who asked for what and why, until when it counts, and what the door answered.

A command is a row first: the listener sends it, the device answers by its nonce, and what is not answered in time is
expired. An unlock is refused where a lockdown is in force.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from bposite.doors.actions.alarms import checked_reason
from bposite.doors.actions.ingest import upsert
from bposite.doors.actions.notes import note
from bposite.doors.events import CommandResult
from bposite.doors.tables import CommandRow, Door, DoorState, LockdownRow, Presence, Zone
from bposite.journal.work import Work
from bposite.plumbing.errors import NotFound, Refusal
from bposite.plumbing.ids import new_id

LIFETIME = timedelta(seconds=15)
SITE = "*"
MAX_RANK = 9


def unlock(work: Work, door_id: str, reason: str) -> str:
    """Open one door once; returns the nonce of the command."""
    door = _door(work, door_id)
    locked = work.session.scalar(select(LockdownRow.scope).where(LockdownRow.scope.in_((SITE, door.to_zone))))
    if locked is not None:
        raise Refusal("lockdown", "A lockdown is in force here.", remedy="Release the lockdown first.")
    return _queue(work, "unlock", door, reason, {"open_ms": door.open_ms})


def lock(work: Work, door_id: str, reason: str) -> str:
    """Keep one door locked against everybody until it is released; exits stay free."""
    door = _door(work, door_id)
    _mode(work, door_id, "locked")
    return _queue(work, "lock", door, reason, {})


def release(work: Work, door_id: str, reason: str) -> str:
    """End what ``lock`` did to one door."""
    door = _door(work, door_id)
    _mode(work, door_id, "normal")
    return _queue(work, "release", door, reason, {})


def start_lockdown(work: Work, scope: str, rank: int, reason: str, minutes: int | None = None) -> list[str]:
    """Lock a zone, or with ``*`` the whole site, against holders of a lower rank; returns the commands' nonces."""
    text = checked_reason(reason)
    if not 1 <= rank <= MAX_RANK:
        raise Refusal("rank", f"The rank is 1 to {MAX_RANK}.", field="rank")
    if minutes is not None and not 1 <= minutes <= 24 * 60:
        raise Refusal("minutes", "The time is 1 minute to 24 hours, or left open.", field="minutes")
    doors = _doors_of(work, scope)
    until = work.now + timedelta(minutes=minutes) if minutes else None
    row = {"scope": scope, "rank": rank, "since": work.now, "until": until, "by": work.actor.name, "reason": text}
    upsert(work.session, LockdownRow, [row], keys=("scope",))
    data = {"zone": scope, "state": "started", "rank": rank, "reason": text, "until": until}
    work.record("doors:lockdown:started", subject=scope, data=data)
    note(work, "lockdown", scope)
    return [_queue(work, "lockdown", door, text, {"rank": rank}) for door in doors]


def release_lockdown(work: Work, scope: str, reason: str) -> list[str]:
    """End a lockdown; every door of its scope is told."""
    text = checked_reason(reason)
    row = work.session.get(LockdownRow, scope, with_for_update=True)
    if row is None:
        raise NotFound("lockdown", "No lockdown is in force here.")
    work.session.delete(row)
    work.record("doors:lockdown:released", subject=scope, data={"zone": scope, "state": "released", "reason": text})
    note(work, "lockdown", scope)
    return [_queue(work, "release", door, text, {}) for door in _doors_of(work, scope)]


def end_lockdowns(work: Work) -> None:
    """Release by themselves the lockdowns whose time has come."""
    due = select(LockdownRow.scope).where(LockdownRow.until.is_not(None), LockdownRow.until <= work.now)
    for scope in work.session.scalars(due).all():
        release_lockdown(work, scope, "its time ended")


def ask_again(work: Work, device: str, boot: str, ranges: Iterable[tuple[int, int]], reason: str) -> str:
    """Ask a device to send events again."""
    return _queue_for(work, "resend", device, None, reason, {"boot": boot, "ranges": [list(one) for one in ranges]})


def forgive_passback(work: Work, subject: str, reason: str) -> None:
    """Where somebody is counts as unknown, so that the next door lets them in; presence is corrected by a passage."""
    text = checked_reason(reason)
    row = work.session.get(Presence, subject, with_for_update=True)
    if row is None:
        raise NotFound("presence", "Nothing is known about where this person is.")
    work.record("doors:passback:forgiven", subject=subject, data={"zone": row.zone, "reason": text})
    row.zone, row.at, row.confidence = None, work.now, "inferred"
    note(work, "presence", subject)


def mark_sent(work: Work, nonces: list[str]) -> None:
    """The listener has published these commands."""
    statement = update(CommandRow).where(CommandRow.nonce.in_(nonces), CommandRow.state == "queued")
    work.session.execute(statement.values(state="sent", sent_at=work.now))


def expire_commands(work: Work) -> int:
    """Commands that nobody answered in time; each is a record, because a door may not have moved."""
    late = select(CommandRow).where(CommandRow.state.in_(("queued", "sent")), CommandRow.expires_at <= work.now)
    rows = list(work.session.scalars(late))
    for row in rows:
        row.state, row.detail = "expired", "no answer in time"
        work.record("doors:command:expired", subject=row.nonce, data=_data(row))
    return len(rows)


def note_result(work: Work, result: CommandResult) -> None:
    """What a device answered; one result per nonce, and only from the device that was asked."""
    row = work.session.get(CommandRow, result.nonce)
    if row is None or row.device != result.device or row.state in ("done", "failed"):
        return
    row.state, row.result_at = "done" if result.ok else "failed", work.now
    row.detail = (result.detail or ("" if result.ok else f"code {result.code}"))[:200]
    work.record(f"doors:command:{row.state}", subject=row.nonce, data=_data(row))


def _queue(work: Work, name: str, door: Door, reason: str, body: dict[str, Any]) -> str:
    return _queue_for(work, name, door.device_id, door.id, reason, body)


def _queue_for(work: Work, name: str, device: str, door: str | None, reason: str, body: dict[str, Any]) -> str:
    row = CommandRow(
        nonce=new_id(), name=name, device=device, door=door, body=body, operator=work.actor.name,
        reason=checked_reason(reason), state="queued", queued_at=work.now, expires_at=work.now + LIFETIME, detail="",
    )  # fmt: skip
    work.session.add(row)
    work.record("doors:command:queued", subject=row.nonce, data=_data(row))
    return row.nonce


def _mode(work: Work, door_id: str, mode: str) -> None:
    row = {"door": door_id, "mode": mode, "changed_at": work.now}
    upsert(work.session, DoorState, [row], keys=("door",))
    note(work, "mode", door_id)


def _door(work: Work, door_id: str) -> Door:
    door = work.session.get(Door, door_id)
    if door is None or door.retired:
        raise NotFound("door", "There is no such door.")
    return door


def _doors_of(work: Work, scope: str) -> list[Door]:
    if scope != SITE and work.session.get(Zone, scope) is None:
        raise Refusal("zone", "There is no such zone.", field="scope")
    statement = select(Door).where(Door.retired.is_(False)).order_by(Door.ordinal)
    if scope != SITE:
        statement = statement.where(Door.to_zone == scope)
    return list(work.session.scalars(statement))


def _data(row: CommandRow) -> dict[str, Any]:
    return {
        "name": row.name, "device": row.device, "door": row.door, "operator": row.operator, "reason": row.reason,
        "state": row.state, "detail": row.detail,
    }  # fmt: skip
