"""Every sample message is read as its ``expect`` says; every word of an ``expect`` is checked."""

import copy
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bposite.doors.events import (
    AccessEvent,
    AccessRequest,
    Ack,
    AlarmEvent,
    Birth,
    CommandResult,
    DoorEvent,
    Event,
    Facet,
    Ignored,
    Link,
    ReaderEvent,
    Rejection,
    SystemEvent,
    Translation,
)
from bposite.doors.reasons import REASONS
from bposite.doors.wire import encode
from bposite.doors.wire.adapters.registry import ADAPTERS, translate
from bposite.doors.wire.wiegand import LAYOUTS, packed, parse
from bposite.doors.wire.wiegand import encode as encode_frame
from tests.doors.wire.samples import CONFIG, delivery
from tests.doors.wire.vectors import RECEIVED, Vector, vectors

VECTORS = vectors()
CLASSES: dict[str, tuple[type, ...]] = {
    "access": (AccessEvent,),
    "door": (DoorEvent,),
    "alarm": (AlarmEvent,),
    "reader": (ReaderEvent,),
    "system": (SystemEvent,),
    "state": (Birth, Link, Facet),
    "sensor": (Facet,),
    "reply": (CommandResult,),
    "request": (AccessRequest,),
    "ignore": (Ignored,),
    "invalid": (Rejection,),
}
OTHERS = {
    # what the engine has to do with the event, tested with the engine
    "stored", "acked", "duplicate_of", "gap", "ack", "fills_gap", "must_not", "alarm", "action",
    # checked by a test of its own below
    "direction", "roundtrip", "unique_events", "seqs", "stale_retained_first", "dedupe_with",
    # a remark
    "door_contact",
}  # fmt: skip


class Got(NamedTuple):
    """A reading, and its first item."""

    vector: Vector
    whole: Translation
    item: Any


def read(vector: Vector) -> Got:
    """The reading of a sample of one message."""
    (message,) = vector.deliveries
    whole = translate(message, vector.config)
    return Got(vector, whole, (whole.items or whole.rejections)[0])


def same_class(got: Got, value: str) -> None:
    assert isinstance(got.item, CLASSES[value])


def reason(got: Got, value: str) -> None:
    assert (got.item.code if isinstance(got.item, Rejection) else got.item.reason) == value


def credential(got: Got, value: dict[str, Any]) -> None:
    shown = got.item.credential
    payload = got.vector.doc.get("payload") or {}
    facts = {
        "type": shown.type,
        "format": shown.format,
        "bits": shown.bits,
        "slot": shown.slot,
        "token": shown.token,
        "value": shown.code,
        "number": (shown.ref or "").rpartition(":")[2],
        "facility": int((shown.ref or "h:card:0:0").split(":")[2]) if (shown.ref or "").count(":") == 3 else None,
"raw_hex": payload.get("data_hex"),
    }  # fmt: skip
    expected = dict(value)
    raw24 = expected.pop("raw24", None)
    if raw24 is not None:
        assert shown.ref == f"h:card:{raw24 >> 16}:{raw24 & 0xFFFF}"
    if shown.format == "wiegand26" and got.vector.doc["vendor"] == "uhppoted-mqtt":
        facility, card = divmod(int(expected.pop("number")), 100_000)
        assert shown.ref == f"h:card:{facility}:{card}"
    if shown.type == "card" and "number" in expected:
        expected["number"] = expected["number"].upper() if shown.format == "uid" else expected["number"]
    assert {key: facts[key] for key in expected} == expected


def clock(got: Got, value: str) -> None:
    if value == "unset":
        assert got.item.clock == "unset"
    else:
        assert got.item.value["clock"] == value.split(" ")[0]


def error(got: Got, value: str | int) -> None:
    assert value == (got.item.code if isinstance(got.item, CommandResult) else got.item.error)


def must_redact(got: Got, keys: list[str]) -> None:
    payload = got.vector.doc["payload"]

    def values(doc: Any) -> list[str]:
        if not isinstance(doc, dict):
            return []
        return [str(v) for k, v in doc.items() if k in keys] + [w for v in doc.values() for w in values(v)]

    secrets = values(payload)
    assert secrets
    assert got.whole.evidence is not None
    for secret in secrets:
        assert secret.encode() not in got.whole.evidence
        assert secret not in repr(got.whole.items)


def dedupe_key(got: Got, value: str) -> None:
    assert f"{got.item.device}:{got.item.key}" == value


def quarantine(got: Got, value: str) -> None:
    if value == "unknown-door":  # only the plan knows; the reading carries the door's name
        assert got.item.door_ref == "floor-zz"
    else:
        assert got.item.code == value


def door(got: Got, value: int | str | None) -> None:
    if "quarantine" not in got.vector.expect:
        assert got.item.door_ref == (None if value is None else str(value))


def direction(got: Got, value: str) -> None:
    assert got.item.direction == (None if value == "unknown" else value)


def escaped(got: Got, paths: list[str]) -> None:
    assert "<img" in got.item.holder  # kept as it came: whoever shows it escapes it


