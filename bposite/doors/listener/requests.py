"""Answers to ``req/access``: judged and sent at once, recorded in the transaction that follows within milliseconds.

The same request again gets the stored answer byte for byte; the same id with another body is a conflict. A request that
waited in a queue opens nothing: whoever stood at the door has left.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta

import msgspec
from sqlalchemy.orm import Session

from bposite.doors.actions.ingest import Answered, Record, answer_given
from bposite.doors.events import AccessAnswer, AccessRequest, Delivery, Direction, Rejection
from bposite.doors.listener.memory import Memory
from bposite.doors.listener.reading import Reading
from bposite.doors.queries.judge import Subject, judge, pass_reference, subject_of
from bposite.doors.rules.decide import COUNTED, Answer, Step, is_exit
from bposite.doors.rules.policy import Door
from bposite.doors.rules.times import Timing
from bposite.doors.rules.words import label, title
from bposite.doors.wire import encode
from bposite.doors.wire.topics import device_topic
from bposite.plumbing.clock import to_micros

STALE = timedelta(seconds=30)
REMEMBERED = 5000
_TAKEN_AWAY = frozenset({"deniedAuthenticationFactorLost", "deniedAuthenticationFactorStolen", "lost"})


class Decided(msgspec.Struct):
    """A request, its answer, and what must still be recorded of it. ``repeat``: recorded before."""

    request: AccessRequest
    delivery: Delivery
    message: encode.Message
    repeat: bool = False
    answer: Answer | None = None
    door: Door | None = None
    direction: Direction = "in"
    subject: Subject = Subject()
    at: datetime | None = None


class Desk:
    """Answers requests of all devices; keeps the last answers in memory, older ones are in the store."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self._given: OrderedDict[tuple[str, str], tuple[str, bytes]] = OrderedDict()

    def answer(
        self, session: Session, request: AccessRequest, delivery: Delivery, received: datetime
    ) -> Decided | Rejection | None:
        """The answer to send; a Rejection when the id was used for another request; None for a retained one."""
        device = self.memory.device(request.device)
        device.heard_at = received
        if request.retained:
            device.count("retained")
            return None
        name = (request.device, request.id)
        held = self._given.get(name) or answer_given(session, *name)
        if held is not None:
            if held[0] != request.digest:
                what = f"request {request.id} came before with another content"
                return Rejection("event-id-conflict", what, request.device)
            topic = device_topic(self.memory.site, request.device, "rsp", "access")
            return Decided(request, delivery, (topic, held[1]), repeat=True)
        decided = self._judged(session, request, delivery, received)
        self._given[name] = (request.digest, decided.message[1])
        if len(self._given) > REMEMBERED:
            self._given.popitem(last=False)
        return decided

    def forget(self, decided: list[Decided]) -> None:
        """The answers could not be recorded: the requests come again and are judged again."""
        for one in decided:
            self._given.pop((one.request.device, one.request.id), None)

    def _judged(self, session: Session, request: AccessRequest, delivery: Delivery, received: datetime) -> Decided:
        policy, scene = self.memory.policy, self.memory.scene
        door, direction = policy.place(request.device, request.door_ref)
        way: Direction = direction or request.direction or "in"
        subject = subject_of(session, policy, request.credential, request.holder)
        if door is None:
            step = Step("door", f"{request.device} has no door {request.door_ref}", "refuse")
            answer = Answer("denied", "outOfService", (step,))
        elif self._is_stale(request, received) and not is_exit(way, request.credential.type):
            answer = Answer("denied", "deniedVerificationTimeout", (Step("request", "came too late", "refuse"),))
        else:
            answer = judge(
                session, policy, scene, door=door, direction=way, shown=request.credential,
                factors=frozenset(request.factors), at=received, duress=request.duress,
            )  # fmt: skip
            self._remember(request, door, way, answer, subject, received)
        body = AccessAnswer(
            id=request.id, decision=answer.decision, reason=answer.reason, open_ms=answer.open_ms,
            message=None if answer.granted else label(answer.reason),
        )  # fmt: skip
        message = encode.access_answer(self.memory.site, request.device, body)
        return Decided(request, delivery, message, False, answer, door, way, subject, received)

    def _is_stale(self, request: AccessRequest, received: datetime) -> bool:
        if request.time is None or request.clock == "unset":
            return False
        told = request.time + self.memory.device(request.device).clock.offset
        return received - told > STALE

    def _remember(
        self, request: AccessRequest, door: Door, way: Direction, answer: Answer, subject: Subject, at: datetime
    ) -> None:
        """What this answer changes for the next ones."""
        scene, side = self.memory.scene, (door.id, way)
        if answer.granted:
            ref = pass_reference(request.credential)
            if (request.credential.type, ref or "") in self.memory.policy.credentials:
                scene.note_success(side, (request.credential.type, ref or ""), at)
            self.memory.granted[side] = (subject, at)
        elif answer.reason in COUNTED:
            scene.note_failure(side, at)
        if subject.key and (answer.granted or answer.waits):
            scene.note_swipe(side, subject.key, at)


