"""What a listener does between batches: holes and gaps, births, notes from other processes, commands, device rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from bposite.doors.actions import commands, devices
from bposite.doors.actions.ingest import upsert
from bposite.doors.events import Birth, Command, Delivery, Facet
from bposite.doors.listener.memory import ADOPT_AFTER, Boot, DeviceMemory, Memory
from bposite.doors.listener.reading import sequence_row
from bposite.doors.queries.devices import (
    COUNTERS,
    QueuedCommand,
    any_late_command,
    commands_to_send,
    quarantined_raw,
    signed_off,
)
from bposite.doors.queries.policy import load_lockdowns, load_modes, notes_after, whereabouts
from bposite.doors.rules.sequence import Range, overdue
from bposite.doors.tables import DeviceState, SequenceRow
from bposite.doors.wire import encode
from bposite.journal.queries import size as journal_size
from bposite.journal.queries import tail
from bposite.journal.work import Actor, Work, unit_of_work
from bposite.plumbing.clock import now, to_micros
from bposite.plumbing.db import reading, transaction
from bposite.plumbing.ids import new_id

SYNC_WITHIN = timedelta(seconds=30)
WATCH_EVERY = timedelta(seconds=5)
WRITE_EVERY = timedelta(seconds=2)
PEOPLE = ("people:person:",)
ACTOR = Actor.system("doors")


# --- births and holes ------------------------------------------------------------------------------------------------


def birth(work: Work, memory: Memory, item: Birth) -> None:
    """A device started: which of its events can still come is known now."""
    devices.note_birth(work, item)
    device = memory.device(item.device)
    if item.seq_oldest is None:
        return
    device.oldest[item.boot] = item.seq_oldest
    boot = device.boots.get(item.boot)
    if boot is None:
        return
    boot.oldest_held = item.seq_oldest
    holes = boot.mark.missing(limit=10_000)
    gone = [(first, min(last, item.seq_oldest - 1)) for first, last in holes if first < item.seq_oldest]
    if gone:
        _give_up(work, device, item.boot, boot, gone, "lost", "the device does not hold them any more")


def facet(memory: Memory, item: Facet) -> None:
    """A device told how one of its doors stands: what interlocks and unlocked doors go by."""
    kind, _, name = item.facet.partition("/")
    door = memory.policy.doors.get(name)
    if kind != "door" or door is None or door.device != item.device or item.value is None:
        return
    contact, mode = item.value.get("contact", item.value.get("state")), item.value.get("mode")
    if contact in ("open", "closed"):
        (memory.scene.open_doors.add if contact == "open" else memory.scene.open_doors.discard)(name)
    if mode in ("locked", "unlocked"):
        memory.scene.modes[name] = mode
    elif mode is not None:
        memory.scene.modes.pop(name, None)


def holes_due(memory: Memory, at: datetime) -> bool:
    """Whether ``mind_holes`` has something to write: cheap, because it is asked four times a second."""
    return any(_is_due(boot, at) for device in memory.devices.values() for boot in device.boots.values())


def _is_due(boot: Boot, at: datetime) -> bool:
    holes = bool(boot.mark.ahead)
    if holes and boot.hole_since is None:
        boot.hole_since = at
    if not holes and boot.hole_since is not None and not boot.holes:
        boot.hole_since = None
    if boot.adopting is not None and at >= boot.adopting:
        return True
    waited = boot.hole_since is not None and overdue(boot.hole_since, at)
    return waited and boot.holes != boot.mark.missing(limit=1000)


def mind_holes(work: Work, memory: Memory, at: datetime) -> set[tuple[str, str]]:
    """Write gaps that outlived the reorder window; end the waiting for events from before the first contact."""
    touched = set()
    for device in memory.devices.values():
        for name, boot in device.boots.items():
            if not _is_due(boot, at):
                continue
            if boot.adopting is not None and at >= boot.adopting:
                _adopt(work, device, name, boot, at)
            missing = boot.mark.missing(limit=1000)
            devices.sync_gaps(work, device.id, name, missing)
            boot.holes = missing
            touched.add((device.id, name))
    return touched


def _adopt(work: Work, device: DeviceMemory, name: str, boot: Boot, at: datetime) -> None:
    """A device that nobody knew began in the middle of its count: what came before is waited for while it comes."""
    missing = boot.mark.missing(limit=1)
    if missing and boot.awaited != missing[0]:
        boot.awaited, boot.adopting = missing[0], at + ADOPT_AFTER
        return
    boot.adopting = None
    if missing:
        _give_up(work, device, name, boot, missing, "before_contact", "older than the first contact with this device")


def _give_up(
    work: Work, device: DeviceMemory, name: str, boot: Boot, ranges: list[Range], state: str, why: str
) -> None:
    devices.close_gaps(work, device.id, name, ranges, state, why)
    for first, last in ranges:
        boot.mark.fill(first, last)
    boot.dirty = True
    row = {"device": device.id, "boot": name, **sequence_row(boot, to_micros(work.now))}
    upsert(work.session, SequenceRow, [row], keys=("device", "boot"), keep=("first_at",))


def remind(memory: Memory, at: datetime, every: timedelta) -> set[tuple[str, str]]:
    """Boots with holes whose device has not been asked for a while; the next acknowledgement asks again."""
    return {
        (device.id, name)
        for device in memory.devices.values()
        for name, boot in device.boots.items()
        if boot.mark.ahead and boot.acked is not None and at - boot.acked >= every
    }


# --- notes of other processes ----------------------------------------------------------------------------------------


def take_notes(memory: Memory, at: datetime) -> list[tuple[str, Delivery]]:
    """Bring memory up to date with what other processes changed; returns the quarantined messages to read again."""
    with reading() as session:
        if at - memory.watched_at >= WATCH_EVERY:
            memory.watched_at = at
            memory.watch(session)
        notes = notes_after(session, memory.note)
        if _people_changed(memory, session) or any(kind == "policy" for _, kind, _ in notes):
            memory.plan_changed(session)
        if not notes:
            return []
        memory.note = notes[-1][0]
        for kind, take in _TAKE.items():
            if subjects := {subject for _, named, subject in notes if named == kind}:
                take(memory, session, subjects)
        found = [(subject, quarantined_raw(session, subject)) for _, kind, subject in notes if kind == "replay"]
    return [
        (message_id, Delivery(topic=raw[0], payload=raw[1], received_at=at))
        for message_id, raw in found
        if raw is not None
    ]


def _people_changed(memory: Memory, session: Session) -> bool:
    before, memory.journal_size = memory.journal_size, journal_size(session)
    return memory.journal_size > before and bool(tail(session, before - 1, PEOPLE, limit=1))


def _presence(memory: Memory, session: Session, subjects: set[str]) -> None:
    for one in whereabouts(session):
        if one.subject in subjects:
            memory.scene.put(one)


def _lockdown(memory: Memory, session: Session, _subjects: set[str]) -> None:
    memory.scene.lockdowns = load_lockdowns(session)


def _mode(memory: Memory, session: Session, _subjects: set[str]) -> None:
    memory.scene.modes = load_modes(session)


def _sequence(memory: Memory, session: Session, subjects: set[str]) -> None:
    """Gaps that a person signed off count as here: their device may forget what came after them."""
    for device in subjects:
        for name, first, last in signed_off(session, device):
            boot = memory.device(device).boots.get(name)
            if boot is not None and boot.mark.has(first) is False:
                boot.mark.fill(first, last)
                boot.acked = None
                memory.restless.add((device, name))


_TAKE: dict[str, Callable[[Memory, Session, set[str]], None]] = {
    "presence": _presence,
    "lockdown": _lockdown,
    "mode": _mode,
    "sequence": _sequence,
}


# --- commands --------------------------------------------------------------------------------------------------------


def queued_commands(site: str) -> list[encode.Message]:
    """Commands to send now. They count as sent before they are: a door must not open twice."""
    with reading() as session:
        waiting = commands_to_send(session)
        late = any_late_command(session, now())
    if not waiting and not late:
        return []
    with unit_of_work(ACTOR) as work:
        commands.expire_commands(work)
        commands.end_lockdowns(work)
        commands.mark_sent(work, [one.nonce for one in waiting])
    return [_command(site, one) for one in waiting if one.expires_at > now()]


def _command(site: str, row: QueuedCommand) -> encode.Message:
    ranges = tuple((int(first), int(last)) for first, last in row.body.get("ranges", ()))
    body = Command(
        name=row.name, nonce=row.nonce, exp=row.expires_at, door=row.door, operator=row.operator, reason=row.reason,  # type: ignore[arg-type]
        open_ms=row.body.get("open_ms"), rank=row.body.get("rank"), boot=row.body.get("boot"), ranges=ranges,
    )  # fmt: skip
    return encode.command(site, row.device, body)


def sync_commands(memory: Memory, at: datetime) -> list[encode.Message]:
    """Ask every native device, planned or heard of, to tell who it is and to send again what it keeps."""
    heard = {name for name, device in memory.devices.items() if device.newest is not None}
    return [
        encode.command(memory.site, name, Command(name="sync", nonce=new_id(), exp=at + SYNC_WITHIN))
        for name in sorted(heard | memory.planned_native)
    ]


# --- device rows -----------------------------------------------------------------------------------------------------


def write_devices(memory: Memory, at: datetime) -> None:
    """Write what the health page shows of devices; not with every batch, because it may lag two seconds."""
    changed = [one for one in memory.devices.values() if one.heard_at is not None and one.heard_at != one.written_at]
    if not changed or at - memory.devices_written < WRITE_EVERY:
        return
    memory.devices_written = at
    rows = [
        {"device": one.id, "heard_at": one.heard_at, "skew_ms": one.clock.skew_ms, "lag_ms": one.lag_ms}
        | {name: one.counts.get(name, 0) for name in COUNTERS}
        for one in changed
    ]
    with transaction() as session:
        upsert(session, DeviceState, rows, keys=("device",))
    for one in changed:
        one.written_at = one.heard_at
