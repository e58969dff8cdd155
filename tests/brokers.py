"""Real brokers for tests: Mosquitto with a small configuration, and the embedded one as it ships."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bposite.plumbing import broker as shipped
from bposite.plumbing.settings import Mqtt
from tests.conftest import free_port

MOSQUITTO = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence true
persistence_location {folder}/
autosave_interval 1
max_queued_messages 0
max_inflight_messages 0
max_packet_size 1048576
set_tcp_nodelay true
"""


def mosquitto_program() -> str:
    """The path of Mosquitto; a test without it says so."""
    found = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
    if not Path(found).exists():
        pytest.skip("Mosquitto is not installed: apt-get install mosquitto")
    return found


def wait_for_port(port: int, seconds: float = 10) -> None:
    """Return when something listens on ``port``."""
    end = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=0.2).close()
        except OSError:
            assert time.monotonic() < end, f"nothing listens on {port}"
            time.sleep(0.02)
        else:
            return


@contextmanager
def mosquitto(folder: Path, port: int | None = None) -> Iterator[int]:
    """A Mosquitto of its own in ``folder``; yields its port."""
    port = port or free_port()
    config = folder / "mosquitto.conf"
    config.write_text(MOSQUITTO.format(port=port, folder=folder))
    folder.chmod(0o777)  # started by root, Mosquitto becomes its own user and writes its store there
    process = subprocess.Popen([mosquitto_program(), "-c", config], stderr=subprocess.DEVNULL)
    try:
        wait_for_port(port)
        yield port
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def embedded(folder: Path, port: int | None = None) -> Iterator[int]:
    """The embedded broker as ``bposite broker`` runs it; yields its port."""
    mqtt = Mqtt(port=port or free_port())
    stop = threading.Event()
    thread = threading.Thread(target=shipped.serve, args=(mqtt, folder, stop))
    thread.start()
    try:
        wait_for_port(mqtt.port)
        yield mqtt.port
    finally:
        stop.set()
        thread.join(10)
