"""UHPPOTE controllers that are asked: nothing skipped, nothing double, outages and resets survived."""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from bposite.doors.actions import inbox
from bposite.doors.actions.inbox import Cursor
from bposite.doors.listener.service import Listener
from bposite.doors.tables import DeviceState
from bposite.doors.worker import Poller, Uhppoted, run
from bposite.plumbing.clock import now, site_zone
from tests.doors.controller_udp import Controller
from tests.doors.kit import PLAN, apply, log, new_listener, rows

pytest.importorskip("uhppoted", reason="the package uhppoted is not installed (extra uhppote)")
BOARD = "uhppote-1"
Asking = tuple[Controller, Poller, Listener]


@pytest.fixture
def asking(planned: Flask) -> Iterator[Asking]:
    """A controller, the poller that asks it, and a listener."""
    board = Controller()
    plan = copy.deepcopy(PLAN)
    plan["devices"].append(
        {"id": BOARD, "name": "Stairs", "kind": "uhppote", "timezone": "Asia/Kolkata",
         "options": {"serial": str(board.serial), "address": board.address}}
    )  # fmt: skip
    apply(plan)
    yield board, Poller(Uhppoted(timeout_s=0.3)), new_listener()[0]
    board.close()


def swipes(board: Controller, count: int, *, ago: timedelta = timedelta(), **more: Any) -> None:
    """Swipes just now (or a while ago), by the controller's own local clock."""
    for at in range(count):
        moment = (now() - ago).astimezone(site_zone()).replace(tzinfo=None) + timedelta(seconds=at)
        board.swipe(moment, **more)


def look(asking: Asking, times: int = 1) -> None:
    """Look, and store what was found."""
    for _ in range(times):
        asking[1].look()
        asking[2].take_pushed(now())


def numbers() -> list[int | None]:
    """The controller's event numbers in the log."""
    return [entry.seq for entry in log() if entry.device == BOARD and entry.cls == "access"]


def test_events_from_the_first_contact_on(asking: Asking) -> None:
    board = asking[0]
    swipes(board, 3)
    look(asking)
    assert numbers() == []
    swipes(board, 2)
    swipes(board, 1, granted=False)
    look(asking)
    assert numbers() == [4, 5, 6]
    first, _, last = [entry for entry in log() if entry.cls == "access"]
    assert (first.person, first.decision, first.direction, first.door_ref) == ("E-1001", "granted", "in", "1")
    assert (last.decision, last.reason) == ("denied", "deniedPointNoAccessRights")
    look(asking, 2)
    assert numbers() == [4, 5, 6]
    assert board.asked == [4, 5, 6]


def test_an_outage_is_filled_afterwards(asking: Asking) -> None:
    board = asking[0]
    look(asking)
    board.silent = True
    look(asking, 3)
    assert not next(row for row in rows(DeviceState) if row.device == BOARD).online
    swipes(board, 250, ago=timedelta(hours=1))
    board.silent = False
    look(asking, 2)
    assert numbers() == list(range(1, 251))
    assert next(row for row in rows(DeviceState) if row.device == BOARD).online
    assert all(entry.late for entry in log() if entry.cls == "access")


def test_another_process_goes_on_where_this_one_stopped(asking: Asking) -> None:
    board = asking[0]
    look(asking)
    swipes(board, 2)
    look(asking)
    swipes(board, 2)
    look((board, Poller(Uhppoted(timeout_s=0.3)), asking[2]))
    assert numbers() == [1, 2, 3, 4]
    assert board.asked == [1, 2, 3, 4]


def test_a_cursor_that_was_lost_costs_work_and_no_doubles(asking: Asking) -> None:
    board = asking[0]
    look(asking)
    swipes(board, 3)
    look(asking)
    inbox.receive_asked(BOARD, [], Cursor(0))
    look(asking)
    assert numbers() == [1, 2, 3]


def test_a_number_that_never_comes_is_a_record(asking: Asking) -> None:
    board = asking[0]
    look(asking)
    swipes(board, 3)
    board.missing.add(2)
    look(asking, 2)
    assert numbers() == [1]
    look(asking, 2)
    assert numbers() == [1, 3]
    assert [entry.seq for entry in log() if entry.reason == "events-lost"] == [2]


def test_a_controller_that_was_reset_counts_anew_and_nothing_is_confused(asking: Asking) -> None:
    board = asking[0]
    look(asking)
    swipes(board, 3)
    look(asking)
    board.events.clear()
    swipes(board, 2)
    look(asking)
    assert numbers() == [1, 2, 3, 1, 2]
    assert [entry.reason for entry in log() if entry.cls == "system"] == ["events-lost"]


def test_no_package_is_said_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bposite.doors.worker.import_module", _absent)
    run(threading.Event())


def _absent(name: str) -> Any:
    raise ImportError(name)
