"""Controllers as processes, and the site they talk to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.brokers import embedded, mosquitto
from tests.hardware.controller.kit import Site, device_json
from tests.hardware.simulator.kit import Program


@pytest.fixture(params=["embedded", "mosquitto"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[int]:
    """The port of a real broker: the embedded one, and Mosquitto."""
    with {"embedded": embedded, "mosquitto": mosquitto}[request.param](tmp_path) as port:
        yield port


@pytest.fixture
def site(broker: int) -> Iterator[Site]:
    """A stand-in for the site on that broker, which grants everything and acknowledges every event."""
    found = Site(broker)
    yield found
    found.close()


@pytest.fixture
def controller(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """Starts the simulated controller (the reference controller's code) against a broker's port."""
    running: list[Program] = []

    def begin(port: int, **more: Any) -> Program:
        program = Program("controller.py", str(device_json(tmp_path, port, **more)))
        program.wait_for("ready")
        running.append(program)
        return program

    yield begin
    for one in running:
        one.kill()
