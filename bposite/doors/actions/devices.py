"""What is done about devices: heard of, gone, lacking events; and what people do with what a device sent in vain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from bposite.doors.actions.alarms import checked_reason, end_condition, raise_alarm
from bposite.doors.actions.ingest import upsert
from bposite.doors.actions.notes import note
from bposite.doors.events import Birth, Facet, Link
from bposite.doors.rules.sequence import Range, subtract
from bposite.doors.tables import Claim, Device, DeviceState, Door, DoorAlias, DoorState, Gap, Quarantine
from bposite.journal.work import Work
from bposite.plumbing.clock import now
from bposite.plumbing.errors import Conflict, NotFound, Refusal
from bposite.plumbing.ids import new_id

MAX_FACETS = 64
OFFLINE = "device-offline"


# --- what a device says about itself ---------------------------------------------------------------------------------


def note_birth(work: Work, birth: Birth) -> None:
    """A device started, or the broker told us again how it started."""
    state = _state(work, birth.device)
    fresh = state.boot != birth.boot
    state.boot, state.model, state.fw, state.clock = birth.boot, birth.model[:200], birth.fw[:200], birth.clock
    state.buffer_max = birth.buffer_max
    if birth.seq_next is not None and birth.seq_oldest is not None:
        state.buffered = max(birth.seq_next - birth.seq_oldest, 0)
    if not birth.retained:
        state.heard_at = work.now
    if fresh:
        data = {"device": birth.device, "boot": birth.boot, "model": birth.model, "fw": birth.fw, "doors": birth.doors}
        work.record("doors:device:started", subject=birth.device, data=data)


def note_link(work: Work, link: Link) -> None:
    """A device is there, or is gone (its will): silence is the alarm that users of these devices miss most."""
    state = _state(work, link.device)
    if state.link_at is not None and state.online == link.online:
        return
    state.online, state.link_at = link.online, work.now
    if link.online:
        state.heard_at = work.now
        end_condition(work, OFFLINE, link.device)
    else:
        summary = f"{link.device} is not reachable"
        raise_alarm(work, OFFLINE, summary, severity="warning", device=link.device, about=link.device)
    data = {"device": link.device, "state": "online" if link.online else "offline", "reason": link.reason}
    work.record("doors:device:link", subject=link.device, data=data)


def note_facet(work: Work, facet: Facet) -> None:
    """One retained part of a device's state; a cleared one is forgotten."""
    state = _state(work, facet.device)
    facets = dict(state.facets or {})
    if facet.value is None:
        facets.pop(facet.facet, None)
    elif facet.facet in facets or len(facets) < MAX_FACETS:
        facets[facet.facet] = dict(facet.value)
    state.facets = facets
    if not facet.retained:
        state.heard_at = work.now
    value = facet.value or {}
    kind, _, door = facet.facet.partition("/")
    if kind == "buffer" and isinstance(used := value.get("used"), int) and not isinstance(used, bool):
        state.buffered = used
    if kind == "cfg" and isinstance(version := value.get("version"), str | int):
        state.list_version = str(version)[:80]
    if kind == "door" and door:
        _door_facet(work, facet.device, door, value)


def _door_facet(work: Work, device: str, door: str, value: Mapping[str, Any]) -> None:
    row = work.session.get(Door, door)
    if row is None or row.device_id != device:
        return  # a device speaks for its own doors only
    changes: dict[str, Any] = {}
    if (contact := value.get("contact", value.get("state"))) in ("open", "closed"):
        changes["contact"] = contact
    if (lock := value.get("lock")) in ("locked", "unlocked"):
        changes["lock"] = lock
    if (mode := value.get("mode")) in ("normal", "locked", "unlocked", "lockdown"):
        changes["mode"] = mode
    held = work.session.get(DoorState, door)
    if not changes or (held is not None and all(getattr(held, name) == new for name, new in changes.items())):
        return
    upsert(work.session, DoorState, [{"door": door, "changed_at": work.now, **changes}], keys=("door",))
    work.record("doors:door:state", subject=door, data={"door": door, "device": device, **changes})


def _state(work: Work, device: str) -> DeviceState:
    row = work.session.get(DeviceState, device)
    if row is None:
        row = DeviceState(device=device, online=False, facets={})
        work.session.add(row)
        work.session.flush()
    return row


# --- numbers that did not come ---------------------------------------------------------------------------------------


def sync_gaps(work: Work, device: str, boot: str, missing: Sequence[Range]) -> None:
    """Make the open gaps of one boot be what is missing now: new ones opened, filled ones closed, others cut down."""
    rows = work.session.scalars(
        select(Gap).where(Gap.device == device, Gap.boot == boot, Gap.state == "open").order_by(Gap.first)
    )
    unnamed = list(missing)
    for row in rows:
        span = (row.first, row.last)
        left = [(max(a, span[0]), min(b, span[1])) for a, b in missing if a <= span[1] and b >= span[0]]
        unnamed = subtract(unnamed, span)
        if not left:
            row.state, row.closed_at = "filled", work.now
            work.record("doors:gap:filled", subject=device, data=_gap(row))
        elif left != [span]:
            (row.first, row.last), *rest = left
            work.session.flush()
            work.session.add_all(_new_gap(device, boot, part, row.found_at) for part in rest)
    for part in unnamed:
        gap = _new_gap(device, boot, part, work.now)
        work.session.add(gap)
        work.record("doors:gap:found", subject=device, data=_gap(gap))


