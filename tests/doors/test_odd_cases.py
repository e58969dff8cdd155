"""Each row of the table of odd cases (the door contract), from bytes to rows."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from bposite.doors.actions import claim_door, replay_message
from bposite.doors.listener.service import Listener
from bposite.doors.queries.devices import devices_health
from bposite.doors.tables import Alarm, DeviceState, DoorState, Gap, Presence, Quarantine
from bposite.plumbing.clock import now
from bposite.plumbing.db import reading
from bposite.plumbing.mqtt import Message
from tests.doors.kit import FLOOR_A, Device, Tape, acting, ago, card, log, new_listener, rows, stamp

Listening = tuple[Listener, Tape]


def passed(time_machine: Any, listener: Listener, seconds: float) -> None:
    """Time goes by, and the listener minds its business."""
    time_machine.shift(timedelta(seconds=seconds))
    listener.idle()
    listener.idle()


@pytest.fixture
def still(time_machine: Any) -> Any:
    """A clock that moves only when told."""
    time_machine.move_to(now(), tick=False)
    return time_machine


def alarms() -> set[str]:
    """Kinds of open alarms."""
    return {row.kind for row in rows(Alarm) if row.state != "closed"}


def test_duplicate_is_stored_once_acknowledged_again_and_counted(any_listening: Listening, still: Any) -> None:
    listener, tape = any_listening
    device = Device()
    message = device.access()
    listener.handle([message, message])
    still.shift(timedelta(seconds=1))
    listener.handle([message])
    assert len(log()) == 1
    assert [body["upto"] for body in tape.of(FLOOR_A, "ack")] == [1, 1]
    assert listener.memory.device(FLOOR_A).counts["duplicates"] == 2


def test_a_duplicate_may_say_that_it_comes_from_the_store_now(listening: Listening) -> None:
    listener, _ = listening
    device, time = Device(), stamp(now())
    listener.handle([device.access(time=time)])
    listener.handle([device.access(seq=1, time=time, offline=True)])
    assert len(log()) == 1
    assert not rows(Quarantine)


def test_same_number_other_content_keeps_the_first_and_raises(any_listening: Listening) -> None:
    listener, _ = any_listening
    device = Device()
    listener.handle([device.access()])
    listener.handle([device.access(seq=1, person="E-1017")])
    (entry,) = log()
    assert entry.person == "E-1016"
    assert [row.code for row in rows(Quarantine)] == ["event-id-conflict"]
    assert "event-id-conflict" in alarms()


def test_gap_is_asked_for_named_after_the_window_and_filled(any_listening: Listening, still: Any) -> None:
    listener, tape = any_listening
    device = Device()
    listener.handle([device.link(True), device.access(), device.access(seq=5)])
    assert tape.of(FLOOR_A, "ack")[-1]["missing"] == [[2, 4]]
    passed(still, listener, 0.3)
    assert not rows(Gap)  # within the reorder window nobody is blamed
    passed(still, listener, 5)
    assert [(row.first, row.last, row.state) for row in rows(Gap)] == [(2, 4, "open")]
    listener.handle([device.access(seq=3)])
    passed(still, listener, 1)
    assert sorted((row.first, row.last) for row in rows(Gap, state="open")) == [(2, 2), (4, 4)]
    with reading() as session:
        health = next(one for one in devices_health(session, now()) if one.id == FLOOR_A)
    assert (health.missing, health.status) == (2, "attention")
    listener.handle([device.access(seq=4), device.access(seq=2)])
    passed(still, listener, 1)
    assert {row.state for row in rows(Gap)} == {"filled"}
    assert tape.of(FLOOR_A, "ack")[-1]["upto"] == 5


def test_numbers_that_the_device_no_longer_holds_are_lost_for_good(listening: Listening, still: Any) -> None:
    listener, tape = listening
    device = Device()
    listener.handle([device.access(), device.access(seq=10)])
    passed(still, listener, 6)
    passed(still, listener, 1)
    device.seq = 10
    listener.handle([device.birth(seq_oldest=6)])
    states = sorted((row.first, row.last, row.state) for row in rows(Gap))
    assert (2, 5, "lost") in states
    listener.handle([device.access(seq=n) for n in (6, 7, 8, 9)])
    still.shift(timedelta(seconds=1))
    listener.acknowledge(now())
    assert tape.of(FLOOR_A, "ack")[-1]["upto"] == 10


def test_a_device_adopted_in_the_middle_of_its_count(listening: Listening, still: Any) -> None:
    listener, tape = listening
    device = Device()
    listener.handle([device.access(seq=1042)])
    assert (tape.of(FLOOR_A, "ack")[-1]["upto"], tape.of(FLOOR_A, "ack")[-1]["missing"]) == (0, [[1, 1041]])
    passed(still, listener, 5.1)
    assert tape.of(FLOOR_A, "ack")[-1]["upto"] == 1042
    listener.handle([device.access(seq=1050)])
    still.shift(timedelta(seconds=1))
    listener.acknowledge(now())
    assert tape.of(FLOOR_A, "ack")[-1]["missing"] == [[1043, 1049]]
    assert [(row.first, row.last, row.state) for row in rows(Gap)] == [(1, 1041, "before_contact")]


def test_an_adopted_device_that_sends_its_past_is_waited_for(listening: Listening, still: Any) -> None:
    listener, tape = listening
    device = Device()
    listener.handle([device.access(seq=10)])
    for first in (1, 3, 5, 7):
        passed(still, listener, 4)
        listener.handle([device.access(seq=first), device.access(seq=first + 1)])
    passed(still, listener, 4)
    assert tape.of(FLOOR_A, "ack")[-1]["missing"] == [[9, 9]]
    listener.handle([device.access(seq=9)])
    still.shift(timedelta(seconds=1))
    listener.acknowledge(now(), force=True)
    assert tape.of(FLOOR_A, "ack")[-1]["upto"] == 10
    assert not rows(Gap, state="before_contact")


def test_a_new_boot_of_a_known_device_is_asked_for_from_one(listening: Listening, still: Any) -> None:
    listener, tape = listening
    listener.handle([Device().access()])
    passed(still, listener, 3)
    listener.handle([Device(boot="c9").access(seq=3)])
    passed(still, listener, 30)
    assert tape.of(FLOOR_A, "ack")[-1]["missing"] == [[1, 2]]
    assert tape.of(FLOOR_A, "ack")[-1]["upto"] == 0


def test_out_of_order_presence_is_that_of_the_times(any_listening: Listening) -> None:
    listener, _ = any_listening
    device = Device()
    out = device.access("taken", direction="out", time=ago(5))
    into = device.access("taken", direction="in", time=ago(10))
    listener.handle([out])
    listener.handle([into])
    (row,) = rows(Presence)
    assert row.zone == "lobby"


def test_presence_from_the_store_equals_a_replay_of_the_log(any_listening: Listening) -> None:
    listener, _ = any_listening
    device = Device()
    people = ["E-1016", "E-1017", "E-1018"]
    listener.handle(
        [
            device.access("taken", person=people[n % 3], direction="in" if n % 2 else "out", time=ago(100 - n * 7 % 50))
            for n in range(40)
        ]
    )
    replayed: dict[str, Any] = {}
    for entry in log():
        before = replayed.get(entry.person or "")
        if before is None or before.time_used <= entry.time_used:
            replayed[entry.person or ""] = entry
    stored = {row.subject: (row.zone, row.position) for row in rows(Presence)}
    assert stored == {who: (entry.zone, entry.position) for who, entry in replayed.items()}


def test_late_event_is_stored_and_flagged_and_wakes_nobody(listening: Listening) -> None:
    listener, _ = listening
    device = Device()
    listener.handle([device.access("taken")])
    listener.handle([device.access("taken", direction="out", time=ago(3600))])
    listener.handle([device.event("alarm", "forcedOpen", time=ago(3600))])
    listener.handle([device.event("alarm", "doorOpenTooLong", time=ago(80 * 3600))])
    assert [entry.late for entry in log()] == [False, True, True, True]
    (alarm,) = rows(Alarm)
    assert (alarm.kind, alarm.live) == ("forcedOpen", False)
    (row,) = rows(Presence)
    assert row.zone == "ops-a"


def test_retained_native_event_is_ignored_and_counted(listening: Listening) -> None:
    listener, _ = listening
    message = Device().access()
    listener.handle([Message(message.topic, message.payload, 1, True, False, 0)])
    assert not log()


def test_boot_change_begins_a_new_count_and_the_old_buffer_may_still_come(listening: Listening, still: Any) -> None:
    listener, tape = listening
    old, new = Device(), Device(boot="c001")
    listener.handle([old.access(), new.access()])
    listener.handle([old.access(), new.access()])
    still.shift(timedelta(seconds=1))
    listener.acknowledge(now())
    assert {(body["boot"], body["upto"]) for body in tape.of(FLOOR_A, "ack")[-2:]} == {("b7f2", 2), ("c001", 2)}
    assert not rows(Gap)


def test_clock_unset_uses_the_time_received_and_says_so(listening: Listening) -> None:
    listener, _ = listening
    listener.handle([Device().access(clock="rtc", time="2000-01-01T00:00:07Z")])
    (entry,) = log()
    assert entry.time_source == "received"
    assert abs(entry.time_used - now()) < timedelta(seconds=5)
    assert "clock-unset" in alarms()


def test_clock_ahead_by_a_time_zone(listening: Listening) -> None:
    listener, _ = listening
    listener.handle([Device().access(time=ago(-19800))])
    (entry,) = log()
    assert entry.time_source == "received"
    assert entry.skew_ms is not None
    assert abs(entry.skew_ms - 19_800_000) < 5000
    (alarm,) = rows(Alarm)
    assert "time zone misconfigured" in alarm.summary


def test_unknown_door_is_stored_and_can_be_claimed(listening: Listening, still: Any) -> None:
    listener, _ = listening
    device = Device()
    listener.handle([device.access(door="floor-zz")])
    with acting() as work:
        claim_door(work, FLOOR_A, "floor-zz", "ops-a-west", "in")
    passed(still, listener, 1)
    listener.handle([device.access(door="floor-zz")])
    assert [entry.door for entry in log()] == [None, "ops-a-west"]


def test_a_door_of_another_controller_is_not_ones_own(listening: Listening) -> None:
    listener, tape = listening
    listener.handle([Device().access(door="server-room"), Device().request("r1", door="server-room")])
    assert [entry.door for entry in log()] == [None, None]
    assert tape.of(FLOOR_A, "rsp", "access")[0]["decision"] == "denied"


def test_topic_and_source_disagree(listening: Listening) -> None:
    listener, tape = listening
    device = Device()
    listener.handle([device.access(source="/pune-1/ctl-core"), device.access()])
    assert len(log()) == 1
    assert [row.code for row in rows(Quarantine)] == ["spoofing"]
    assert "spoofing" in alarms()
    assert tape.of(FLOOR_A, "rsp", "error")[0]["code"] == "spoofing"


MALFORMED = [
    b"",
    b"{not json",
    b"\xff\xfe\x00",
    b'{"specversion":"1.0","id":"x","seq":NaN}',
    b'{"seq":1,"seq":2}',
    b"[" * 40 + b"]" * 40,
    b'"' + b"a" * 70_000 + b'"',
    b"null",
    b"[]",
    b'{"specversion":"1.0"}',
    b'{"time":"2026-11-23T09:00:01"}',
    b'{"a":"\\ud800"}',
]


@pytest.mark.parametrize("topic", ["evt/access", "evt/alarm", "req/access", "res/unlock", "state/info", "state/link"])
def test_poison_between_good_messages_never_blocks(listening: Listening, topic: str) -> None:
    listener, _ = listening
    device = Device()
    for payload in MALFORMED:
        listener.handle([device.access(), device.message(topic, payload), device.access()])
    entries = log()
    assert [entry.seq for entry in entries] == list(range(1, 2 * len(MALFORMED) + 1))
    assert rows(Quarantine)


def test_a_broken_event_with_a_readable_number_is_not_asked_for_for_ever(listening: Listening, still: Any) -> None:
    listener, tape = listening
    device = Device()
    listener.handle([device.access(), device.access(decision="perhaps"), device.access()])
    still.shift(timedelta(seconds=1))
    listener.acknowledge(now(), force=True)
    assert tape.of(FLOOR_A, "ack")[-1]["upto"] == 3
    assert [row.code for row in rows(Quarantine)] == ["bad-value"]


def test_replaying_a_quarantined_message(listening: Listening, still: Any) -> None:
    listener, _ = listening
    device = Device()
    good = device.access()
    listener.handle([Message(good.topic.replace("pune-1", "pune-2"), good.payload, 1, False, False, 0)])
    (row,) = rows(Quarantine)
    assert row.code == "wrong-site"
    with acting() as work:
        replay_message(work, row.id, "wanted to see it again")
    passed(still, listener, 1)
    (row,) = rows(Quarantine)
    assert row.state == "open"  # it is still for another site


@pytest.mark.parametrize(
    ("more", "reason"),
    [({}, "granted"), ({"credential": {"type": "card", "ref": "h:none"}}, "deniedUnknownCredential")],
)
def test_the_same_request_gets_the_same_answer(any_listening: Listening, more: dict[str, Any], reason: str) -> None:
    listener, tape = any_listening
    message = Device().request("r1", **more)
    listener.handle([message])
    listener.handle([message])
    other, again = new_listener()  # a listener that was killed and started again
    other.handle([message])
    answers = tape.of(FLOOR_A, "rsp", "access") + again.of(FLOOR_A, "rsp", "access")
    assert [body["reason"] for body in answers] == [reason] * 3
    assert len(log()) == 1


def test_the_same_request_id_with_another_body_is_a_conflict(listening: Listening) -> None:
    listener, tape = listening
    listener.handle([Device().request("r1")])
    listener.handle([Device().request("r1", credential=card("E-1017"))])
    assert len(tape.of(FLOOR_A, "rsp", "access")) == 1
    assert [row.code for row in rows(Quarantine)] == ["event-id-conflict"]


def test_a_request_that_waited_in_a_queue_opens_nothing(listening: Listening) -> None:
    listener, tape = listening
    listener.handle([Device().request("r1", time=ago(45)), Device().request("r2", time=ago(45), direction="out")])
    first, second = tape.of(FLOOR_A, "rsp", "access")
    assert (first["decision"], first["reason"]) == ("denied", "deniedVerificationTimeout")
    assert second["decision"] == "granted"  # an exit is never refused


def test_silence(listening: Listening, still: Any) -> None:
    listener, _ = listening
    device = Device()
    listener.handle([device.link(True)])
    listener.handle([device.link(False)])
    assert "device-offline" in alarms()
    listener.handle([device.link(True)])
    (alarm,) = rows(Alarm)
    assert alarm.condition_over
    passed(still, listener, 3)
    with reading() as session:
        good = next(one for one in devices_health(session, now()) if one.id == FLOOR_A)
        silent = next(one for one in devices_health(session, now() + timedelta(hours=1)) if one.id == FLOOR_A)
    assert (good.status, silent.word) == ("good", "Silent")


def test_shadow_decision_and_divergence(listening: Listening) -> None:
    listener, _ = listening
    device = Device()
    listener.handle([device.access("granted", person="E-1026")])  # nobody of Meridian may enter floor A
    (entry,) = log()
    assert (entry.decision, entry.shadow) == ("granted", "deniedPointNoAccessRights")
    assert "divergence" in alarms()


def test_a_restart_knows_everything_again(any_listening: Listening, still: Any) -> None:
    listener, _ = any_listening
    device = Device()
    listener.handle([device.access("taken"), device.access(seq=4)])
    other, tape = new_listener()
    other.handle([device.access(seq=4)])
    assert other.memory.scene.zone_of("E-1016") == "ops-a"
    still.shift(timedelta(seconds=1))
    other.acknowledge(now(), force=True)
    assert tape.of(FLOOR_A, "ack")[-1]["missing"] == [[2, 3]]


def test_a_failed_batch_changes_nothing_and_comes_again(listening: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    listener, tape = listening
    device = Device()
    messages = [device.access("taken"), device.access()]
    with monkeypatch.context() as broken:
        broken.setattr("bposite.doors.listener.service.raise_intents", _broken)
        with pytest.raises(OSError, match="disk"):
            listener.handle(messages)
    assert not log()
    assert not tape.of(FLOOR_A, "ack")
    listener.handle(messages)
    assert len(log()) == 2
    assert listener.memory.scene.inside("ops-a") == 1


def _broken(*_: object) -> None:
    raise OSError("disk full")


def test_another_writer_made_memory_wrong(listening: Listening) -> None:
    listener, _ = listening
    other, _ = new_listener()
    device = Device()
    first, second = device.access(), device.access()
    listener.handle([first])
    other.handle([first, second])  # it has never heard of the first one
    assert [entry.seq for entry in log()] == [1, 2]


def test_device_state_is_kept(listening: Listening, still: Any) -> None:
    listener, _ = listening
    device = Device()
    listener.handle([device.birth(seq_next=11, seq_oldest=1), device.message("state/buffer", {"used": 7})])
    (row,) = rows(DeviceState)
    assert (row.boot, row.model, row.buffered) == ("b7f2", "BC-4", 7)
    listener.handle([device.message("state/buffer", b"")])
    assert json.loads(json.dumps(rows(DeviceState)[0].facets)) == {}


def test_the_end_of_an_alarm_shows_on_the_door_and_waits_for_a_person(listening: Listening) -> None:
    listener, _ = listening
    device = Device()
    listener.handle([device.event("alarm", "forcedOpen")])
    assert [row.alarm for row in rows(DoorState)] == ["forcedOpen"]
    listener.handle([device.event("alarm", "forcedOpen", active=False)])
    assert [row.alarm for row in rows(DoorState)] == [""]
    assert [(row.condition_over, row.state) for row in rows(Alarm)] == [(True, "open")]


def test_a_door_facet_reaches_the_rules_at_once(listening: Listening) -> None:
    listener, tape = listening
    device = Device()
    no_right = {"credential": card("E-1026")}
    listener.handle([device.request("r1", **no_right)])
    listener.handle([device.message("state/door/ops-a-main", {"contact": "open", "mode": "unlocked"})])
    listener.handle([device.request("r2", **no_right), device.message("state/door/server-room", {"mode": "unlocked"})])
    listener.handle([device.message("state/door/ops-a-main", {"contact": "closed", "mode": "normal"})])
    listener.handle([device.request("r3", **no_right)])
    assert [body["decision"] for body in tape.of(FLOOR_A, "rsp", "access")] == ["denied", "granted", "denied"]
    assert "server-room" not in listener.memory.scene.modes  # a device speaks for its own doors only


def test_a_broker_that_forgot_our_session_makes_us_ask_every_device(listening: Listening) -> None:
    listener, tape = listening
    listener.handle([Device().access(), Device("ctl-core", "x").message("state/link", {"online": True})])
    tape.sent.clear()
    tape.sessions = 1
    listener.idle()
    assert [body["upto"] for body in tape.of(FLOOR_A, "ack")] == [1]
    assert not tape.of(FLOOR_A, "cmd", "sync")
    tape.sessions, tape.session_kept = 2, False
    listener.idle()
    assert len(tape.of(FLOOR_A, "cmd", "sync")) == 1
    assert len(tape.of("ctl-core", "cmd", "sync")) == 1  # planned, though it has never counted an event
    assert not tape.of("face-lobby", "cmd", "sync")


def test_nothing_is_acknowledged_from_a_memory_that_is_ahead_of_the_store(
    listening: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener, tape = listening
    device = Device()
    listener.handle([device.access()])
    with monkeypatch.context() as broken:
        broken.setattr("bposite.doors.listener.service.raise_intents", _broken)
        with pytest.raises(OSError, match="disk"):
            listener.handle([device.access(), device.access()])
    tape.sent.clear()
    tape.sessions = 1  # the link was dropped, and is back before the messages are
    listener.idle()
    assert [body["upto"] for body in tape.of(FLOOR_A, "ack")] == [1]
