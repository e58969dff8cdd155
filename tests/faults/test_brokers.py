"""Brokers and databases that go away under load: what a door was not told to forget is stored, once."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bposite.plumbing.settings import current
from tests.doors.kit import Device
from tests.faults.broker import Mosquitto
from tests.faults.door import KeepingDoor
from tests.faults.test_kills import Process, stored, wait_until


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A running Mosquitto."""
    one = Mosquitto(tmp_path / "broker")
    one.start()
    yield one
    one.kill()


@pytest.fixture
def doors(broker: Mosquitto) -> Iterator[list[KeepingDoor]]:
    """Three controllers that keep what is not acknowledged."""
    made = [KeepingDoor(Device(name, f"b-{name}"), broker.port) for name in ("ctl-lobby", "ctl-floor-a", "ctl-floor-b")]
    yield made
    for one in made:
        one.close()


@pytest.fixture
def start(broker: Mosquitto) -> Iterator[Callable[[], Process]]:
    """Starts the listener, and ends it whatever happens."""
    started: list[Process] = []

    def begin() -> Process:
        started.append(Process(broker.port))
        return started[-1]

    yield begin
    for one in started:
        one.kill()


def exactly_once() -> list[tuple[str, str, int]]:
    """(device, boot, how many) with no number twice and none missing."""
    from bposite.plumbing.db import reading

    with reading() as session:
        found = session.connection().exec_driver_sql(
            "SELECT device, boot, count(*), count(DISTINCT seq), min(seq), max(seq) FROM entry GROUP BY device, boot"
        )
        counted = [tuple(row) for row in found]
    for _, _, rows, numbers, first, last in counted:
        assert rows == numbers == last - first + 1
        assert first == 1
    return [(device, boot, rows) for device, boot, rows, *_ in counted]


def talk(doors: list[KeepingDoor], each: int, pause: float) -> threading.Thread:
    """All doors say ``each`` events, side by side."""

    def speak() -> None:
        for _ in range(each):
            for one in doors:
                one.say()
            time.sleep(pause)

    thread = threading.Thread(target=speak)
    thread.start()
    return thread


def settle(doors: list[KeepingDoor], seconds: float = 60) -> None:
    """Until every door has been told to forget everything."""

    def silent() -> bool:
        if any(one.kept for one in doors):
            time.sleep(0.3)
        return not any(one.kept for one in doors)

    try:
        wait_until(silent, seconds)
    except AssertionError:
        for one in doors:
            print(one.device.id, one.client.is_connected(), len(one.kept), sorted(one.kept)[:3], one.upto, one.asked)
        raise


def test_broker_killed_after_its_pubacks_and_listener_killed_too(
    any_planned: object, broker: Mosquitto, doors: list[KeepingDoor], start: Callable[[], Process]
) -> None:
    listener = start()
    doors[0].say()
    wait_until(lambda: stored() >= 1)
    speaking = talk(doors, 400, 0.01)
    for _ in range(3):
        time.sleep(0.6 + random.random())
        broker.kill()
        if random.random() < 0.5:
            listener.kill()
            listener.start()
        broker.start()
    speaking.join()
    settle(doors)
    listener.stop()
    assert sorted(rows for _, _, rows in exactly_once()) == [400, 400, 401]


def test_database_locked_for_seconds(planned: object, doors: list[KeepingDoor], start: Callable[[], Process]) -> None:
    listener = start()
    doors[0].say()
    wait_until(lambda: stored() >= 1)
    other = sqlite3.connect(current().database.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    speaking = talk(doors, 100, 0.01)
    time.sleep(3)
    before = stored()
    other.execute("COMMIT")
    speaking.join()
    settle(doors)
    listener.stop()
    assert before <= 1 + 3  # nothing got past the lock
    assert sum(rows for _, _, rows in exactly_once()) == 301


def test_database_gone_and_back(
    planned_on_postgresql: object, doors: list[KeepingDoor], start: Callable[[], Process], postgresql_server: str
) -> None:
    import psycopg

    listener = start()
    doors[0].say()
    wait_until(lambda: stored() >= 1)
    speaking = talk(doors, 150, 0.02)
    name = current().database.rpartition("/")[2]
    for _ in range(3):
        time.sleep(0.7)
        with psycopg.connect(f"{postgresql_server}/postgres", autocommit=True) as server:
            server.execute(b"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
    speaking.join()
    settle(doors)
    listener.stop()
    assert sum(rows for _, _, rows in exactly_once()) == 451
