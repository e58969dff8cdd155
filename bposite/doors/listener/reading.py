"""One batch of messages turned into plain values to store: who, where, when, was it new, what would we have said.

Every odd case of a door's life is decided here (see the table in the door contract): duplicates, conflicts, holes,
late and retained events, unknown doors. Nothing here writes; ``actions.ingest`` does, in one transaction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy.orm import Session

from bposite.doors.actions.ingest import Batch, Record, Rejected, known_digests
from bposite.doors.events import (
    DEBOUNCE_SECONDS,
    AccessEvent,
    AlarmEvent,
    Credential,
    Delivery,
    DoorEvent,
    EntryEvent,
    ReaderEvent,
    Rejection,
    SystemEvent,
    Translation,
)
from bposite.doors.listener.memory import GRANT_MEMORY, Boot, DeviceMemory, Memory
from bposite.doors.queries.entries import EntryRow, entry_of
from bposite.doors.queries.judge import Subject, judge_event, subject_of
from bposite.doors.rules.decide import Answer, Step
from bposite.doors.rules.policy import Door
from bposite.doors.rules.scene import Whereabouts
from bposite.doors.rules.times import Timing, hint, liveness
from bposite.doors.rules.words import title
from bposite.doors.wire.routes import NATIVE
from bposite.plumbing.clock import from_micros, to_micros

DEBOUNCE = timedelta(seconds=DEBOUNCE_SECONDS)
_CLASS: dict[type[EntryEvent], str] = {
    AccessEvent: "access",
    DoorEvent: "door",
    ReaderEvent: "reader",
    AlarmEvent: "alarm",
    SystemEvent: "system",
}
_CONTACT = {"door-opened": "open", "door-closed": "closed"}
_LOCK = {"door-locked": "locked", "door-unlocked": "unlocked", "schedule-lock": "locked", "schedule-unlock": "unlocked"}
_MODE = {"lockDown": "lockdown", "freeAccess": "unlocked", "normal": "normal"}
DOOR_ALARMS = ("forcedOpen", "doorOpenTooLong", "door-left-open", "door-jammed")
SYSTEM_ALARMS = frozenset({"power-lost", "storage-full", "events-lost", "battery-low", "tamper", "clock-drift"})


class Intent(msgspec.Struct, frozen=True):
    """An alarm to raise (or, with ``over``, a condition that ended) once the entries have their positions."""

    kind: str
    summary: str = ""
    record: int | None = None
    door: str | None = None
    device: str | None = None
    zone: str | None = None
    person: str | None = None
    visit: str | None = None
    severity: str = "alarm"
    live: bool = True
    at: datetime | None = None
    over: bool = False
    about: str = ""


class Reading:
    """The work on one batch. ``acks``: boots that have something to acknowledge."""

    def __init__(self, memory: Memory, session: Session, received: datetime) -> None:
        self.memory = memory
        self.session = session
        self.received = received
        self.micros = to_micros(received)
        self.batch = Batch()
        self.intents: list[Intent] = []
        self.errors: list[tuple[str, Rejection, bytes]] = []
        self.acks: set[tuple[str, str]] = set()
        self.counted: set[tuple[str, str]] = set()
        self._fresh: dict[tuple[str, str], bytes] = {}
        self._stored: dict[tuple[str, str], bytes] = {}

    # --- which events may be known already ---------------------------------------------------------------------------

    def look_up(self, translated: Iterable[Translation]) -> None:
        """Ask the store, with one statement, about every event that memory cannot prove to be new."""
        doubtful = set()
        for translation in translated:
            for item in translation.items:
                if isinstance(item, EntryEvent) and not self._surely_new(item):
                    doubtful.add((item.device, item.key))
        if doubtful:
            self._stored = known_digests(self.session, doubtful)

    def _surely_new(self, event: EntryEvent) -> bool:
        if event.seq is None or event.boot is None:
            return False
        device = self.memory.devices.get(event.device)
        boot = device.boots.get(event.boot) if device else None
        return boot is not None and not boot.mark.has(event.seq)

    # --- one event ---------------------------------------------------------------------------------------------------

    def event(self, event: EntryEvent, delivery: Delivery, evidence: bytes | None) -> None:
        """Take one event of any class: store it, or say why it is not stored."""
        device = self.memory.device(event.device)
        device.heard_at = self.received
        digest = hashlib.sha256(delivery.payload).digest()
        boot = self._number(device, event)
        name = (event.device, event.key)
        held = self._fresh.get(name) or self._stored.get(name)
        if held is not None:
            self._repeated(device, event, delivery, digest, held)
            return
        if event.fingerprint is not None and self.memory.seen_just_now(
            event.device, event.fingerprint, self.received, DEBOUNCE
        ):
            device.count("duplicates")
            return
        self._fresh[name] = digest
        if boot is not None and event.seq is not None:
            boot.mark.add(event.seq)
        timing = device.clock.judge(
            event.time, event.clock, self.received, stored_before=event.offline or event.replayed or event.retained
        )
        device.count("stored")
        self._clock_alarm(device, timing)
        record = self._record(event, delivery, digest, timing, evidence)
        self._act(event, record, timing)
        self.batch.records.append(record)

    def _number(self, device: DeviceMemory, event: EntryEvent) -> Boot | None:
        """The boot the event counts in. A native device has something to be told now, be the event new or not."""
        if event.boot is None or event.seq is None:
            return None
        native = event.adapter.startswith(NATIVE)
        boot = device.boot(event.boot, event.seq, self.received, asked=native)
        boot.dirty = True
        self.counted.add((event.device, event.boot))
        if native:
            boot.pending += 1
            self.acks.add((event.device, event.boot))
        elif event.prev_seq is not None and event.prev_seq < event.seq - 1:
            boot.mark.fill(event.prev_seq + 1, event.seq - 1)  # the vendor says that these numbers were never used
        return boot

    def _record(
        self, event: EntryEvent, delivery: Delivery, digest: bytes, timing: Timing, evidence: bytes | None
    ) -> Record:
        raw = evidence if evidence is not None else delivery.payload
        return Record(
            time_used=to_micros(timing.used),
            received_at=self.micros,
            time_told=None if event.time is None else to_micros(event.time),
            time_source=timing.source,
            skew_ms=timing.skew_ms,
            late=timing.late,
            device=event.device,
            key=event.key,
            boot=event.boot,
            seq=event.seq,
            cls=_CLASS[type(event)],
            reason=event.reason,
            vendor_reason=event.vendor_reason,
            door_ref=event.door_ref,
            digest=digest,
            adapter=event.adapter,
            raw=raw.decode("utf-8", "backslashreplace"),
        )

    def _act(self, event: EntryEvent, record: Record, timing: Timing) -> None:
        door = self._place(event, record)
        if isinstance(event, AccessEvent):
            self._access(event, record, timing, door)
        elif isinstance(event, DoorEvent):
            self._door(event, record, timing)
        elif isinstance(event, AlarmEvent):
            self._alarm(event, record, timing)
        elif isinstance(event, ReaderEvent):
            self._credential(event.credential, record)
            record.reader, record.direction = event.reader, event.direction or record.direction
        else:
            self._system(event, record, timing)
        if record.door is not None:
            self.batch.door_entries[record.door] = len(self.batch.records)
            if record.cls in ("access", "alarm") and record.door in self.memory.watched:
                self.batch.links.append(len(self.batch.records))

    def _place(self, event: EntryEvent, record: Record) -> Door | None:
        """Which door of the site it is; what the plan does not know goes on the list to be claimed."""
        door, direction = self.memory.policy.place(event.device, event.door_ref)
        if door is not None:
            record.door, record.direction, record.zone = door.id, direction, door.into(direction)
            return door
        if not self.memory.device(event.device).planned:
            self.claim(event.device, "")
        if event.door_ref:
            self.claim(event.device, event.door_ref)
        return None

    def claim(self, device: str, ref: str) -> None:
        """Put something that speaks and is not in the plan on the list to be claimed."""
        self.batch.claims[device, ref] = self.batch.claims.get((device, ref), 0) + 1

    # --- access ------------------------------------------------------------------------------------------------------

    def _access(self, event: AccessEvent, record: Record, timing: Timing, door: Door | None) -> None:
        record.decision, record.reader, record.taken = event.decision, event.reader, event.taken
        record.duress, record.holder = event.duress, event.holder
        record.factors = ",".join(event.factors)
        record.direction = event.direction or record.direction
        self._credential(event.credential, record)
        subject = subject_of(self.session, self.memory.policy, event.credential, event.holder)
        if door is not None:
            record.zone = door.into(record.direction)
            subject = self._passage(event, record, timing, door, subject)
            self._shadow(event, record, timing, door, subject)
        record.person, record.visit, record.pass_id = subject.person, subject.visit, subject.pass_id
        record.notable = event.decision == "denied" or event.duress
        if event.duress:
            self.intend("duress", f"{title('duress')}: {door.name if door else record.door_ref}", record, timing)

    def _credential(self, shown: Credential | None, record: Record) -> None:
        if shown is not None:
            record.credential_type, record.credential_ref = shown.type, shown.ref or shown.token

    def _passage(self, event: AccessEvent, record: Record, timing: Timing, door: Door, subject: Subject) -> Subject:
        """What the event says about where somebody is. A passage without a name is the one that was granted last."""
        side = (door.id, record.direction or "")
        went = event.decision == "taken" or event.taken is True
        if went and not subject:
            subject = self._granted_last(side, timing)
        if event.decision == "granted" and subject:
            self.memory.granted[side] = (subject, timing.used)
        inferred = event.decision == "granted" and event.taken is None and not door.senses_passage
        if subject.key and record.direction and (went or inferred):
            self.move(subject, record, timing.used, door, inferred=inferred)
        return subject

    def _granted_last(self, side: tuple[str, str], timing: Timing) -> Subject:
        subject, at = self.memory.granted.pop(side, (Subject(), timing.used))
        return subject if abs(timing.used - at) <= GRANT_MEMORY else Subject()

    def move(self, subject: Subject, record: Record, at: datetime, door: Door, *, inferred: bool) -> None:
        """Somebody is in another zone now (or, for an old event, was)."""
        scene, target = self.memory.scene, door.into(record.direction)
        index = len(self.batch.records)
        where = Whereabouts(
            subject.key, target, at, door.id, "out" if record.direction == "out" else "in",
            "inferred" if inferred else "seen",
        )  # fmt: skip
        moved = scene.note_passage(where, door.out_of(record.direction))
        if moved.contradiction == "late":
            return
        if moved.contradiction is not None and moved.before is not None:
            was = Step("presence", f"was last seen in {moved.before.zone}", "raise")
            record.trace = (*record.trace, was)
        self.batch.moves[subject.key] = (where, index)
        zone = self.memory.policy.zones.get(target)
        if subject.visit and zone is not None and zone.kind == "outside":
            self.batch.departed.append((subject.visit, index))

    def _shadow(self, event: AccessEvent, record: Record, timing: Timing, door: Door, subject: Subject) -> None:
        """What our own policy says about a decision that the device made; a wrong grant is an alarm."""
        if event.decision not in ("granted", "denied") or event.credential is None or record.direction is None:
            return
        if event.credential.type in ("rex", "operator"):
            return
        answer = judge_event(self.session, self.memory.policy, self.memory.scene, event, door, timing)
        record.shadow = answer.reason
        record.trace = (*record.trace, *answer.trace)
        record.raised = ",".join(answer.raised)[:200]
        if event.decision == "granted" and not answer.granted:
            summary = f"{door.name} let somebody pass whom our rules refuse: {answer.reason}"
            self.intend("divergence", summary, record, timing, severity="warning", subject=subject)
        elif event.decision == "granted":
            self._used(event.credential, door, record, timing)

    def _used(self, shown: Credential, door: Door, record: Record, timing: Timing) -> None:
        key = (shown.type, shown.ref or "")
        if key in self.memory.policy.credentials and record.direction in ("in", "out"):
            self.memory.scene.note_success((door.id, record.direction), key, timing.used)  # type: ignore[arg-type]
            self.batch.used[key] = (timing.used, self.memory.scene.uses[key])

    def answered(self, record: Record, answer: Answer) -> None:
        """A decision of our own: its record."""
        if record.door is not None:
            self.batch.door_entries[record.door] = len(self.batch.records)
            if record.door in self.memory.watched:
                self.batch.links.append(len(self.batch.records))
        record.trace, record.raised = answer.trace, ",".join(answer.raised)[:200]
        self.batch.records.append(record)

    # --- doors, alarms, devices --------------------------------------------------------------------------------------

    def _door(self, event: DoorEvent, record: Record, timing: Timing) -> None:
        if record.door is None or liveness(timing.used, self.received) != "live":
            return
        changes: dict[str, Any] = {}
        if contact := _CONTACT.get(event.reason):
            changes["contact"] = contact
            (self.memory.scene.open_doors.add if contact == "open" else self.memory.scene.open_doors.discard)(
                record.door
            )
        if lock := _LOCK.get(event.reason):
            changes["lock"] = lock
        if mode := _MODE.get(event.reason):
            changes["mode"] = mode
        if changes:
            self.batch.doors.setdefault(record.door, {}).update(changes | {"changed_at": to_micros(timing.used)})
        if event.reason in ("door-closed", "normal"):
            self.batch.doors.setdefault(record.door, {})["alarm"] = ""
            for kind in DOOR_ALARMS:
                self.intents.append(Intent(kind, about=record.door, over=True))

    def _alarm(self, event: AlarmEvent, record: Record, timing: Timing) -> None:
        self._credential(event.credential, record)
        record.holder, record.reader, record.notable = event.holder, event.reader, event.active
        about = record.door or record.door_ref or event.device
        if not event.active:
            self._alarm_over(event, record, about)
            return
        if record.door is not None and liveness(timing.used, self.received) == "live":
            self.batch.doors.setdefault(record.door, {})["alarm"] = event.reason
        place = self.memory.policy.doors.get(record.door or "")
        self.intend(
            event.reason, f"{title(event.reason)}: {place.name if place else about}", record, timing, about=about
        )

    def _alarm_over(self, event: AlarmEvent, record: Record, about: str) -> None:
        """One alarm ended, or with ``normal`` every alarm of the door."""
        if record.door is not None:
            self.batch.doors.setdefault(record.door, {})["alarm"] = ""
        kinds = DOOR_ALARMS if event.reason == "normal" else (event.reason,)
        self.intents.extend(Intent(kind, about=about, over=True) for kind in kinds)

    def _system(self, event: SystemEvent, record: Record, timing: Timing) -> None:
        if event.reason in SYSTEM_ALARMS:
            record.notable = True
            summary = f"{title(event.reason)}: {event.device}{', ' + event.detail if event.detail else ''}"
            self.intend(event.reason, summary, record, timing, severity="warning", about=event.device)

    def intend(
        self,
        kind: str,
        summary: str,
        record: Record,
        timing: Timing,
        *,
        severity: str = "alarm",
        about: str = "",
        subject: Subject | None = None,
    ) -> None:
        """An alarm about this record, if it is young enough to concern anybody."""
        life = liveness(timing.used, self.received)
        if life == "stored-only":
            return
        who = subject or Subject(record.person, record.visit, record.pass_id)
        self.intents.append(
            Intent(
                kind, summary, len(self.batch.records), record.door, record.device, record.zone, who.person, who.visit,
                severity, life == "live" and not timing.late, timing.used, about=about,
            )
        )  # fmt: skip

    def _clock_alarm(self, device: DeviceMemory, timing: Timing) -> None:
        if timing.alarm is None:
            return
        why = hint(timing.skew_ms) if timing.skew_ms is not None else ""
        words = {"clock-unset": "has no time", "clock-drift": "shows a wrong time"}[timing.alarm]
        summary = f"{device.id} {words}{': ' + why if why else ''}"
        self.intents.append(
            Intent(timing.alarm, summary, device=device.id, severity="warning", about=device.id, at=self.received)
        )

    # --- what is not stored as an entry ------------------------------------------------------------------------------

    def _repeated(
        self, device: DeviceMemory, event: EntryEvent, delivery: Delivery, digest: bytes, held: bytes
    ) -> None:
        """The same name again: a duplicate if it says the same, else the first stays and this one is put aside."""
        if digest == held or self._says_the_same(event):
            device.count("duplicates")
            return
        rejection = Rejection("event-id-conflict", f"{event.key} is stored with other content", event.device)
        self.reject(delivery, rejection)
        what = f"{event.device} used the number {event.key} twice for different events"
        self.intents.append(Intent("event-id-conflict", what, device=event.device, about=event.device))

    def _says_the_same(self, event: EntryEvent) -> bool:
        """A device that sends from its store may spell the same event differently (offline now true, say)."""
        held = self._waiting(event) or entry_of(self.session, event.device, event.key)
        return held is not None and _essence(held) == _event_essence(event)

    def _waiting(self, event: EntryEvent) -> Record | None:
        """The record of this batch that has the same name; asked for suspected conflicts only."""
        named = (one for one in self.batch.records if one.key == event.key and one.device == event.device)
        return next(named, None)

    def reject(self, delivery: Delivery, rejection: Rejection) -> None:
        """Put a message into quarantine. Its number, if it could be read, is not asked for again."""
        digest = hashlib.sha256(delivery.payload).hexdigest()
        self.batch.rejected.append(
            Rejected(delivery.topic[:400], rejection.device, digest, rejection.code, rejection.detail, delivery.payload)
        )
        if rejection.device is None:
            return
        device = self.memory.device(rejection.device)
        device.heard_at = self.received
        device.count("rejected")
        if rejection.boot is not None and rejection.seq is not None and rejection.code != "event-id-conflict":
            boot = device.boot(rejection.boot, rejection.seq, self.received)
            boot.mark.add(rejection.seq)
            boot.dirty = True
            self.counted.add((rejection.device, rejection.boot))
            self.acks.add((rejection.device, rejection.boot))
        if rejection.code == "spoofing":
            what = f"{rejection.device} sent a message in the name of another device"
            self.intents.append(Intent("spoofing", what, device=rejection.device, about=rejection.device))
        self.errors.append((rejection.device, rejection, delivery.payload))

    def sequences(self) -> None:
        """The watermarks that changed, as rows."""
        for device, name in self.counted:
            boot = self.memory.device(device).boots[name]
            self.batch.sequences[device, name] = sequence_row(boot, self.micros)


def sequence_row(boot: Boot, at: int) -> dict[str, Any]:
    """A watermark as a row."""
    return {
        "upto": boot.mark.upto, "ahead": [list(one) for one in boot.mark.ahead], "oldest_held": boot.oldest_held,
        "first_at": to_micros(boot.first_at), "last_at": at,
    }  # fmt: skip


def _essence(held: EntryRow | Record) -> tuple[Any, ...]:
    told = from_micros(held.time_told) if isinstance(held.time_told, int) else held.time_told
    return held.reason, held.decision, held.door_ref, told, held.credential_ref, held.vendor_reason


def _event_essence(event: EntryEvent) -> tuple[Any, ...]:
    decision = event.decision if isinstance(event, AccessEvent) else None
    shown: Sequence[Credential | None] = (
        (event.credential,) if isinstance(event, AccessEvent | ReaderEvent | AlarmEvent) else ()
    )
    ref = next((one.ref or one.token for one in shown if one is not None), None)
    return event.reason, decision, event.door_ref, event.time, ref, event.vendor_reason
