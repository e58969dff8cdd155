"""The listener killed again and again under a numbered stream: nothing lost, nothing twice (issue 2, done when)."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest

from bposite.doors.queries import entries_after
from bposite.doors.queries.entries import EntryFilter
from bposite.plumbing import db
from bposite.plumbing.db import reading
from bposite.plumbing.settings import current
from tests.doors.kit import Device
from tests.faults.broker import Mosquitto

EVENTS = 10_000
KILLS = 5
REPO = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A running Mosquitto."""
    one = Mosquitto(tmp_path / "broker")
    one.start()
    yield one
    one.kill()


class Process:
    """The listener as a process."""

    def __init__(self, port: int) -> None:
        settings = current()
        program = str(REPO / "tests/faults/listening.py")
        self.args = [sys.executable, program, str(settings.state_dir), settings.database, str(port)]
        self.start()

    def start(self) -> None:
        """Start it."""
        self.process = subprocess.Popen(self.args, env=os.environ | {"PYTHONPATH": str(REPO)})

    def kill(self) -> None:
        """SIGKILL, in the middle of whatever it does."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """SIGTERM."""
        self.process.terminate()
        assert self.process.wait(timeout=20) == 0


def stored() -> int:
    """How many entries there are."""
    with reading() as session:
        return session.connection().exec_driver_sql("SELECT count(*) FROM entry").scalar_one()


def wait_until(condition: object, seconds: float = 60) -> None:
    """Until ``condition()`` holds."""
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def publisher(port: int, name: str) -> paho.Client:
    """A plain client that publishes."""
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=name)
    client.max_inflight_messages_set(500)
    client.max_queued_messages_set(0)
    client.connect("127.0.0.1", port)
    client.loop_start()
    return client


@pytest.fixture
def listener(any_planned: object, broker: Mosquitto) -> Iterator[Process]:
    """A listener as a process, on both databases."""
    process = Process(broker.port)
    yield process
    process.kill()


def test_ten_thousand_events_and_five_kills(listener: Process, broker: Mosquitto) -> None:
    device = Device()
    client = publisher(broker.port, device.id)
    first = device.access()

    def first_is_stored() -> bool:
        # a broker drops what nobody has subscribed to yet, so say it until the listener's session exists
        client.publish(first.topic, first.payload, 1).wait_for_publish(10)
        return stored() >= 1

    wait_until(first_is_stored)
    sent = []
    for message in (device.access() for _ in range(EVENTS - 1)):
        sent.append(client.publish(message.topic, message.payload, 1))
    for kill in range(KILLS):
        wait_until(lambda kill=kill: stored() >= (kill + 1) * EVENTS // (KILLS + 3))
        time.sleep(random.random() * 0.05)
        listener.kill()
        listener.start()
    wait_until(lambda: stored() >= EVENTS)
    for one in sent:
        one.wait_for_publish(10)
    listener.stop()
    client.loop_stop()
    with reading() as session:
        entries = entries_after(session, EntryFilter(), -1, limit=EVENTS * 2)
    assert len(entries) == EVENTS
    assert sorted(entry.seq or 0 for entry in entries) == list(range(1, EVENTS + 1))
    assert len({entry.position for entry in entries}) == EVENTS
    db.close()
