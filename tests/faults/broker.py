"""A real Mosquitto with the queues, persistence and windows of the configuration that ships, on a port of its own."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

from tests.conftest import free_port

SHIPPED = Path(__file__).resolve().parent.parent.parent / "hardware/broker/mosquitto.conf"
KEPT = {
    "persistence",
    "autosave_interval",
    "max_queued_messages",
    "max_queued_bytes",
    "max_inflight_messages",
    "max_packet_size",
    "set_tcp_nodelay",
}


class Mosquitto:
    """One broker. ``kill`` is SIGKILL; ``start`` after it reads what persistence kept."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
        if program is None:
            pytest.skip("Mosquitto is not installed: apt-get install mosquitto")
        self.program = program
        self.port = free_port()
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o777)
        lines = [line for line in SHIPPED.read_text().splitlines() if line.split(" ")[0] in KEPT]
        lines += [f"persistence_location {folder}/", f"listener {self.port} 127.0.0.1", "allow_anonymous true"]
        self.config = folder / "mosquitto.conf"
        self.config.write_text("\n".join([*lines, "user root", ""]))

    def start(self) -> None:
        """Start it and wait until it listens."""
        self.process = subprocess.Popen(
            [self.program, "-c", str(self.config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for_port(self.port)

    def kill(self) -> None:
        """SIGKILL."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


def wait_for_port(port: int, seconds: float = 10) -> None:
    """Until something listens."""
    end = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=0.5).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
