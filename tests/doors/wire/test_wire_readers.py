"""Readers, locks and sensors over MQTT: messages beyond the sample files; one row, one thing learnt."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.doors.wire.reading import check, facts, reading

ESP = {"time": 1790240400, "hostname": "door-a"}


@pytest.mark.parametrize(
    ("topic", "body", "expected"),
    [
        (
            "/rfid/send",
            {"type": "access", "isKnown": "true", "access": "Expired", "username": "x", "uid": "ab12cd34"},
            {"reason": "deniedCredentialExpired", "shown_ref": "h:card:AB12CD34"},
        ),
        (
            "/rfid/send",
            {"type": "access", "isKnown": "true", "access": "Denied", "username": "x", "uid": "ab12cd34"},
            {"reason": "deniedNoAccessRights"},
        ),
        (
            "/rfid/send",
            {"type": "access", "isKnown": "true", "access": ["Disabled", "Always"], "username": "x", "uid": "01"},
            {"decision": "granted"},
        ),
        (
            "/rfid/send",
            {"type": "access", "isKnown": "true", "access": "Always", "username": "MQTT", "uid": " "},
            {"reason": "operator-unlock", "shown_type": "operator"},
        ),
        ("/rfid/send", {"type": "WARN", "src": "rfid", "desc": "Unknown rfid tag is scanned"}, {"kind": "ReaderEvent"}),
        (
            "/rfid/send",
            {"type": "INFO", "src": "door", "desc": "Door Open"},
            {"kind": "DoorEvent", "reason": "door-opened"},
        ),
        (
            "/rfid/send",
            {"type": "INFO", "src": "door", "desc": "Door Closed"},
            {"kind": "DoorEvent", "reason": "door-closed"},
        ),
        (
            "/rfid/send",
            {"type": "WARN", "src": "tamper", "desc": "Door was tampered!"},
            {"kind": "AlarmEvent", "reason": "tamper"},
        ),
        (
            "/rfid/send",
            {"type": "WARN", "src": "sys", "desc": "Event log cleared!"},
            {"kind": "SystemEvent", "reason": "events-lost"},
        ),
        (
            "/rfid/send",
            {"type": "INFO", "src": "sys", "desc": "System setup completed, running"},
            {"reason": "device-restarted"},
        ),
        ("/rfid/send", {"type": "ERRO", "src": "new", "desc": "?"}, {"kind": "SystemEvent", "reason": "otherEvent"}),
        ("/rfid/send", {"type": "INFO", "src": "wifi", "desc": "Enabling WiFi"}, {"kind": "Ignored"}),
        (
            "/rfid/send",
            {"type": "boot", "uptime": 0, "ip": "192.0.2.1"},
            {"reason": "device-restarted", "device": "door-a"},
        ),
        ("rfid/tag", {"uid": "ab12cd34", "username": "x", "access": "Always"}, {"decision": "granted"}),
        ("/rfid/send", {"command": "userfile", "uid": "1234", "user": "x"}, {"kind": "Ignored"}),
    ],
)
def test_esp_rfid(topic: str, body: dict[str, Any], expected: dict[str, Any]) -> None:
    check(reading("esp-rfid", topic, {**ESP, **body}), **expected)


def test_esp_rfid_bare_texts() -> None:
    check(reading("esp-rfid", "rfid/avty", "online"), kind="Link", online=True)
    check(reading("esp-rfid", "rfid/io/door", "open"), kind="DoorEvent", reason="door-opened")


def test_esp_rfid_repeats_itself_and_says_so() -> None:
    body = {**ESP, "type": "access", "isKnown": "true", "access": "Always", "username": "x", "uid": "ab12cd34"}
    first, second = (facts(reading("esp-rfid", "/rfid/send", {**body, "time": 1790240400 + n})) for n in (0, 1))
    assert first["key"] != second["key"]
    assert first["fingerprint"] == second["fingerprint"] is not None


@pytest.mark.parametrize(
    ("topic", "body", "expected"),
    [
        (
            "tele/r/SENSOR",
            {"Time": "2026-11-23T14:30:00", "RDM6300": {"UID": "6B3E1B"}},
            {"shown_ref": "h:card:6B3E1B"},
        ),
        (
            "tele/r/SENSOR",
            {"Time": "2026-11-23T14:30:00", "RC522": {"UID": "BA839D07", "Type": ""}},
            {"shown_format": "iso14443a"},
        ),
        (
            "tele/r/SENSOR",
            {"Time": "2026-11-23T14:30:00", "Wiegand": {"UID": 2312379265, "Size": 34}},
            {"shown_ref": "h:card:w34:2312379265"},
        ),
        (
            "tele/r/SENSOR",
            {"Time": "2026-11-23T14:30:00", "Wiegand": {"UID": "7748328", "Size": 26}},
            {"shown_ref": "h:card:118:15080"},
        ),
        (
            "tele/r/SENSOR",
            {"Time": "2026-11-23T14:30:00", "Wiegand": {"UID": "0h", "Size": 34}},
            {"error": "read-error"},
        ),
        (
            "tele/r/SENSOR",
            {"Time": "2026-11-23T14:30:00", "Wiegand": {"UID": 5, "Size": 8}},
            {"reason": "keypad", "shown_type": "pin"},
        ),
        (
            "r/tele/SENSOR",
            {"Time": "2026-11-23T14:30:00", "GM861": {"Code": "BPBC"}},
            {"device": "r", "shown_code": "BPBC"},
        ),
        ("tele/r/SENSOR", {"Time": "2026-11-23T14:30:00", "ANALOG": {"A0": 3}}, {"kind": "Link", "online": True}),
        ("tele/r/STATE", {"Time": "2026-11-23T14:30:00", "Uptime": "1T"}, {"kind": "Link", "online": True}),
        ("tele/r/LWT", "Online", {"kind": "Link", "online": True}),
        ("tele/site/floor-2/r/LWT", "Offline", {"kind": "Link", "online": False}),
        ("stat/r/RESULT", {"Switch1": "ON"}, {"kind": "Facet", "facet": "switch/1"}),
    ],
)
def test_tasmota(topic: str, body: Any, expected: dict[str, Any]) -> None:
    check(reading("tasmota", topic, body), **expected)


def test_tasmota_local_time_needs_the_zone() -> None:
    body = {"Time": "2026-11-23T14:30:00", "PN532": {"UID": "04A2"}}
    check(reading("tasmota", "tele/r/SENSOR", body), time=datetime(2026, 11, 23, 9, 0, tzinfo=UTC))
    check(reading("tasmota", "tele/r/SENSOR", {**body, "Time": "1970-01-01T00:00:07"}), clock="unset")


@pytest.mark.parametrize(
    ("topic", "body", "expected"),
    [
        (
            "zigbee2mqtt/floor 2/lock",
            {"action": "unlock", "action_source_name": "rfid", "action_user": 4},
            {"shown_type": "card", "shown_slot": 4},
        ),
        (
            "zigbee2mqtt/l",
            {"action": "unlock", "action_source": 0, "action_user": 2},
            {"shown_type": "pin", "shown_slot": 2},
        ),
        ("zigbee2mqtt/l", {"action": "unlock", "action_source_name": "rf"}, {"reason": "operator-unlock"}),
        (
            "zigbee2mqtt/l",
            {"action": "manual_unlock", "action_source_name": "manual"},
            {"kind": "DoorEvent", "reason": "door-unlocked"},
        ),
        ("zigbee2mqtt/l", {"action": "auto_lock"}, {"kind": "DoorEvent", "reason": "door-locked"}),
        (
            "zigbee2mqtt/l",
            {"action": "unlock_failure_invalid_schedule", "action_source_name": "keypad"},
            {"reason": "deniedOutOfTimeRange"},
        ),
        ("zigbee2mqtt/l", {"action": "non_access_user_operational_event"}, {"decision": "denied"}),
        (
            "zigbee2mqtt/l",
            {"action": "pin_code_added", "action_user": 3},
            {"kind": "SystemEvent", "reason": "list-changed"},
        ),
        ("zigbee2mqtt/l", {"action": None, "lock_state": "locked"}, {"kind": "Ignored", "why": "empty-action"}),
        (
            "zigbee2mqtt/l",
            {"lock_state": "unlocked", "battery": 87},
            {"kind": "Facet", "value": {"lock_state": "unlocked", "battery": 87}},
        ),
        ("zigbee2mqtt/l", {"lock_state": "not_fully_locked"}, {"kind": "AlarmEvent", "reason": "door-jammed"}),
        ("zigbee2mqtt/l", {"battery_low": True}, {"reason": "battery-low"}),
        ("zigbee2mqtt/l/availability", {"state": "offline"}, {"kind": "Link", "online": False}),
        ("zigbee2mqtt/l/availability", "online", {"kind": "Link", "online": True}),
        ("zigbee2mqtt/bridge/state", {"state": "online"}, {"kind": "Link", "device": "zigbee2mqtt"}),
        ("zigbee2mqtt/bridge/devices", [], {"kind": "Ignored"}),
        (
            "zigbee2mqtt/l",
            {"action": "lock", "last_seen": "2026-11-23T09:00:00Z"},
            {"time": datetime(2026, 11, 23, 9, tzinfo=UTC)},
        ),
        ("zigbee2mqtt/l", {"action": "lock", "last_seen": 1790240400000}, {"clock": "rtc"}),
    ],
)
def test_zigbee2mqtt(topic: str, body: Any, expected: dict[str, Any]) -> None:
    check(reading("zigbee2mqtt", topic, body), **expected)


INPUTS = {"input:0": "contact:floor-a", "input:1": "rex:floor-a", "input:2": "contact-inverted:floor-b"}


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"input:0": {"id": 0, "state": True}}, ("DoorEvent", "door-opened", "floor-a")),
        ({"input:0": {"id": 0, "state": False}}, ("DoorEvent", "door-closed", "floor-a")),
        ({"input:2": {"id": 2, "state": True}}, ("DoorEvent", "door-closed", "floor-b")),
        ({"input:1": {"id": 1, "state": True}}, ("AccessEvent", "request-to-exit", "floor-a")),
    ],
)
def test_shelly_inputs_mean_what_the_site_says(params: Any, expected: tuple[str, str, str]) -> None:
    body = {"src": "shelly-1", "method": "NotifyStatus", "params": {"ts": 1790240400.5, **params}}
    translation = reading("shelly", "shelly-1/events/rpc", body, inputs=INPUTS)
    found = facts(translation, 1)
    assert (found["kind"], found["reason"], found["door_ref"]) == expected


def test_shelly_others() -> None:
    event = {
        "src": "s",
        "method": "NotifyEvent",
        "params": {"ts": 1790240400, "events": [{"component": "input:1", "event": "single_push"}]},
    }
    check(reading("shelly", "s/events/rpc", event, inputs=INPUTS), reason="request-to-exit", door_ref="floor-a")
    check(reading("shelly", "s/online", "true"), kind="Link", online=True)
    check(reading("shelly", "s/status/input:0", {"id": 0, "state": True}), kind="Facet", facet="input/0")
    check(
        reading(
            "shelly",
            "s/events/rpc",
            {
                "src": "s",
                "method": "NotifyStatus",
                "params": {"ts": 1790240400, "switch:0": {"output": True, "source": "rpc"}},
            },
        ),
        facet="switch/0",
    )


@pytest.mark.parametrize(
    ("topic", "body", "expected"),
    [
        ("node/status", "offline", {"kind": "Link", "online": False}),
        ("node/tag", "74-10-37-94", {"shown_ref": "h:card:74103794"}),
        ("node/tag", '{"uid": "74103794AA"}', {"shown_ref": "h:card:74103794AA"}),
        ("node/binary_sensor/contact/state", "ON", {"kind": "Facet"}),
        ("node/lock/door/state", "LOCKED", {"kind": "DoorEvent", "reason": "door-locked"}),
        ("node/sensor/temp/state", "21.5", {"kind": "Facet"}),
    ],
)
def test_esphome(topic: str, body: str, expected: dict[str, Any]) -> None:
    check(reading("esphome", topic, body), **expected)


def test_esphome_number_as_wiegand_data() -> None:
    check(reading("esphome", "n/tag", "7748328", options={"card_format": "wiegand26"}), shown_ref="h:card:118:15080")


def test_frigate_hints() -> None:
    after = {"id": "1790240400.5-abc", "camera": "door_a", "label": "person", "start_time": 1790240400.5}
    check(
        reading("frigate", "frigate/events", {"type": "new", "before": after, "after": after}),
        kind="ReaderEvent",
        reason="person-seen",
        reader="door_a",
    )
    check(reading("frigate", "frigate/events", {"type": "update", "after": after}), kind="Ignored")
    check(reading("frigate", "frigate/events", {"type": "new", "after": {**after, "label": "dog"}}), kind="Ignored")
    review = {
        "type": "new",
        "after": {"id": "r1", "camera": "door_a", "start_time": 1790240400, "data": {"objects": ["person"]}},
    }
    check(reading("frigate", "frigate/reviews", review), reason="person-seen")
    check(reading("frigate", "frigate/stats", {}), kind="Ignored")