def record(reading: Reading, decided: Decided) -> None:
    """Put an answered request into the batch: its entry, its stored answer, and what it raises."""
    request, answer = decided.request, decided.answer
    if decided.repeat or answer is None or decided.at is None:
        return
    reading.batch.answered.append(Answered(request.device, request.id, request.digest, decided.message[1]))
    device = reading.memory.device(request.device)
    timing = device.clock.judge(request.time, request.clock, decided.at, stored_before=False)
    entry = _entry(reading, decided, answer, timing)
    if decided.door is None:
        reading.claim(request.device, request.door_ref)
    elif answer.granted and not decided.door.senses_passage and decided.subject.key:
        reading.move(decided.subject, entry, timing.used, decided.door, inferred=True)
    _alarms(reading, decided, answer, entry, timing)
    if answer.granted and (key := (request.credential.type, entry.credential_ref or "")) in reading.memory.scene.uses:
        reading.batch.used[key] = (timing.used, reading.memory.scene.uses[key])
    reading.answered(entry, answer)


def _entry(reading: Reading, decided: Decided, answer: Answer, timing: Timing) -> Record:
    request, door, subject = decided.request, decided.door, decided.subject
    shown = request.credential
    raw = decided.delivery.payload if shown.code is None else b""  # a code is never stored
    return Record(
        time_used=to_micros(timing.used), received_at=reading.micros,
        time_told=None if request.time is None else to_micros(request.time), time_source=timing.source,
        skew_ms=timing.skew_ms, late=timing.late, device=request.device, key=f"req:{request.id}", cls="access",
        decision=answer.decision, reason=answer.reason, notable=not answer.granted or bool(answer.raised),
        door=door.id if door else None, door_ref=request.door_ref, direction=decided.direction,
        zone=door.into(decided.direction) if door else None, reader=request.reader, person=subject.person,
        visit=subject.visit, pass_id=subject.pass_id, credential_type=shown.type, credential_ref=pass_reference(shown),
        factors=",".join(request.factors), decided_by="site", duress=request.duress,
        digest=bytes.fromhex(request.digest), adapter="native/1", holder=request.holder, request=request.id,
        raw=raw.decode("utf-8", "backslashreplace") or None, trace=answer.trace,
    )  # fmt: skip


def _alarms(reading: Reading, decided: Decided, answer: Answer, entry: Record, timing: Timing) -> None:
    where = decided.door.name if decided.door else decided.request.door_ref
    if "duress" in answer.raised:
        reading.intend("duress", f"{title('duress')}: {where}", entry, timing)
    if answer.reason in _TAKEN_AWAY:
        reading.intend(
            answer.reason, f"{label(answer.reason)} It was shown at {where}.", entry, timing, severity="warning"
        )
    if answer.reason == "deniedMaxAttempts":
        summary = f"Reader at {where} is locked after too many refusals"
        reading.intend("lockoutMaxAttempts", summary, entry, timing, severity="warning")
