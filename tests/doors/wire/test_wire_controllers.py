"""Controllers: UHPPOTE, ONVIF, Axis, OSDP: messages beyond the sample files; one row, one thing learnt."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bposite.doors.events import Delivery, DeviceConfig, SystemEvent, Translation
from bposite.doors.wire.adapters.registry import translate
from tests.doors.wire.reading import check, facts, reading


def uhppoted(code: int, granted: bool, **more: Any) -> Translation:
    event = {
        "access-granted": granted,
        "card-number": 10058400,
        "device-id": 405419896,
        "direction": 2,
        "door-id": 4,
        "event-id": 70,
        "event-reason": code,
        "event-type": 1,
        "timestamp": "2026-11-23 14:30:01 UTC",
        **more,
    }
    return reading("uhppoted-mqtt", "uhppoted/gateway/events", {"message": {"event": {"event": event}}})


@pytest.mark.parametrize(
    ("code", "granted", "expected"),
    [
        (1, True, {"decision": "granted", "direction": "out", "shown_ref": "h:card:100:58400"}),
        (5, False, {"decision": "denied", "reason": "deniedOther"}),
        (7, False, {"reason": "deniedIncorrectAuthenticationFactor"}),
        (8, False, {"reason": "deniedPassback"}),
        (12, False, {"reason": "interlock"}),
        (13, False, {"reason": "deniedOutOfTimeRange"}),
        (20, True, {"reason": "request-to-exit", "shown_type": "rex", "shown_ref": None}),
        (31, False, {"decision": "denied", "reason": "deniedLockout", "shown_type": "rex"}),
        (37, False, {"kind": "AlarmEvent", "reason": "doorOpenTooLong", "door_ref": "4"}),
        (38, False, {"kind": "AlarmEvent", "reason": "forcedOpen"}),
        (39, False, {"kind": "AlarmEvent", "reason": "fire"}),
        (28, False, {"kind": "SystemEvent", "reason": "device-restarted"}),
        (44, True, {"reason": "operator-unlock", "shown_type": "operator"}),
        (25, True, {"decision": "granted", "shown_type": "pin", "shown_ref": None}),
        (99, False, {"reason": "deniedOther", "vendor_reason": "99"}),
    ],
)
def test_uhppoted_reasons(code: int, granted: bool, expected: dict[str, Any]) -> None:
    check(uhppoted(code, granted), **expected)


def test_uhppoted_takes_the_controllers_zone_not_the_gateways() -> None:
    check(uhppoted(1, True), time=datetime(2026, 11, 23, 9, 0, 1, tzinfo=UTC))
    check(uhppoted(1, True, timestamp="2026-11-23 14:30:01 +0530"), time=datetime(2026, 11, 23, 9, 0, 1, tzinfo=UTC))
    check(uhppoted(1, True, timestamp=""), time=None, clock="unset")


def test_uhppoted_event_type_255_tells_of_lost_events() -> None:
    check(uhppoted(0, False, **{"event-type": 255}), kind="SystemEvent", reason="events-lost")


def test_uhppote_in_process() -> None:
    body = {
        "controller": 405419896,
        "index": 17,
        "event_type": 2,
        "access_granted": True,
        "door": 3,
        "direction": 1,
        "card": 10058400,
        "timestamp": "2026-11-23 14:30:01",
        "reason": 1,
    }
    check(reading("uhppote", "uhppote/replay", body), device="uhppote-405419896", key="17", replayed=True, door_ref="3")
    listened = {
        "controller": 405419896,
        "event_index": 17,
        "event_type": 2,
        "event_access_granted": True,
        "event_door": 3,
        "event_direction": 1,
        "event_card": 10058400,
        "event_timestamp": "2026-11-23T14:30:01",
        "event_reason": 1,
    }
    check(reading("uhppote", "uhppote/live", listened), key="17", seq=17, replayed=False, decision="granted")


@pytest.mark.parametrize(
    ("text", "reason", "skew"),
    [
        ("UTC0311-L0x 405419896  system time not synchronized:2026-11-23 18:56:58 (45s)", "clock-drift", 45),
        ("UTC0311-L0x 405419896  system time not synchronized:2026-11-23 18:56:58 (2m0.5s)", "clock-drift", 120),
        ("UTC0311-L0x 405419896  no response", "device-offline", None),
        ("something new", "otherEvent", None),
    ],
)
def test_uhppoted_alerts(text: str, reason: str, skew: float | None) -> None:
    body = {"message": {"system": {"alert": {"message": text, "subsystem": "health-check"}}}}
    check(reading("uhppoted-mqtt", "uhppoted/gateway/system", body), kind="SystemEvent", reason=reason, skew_s=skew)


def test_uhppoted_requests_are_our_own_words_and_their_pins_are_not_kept() -> None:
    card = {"card-number": 10058500, "PIN": 7531, "start-date": "2026-11-01"}
    body = {"message": {"request": {"request-id": "RQ007", "device-id": 405419896, "card": card}}}
    translation = reading("uhppoted-mqtt", "uhppoted/gateway/requests/device/card:put", body)
    check(translation, kind="Ignored", why="own-message")
    assert translation.evidence is not None
    assert b"7531" not in translation.evidence
    assert b"10058500" not in translation.evidence


def test_uhppoted_alert_kept_by_the_broker_is_the_same_alert_every_time() -> None:
    body = json.dumps({"message": {"system": {"alert": {"message": "UTC0311-L0x 405419896  no response"}}}}).encode()
    config = DeviceConfig(adapter="uhppoted-mqtt", site="pune-1", card_ref=str)

    def key(seconds: int, retain: bool) -> str:
        at = datetime(2026, 11, 23, 9, 0, seconds, tzinfo=UTC)
        delivery = Delivery(topic="uhppoted/gateway/system", payload=body, received_at=at, retain=retain)
        (item,) = translate(delivery, config).items
        assert isinstance(item, SystemEvent)
        return item.key

    assert key(1, retain=True) == key(30, retain=True)
    assert key(1, retain=False) != key(30, retain=False)


def onvif(path: str, source: Any, data: Any, payload: Any = None) -> Translation:
    body = payload or {"UtcTime": "2026-11-23T09:00:00Z", "Source": source, "Data": data}
    return reading("onvif-ej", f"site/acu-01/onvif-ej/{path}", body)


POINT = {"AccessPointToken": "ap-1"}


@pytest.mark.parametrize(
    ("path", "source", "data", "expected"),
    [
        (
            "AccessControl/AccessNotTaken/Credential/&ap-1",
            POINT,
            {"CredentialToken": "c"},
            {"decision": "not-taken", "reason": "noEntryAfterGranted"},
        ),
        (
            "AccessControl/AccessGranted/Anonymous/&ap-1",
            POINT,
            {"External": True},
            {"decision": "granted", "credential": None},
        ),
        (
            "AccessControl/Denied/Credential/&ap-1",
            POINT,
            {"Reason": "NotPermittedAtThisTime"},
            {"reason": "deniedOutOfTimeRange"},
        ),
        (
            "AccessControl/Denied/Credential/&ap-1",
            POINT,
            {"Reason": "pt:CredentialExpired"},
            {"reason": "deniedCredentialExpired"},
        ),
        ("AccessControl/Denied/Credential/&ap-1", POINT, {}, {"reason": "deniedOther"}),
        (
            "AccessControl/Denied/CredentialNotFound/Card/&ap-1",
            POINT,
            {"Card": "1"},
            {"reason": "deniedUnknownCredential"},
        ),
        (
            "AccessControl/Request/Credential/&ap-1",
            POINT,
            {"CredentialToken": "c"},
            {"decision": "request", "shown_token": "c"},
        ),
        ("tns1:AccessControl/AccessTaken/Anonymous/&ap-1", POINT, {}, {"decision": "taken"}),
        (
            "Door/State/DoorMode/&d",
            {"DoorToken": "d"},
            {"State": "Unlocked"},
            {"kind": "DoorEvent", "reason": "door-unlocked", "mode": "Unlocked"},
        ),
        (
            "Door/State/DoorMode/&d",
            {"DoorToken": "d"},
            {"State": "Purple"},
            {"kind": "DoorEvent", "reason": "door-mode", "mode": "Purple"},
        ),
        (
            "Door/State/DoorPhysicalState/&d",
            {"DoorToken": "d"},
            {"State": "Open"},
            {"kind": "DoorEvent", "reason": "door-opened", "door_ref": "d"},
        ),
        ("Door/State/LockPhysicalState/&d", {"DoorToken": "d"}, {"State": "Locked"}, {"reason": "door-locked"}),
        (
            "Door/State/DoorAlarm/&d",
            {"DoorToken": "d"},
            {"State": "Normal"},
            {"kind": "AlarmEvent", "active": False, "reason": "normal"},
        ),
        (
            "Door/State/DoorAlarm/&d",
            {"DoorToken": "d"},
            {"State": "DoorOpenTooLong"},
            {"reason": "doorOpenTooLong", "active": True},
        ),
        (
            "Door/State/DoorFault/&d",
            {"DoorToken": "d"},
            {"State": "FaultDetected", "Reason": "x"},
            {"reason": "doorFault"},
        ),
        ("AccessPoint/State/Enabled/&ap-1", POINT, {"State": "false"}, {"kind": "Facet", "value": {"enabled": False}}),
        (
            "Credential/State/ApbViolation/&c",
            {"CredentialToken": "c"},
            {"ApbViolation": False, "ClientUpdated": True},
            {"kind": "AlarmEvent", "active": False},
        ),
        (
            "Configuration/Door/Changed/&d",
            {"DoorToken": "d"},
            {},
            {"kind": "SystemEvent", "reason": "configuration-changed"},
        ),
        (
            "Device/Trigger/DigitalInput/&i",
            {"InputToken": "i1"},
            {"LogicalState": "true"},
            {"kind": "Facet", "facet": "input/i1"},
        ),
        ("RuleEngine/CellMotionDetector/Motion/&m", {}, {}, {"kind": "Ignored", "why": "no-news"}),
    ],
)
def test_onvif(path: str, source: Any, data: Any, expected: dict[str, Any]) -> None:
    check(onvif(path, source, data), **expected)


def test_onvif_without_data_is_legal() -> None:
    check(
        onvif("AccessControl/Request/Timeout/&ap-1", None, None, {"UtcTime": "2026-11-23T09:00:00Z", "Source": POINT}),
        reason="deniedVerificationTimeout",
    )


def test_onvif_two_swipes_a_second_apart_are_two() -> None:
    body = {"UtcTime": "2026-11-23T09:00:00Z", "Source": POINT, "Data": {"CredentialToken": "c"}}
    first = facts(onvif("AccessControl/AccessGranted/Credential/&ap-1", None, None, body))
    again = facts(onvif("AccessControl/AccessGranted/Credential/&ap-1", None, None, body))
    later = facts(
        onvif("AccessControl/AccessGranted/Credential/&ap-1", None, None, {**body, "UtcTime": "2026-11-23T09:00:01Z"})
    )
    assert first["key"] == again["key"] != later["key"]
    assert first["fingerprint"] is None


def test_axis_serial_has_to_agree() -> None:
    body = {
        "timestamp": 1790240405000,
        "topic": "onvif:Door/State/DoorAlarm",
        "serial": "00408C1AB2C4",
        "message": {"source": {"DoorToken": "Axis-1"}, "data": {"State": "DoorForcedOpen"}},
    }
    topic = "axis/00408C1AB2C3/event/tns:onvif/Door/State/DoorAlarm/$source/DoorToken/Axis-1"
    assert reading("axis", topic, body).rejections[0].code == "spoofing"
    body["serial"] = "00408C1AB2C3"
    check(reading("axis", topic, body), kind="AlarmEvent", reason="forcedOpen", device="axis-00408c1ab2c3")
    body["topic"] = "axis:Storage/Disruption"
    check(reading("axis", topic, body), kind="Ignored")


OSDP_PARITY_WRONG = "820f0b40"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {"pd": 5, "event": 1, "reader_no": 1, "format": 1, "length": 26, "data_hex": OSDP_PARITY_WRONG},
            {"error": "parity", "shown_ref": None},
        ),
        (
            {"pd": 5, "event": 1, "reader_no": 0, "format": 0, "length": 40, "data_hex": "0102030405"},
            {"shown_ref": "h:card:raw40:0102030405"},
        ),
        ({"pd": 5, "event": 5, "type": 2, "arg0": 1}, {"kind": "Link", "online": True}),
        ({"pd": 5, "event": 5, "type": 1, "arg0": 0}, {"kind": "Facet", "facet": "secure-channel"}),
        (
            {"pd": 5, "event": 4, "type": 2, "report_hex": "0100"},
            {"kind": "AlarmEvent", "reason": "tamper", "active": True},
        ),
        ({"pd": 5, "event": 3}, {"kind": "Ignored"}),
        ({"reply": "0x53", "payload_hex": "000431323334"}, {"reason": "keypad"}),
        ({"reply": "0x48", "payload_hex": "0001"}, {"kind": "AlarmEvent", "active": False}),
        ({"reply": "0x40", "payload_hex": ""}, {"kind": "Ignored"}),
    ],
)
def test_osdp(body: dict[str, Any], expected: dict[str, Any]) -> None:
    translation = reading("osdp", "osdp", body)
    check(translation, **expected)
    assert b"31323334" not in (translation.evidence or b"")


def test_osdp_inputs_mean_what_the_site_says() -> None:
    translation = reading(
        "osdp", "osdp", {"pd": 5, "event": 4, "type": 0, "report_hex": "0001"}, inputs={"input:1": "rex:floor-a"}
    )
    assert facts(translation, 1)["reason"] == "request-to-exit"


@pytest.mark.parametrize(
    ("adapter", "topic", "body", "code"),
    [
        ("onvif-ej", "acu-01/other", "{}", "unknown-topic"),
        ("zigbee2mqtt", "other/l", "{}", "unknown-topic"),
        ("tasmota", "tele/SENSOR", "{}", "unknown-topic"),
        ("tasmota", "tele/r/LWT", "Perhaps", "bad-value"),
        ("tasmota", "tele/r/SENSOR", '{"Time":"2026-11-23 25:00:00","PN532":{"UID":"04"}}', "bad-value"),
        ("uhppoted-mqtt", "x", '{"message":{}}', "bad-shape"),
        ("uhppoted-mqtt", "x", '{"message":{"event":{"event":{"device-id":1,"event-id":-4}}}}', "bad-value"),
        ("esphome", "n/tag", "two words", "bad-value"),
        ("hikvision", "/push", '{"AccessControllerEvent":{"majorEventType":5}}', "bad-shape"),
        ("osdp", "osdp", '{"pd":1,"event":1,"length":99,"data_hex":"00"}', "bad-value"),
        ("shelly", "s/events/rpc", '{"method":"NotifyEvent","params":{}}', "bad-shape"),
        ("frigate", "frigate/events", '{"type":"new","after":{"id":"a","label":"person"}}', "bad-shape"),
        ("esp-rfid", "/rfid/send", '{"type":"access","access":"Always","uid":"zz"}', "bad-value"),
        ("esp-rfid", "/rfid/send", '{"type":"access","access":"Always","uid":"01","time":1e300}', "bad-value"),
        ("no-such", "x", "{}", "unknown-device"),
    ],
)
def test_refused(adapter: str, topic: str, body: str, code: str) -> None:
    assert [found.code for found in reading(adapter, topic, body).rejections] == [code]
