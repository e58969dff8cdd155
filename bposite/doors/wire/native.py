"""The native contract: CloudEvents on ``bposite/v1/...`` to events, twice.

The quick way takes the messages that real controllers send, all of whose keys are
known: one typed decode in C, and a count of keys that proves there is no duplicate and
no key left unread. Everything else (an unknown key, an unusual spelling, an older or
newer device, nonsense) goes the patient way, which also words the rejection. Where the
quick way answers, the patient one answers the same; a property test holds them together.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from bposite.doors.events import (
    CLOCK_FLOOR,
    MAX_PAYLOAD,
    MAX_SEQ,
    AccessEvent,
    Clock,
    Credential,
    Decision,
    Delivery,
    DeviceConfig,
    Direction,
    Ignored,
    Rejection,
    Translation,
)
from bposite.doors.reasons import REASONS
from bposite.doors.wire.native_slow import FACTOR_LENGTH, FACTORS, VERSION, read_slowly
from bposite.doors.wire.strict import MalformedError, plain_pairs
from bposite.doors.wire.topics import Topic, is_slug, parse_topic

Short = Annotated[str, Meta(min_length=1, max_length=200)]
Word = Annotated[str, Meta(min_length=1, max_length=40)]
Factor = Annotated[str, Meta(min_length=1, max_length=FACTOR_LENGTH)]


class _Credential(Struct, gc=False):
    type: Literal["card", "pin", "face", "finger", "iris", "qr", "mobile", "rex", "operator"]
    format: Word | UnsetType = UNSET
    bits: Annotated[int, Meta(ge=0, le=4096)] | UnsetType = UNSET
    ref: Short | UnsetType = UNSET


class _Access(Struct, gc=False):
    decision: Decision
    reason: Word
    door: Word
    direction: Direction | None
    credential: _Credential | None
    factors: Annotated[tuple[Factor, ...], Meta(max_length=FACTORS)]
    holder: Short | None
    taken: bool | None
    duress: bool
    offline: bool
    reader: Word | UnsetType = UNSET


class _Envelope(Struct, gc=False):
    specversion: Literal["1.0"]
    id: Short
    source: str
    type: str
    time: Annotated[datetime, Meta(tz=True)]
    datacontenttype: Literal["application/json"]
    seq: Annotated[int, Meta(ge=0, le=MAX_SEQ)]
    boot: Annotated[str, Meta(min_length=1, max_length=64)]
    clock: Clock
    data: _Access


_ENVELOPE_PAIRS = 10
_ACCESS_PAIRS = 10
_decode_access = msgspec.json.Decoder(_Envelope).decode
_ACCESS_REASONS = frozenset(code for code, reason in REASONS.items() if "access" in reason.classes)


def translate(delivery: Delivery, config: DeviceConfig) -> Translation:
    """A native message as typed values. Never raises; a message nobody can read is a rejection."""
    topic: Topic | None = None
    try:
        topic = parse_topic(delivery.topic)
        if topic.site != config.site:
            raise MalformedError("wrong-site", "the topic names another site")
        if topic.kind == "evt":
            if delivery.retain:
                return Translation((Ignored(device=topic.device, why="retained-event"),))
            if topic.name == "access":
                event = read_quickly(topic, delivery.payload, delivery.dup)
                if event is not None:
                    return Translation((event,))
        items, evidence = read_slowly(topic, delivery)
    except MalformedError as fault:
        device = topic.device if topic else None
        return Translation(rejections=(Rejection(fault.code, fault.detail, device, fault.boot, fault.seq),))
    return Translation(items, (), evidence)


def read_quickly(topic: Topic, payload: bytes, dup: bool) -> AccessEvent | None:
    """An access event of the canonical form, or None: let the patient way look at it."""
    pairs = plain_pairs(payload)
    if pairs < 0 or len(payload) > MAX_PAYLOAD:
        return None
    try:
        envelope = _decode_access(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    data = envelope.data
    shown = data.credential
    if (
        pairs != _ENVELOPE_PAIRS + _ACCESS_PAIRS + (data.reader is not UNSET) + _pairs_of(shown)
        or envelope.source != topic.source
        or envelope.type != topic.type
        or data.reason not in _ACCESS_REASONS
        or not is_slug(data.door)
        or envelope.time.tzinfo is not UTC
    ):
        return None
    return _event(topic, envelope, dup)


def _pairs_of(shown: _Credential | None) -> int:
    if shown is None:
        return 0
    return 1 + (shown.format is not UNSET) + (shown.bits is not UNSET) + (shown.ref is not UNSET)


def _event(topic: Topic, envelope: _Envelope, dup: bool) -> AccessEvent:
    data, shown = envelope.data, envelope.data.credential
    return AccessEvent(
        device=topic.device,
        key=f"{envelope.boot}:{envelope.seq}",
        id=envelope.id,
        reason=data.reason,
        adapter=VERSION,
        boot=envelope.boot,
        seq=envelope.seq,
        time=envelope.time,
        clock=envelope.clock if envelope.time >= CLOCK_FLOOR else "unset",
        door_ref=data.door,
        offline=data.offline,
        dup=dup,
        decision=data.decision,
        reader=_set(data.reader),
        direction=data.direction,
        credential=None
        if shown is None
        else Credential(type=shown.type, format=_set(shown.format), bits=_set(shown.bits), ref=_set(shown.ref)),
        factors=data.factors,
        holder=data.holder,
        taken=data.taken,
        duress=data.duress,
    )


def _set(value: Any) -> Any:
    return None if value is UNSET else value
