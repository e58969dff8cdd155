"""The patient way through the native contract: every class, state, request and result.

Tolerant of newer devices (unknown keys are passed over, an unknown reason keeps the
device's own word beside a fallback), strict about what the log would have to believe:
who speaks (topic and source agree), which event it is (boot, seq), what was decided.
A reference (``h:...``) is the only form in which a card may appear; a message that
carries a number, a PIN or a template all the same is taken, and stored without it.
"""

import hashlib
from datetime import datetime
from typing import Any

from bposite.doors.events import (
    CLOCK_FLOOR,
    CLOCKS,
    DECISIONS,
    MAX_SEQ,
    NATIVE_CREDENTIALS,
    AccessEvent,
    AccessRequest,
    AlarmEvent,
    Birth,
    Clock,
    CommandResult,
    Credential,
    Delivery,
    Direction,
    DoorEvent,
    Facet,
    Ignored,
    Incoming,
    Link,
    ReaderEvent,
    SystemEvent,
)
from bposite.doors.reasons import FALLBACK, REASONS
from bposite.doors.wire import fields
from bposite.doors.wire.fields import Doc
from bposite.doors.wire.strict import MalformedError, parse
from bposite.doors.wire.topics import Topic, is_slug

VERSION = "native/1"
FACTORS, FACTOR_LENGTH = 8, 14
FORBIDDEN = frozenset({"number", "card_number", "cardNumber", "pin", "PIN", "code", "template", "face_image", "value"})
"""Keys of a credential that must not be stored, whatever a device thinks."""

Read = tuple[tuple[Incoming, ...], bytes | None]


def read_slowly(topic: Topic, delivery: Delivery) -> Read:
    """A message on a native topic as values, with the storable form when the payload is not;
    raises MalformedError, with boot and seq when they could be read."""
    if topic.kind == "evt":
        return _read_event(topic, delivery)
    if topic.kind == "state":
        return (_read_state(topic, delivery),), None
    if topic.kind == "req":
        return _read_request(topic, delivery)
    if topic.kind == "res":
        return (_read_result(topic, delivery),), None
    return (Ignored(device=topic.device, why="own-message"),), None


def _read_event(topic: Topic, delivery: Delivery) -> Read:
    doc = fields.mapping(parse(delivery.payload))
    boot, seq = _count(doc)
    try:
        _check_envelope(topic, doc)
        common = _common(topic, doc, delivery, boot, seq)
        data = fields.mapping(doc.get("data"), "data")
        event = _BUILDERS[topic.name](data, common | _said(topic, data))
    except MalformedError as fault:
        raise MalformedError(fault.code, fault.detail, boot, seq) from None
    return (event,), _evidence(doc, data)


def _count(doc: Doc) -> tuple[str, int]:
    boot, seq = doc.get("boot"), doc.get("seq")
    if not isinstance(boot, str) or not isinstance(seq, int) or isinstance(seq, bool):
        raise MalformedError("bad-shape", "boot (text) and seq (whole number) are needed")
    if not 1 <= len(boot) <= 64 or not 0 <= seq <= MAX_SEQ:
        raise MalformedError("bad-value", "boot has 1 to 64 characters, seq 0 to 2^63 - 1")
    return boot, seq


def _check_envelope(topic: Topic, doc: Doc) -> None:
    if doc.get("source") != topic.source:
        raise MalformedError("spoofing", "topic and source name different devices")
    if doc.get("specversion") != "1.0":
        raise MalformedError("unsupported-version", "not CloudEvents 1.0")
    kind = fields.required_text(doc, "type")
    if kind == topic.type:
        return
    if kind.startswith(topic.type.removesuffix("1")):
        raise MalformedError("unsupported-version", "a newer version of this class of events")
    raise MalformedError("unknown-class", "type is not the class of the topic")


def _common(topic: Topic, doc: Doc, delivery: Delivery, boot: str, seq: int) -> dict[str, Any]:
    time = fields.instant(doc, "time")
    return {
        "device": topic.device,
        "key": f"{boot}:{seq}",
        "id": fields.text(doc, "id") or f"{boot}-{seq:09}",
        "adapter": VERSION,
        "boot": boot,
        "seq": seq,
        "time": time,
        "clock": _clock(doc, time),
        "dup": delivery.dup,
    }