def live(got: Got, value: bool) -> None:
    assert got.item.replayed is not value


def time_source(got: Got, value: str) -> None:
    assert value == "received"
    if "skew_s" not in got.vector.expect:  # a clock that is far off, only the engine can see
        assert got.item.clock == "unset"


def parity_ok(got: Got, value: str) -> None:
    assert value == "compute"
    assert got.item.credential.parity_ok is True


CHECKS: dict[str, Callable[[Got, Any], None]] = {
    "class": same_class,
    "reason": reason,
    "credential": credential,
    "clock": clock,
    "error": error,
    "errors": lambda got, value: _equal(len(got.whole.rejections), value),
    "events": lambda got, value: _equal(len(got.whole.items), value),
    "must_redact": must_redact,
    "dedupe_key": dedupe_key,
    "quarantine": quarantine,
    "door": door,
    "must_escape": escaped,
    "live": live,
    "decision": lambda got, value: _equal(getattr(got.item, "decision", None), value),
    "time": lambda got, value: _equal(got.item.time, datetime.fromisoformat(value)),
    "device": lambda got, value: _equal(got.item.device, value),
    "online": lambda got, value: _equal(getattr(got.item, "online", True), value),
    "time_source": time_source,
    "skew_s": lambda got, value: _equal(skew(got), value),
    "holder": lambda got, value: _equal(got.item.holder, value),
    "seq": lambda got, value: _equal(got.item.seq, value),
    "prev_seq": lambda got, value: _equal(got.item.prev_seq, value),
    "access_point": lambda got, value: _equal(got.item.door_ref, value),
    "silent": lambda got, value: _equal(got.item.silent, value),
    "inputs": lambda got, value: _equal(got.item.value["inputs"], value),
    "state": lambda got, value: _equal(got.item.value["state"], value),
    "parity_ok": parity_ok,
    "backfill": lambda got, value: _equal(got.item.replayed, value),
    "late": lambda got, value: _equal(got.item.replayed or (RECEIVED - got.item.time).total_seconds() > 60, value),
    "ok": lambda got, value: _equal(got.item.ok, value),
    "doors_open": lambda got, value: _equal(got.item.value["doors_open"], value),
    "ignored": lambda got, value: _equal(got.item.why, value),
}


def _equal(left: Any, right: Any) -> None:
    assert left == right


def skew(got: Got) -> float:
    """Told by the device, or the lead of its time over the arrival."""
    if isinstance(got.item, SystemEvent):
        return float(got.item.skew_s or 0)
    return round((got.item.time - RECEIVED).total_seconds() + 1)


READABLE = [
    v for v in VECTORS if v.doc["vendor"] not in ("wiegand", "microsoft", "home-assistant") and "sequence" not in v.doc
]
INWARD = [v for v in READABLE if v.expect.get("direction") != "we-publish" and v.expect]


@pytest.mark.parametrize("vector", INWARD, ids=lambda v: f"{v.path.parent.name}/{v.path.stem}")
def test_read_as_expected(vector: Vector) -> None:
    got = read(vector)
    for key, value in vector.expect.items():
        if key in OTHERS and not (key == "direction" and value in ("in", "out", "unknown")):
            continue
        {**CHECKS, "direction": direction}[key](got, value)


@pytest.mark.parametrize("vector", INWARD, ids=lambda v: f"{v.path.parent.name}/{v.path.stem}")
def test_words_are_from_the_closed_list(vector: Vector) -> None:
    for item in read(vector).whole.items:
        if isinstance(item, Event):
            name = type(item).__name__.removesuffix("Event").lower()
            assert name in REASONS[item.reason].classes
            assert item.key
            assert item.device


@pytest.mark.parametrize("vector", INWARD, ids=lambda v: f"{v.path.parent.name}/{v.path.stem}")
def test_no_card_number_leaves_the_adapter(vector: Vector) -> None:
    shown = vector.expect.get("credential", {})
    number = str(shown.get("number", ""))
    if len(number) < 5 or shown.get("type") != "card":
        return
    (message,) = vector.deliveries
    hidden = translate(message, replace(vector.config, card_ref=lambda _: "h:hidden"))
    assert number.lower() not in repr(hidden).lower()
    assert hidden.evidence is not None


def test_the_samples_are_there() -> None:
    names = {v.path.name for v in VECTORS}
    assert len(names) >= 60


def sequence(stem: str) -> Vector:
    found = [v for v in VECTORS if v.path.stem == stem]
    if not found:
        pytest.skip(f"{stem} is not here: the shared payloads are absent")
    return found[0]


def test_uhppoted_live_and_feed_are_one_event_each() -> None:
    vector = sequence("uhppoted_sequence-live-and-feed-duplicates")
    events = [translate(message, vector.config).items[0] for message in vector.deliveries]
    assert events[0].retained is vector.expect["stale_retained_first"]
    keys = {event.key: event.seq for event in events}
    assert [seq for seq in sorted(keys.values()) if seq <= 16] == vector.expect["seqs"]
    assert len([seq for seq in keys.values() if seq <= 16]) == vector.expect["unique_events"]
    by_key: dict[str, Any] = {}
    for event in events:
        first = by_key.setdefault(event.key, event)
        assert (first.time, first.reason, first.door_ref) == (event.time, event.reason, event.door_ref)


