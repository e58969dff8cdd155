"""A batch from bytes to rows: stored once, acknowledged contiguously, answered, whatever came."""

from __future__ import annotations

from bposite.doors.listener.service import Listener
from bposite.doors.tables import Claim, Gap, Quarantine
from bposite.journal.queries import fact
from bposite.plumbing.db import reading
from tests.doors.kit import FLOOR_A, Device, Tape, log, rows

Listening = tuple[Listener, Tape]


def test_events_become_entries_in_order_and_are_acknowledged(any_listening: Listening) -> None:
    listener, tape = any_listening
    device = Device()
    listener.handle([device.access() for _ in range(20)])
    listener.handle([device.access("taken")])
    listener.acknowledge(listener.memory.device(FLOOR_A).heard_at, force=True)
    entries = log()
    assert [entry.seq for entry in entries] == list(range(1, 22))
    assert {entry.person for entry in entries} == {"E-1016"}
    assert tape.of(FLOOR_A, "ack")[-1]["upto"] == 21
    assert tape.of(FLOOR_A, "ack")[-1]["missing"] == []


def test_an_entry_carries_its_fact_with_raw_message_and_trace(listening: Listening) -> None:
    listener, _ = listening
    message = Device().access()
    listener.handle([message])
    (entry,) = log()
    with reading() as session:
        told = fact(session, entry.position)
    assert told is not None
    assert told.kind == "doors:entry:access"
    assert told.data["raw"] == message.payload.decode()
    assert told.data["door"] == "ops-a-main"
    assert entry.shadow == "granted"
    assert any(step[0] == "rights" for step in told.data["trace"])


def test_malformed_goes_to_quarantine_and_the_stream_goes_on(listening: Listening) -> None:
    listener, tape = listening
    device = Device()
    listener.handle([device.access(), device.message("evt/access", b"{not json"), device.access()])
    assert len(log()) == 2
    (row,) = rows(Quarantine)
    assert (row.code, row.raw) == ("bad-json", b"{not json")
    assert tape.of(FLOOR_A, "rsp", "error")[0]["code"] == "bad-json"


def test_unknown_door_and_device_are_stored_and_listed(listening: Listening) -> None:
    listener, _ = listening
    listener.handle([Device().access(door="floor-zz"), Device("ctl-new", "x1").access()])
    entries = log()
    assert [(entry.door, entry.door_ref) for entry in entries] == [(None, "floor-zz"), (None, "ops-a-main")]
    assert {(row.device, row.ref) for row in rows(Claim)} == {
        (FLOOR_A, "floor-zz"),
        ("ctl-new", ""),
        ("ctl-new", "ops-a-main"),
    }


def test_a_request_is_answered_and_recorded(listening: Listening) -> None:
    listener, tape = listening
    device = Device()
    listener.handle([device.request("r1"), device.request("r2", factors=["card"])])
    first, second = tape.of(FLOOR_A, "rsp", "access")
    assert (first["decision"], first["reason"], first["open_ms"]) == ("granted", "granted", 4000)
    assert (second["decision"], second["reason"]) == ("denied", "factor_missing")
    assert [(e.decision, e.reason, e.decided_by) for e in log()] == [
        ("granted", "granted", "site"),
        ("denied", "factor_missing", "site"),
    ]


def test_gap(listening: Listening) -> None:
    listener, tape = listening
    device = Device()
    listener.handle([device.access(), device.access(seq=5)])
    assert tape.of(FLOOR_A, "ack")[-1]["upto"] == 1
    assert tape.of(FLOOR_A, "ack")[-1]["missing"] == [[2, 4]]
    assert not rows(Gap)