def _clock(doc: Doc, time: datetime | None) -> Clock:
    if time is None or time < CLOCK_FLOOR:
        return "unset"
    clock = doc.get("clock")
    return clock if clock in CLOCKS else "rtc"


def _said(topic: Topic, data: Doc) -> dict[str, Any]:
    """Reason and door: what every class says in the same words."""
    word = fields.text(data, "reason")
    known = REASONS.get(word) if word else None
    door = fields.text(data, "door")
    if door is not None and not is_slug(door):
        raise MalformedError("bad-value", "door is not an id (a-z, 0-9, hyphen, at most 40)")
    vendor = fields.text(data, "vendor_reason")
    if known is not None and topic.name in known.classes:
        reason = known.code
    else:
        reason, vendor = _fallback(topic, data), vendor or word
    return {
        "reason": reason,
        "vendor_reason": vendor,
        "door_ref": door,
        "offline": bool(fields.boolean(data, "offline")),
    }


def _fallback(topic: Topic, data: Doc) -> str:
    if topic.name != "access":
        return FALLBACK[topic.name]  # type: ignore[index]  # parse_topic admits only classes
    return ACCESS_FALLBACK.get(str(data.get("decision")), "deniedOther")


ACCESS_FALLBACK = {
    "granted": "granted",
    "denied": "deniedOther",
    "taken": "passed",
    "not-taken": "noEntryAfterGranted",
    "request": "authenticationFactorRead",
}
"""What an access event of unknown reason is taken for, by its decision."""


def _access(data: Doc, said: dict[str, Any]) -> AccessEvent:
    decision = fields.required_text(data, "decision")
    if decision not in DECISIONS:
        raise MalformedError("bad-value", "decision is none of the five")
    if said["door_ref"] is None:
        raise MalformedError("bad-shape", "door is missing")
    return AccessEvent(
        **said,
        decision=decision,
        reader=fields.text(data, "reader", 40),
        direction=direction(data),
        credential=credential(data),
        factors=fields.texts(data, "factors", FACTORS, FACTOR_LENGTH),
        holder=fields.text(data, "holder"),
        taken=fields.boolean(data, "taken"),
        duress=bool(fields.boolean(data, "duress")),
    )


def _door(data: Doc, said: dict[str, Any]) -> DoorEvent:
    return DoorEvent(**said, mode=fields.text(data, "mode", 40))


def _alarm(data: Doc, said: dict[str, Any]) -> AlarmEvent:
    active, silent = fields.boolean(data, "active"), fields.boolean(data, "silent")
    return AlarmEvent(
        **said,
        active=active is not False and said["reason"] != "normal",
        silent=bool(silent) or said["reason"] in ("duress", "silent-duress"),
        reader=fields.text(data, "reader", 40),
        credential=credential(data),
        holder=fields.text(data, "holder"),
    )


def _reader(data: Doc, said: dict[str, Any]) -> ReaderEvent:
    return ReaderEvent(
        **said,
        reader=fields.text(data, "reader", 40),
        direction=direction(data),
        credential=credential(data),
        error=fields.text(data, "error"),
    )


def _system(data: Doc, said: dict[str, Any]) -> SystemEvent:
    skew = data.get("skew_s")
    if skew is not None and (isinstance(skew, bool) or not isinstance(skew, int | float)):
        raise MalformedError("bad-shape", "skew_s is not a number")
    return SystemEvent(**said, skew_s=skew, detail=fields.text(data, "detail"))


_BUILDERS: dict[str, Any] = {
    "access": _access,
    "door": _door,
    "alarm": _alarm,
    "reader": _reader,
    "system": _system,
}


def direction(data: Doc) -> Direction | None:
    """``in``, ``out`` or None; a device that does not know may also leave it out."""
    value = data.get("direction")
    return value if value in ("in", "out") else None


def credential(data: Doc) -> Credential | None:
    """The credential of an event or a request; an unknown type becomes ``other``."""
    doc = fields.child(data, "credential")
    if not doc:
        return None
    kind = fields.required_text(doc, "type", 40)
    bits = fields.sequence(doc, "bits")
    if bits is not None and bits > 4096:
        raise MalformedError("bad-value", "a credential of more than 4096 bits")
    return Credential(
        type=kind if kind in NATIVE_CREDENTIALS else "other",
        format=fields.text(doc, "format", 40),
        bits=bits,
        ref=fields.text(doc, "ref"),
        code=fields.text(doc, "code", 512) if kind == "qr" else None,
    )