def close_gaps(work: Work, device: str, boot: str, ranges: Iterable[Range], state: str, reason: str) -> None:
    """Write that ``ranges`` will not come (``lost`` or ``before_contact``), whether they were named before or not."""
    for first, last in ranges:
        row = work.session.scalar(select(Gap).where(Gap.device == device, Gap.boot == boot, Gap.first == first))
        if row is None:
            row = _new_gap(device, boot, (first, last), work.now)
            work.session.add(row)
        row.last, row.state, row.closed_at, row.reason = last, state, work.now, reason[:400]
        work.record("doors:gap:closed", subject=device, data=_gap(row) | {"reason": reason})


def sign_off_gap(work: Work, gap_id: str, reason: str) -> None:
    """A named person accepts that these events will not come; the device need not keep others for them."""
    text = checked_reason(reason)
    row = work.session.get(Gap, gap_id, with_for_update=True)
    if row is None:
        raise NotFound("gap", "There is no such gap.")
    if row.state != "open":
        raise Conflict("gap_closed", "This gap is closed already.")
    row.state, row.closed_at, row.closed_by, row.reason = "signed_off", work.now, work.actor.name, text
    work.record("doors:gap:signed-off", subject=row.device, data=_gap(row) | {"reason": text})
    note(work, "sequence", row.device)


def _new_gap(device: str, boot: str, span: Range, found_at: datetime) -> Gap:
    return Gap(
        id=new_id(), device=device, boot=boot, first=span[0], last=span[1], state="open", found_at=found_at,
        closed_by="", reason="",
    )  # fmt: skip


def _gap(row: Gap) -> dict[str, Any]:
    return {"device": row.device, "boot": row.boot, "first": row.first, "last": row.last, "state": row.state}


# --- lists that wait for a person ------------------------------------------------------------------------------------


def claim_door(work: Work, device: str, ref: str, door_id: str, direction: str | None) -> None:
    """From now on ``ref`` of ``device`` means this door (and side); events that came before keep their open place."""
    claim = _claim(work, device, ref)
    door = work.session.get(Door, door_id)
    if door is None or door.retired:
        raise Refusal("no_door", "There is no such door.", field="door", remedy="Choose a door of the plan.")
    if direction not in (None, "in", "out"):
        raise Refusal("direction", "The side is in, out or left open.", field="direction")
    row = work.session.get(DoorAlias, (device, ref))
    if row is None:
        work.session.add(DoorAlias(device_id=device, ref=ref, door_id=door_id, direction=direction))
    else:
        row.door_id, row.direction = door_id, direction
    claim.state = "claimed"
    data = {"device": device, "ref": ref, "door": door_id, "direction": direction}
    work.record("doors:claim:claimed", subject=device, data=data)
    note(work, "policy")


def claim_device(work: Work, device: str, name: str, kind: str = "native") -> None:
    """Take a device that speaks, and that nobody planned, into the plan."""
    claim = _claim(work, device, "")
    if not 1 <= len(name.strip()) <= 120:
        raise Refusal("name", "Give the device a name of at most 120 characters.", field="name")
    if work.session.get(Device, device) is None:
        work.session.add(Device(id=device, name=name.strip(), kind=kind, planned=True, options={}))
    claim.state = "claimed"
    work.record("doors:claim:claimed", subject=device, data={"device": device, "ref": "", "name": name.strip()})
    note(work, "policy")


def dismiss_claim(work: Work, device: str, ref: str, reason: str) -> None:
    """It is none of ours; its events stay in the log."""
    claim = _claim(work, device, ref)
    claim.state = "dismissed"
    data = {"device": device, "ref": ref, "reason": checked_reason(reason)}
    work.record("doors:claim:dismissed", subject=device, data=data)


def _claim(work: Work, device: str, ref: str) -> Claim:
    row = work.session.get(Claim, (device, ref), with_for_update=True)
    if row is None:
        raise NotFound("claim", "There is nothing to claim under this name.")
    return row


def discard_message(work: Work, message_id: str, reason: str) -> None:
    """Nothing can be made of this message; it stays on record with the reason."""
    text = checked_reason(reason)
    row = _quarantined(work, message_id)
    row.state, row.handled_by, row.note = "discarded", work.actor.name, text
    work.record("doors:quarantine:discarded", subject=row.id, data={"digest": row.digest, "reason": text})


def replay_message(work: Work, message_id: str, reason: str) -> None:
    """Let the listener read the message again (after a plan or a translation was mended)."""
    text = checked_reason(reason)
    row = _quarantined(work, message_id)
    if row.size > len(row.raw):
        raise Refusal("cut", "Only a part of this message was kept, so it cannot be read again.", remedy="Discard it.")
    row.state, row.handled_by, row.note = "replayed", work.actor.name, text
    work.record("doors:quarantine:replayed", subject=row.id, data={"digest": row.digest, "reason": text})
    note(work, "replay", row.id)


def reopen_message(work: Work, message_id: str, why: str) -> None:
    """The replay failed: it waits for a person again."""
    row = work.session.get(Quarantine, message_id)
    if row is not None:
        row.state, row.detail, row.last_at = "open", why[:400], now()


def _quarantined(work: Work, message_id: str) -> Quarantine:
    row = work.session.get(Quarantine, message_id, with_for_update=True)
    if row is None:
        raise NotFound("message", "There is no such message.")
    if row.state == "discarded":
        raise Conflict("handled", f"{row.handled_by} discarded this message already.")
    return row
