"""The native contract: what is read, what is refused and why."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bposite.doors.events import (
    AccessEvent,
    AccessRequest,
    AlarmEvent,
    Birth,
    CommandResult,
    Credential,
    DoorEvent,
    Facet,
    Ignored,
    Link,
    ReaderEvent,
    Rejection,
    SystemEvent,
)
from bposite.doors.wire.native import read_quickly, translate
from bposite.doors.wire.native_slow import read_slowly
from bposite.doors.wire.strict import MalformedError
from bposite.doors.wire.topics import parse_topic
from tests.doors.wire.measure import measure
from tests.doors.wire.samples import CONFIG, TOPIC, access, delivery

BASE = TOPIC.removesuffix("/evt/access")


def one(body: Any, topic: str = TOPIC, **flags: Any) -> Any:
    """The single value of a message that must be read."""
    translation = translate(delivery(body, topic, **flags), CONFIG)
    assert not translation.rejections, translation.rejections
    (item,) = translation.items
    return item


def refused(body: Any, topic: str = TOPIC) -> Rejection:
    """The single rejection of a message that must not be read."""
    translation = translate(delivery(body, topic), CONFIG)
    assert not translation.items
    (rejection,) = translation.rejections
    return rejection


def test_access_event_whole() -> None:
    assert one(access(), dup=True) == AccessEvent(
        device="ctl-floor-a",
        key="b7f2:1042",
        id="b7f2-000001042",
        reason="granted",
        adapter="native/1",
        boot="b7f2",
        seq=1042,
        time=datetime(2026, 11, 23, 9, 0, 1, 120000, tzinfo=UTC),
        clock="ntp",
        door_ref="floor-a",
        dup=True,
        decision="granted",
        direction="in",
        credential=Credential(type="card", format="wiegand26", bits=26, ref="h:9f2c"),
        factors=("card", "finger"),
        holder="E-1001",
    )


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"source": "/pune-1/ctl-floor-b"}, "spoofing"),
        ({"source": "/pune-2/ctl-floor-a"}, "spoofing"),
        ({"source": None}, "spoofing"),
        ({"specversion": "0.3"}, "unsupported-version"),
        ({"type": "in.bposite.access.v2"}, "unsupported-version"),
        ({"type": "in.bposite.alarm.v1"}, "unknown-class"),
        ({"seq": "1042"}, "bad-shape"),
        ({"seq": "١٢"}, "bad-shape"),
        ({"seq": True}, "bad-shape"),
        ({"seq": -1}, "bad-value"),
        ({"seq": 2**63}, "bad-value"),
        ({"boot": ""}, "bad-value"),
        ({"boot": 7}, "bad-shape"),
        ({"boot": "b" * 65}, "bad-value"),
        ({"time": "2026-11-23T09:00:01"}, "bad-value"),
        ({"time": "2026-W48-1T09:00:01Z"}, "bad-value"),
        ({"time": "0001-01-01T00:00:00+14:00"}, "bad-value"),
        ({"time": 1790240400}, "bad-value"),
        ({"data": None}, "bad-shape"),
        ({"data": []}, "bad-shape"),
        ({"data__decision": "maybe"}, "bad-value"),
        ({"data__decision": None}, "bad-shape"),
        ({"data__door": None}, "bad-shape"),
        ({"data__door": "Floor A"}, "bad-value"),
        ({"data__door": "floor-a\n"}, "bad-value"),
        ({"data__door": "f" * 41}, "bad-value"),
        ({"data__door": "../etc"}, "bad-value"),
        ({"data__holder": "x" * 10_000}, "bad-value"),
        ({"data__holder": {"name": "x"}}, "bad-shape"),
        ({"data__taken": "perhaps"}, "bad-shape"),
        ({"data__factors": "card"}, "bad-shape"),
        ({"data__factors": ["card"] * 9}, "bad-value"),
        ({"data__credential": "card"}, "bad-shape"),
        ({"data__credential": {"type": "card", "bits": 10**6}}, "bad-value"),
    ],
)
def test_refused(change: dict[str, Any], code: str) -> None:
    assert refused(access(**change)).code == code


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"seq": 1042,', b'"seq": 1042, "seq": 1042,'),
        (b'"seq": 1042,', b'"seq": 1042, "seq" : 7,'),
        (b'"door": "floor-a",', b'"door": "floor-a", "door": "server-room",'),
        (b'"reason": "granted",', b'"\\u0072eason": "deniedOther", "reason": "granted",'),
        (b'"bits": 26,', b'"bits": 26, "bits": 34,'),
    ],
)
def test_a_key_twice_is_seen_on_every_level(old: bytes, new: bytes) -> None:
    payload = json.dumps(access()).encode().replace(old, new)
    assert new in payload
    assert refused(payload).code == "duplicate-key"


def test_a_refused_event_says_which_one_it_was() -> None:
    rejection = refused(access(data__door="Floor A"))
    assert (rejection.device, rejection.boot, rejection.seq) == ("ctl-floor-a", "b7f2", 1042)


@pytest.mark.parametrize(
    ("topic", "code"),
    [
        ("bposite/v1/pune-2/ctl-floor-a/evt/access", "wrong-site"),
        ("bposite/v1/pune-1/ctl-floor-a/evt/party", "unknown-class"),
        ("bposite/v1/pune-1/ctl-floor-a/evt/access/x", "unknown-class"),
        ("bposite/v1/pune-1/CTL/evt/access", "unknown-topic"),
        ("bposite/v1/pune-1/" + "c" * 41 + "/evt/access", "unknown-topic"),
        ("bposite/v2/pune-1/ctl-floor-a/evt/access", "unknown-topic"),
        ("bposite/v1/pune-1/ctl-floor-a/ask/access", "unknown-topic"),
        ("bposite/v1/pune-1/ctl-floor-a/res/dance", "unknown-topic"),
        ("bposite/v1/pune-1/ctl-floor-a/state/a/b/c", "unknown-topic"),
        ("", "unknown-topic"),
        ("bposite", "unknown-topic"),
    ],
)
def test_refused_topics(topic: str, code: str) -> None:
    assert refused(access(), topic).code == code


@pytest.mark.parametrize("word", ["ack", "rsp/access", "rsp/error", "cmd/unlock", "cfg/list"])
def test_our_own_words_are_passed_over(word: str) -> None:
    assert one({}, f"{BASE}/{word}") == Ignored(device="ctl-floor-a", why="own-message")


def test_retained_event_is_passed_over() -> None:
    assert one(access(), retain=True) == Ignored(device="ctl-floor-a", why="retained-event")


def test_an_unknown_reason_keeps_the_devices_word() -> None:
    event = one(access(data__decision="denied", data__reason="tooTired"))
    assert (event.reason, event.vendor_reason) == ("deniedOther", "tooTired")


def test_a_newer_device_is_still_read() -> None:
    event = one(access(data__colour="red", subject="x", data__credential={"type": "aura"}))
    assert event.credential.type == "other"


@pytest.mark.parametrize("time", ["2000-01-01T00:00:07Z", None])
def test_clock_that_was_never_set(time: str | None) -> None:
    assert one(access(time=time)).clock == "unset"


def test_a_time_with_an_offset_becomes_utc() -> None:
    event = one(access(time="2026-11-23T14:30:01+05:30"))
    assert event.time.utcoffset() == timedelta(0)
    assert event.time == datetime(2026, 11, 23, 9, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize("key", ["number", "pin", "template", "face_image"])
def test_what_must_not_be_stored_is_struck_out(key: str) -> None:
    body = access(data__credential={"type": "card", "ref": "h:1", key: "10058400"})
    translation = translate(delivery(body), CONFIG)
    assert translation.evidence is not None
    assert b"10058400" not in translation.evidence
    assert json.loads(translation.evidence)["seq"] == 1042
    assert "10058400" not in repr(translation.items)


def test_other_classes() -> None:
    def event(kind: str, **data: Any) -> Any:
        return one(access(type=f"in.bposite.{kind}.v1", data=data), f"{BASE}/evt/{kind}")

    door = event("door", reason="door-opened", door="floor-a")
    assert isinstance(door, DoorEvent)
    assert (door.reason, door.door_ref) == ("door-opened", "floor-a")
    alarm = event("alarm", reason="forcedOpen", door="floor-a", active=False)
    assert isinstance(alarm, AlarmEvent)
    assert not alarm.active
    assert event("alarm", reason="duress", door="floor-a").silent
    reader = event("reader", reason="credential-read", reader="r1", credential={"type": "qr", "code": "BPBC"})
    assert isinstance(reader, ReaderEvent)
    assert reader.credential is not None
    assert reader.credential.code == "BPBC"
    assert "BPBC" not in repr(reader)
    system = event("system", reason="clock-drift", skew_s=7)
    assert isinstance(system, SystemEvent)
    assert system.skew_s == 7
    odd = event("door", reason="granted", door="floor-a")
    assert (odd.reason, odd.vendor_reason) == ("otherEvent", "granted")


def test_states() -> None:
    info = {"boot": "b7f2", "model": "m", "fw": "1", "proto": 1, "doors": ["floor-a"], "seq_next": 9, "clock": "ntp"}
    assert one(info, f"{BASE}/state/info", retain=True) == Birth(
        device="ctl-floor-a",
        boot="b7f2",
        model="m",
        fw="1",
        doors=("floor-a",),
        seq_next=9,
        clock="ntp",
        retained=True,
    )
    link = one({"online": False, "boot": "b7f2", "reason": "lwt"}, f"{BASE}/state/link")
    assert link == Link(device="ctl-floor-a", online=False, boot="b7f2", reason="lwt")
    assert one({"open": True}, f"{BASE}/state/door/floor-a").value == {"open": True}
    assert one(b"3", f"{BASE}/state/buffer").value == {"value": 3}
    assert one(b"", f"{BASE}/state/tamper") == Facet(device="ctl-floor-a", facet="tamper", value=None)
    assert refused({"boot": "b"}, f"{BASE}/state/link").code == "bad-shape"


def test_request_and_result() -> None:
    body = {"id": "r1", "door": "floor-a", "credential": {"type": "qr", "code": "BPBCDF"}, "direction": "in"}
    translation = translate(delivery(body, f"{BASE}/req/access"), CONFIG)
    (request,) = translation.items
    assert isinstance(request, AccessRequest)
    assert request.credential.code == "BPBCDF"
    assert translation.evidence is not None
    assert b"BPBCDF" not in translation.evidence
    assert refused({"id": "r1", "door": "floor-a"}, f"{BASE}/req/access").code == "bad-shape"
    result = one({"nonce": "n1", "ok": False, "detail": "jammed"}, f"{BASE}/res/unlock")
    assert result == CommandResult(device="ctl-floor-a", name="unlock", nonce="n1", ok=False, detail="jammed")


VALUES = st.sampled_from(
    [None, "", "x", "floor-a", "granted", "denied", "in", 0, 1, -1, 2**63, 1.5, True, [], ["card"], {}, "y" * 300]
)
KEYS = st.sampled_from(
    [
        *(key for key in access() if key != "data"),
        *(f"data__{key}" for key in access()["data"]),
        "data__reader",
        "data__extra",
        "extra",
        "data__vendor_reason",
    ]
)


@given(st.dictionaries(KEYS, VALUES, max_size=3), st.booleans(), st.booleans())
def test_quick_and_patient_agree(changes: dict[str, Any], spaced: bool, dup: bool) -> None:
    payload = json.dumps(access(**changes), separators=None if spaced else (",", ":")).encode()
    topic = parse_topic(TOPIC)
    quick = read_quickly(topic, payload, dup)
    try:
        (patient,), evidence = read_slowly(topic, delivery(payload, dup=dup))
    except MalformedError:
        assert quick is None
        return
    assert evidence is None
    if quick is not None:
        assert quick == patient
    elif not changes:
        pytest.fail("the canonical message has to take the quick way")


@given(st.binary(max_size=300), st.sampled_from(["evt/access", "evt/alarm", "state/info", "req/access", "res/lock"]))
def test_nothing_raises(payload: bytes, word: str) -> None:
    translation = translate(delivery(payload, f"{BASE}/{word}"), CONFIG)
    assert len(translation.items) + len(translation.rejections) == 1


@given(st.text(max_size=60))
def test_no_topic_raises(topic: str) -> None:
    translate(delivery(access(), topic), CONFIG)
    translate(delivery(access(), f"bposite/v1/{topic}"), CONFIG)


def test_reading_costs_about_what_json_loads_costs() -> None:
    found = measure(2_000)
    assert found["quick"] <= 2.5 * found["json"], found
    assert found["quick"] < found["patient"], found