def _evidence(doc: dict[str, Any], data: Doc) -> bytes | None:
    shown = data.get("credential")
    if not isinstance(shown, dict) or FORBIDDEN.isdisjoint(shown):
        return None
    clean = fields.redacted(shown, FORBIDDEN)
    if data is doc:
        return fields.encoded({**doc, "credential": clean})
    return fields.encoded({**doc, "data": {**data, "credential": clean}})


def _read_request(topic: Topic, delivery: Delivery) -> Read:
    doc = fields.mapping(parse(delivery.payload))
    time = fields.instant(doc, "time")
    door = fields.required_text(doc, "door")
    shown = credential(doc)
    if not is_slug(door):
        raise MalformedError("bad-value", "door is not an id (a-z, 0-9, hyphen, at most 40)")
    if shown is None:
        raise MalformedError("bad-shape", "credential is missing")
    request = AccessRequest(
        device=topic.device,
        id=fields.required_text(doc, "id", 80),
        digest=hashlib.sha256(delivery.payload).hexdigest(),
        door_ref=door,
        credential=shown,
        reader=fields.text(doc, "reader", 40),
        direction=direction(doc),
        time=time,
        clock=_clock(doc, time),
        factors=fields.texts(doc, "factors", FACTORS, FACTOR_LENGTH),
        holder=fields.text(doc, "holder"),
        duress=bool(fields.boolean(doc, "duress")),
        boot=fields.text(doc, "boot", 64),
        retained=delivery.retain,
        dup=delivery.dup,
    )
    return (request,), _evidence(doc, doc)


def _read_result(topic: Topic, delivery: Delivery) -> CommandResult:
    doc = fields.mapping(parse(delivery.payload))
    ok = fields.boolean(doc, "ok")
    if ok is None:
        raise MalformedError("bad-shape", "ok is missing")
    return CommandResult(
        device=topic.device,
        name=topic.name,
        nonce=fields.required_text(doc, "nonce", 80),
        ok=ok,
        code=fields.integer(doc, "code"),
        detail=fields.text(doc, "detail"),
        time=fields.instant(doc, "time"),
    )


def _read_state(topic: Topic, delivery: Delivery) -> Birth | Link | Facet:
    if not delivery.payload:
        return Facet(device=topic.device, facet=topic.name, value=None, retained=delivery.retain)
    value = parse(delivery.payload)
    if topic.name == "info":
        return _birth(topic, fields.mapping(value), delivery.retain)
    if topic.name == "link":
        return _link(topic, fields.mapping(value), delivery.retain)
    doc = value if isinstance(value, dict) else {"value": value}
    return Facet(
        device=topic.device,
        facet=topic.name,
        value=doc,
        time=fields.instant(doc, "time"),
        retained=delivery.retain,
    )


def _birth(topic: Topic, doc: Doc, retained: bool) -> Birth:
    clock = doc.get("clock")
    doors = fields.texts(doc, "doors", 256)
    if not all(map(is_slug, doors)):
        raise MalformedError("bad-value", "doors holds something that is not an id")
    return Birth(
        device=topic.device,
        boot=fields.required_text(doc, "boot", 64),
        model=fields.text(doc, "model") or "",
        fw=fields.text(doc, "fw") or "",
        proto=fields.sequence(doc, "proto") or 1,
        doors=doors,
        seq_next=fields.sequence(doc, "seq_next"),
        seq_oldest=fields.sequence(doc, "seq_oldest"),
        buffer_max=fields.sequence(doc, "buffer_max"),
        tz=fields.text(doc, "tz", 64),
        clock=clock if clock in CLOCKS else "unset",
        retained=retained,
    )


def _link(topic: Topic, doc: Doc, retained: bool) -> Link:
    online = fields.boolean(doc, "online")
    if online is None:
        raise MalformedError("bad-shape", "online is missing")
    return Link(
        device=topic.device,
        online=online,
        boot=fields.text(doc, "boot", 64),
        reason=fields.text(doc, "reason"),
        time=fields.instant(doc, "time"),
        retained=retained,
    )
