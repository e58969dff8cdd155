"""Foreign devices of the plan on the site's broker: their words become entries like any other."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask

from bposite.doors.actions import inbox
from bposite.doors.listener.service import Listener
from bposite.doors.tables import Claim, DoorAlias, Gap, Quarantine
from bposite.plumbing.clock import now
from bposite.plumbing.db import transaction
from bposite.plumbing.mqtt import Message
from tests.doors.kit import PLAN, Tape, apply, log, new_listener, rows

ESP, LOCKS, PANEL, GATEWAY, TERMINAL = "esp-stairs", "z2m", "acu-01", "uhppoted", "face-lobby"
TOPICS = ["/rfid/send", "acu-01/onvif-ej/#", "uhppoted/gateway/#", "zigbee2mqtt/#"]
BOARD = "uhppote-405419896"


def plan() -> dict[str, Any]:
    """The demonstration plan with an ESP-RFID board, a Zigbee bridge and an ONVIF panel."""
    found = copy.deepcopy(PLAN)
    found["devices"] += [
        {"id": ESP, "name": "Stairs", "kind": "esp-rfid",
         "options": {"topic": "/rfid/send", "door": "stairs", "direction": "in", "card_format": "uid"}},
        {"id": LOCKS, "name": "Zigbee locks", "kind": "zigbee2mqtt",
         "options": {"topic": "zigbee2mqtt/#", "names": "own"}},
        {"id": GATEWAY, "name": "Gateway", "kind": "uhppoted-mqtt",
         "options": {"topic": "uhppoted/gateway/#", "names": "own"}},
        {"id": TERMINAL, "name": "Terminal", "kind": "hikvision", "options": {}},
        {"id": PANEL, "name": "Panel", "kind": "onvif-ej", "options": {"topic": "acu-01/onvif-ej/#"}},
    ]  # fmt: skip
    found["doors"].append(
        {"id": "stairs", "name": "Stairs", "device": ESP, "from_zone": "lobby", "to_zone": "ops-a", "open_ms": 3000}
    )
    found["credentials"].append({"person": "E-1003", "type": "card", "format": "uid", "number": "F9C2F720"})
    return found


class Link(Tape):
    """A link that remembers what it subscribed to."""

    def __init__(self) -> None:
        super().__init__()
        self.topics: list[tuple[str, int]] = []

    def subscribe(self, topics: Sequence[tuple[str, int]]) -> None:
        """Note the topics."""
        self.topics.extend(topics)


@pytest.fixture
def listening(planned: Flask) -> Listener:
    """A listener of a site with foreign devices."""
    apply(plan())
    listener = new_listener()[0]
    listener.link = Link()  # type: ignore[assignment]
    return listener


def message(topic: str, body: Any, *, retain: bool = False, qos: int = 0) -> Message:
    """A message as the broker hands it over."""
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Message(topic, payload, qos, retain, False, 0)


def swipe(seconds: int = 0, **more: Any) -> Message:
    """A swipe at the ESP-RFID board, ``seconds`` from now."""
    at = int((now() + timedelta(seconds=seconds)).timestamp())
    body = {"type": "access", "time": at, "isKnown": "true", "access": "Always", "username": "x", "uid": "f9c2f720"}
    return message("/rfid/send", body | more)


def test_a_foreign_swipe_is_an_entry_of_its_person_at_its_door(listening: Listener) -> None:
    listening.handle([swipe(hostname="whoever")])
    (entry,) = log()
    assert (entry.device, entry.door, entry.direction, entry.person) == (ESP, "stairs", "in", "E-1003")
    assert entry.adapter == "esp-rfid/1"
    assert entry.shadow is not None  # what our own policy says of it


def test_repeats_within_three_seconds_are_one_event(listening: Listener) -> None:
    listening.handle([swipe(), swipe(1), swipe(1)])
    assert len(log()) == 1


def test_a_bridge_speaks_for_devices_that_nobody_planned(listening: Listener) -> None:
    body = {"action": "unlock", "action_source_name": "keypad", "action_user": 3}
    listening.handle([message("zigbee2mqtt/records-room", body), message("zigbee2mqtt/records-room", {"action": ""})])
    (entry,) = log()
    assert (entry.device, entry.decision, entry.credential_type) == ("records-room", "granted", "pin")
    assert ("records-room", "") in {(row.device, row.ref) for row in rows(Claim)}


def test_an_access_point_is_claimed_once_and_known_from_then_on(listening: Listener) -> None:
    def granted(second: int) -> Message:
        moment = (now() - timedelta(seconds=second)).isoformat().replace("+00:00", "Z")
        body = {"UtcTime": moment, "Source": {"AccessPointToken": "ap-1"}, "Data": {"CredentialToken": "c"}}
        return message("acu-01/onvif-ej/AccessControl/AccessGranted/Credential/&ap-1", body, qos=1)

    listening.handle([granted(2)])
    assert log()[0].door is None
    assert (PANEL, "ap-1") in {(row.device, row.ref) for row in rows(Claim)}
    with transaction() as session:
        session.add(DoorAlias(device_id=PANEL, ref="ap-1", door_id="ops-a-main", direction="in"))
    listening.reload()
    listening.handle([granted(1)])
    assert (log()[1].door, log()[1].direction) == ("ops-a-main", "in")


def test_a_retained_state_is_no_news_the_second_time(listening: Listener) -> None:
    body = {"UtcTime": "2026-11-23T09:10:00Z", "Source": {"DoorToken": "d1"}, "Data": {"State": "DoorForcedOpen"}}
    for _ in range(3):
        listening.handle([message("acu-01/onvif-ej/Door/State/DoorAlarm/&d1", body, retain=True)])
    assert len(log()) == 1


def test_poison_between_good_ones(listening: Listener) -> None:
    listening.handle(
        [swipe(), message("/rfid/send", b'{"type": "access", "uid": NaN}'), message("zigbee2mqtt/x", b"\xff")]
    )
    assert len(log()) == 1
    assert {row.code for row in rows(Quarantine)} == {"bad-json", "not-utf8"}


def feed(index: int) -> Message:
    """One event of a controller behind the uhppoted gateway."""
    event = {
        "access-granted": True, "card-number": 2110400, "device-id": 405419896, "direction": 1, "door-id": 1,
        "event-id": index, "event-reason": 1, "event-type": 2, "timestamp": f"2026-11-23 14:30:{index % 60:02} IST",
    }  # fmt: skip
    return message("uhppoted/gateway/events", {"message": {"event": {"event": event}}}, qos=1)


def settle(listener: Listener, seconds: int) -> None:
    """Let the reorder window pass."""
    with time_machine.travel(now() + timedelta(seconds=seconds), tick=False):
        listener.idle()


def test_numbers_of_a_vendor_show_what_is_missing(listening: Listener) -> None:
    for index in (60, 57, 58, 56, 59, 66):
        listening.handle([feed(index)])
    assert sorted(entry.seq or 0 for entry in log()) == [56, 57, 58, 59, 60, 66]
    settle(listening, 1)
    settle(listening, 7)
    assert [(row.device, row.first, row.last, row.state) for row in rows(Gap)] == [(BOARD, 61, 65, "open")]
    listening.handle([feed(index) for index in range(61, 66)])
    settle(listening, 14)
    settle(listening, 21)
    assert [(row.first, row.last, row.state) for row in rows(Gap)] == [(61, 65, "filled")]


def test_a_foreign_device_is_not_told_what_it_cannot_hear(planned: Flask) -> None:
    apply(plan())
    listener, tape = new_listener()
    listener.handle([feed(5), feed(6)])
    listener.acknowledge(now(), force=True)
    assert tape.sent == []


def terminal(serial: int, before: int) -> None:
    """One push of a terminal that skips numbers of its own."""
    event = {"majorEventType": 5, "subEventType": 75, "serialNo": serial, "frontSerialNo": before, "doorNo": 1}
    body = {"dateTime": now().isoformat(timespec="seconds"), "AccessControllerEvent": event}
    inbox.receive(TERMINAL, "isapi", json.dumps(body).encode())


def test_the_number_before_tells_holes_from_losses(listening: Listener) -> None:
    for serial, before in ((10, 9), (14, 10), (17, 16)):
        terminal(serial, before)  # 11 to 13 were never used; 16 was, and did not come
    listening.take_pushed(now())
    settle(listening, 1)
    settle(listening, 7)
    assert [(row.device, row.first, row.last) for row in rows(Gap)] == [(TERMINAL, 15, 16)]


def test_what_was_missing_is_known_after_a_restart(listening: Listener) -> None:
    for index in (5, 6, 9):
        listening.handle([feed(index)])
    settle(listening, 1)
    settle(listening, 7)
    again = new_listener()[0]
    again.link = Link()  # type: ignore[assignment]
    again.handle([feed(7), feed(8), feed(10)])
    settle(again, 14)
    settle(again, 21)
    assert [(row.first, row.last, row.state) for row in rows(Gap)] == [(7, 8, "filled")]


def test_pushed_and_fetched_at_once_is_one_event_and_no_conflict(listening: Listener) -> None:
    stamp = now().isoformat(timespec="seconds")
    common = {"serialNo": 5, "doorNo": 1, "employeeNoString": "E-1003"}
    event = {"majorEventType": 5, "subEventType": 75, "frontSerialNo": 4, **common}
    found = {"major": 5, "minor": 75, "time": stamp, **common}
    inbox.receive(TERMINAL, "isapi", json.dumps({"dateTime": stamp, "AccessControllerEvent": event}).encode())
    inbox.receive(TERMINAL, "isapi", json.dumps({"AcsEvent": {"InfoList": [found]}}).encode())
    listening.take_pushed(now())
    assert len(log()) == 1
    assert rows(Quarantine) == []


def test_card_numbers_are_not_in_the_entry_or_its_fact(listening: Listener) -> None:
    listening.handle([swipe()])
    (entry,) = log()
    assert "f9c2f720" not in repr(entry).lower()


def test_the_plans_topics_are_subscribed_once(planned: Flask) -> None:
    listener, link = new_listener()[0], Link()
    listener.link = link  # type: ignore[assignment]
    listener.follow_plan()
    assert link.topics == []
    apply(plan())
    listener.reload()
    listener.follow_plan()
    listener.follow_plan()
    assert sorted(link.topics) == [(topic, 1) for topic in TOPICS]
