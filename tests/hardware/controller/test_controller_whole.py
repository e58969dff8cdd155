"""The reference controller as it runs beside a door: process, broker, readers on lines, relay and contact."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from contract import reference

from tests.hardware.controller.kit import HARDWARE, KEY, Site, device_json, wait_for
from tests.hardware.controller.test_controller_wires import Wire

PROGRAM = HARDWARE / "controller" / "door_controller.py"


class Door:
    """What is wired to the controller."""

    def __init__(self, folder: Path) -> None:
        self.wiegand, self.qr = Wire(), Wire()
        self.relay, self.contact, self.button = (folder / name for name in ("relay", "contact", "button"))
        for path in (self.contact, self.button):
            path.write_text("0")

    def config(self) -> dict[str, Any]:
        readers = [
            {"id": "d1-in", "direction": "in", "driver": "wiegand", "options": {"path": self.wiegand.path}},
            {"id": "d1-qr", "direction": "in", "driver": "serial-qr", "options": {"path": self.qr.path}},
        ]
        relay = {"driver": "file", "path": str(self.relay)}
        return {
            "doors": [{"id": "d1", "open_ms": 1500, "held_s": 5, "relay": relay, "readers": readers}],
            "inputs": [
                {"door": "d1", "kind": "contact", "path": str(self.contact)},
                {"door": "d1", "kind": "exit", "path": str(self.button)},
            ],
        }


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(tmp_path)


@pytest.fixture
def running(site: Site, door: Door, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    path = device_json(tmp_path, site.port, **door.config())
    process = subprocess.Popen([sys.executable, str(PROGRAM), str(path)], stderr=subprocess.PIPE, text=True)
    wait_for(lambda: site.got("state/door/d1"), "the controller to be there")
    wait_for(lambda: door.wiegand.opened() and door.qr.opened(), "the readers' lines to be opened")
    yield process
    process.kill()
    process.wait()


def test_a_card_and_a_pass_open_the_door_and_a_button_lets_out(
    running: subprocess.Popen[str], site: Site, door: Door
) -> None:
    wait_for(lambda: door.relay.exists() and door.relay.read_text() == "0", "the lock to be closed")
    door.wiegand.send(b"26:32721040\n")
    wait_for(lambda: door.relay.read_text() == "1", "the lock to open")
    assert site.got("req/access")[0]["credential"]["ref"] == reference(bytes.fromhex(KEY), "card", "100:58400")
    door.contact.write_text("1")
    wait_for(lambda: site.events("taken"), "the passage")
    wait_for(lambda: door.relay.read_text() == "0", "the lock to close behind")
    door.contact.write_text("0")
    door.qr.send(b"bpxcdfgh\r\n")
    wait_for(lambda: site.events("not-taken"), "a pass that nobody uses")
    asked = site.got("req/access")[1]
    assert asked["credential"]["ref"] == reference(bytes.fromhex(KEY), "qr", "BPXCDFGH")
    assert asked["reader"] == "d1-qr"
    door.button.write_text("1")
    wait_for(lambda: site.events(reason="request-to-exit"), "the exit")
    assert wait_for(lambda: door.relay.read_text() == "1", "the lock to open for the way out")
    door.wiegand.send(b"26:36721040\n")
    assert wait_for(lambda: site.events(reason="read-error"), "a reading error")[0]["data"]["error"]
    running.send_signal(signal.SIGTERM)
    assert running.wait(10) == 0
    wait_for(lambda: site.got("state/link")[-1]["online"] is False, "the goodbye")


def test_a_configuration_that_cannot_work_is_refused_in_words(tmp_path: Path) -> None:
    readers = [{"id": "r", "direction": "in", "driver": "crystal-ball"}]
    path = device_json(tmp_path, 1, doors=[{"id": "d1", "readers": readers}])
    done = subprocess.run([sys.executable, str(PROGRAM), str(path)], capture_output=True, text=True, timeout=20)
    assert done.returncode == 2
    assert "no driver 'crystal-ball'" in json.loads(done.stderr)["message"]
    assert "Traceback" not in done.stderr
