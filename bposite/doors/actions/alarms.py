"""Alarms: raised by a door, a device or a higher feature; acknowledged and closed by a named person.

One alarm per cause is open at a time: a repeat counts up instead of opening a second one. An alarm whose condition is
over stays open until somebody closes it, because somebody must have looked.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select

from bposite.doors.tables import Alarm
from bposite.journal.work import Work
from bposite.plumbing.errors import Conflict, NotFound, Refusal
from bposite.plumbing.ids import new_id

Severity = Literal["alarm", "warning"]
MIN_REASON = 3
MAX_REASON = 400


def raise_alarm(
    work: Work,
    kind: str,
    summary: str,
    *,
    severity: Severity = "alarm",
    about: str = "",
    door: str | None = None,
    device: str | None = None,
    zone: str | None = None,
    camera: str | None = None,
    person: str | None = None,
    visit: str | None = None,
    entry: int | None = None,
    live: bool = True,
    at: datetime | None = None,
) -> str:
    """Open an alarm, or count a repeat of one that is open; returns its id.

    ``kind`` is a short word such as ``forcedOpen``; with ``about`` (default: the door, device, camera or zone) it
    makes the cause. ``live`` False: it is for the digest, nobody is to run.
    """
    cause = f"{kind}:{about or door or camera or device or zone or ''}"[:160]
    row = work.session.scalar(select(Alarm).where(Alarm.fingerprint == cause, Alarm.state != "closed"))
    if row is not None:
        row.count += 1
        row.last_at = at or work.now
        row.condition_over = False
        row.entry = entry if entry is not None else row.entry
        work.record("doors:alarm:repeated", subject=row.id, data=_data(row))
        return row.id
    row = Alarm(
        id=new_id(), kind=kind, severity=severity, fingerprint=cause, summary=summary[:300], door=door, device=device,
        zone=zone, camera=camera, person=person, visit=visit, entry=entry, live=live, condition_over=False, count=1,
        state="open", raised_at=at or work.now, last_at=at or work.now,
    )  # fmt: skip
    work.session.add(row)
    work.session.flush()
    work.record("doors:alarm:raised", subject=row.id, data=_data(row))
    return row.id


def end_condition(work: Work, kind: str, about: str) -> None:
    """What raised the alarm is over (the door was closed, the device is back); the alarm waits for a person."""
    row = work.session.scalar(select(Alarm).where(Alarm.fingerprint == f"{kind}:{about}", Alarm.state != "closed"))
    if row is not None and not row.condition_over:
        row.condition_over = True
        work.record("doors:alarm:condition-over", subject=row.id, data=_data(row))


def acknowledge_alarm(work: Work, alarm_id: str) -> None:
    """Somebody has it. Conflict when somebody else has it already or it is closed."""
    row = _open(work, alarm_id)
    if row.state == "acknowledged":
        raise Conflict("alarm_taken", f"{row.acknowledged_by} has this alarm already.")
    row.state, row.acknowledged_at, row.acknowledged_by = "acknowledged", work.now, work.actor.name
    work.record("doors:alarm:acknowledged", subject=row.id, data=_data(row))


def close_alarm(work: Work, alarm_id: str, reason: str) -> None:
    """Close an alarm with what was found; the name of whoever closes it is kept."""
    text = checked_reason(reason)
    row = _open(work, alarm_id)
    row.state, row.closed_at, row.closed_by, row.closed_reason = "closed", work.now, work.actor.name, text
    work.record("doors:alarm:closed", subject=row.id, data=_data(row) | {"reason": text})


def checked_reason(reason: str) -> str:
    """A reason that a person gave, trimmed; Refusal beside the field when there is none or too much of it."""
    text = reason.strip()
    if not MIN_REASON <= len(text) <= MAX_REASON:
        message = f"Give a reason of {MIN_REASON} to {MAX_REASON} characters."
        raise Refusal("reason_needed", message, field="reason", remedy="Say what happened in a few words.")
    return text


def _open(work: Work, alarm_id: str) -> Alarm:
    row = work.session.get(Alarm, alarm_id, with_for_update=True)
    if row is None:
        raise NotFound("alarm", "There is no such alarm.")
    if row.state == "closed":
        raise Conflict("alarm_closed", f"{row.closed_by} closed this alarm already.")
    return row


def _data(row: Alarm) -> dict[str, Any]:
    return {
        "kind": row.kind, "severity": row.severity, "state": row.state, "door": row.door, "device": row.device,
        "zone": row.zone, "camera": row.camera, "person": row.person, "visit": row.visit, "entry": row.entry,
        "live": row.live, "count": row.count, "summary": row.summary,
    }  # fmt: skip
