"""Commands: queued with a reason, sent once, answered by nonce, expired when nobody answers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bposite.doors import actions
from bposite.doors.listener.service import Listener
from bposite.doors.tables import CommandRow, LockdownRow
from bposite.journal.queries import tail
from bposite.plumbing.clock import now
from bposite.plumbing.db import reading
from bposite.plumbing.errors import NotFound, Refusal
from tests.doors.kit import FLOOR_A, Device, Tape, acting, rows

Listening = tuple[Listener, Tape]


@pytest.fixture
def still(time_machine: Any) -> Any:
    """A clock that moves only when told."""
    time_machine.move_to(now(), tick=False)
    return time_machine


def turn(still: Any, listener: Listener, seconds: float = 0.3) -> None:
    """Time goes by, and the listener looks round."""
    still.shift(timedelta(seconds=seconds))
    listener.idle()


def unlock(door: str = "ops-a-main", reason: str = "Delivery") -> str:
    """An operator opens a door."""
    with acting() as work:
        return actions.unlock(work, door, reason)


def test_sent_once_and_done(any_listening: Listening, still: Any) -> None:
    listener, tape = any_listening
    nonce = unlock()
    turn(still, listener)
    turn(still, listener)
    (sent,) = tape.of(FLOOR_A, "cmd", "unlock")
    assert (sent["nonce"], sent["door"], sent["operator"]) == (nonce, "ops-a-main", "Vikram Rathore")
    assert sent["open_ms"] == 4000
    listener.handle([Device().message("res/unlock", {"nonce": nonce, "ok": True})])
    listener.handle([Device().message("res/unlock", {"nonce": nonce, "ok": False, "code": 7})])  # one result a nonce
    (row,) = rows(CommandRow)
    assert row.state == "done"
    with reading() as session:
        kinds = [fact.kind for fact in tail(session, -1, ("doors:command:",))]
    assert kinds == ["doors:command:queued", "doors:command:done"]


def test_another_device_cannot_answer(listening: Listening, still: Any) -> None:
    listener, _ = listening
    nonce = unlock()
    turn(still, listener)
    listener.handle([Device("ctl-core").message("res/unlock", {"nonce": nonce, "ok": True})])
    assert rows(CommandRow)[0].state == "sent"


def test_no_answer_is_a_record(listening: Listening, still: Any) -> None:
    listener, _ = listening
    unlock()
    turn(still, listener)
    turn(still, listener, 16)
    assert rows(CommandRow)[0].state == "expired"


def test_a_command_that_waited_too_long_is_not_sent(listening: Listening, still: Any) -> None:
    listener, tape = listening
    unlock()
    turn(still, listener, 20)  # the listener was away
    assert not tape.of(FLOOR_A, "cmd", "unlock")
    assert rows(CommandRow)[0].state == "expired"


def test_lockdown_tells_every_door_refuses_unlocks_and_ends_by_itself(listening: Listening, still: Any) -> None:
    listener, tape = listening
    with acting() as work:
        told = actions.start_lockdown(work, "*", 3, "Intruder in the lobby", minutes=5)
    assert len(told) == 8
    turn(still, listener)
    assert len([topic for topic, _ in tape.sent if topic.endswith("/cmd/lockdown")]) == 8
    with pytest.raises(Refusal, match="lockdown"):
        unlock()
    listener.handle([Device().request("r1"), Device().request("r2", direction="out")])
    answers = tape.of(FLOOR_A, "rsp", "access")
    assert [(body["decision"], body["reason"]) for body in answers] == [
        ("denied", "deniedThreatLevel"),
        ("granted", "granted"),
    ]
    turn(still, listener, 301)
    turn(still, listener)
    assert not rows(LockdownRow)
    listener.handle([Device().request("r3")])
    assert tape.of(FLOOR_A, "rsp", "access")[-1]["decision"] == "granted"


def test_a_locked_door_stays_locked_until_released(listening: Listening, still: Any) -> None:
    listener, tape = listening
    with acting() as work:
        actions.lock(work, "ops-a-main", "Spill on the floor")
    turn(still, listener)
    listener.handle([Device().request("r1")])
    with acting() as work:
        actions.release(work, "ops-a-main", "Cleaned up")
    turn(still, listener)
    listener.handle([Device().request("r2")])
    assert [body["reason"] for body in tape.of(FLOOR_A, "rsp", "access")] == ["lockedByHigherPriority", "granted"]


def test_what_is_refused(listening: Listening) -> None:
    with pytest.raises(NotFound):
        unlock("no-such-door")
    with pytest.raises(Refusal, match="reason"):
        unlock(reason="  ")
    with acting() as work, pytest.raises(Refusal, match="rank"):
        actions.start_lockdown(work, "*", 10, "Too high")
    with acting() as work, pytest.raises(Refusal, match="zone"):
        actions.start_lockdown(work, "moon", 1, "Nowhere")
    assert not rows(CommandRow)