def test_uhppoted_gap_after_a_kill_shows_in_the_numbers() -> None:
    vector = sequence("uhppoted_sequence-gap-after-gateway-kill")
    seqs = sorted({translate(message, vector.config).items[0].seq for message in vector.deliveries})
    first, last = vector.expect["gap"]
    assert set(range(seqs[0], seqs[-1] + 1)) - set(seqs) == set(range(first, last + 1))


def test_hikvision_push_and_search_are_one_event() -> None:
    vector = sequence("hikvision_acsevent-search-reply")
    pulled = {event.key: event for event in read(vector).whole.items}
    pushed = read(sequence("hikvision_card-ok")).item
    found = pulled[pushed.key]
    assert found.replayed
    assert (found.time, found.reason, found.credential, found.holder, found.door_ref) == (
        pushed.time, pushed.reason, pushed.credential, pushed.holder, pushed.door_ref,
    )  # fmt: skip


def test_onvif_deletion_clears_the_state() -> None:
    vector = sequence("onvif_property-deleted")
    assert read(vector).item.value is None


def test_wiegand_vectors() -> None:
    for row in sequence("wiegand_vectors").doc["payload"]["vectors"]:
        found = parse(row["frame_bin"])
        assert found.bits == row["bits"]
        if row.get("error") == "parity":
            assert found.parity_ok is False
            continue
        assert found.parity_ok is True
        layout = LAYOUTS[row["format"]]
        card = row.get("card", row.get("value"))
        assert (found.card, found.facility) == (card, row.get("facility"))
        assert encode_frame(layout, card, row.get("facility", 0)) == row["frame_bin"]
        if "packed_hex" in row:
            assert packed(bytes.fromhex(row["packed_hex"]), row["bits"]) == found


def test_what_we_publish() -> None:
    ack = sequence("native_ack")
    body = ack.doc["payload"]
    missing = tuple((a, b) for a, b in body["missing"])
    ours = encode.ack(
        "pune-1",
        "ctl-floor-a",
        Ack(boot=body["boot"], upto=body["upto"], missing=missing, now=datetime.fromisoformat(body["now"])),
    )
    assert ours == (ack.doc["topic"], next(ack.deliveries).payload.replace(b" ", b""))


LIMITS = {
    "device": 40,
    "key": 200,
    "id": 200,
    "boot": 64,
    "reason": 40,
    "vendor_reason": 200,
    "door_ref": 80,
    "reader": 60,
}
LIMITS |= {"holder": 200, "adapter": 40, "error": 200, "detail": 400, "facet": 120, "mode": 200}


def storable(translation: Translation) -> None:
    """Every text fits where it is stored, whatever the message said."""
    for item in (*translation.items, *translation.rejections):
        for name, limit in LIMITS.items():
            text = getattr(item, name, None)
            assert text is None or (len(text) <= limit and "\0" not in text), name
        assert len(",".join(getattr(item, "factors", ()))) <= 120
        shown = getattr(item, "credential", None)
        if shown is not None:
            assert len(shown.format or "") <= 40
            assert len(shown.token or "") <= 200


@given(st.sampled_from(sorted(ADAPTERS)), st.binary(max_size=120), st.text(max_size=40))
def test_no_bytes_make_an_adapter_raise(name: str, payload: bytes, topic: str) -> None:
    config = type(CONFIG)(adapter=name, site="pune-1", card_ref=str)
    storable(translate(delivery(payload, topic), config))


@given(st.sampled_from(READABLE), st.integers(0, 2000), st.binary(max_size=3), st.integers(0, 3))
def test_no_damaged_sample_makes_an_adapter_raise(vector: Vector, at: int, junk: bytes, cut: int) -> None:
    message = next(vector.deliveries)
    payload = message.payload
    at = min(at, len(payload))
    damaged = payload[:at] + junk + payload[at + cut :]
    storable(translate(delivery(damaged, message.topic), vector.config))


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 2**65)
    | st.floats(allow_nan=False)
    | st.text(max_size=6)
    | st.just("x" * 199),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(READABLE), JSON, st.integers(0, 40))
def test_no_changed_value_makes_an_adapter_raise(vector: Vector, value: Any, which: int) -> None:
    if not isinstance(vector.doc.get("payload"), dict):
        return
    body = copy.deepcopy(vector.doc["payload"])
    places: list[tuple[dict[str, Any], str]] = []

    def walk(doc: Any) -> None:
        if isinstance(doc, dict):
            for key, inner in doc.items():
                places.append((doc, key))
                walk(inner)
        elif isinstance(doc, list):
            for inner in doc:
                walk(inner)

    walk(body)
    doc, key = places[which % len(places)]
    doc[key] = value
    topic = next(vector.deliveries).topic
    storable(translate(delivery(body, topic), vector.config))
