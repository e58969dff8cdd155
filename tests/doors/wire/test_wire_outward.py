"""What goes out to other systems, and comes back the same."""

import json
from datetime import UTC, datetime

import pytest

from bposite.doors.events import AccessAnswer, AlarmEvent, Command, Delivery, DeviceConfig, DoorEvent, Rejection
from bposite.doors.reasons import REASONS
from bposite.doors.wire import encode, outward
from bposite.doors.wire.adapters.registry import translate
from tests.doors.wire.test_wire_vectors import sequence

TIME = datetime(2026, 11, 23, 9, 0, 1, 120000, tzinfo=UTC)
CONFIG = DeviceConfig(adapter="onvif-ej", site="pune-1", card_ref=str)


def back(message: outward.Message | None) -> object:
    """What we read in a message of our own."""
    assert message is not None
    delivery = Delivery(topic=message.topic, payload=message.payload, received_at=TIME, retain=False)
    (item,) = translate(delivery, CONFIG).items
    return item


@pytest.mark.parametrize("code", sorted(code for code, reason in REASONS.items() if reason.outcome == "denied"))
def test_a_refusal_comes_back_as_a_refusal(code: str) -> None:
    event = outward.Outward(
        cls="access", decision="denied", reason=code, door="floor-a", direction="in", time=TIME, token="h:1"
    )
    item = back(outward.onvif_ej("pune-1", event))
    assert item.decision == "denied"  # type: ignore[attr-defined]
    assert item.time == TIME  # type: ignore[attr-defined]
    assert item.door_ref == "floor-a-in"  # type: ignore[attr-defined]
    told = item.reason  # type: ignore[attr-defined]
    assert told in (code, REASONS[code].bacnet) or told in (
        "deniedOther",
        "deniedNoAccessRights",
        "deniedCredentialDisabled",
    )


@pytest.mark.parametrize("decision", ["granted", "taken", "not-taken", "request"])
def test_decisions_come_back(decision: str) -> None:
    event = outward.Outward(
        cls="access", decision=decision, reason="granted", door="floor-a", direction="in", time=TIME
    )
    assert back(outward.onvif_ej("pune-1", event)).decision == decision  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("reason", "active", "kind"),
    [
        ("door-opened", True, DoorEvent),
        ("door-closed", True, DoorEvent),
        ("lockDown", True, DoorEvent),
        ("freeAccess", True, DoorEvent),
        ("forcedOpen", True, AlarmEvent),
        ("doorOpenTooLong", True, AlarmEvent),
        ("tamper", True, AlarmEvent),
        ("tamper", False, AlarmEvent),
        ("duress", True, AlarmEvent),
    ],
)
def test_doors_and_alarms_come_back(reason: str, active: bool, kind: type) -> None:
    cls = "door" if kind is DoorEvent else "alarm"
    item = back(
        outward.onvif_ej("pune-1", outward.Outward(cls=cls, reason=reason, door="floor-a", time=TIME, active=active))
    )
    assert isinstance(item, kind)
    assert item.reason == reason  # type: ignore[attr-defined]
    if kind is AlarmEvent:
        assert item.active is active  # type: ignore[attr-defined]


def test_what_onvif_has_no_word_for_stays_at_home() -> None:
    assert outward.onvif_ej("x", outward.Outward(cls="door", reason="door-mode", door="a", time=TIME)) is None


def test_property_events_are_kept_by_the_broker() -> None:
    message = outward.onvif_ej("x", outward.Outward(cls="alarm", reason="forcedOpen", door="a", time=TIME))
    assert message is not None
    assert message.retain


def test_home_assistant_discovery_is_as_documented() -> None:
    for stem, message in (
        ("homeassistant_lock-discovery", outward.home_assistant_lock("door-floor-a")),
        ("homeassistant_tag-discovery", outward.home_assistant_tag("reader-floor-a", "Floor A reader")),
    ):
        doc = sequence(stem).doc
        assert (message.topic, json.loads(message.payload), message.retain) == (doc["topic"], doc["payload"], True)
    contact = outward.home_assistant_contact("door-floor-a", "Floor A")
    assert json.loads(contact.payload)["device_class"] == "door"
    assert outward.home_assistant_state("door-floor-a", "lock", "LOCKED").retain


def test_badging_record_is_as_documented() -> None:
    doc = sequence("m365-physical-badging_export").doc["payload"]
    moment = datetime.fromisoformat(doc["EventTime"])
    assert outward.m365_badging(doc["UserId"], doc["AssetId"], doc["AssetName"], moment, granted=True) == doc


def test_answers_and_commands() -> None:
    topic, payload = encode.access_answer("pune-1", "ctl-a", AccessAnswer(id="r1", decision="denied", reason="held"))
    assert (topic, json.loads(payload)) == (
        "bposite/v1/pune-1/ctl-a/rsp/access",
        {"id": "r1", "decision": "denied", "reason": "held"},
    )
    topic, payload = encode.command(
        "pune-1", "ctl-a", Command(name="resend", nonce="n", exp=TIME, boot="b", ranges=((1, 2),))
    )
    assert topic.endswith("/cmd/resend")
    assert json.loads(payload) == {"nonce": "n", "exp": "2026-11-23T09:00:01.120Z", "boot": "b", "ranges": [[1, 2]]}
    topic, payload = encode.error("pune-1", "ctl-a", Rejection("bad-json", "not JSON"), b"{")
    assert topic.endswith("/rsp/error")
    assert len(json.loads(payload)["sha256"]) == 64
