"""Other systems are told what is stored: ONVIF and Home Assistant, through the broker, in the order of the log."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask

from bposite.doors.events import AccessEvent, Delivery, DeviceConfig, DoorEvent
from bposite.doors.listener.service import Listener
from bposite.doors.wire.adapters.registry import translate
from bposite.plumbing.clock import now
from tests.doors.kit import PLAN, Device, apply, new_listener


@dataclass
class Wire:
    """A link that keeps what was published as it is."""

    sent: list[tuple[str, bytes, bool]] = field(default_factory=list)

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        """Keep it."""
        self.sent.append((topic, payload, retain))

    def below(self, prefix: str) -> dict[str, tuple[str, bool]]:
        """The last message of each topic below a prefix."""
        return {topic: (payload.decode(), kept) for topic, payload, kept in self.sent if topic.startswith(prefix)}


def plan() -> dict[str, Any]:
    """The demonstration plan with two systems to tell."""
    found = copy.deepcopy(PLAN)
    found["devices"] += [
        {"id": "vms", "name": "Video management", "kind": "onvif-out", "options": {"prefix": "out/pune-1"}},
        {"id": "ha", "name": "Home Assistant", "kind": "home-assistant", "options": {}},
    ]
    return found


@pytest.fixture
def telling(planned: Flask) -> tuple[Listener, Wire]:
    """A listener that has begun to tell."""
    apply(plan())
    listener, wire = new_listener()[0], Wire()
    listener.link = wire  # type: ignore[assignment]
    listener.tell()
    return listener, wire


Telling = tuple[Listener, Wire]


def test_doors_are_introduced_once_and_look_locked(telling: Telling) -> None:
    listener, wire = telling
    configured = wire.below("homeassistant/")
    assert len([topic for topic in configured if topic.startswith("homeassistant/lock/")]) == len(PLAN["doors"])
    assert all(kept for _, kept in configured.values())
    assert wire.below("bposite/ha/ops-a-main/")["bposite/ha/ops-a-main/lock"] == ("LOCKED", True)
    wire.sent.clear()
    listener.tell()
    assert wire.sent == []


def test_what_is_stored_is_told_in_both_tongues(telling: Telling) -> None:
    listener, wire = telling
    device = Device()
    listener.handle([device.access(), device.event("door", "door-opened"), device.event("door", "door-closed")])
    listener.tell()
    states = wire.below("bposite/ha/")
    assert states["bposite/ha/ops-a-main/contact"] == ("CLOSED", True)
    ((scan, kept),) = [found for topic, found in states.items() if topic.endswith("ops-a-main-in/tag")]
    assert json.loads(scan)["uid"].startswith("h:")
    assert not kept
    told = [(topic, payload) for topic, payload, _ in wire.sent if topic.startswith("out/pune-1/onvif-ej/")]
    config = DeviceConfig(adapter="onvif-ej", site="pune-1", card_ref=str)
    read = [
        translate(Delivery(topic=topic, payload=payload, received_at=now()), config).items[0] for topic, payload in told
    ]
    assert [type(item) for item in read] == [AccessEvent, DoorEvent, DoorEvent]
    assert [item.reason for item in read] == ["granted", "door-opened", "door-closed"]  # type: ignore[union-attr]
    wire.sent.clear()
    listener.tell()
    assert wire.sent == []


def test_an_alarm_and_its_end(telling: Telling) -> None:
    listener, wire = telling
    device = Device()
    for active in (True, False):
        listener.handle([device.event("alarm", "tamper", active=active)])
        listener.tell()
    told = [json.loads(payload) for topic, payload, _ in wire.sent if "/DoorTamper/" in topic]
    assert [body["Data"]["State"] for body in told] == ["TamperDetected", "NotInTamper"]


def test_late_news_change_no_state(telling: Telling) -> None:
    listener, wire = telling
    wire.sent.clear()
    listener.handle([Device().event("door", "door-opened", time="2026-11-01T09:00:00Z")])
    listener.tell()
    assert wire.below("bposite/ha/") == {}
    assert len(wire.below("out/pune-1/onvif-ej/Door/State/DoorPhysicalState/")) == 1


def test_an_unknown_door_and_a_reader_are_not_told(telling: Telling) -> None:
    listener, wire = telling
    wire.sent.clear()
    device = Device()
    listener.handle([device.access(door="floor-zz"), device.event("reader", "read-error")])
    listener.tell()
    assert [topic for topic, _, _ in wire.sent if not topic.startswith("bposite/v1")] == []


def test_nobody_to_tell_nothing_is_read(planned: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    listener, wire = new_listener()[0], Wire()
    listener.link = wire  # type: ignore[assignment]
    monkeypatch.setattr("bposite.doors.listener.telling.reading", None)
    listener.tell()
    assert wire.sent == []


def test_names_of_people_do_not_leave(telling: Telling) -> None:
    listener, wire = telling
    listener.handle([Device().access(holder="Anita Sharma")])
    listener.tell()
    assert all(b"Sharma" not in payload and b"E-1016" not in payload for _, payload, _ in wire.sent)
