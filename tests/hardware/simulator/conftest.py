"""The simulator's programs as fixtures."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.hardware.simulator.kit import Program, TestCameras


@pytest.fixture
def start() -> Iterator[Callable[..., Program]]:
    """Starts a program of the simulator; all are killed at the end."""
    running: list[Program] = []

    def begin(name: str, *arguments: str) -> Program:
        running.append(Program(name, *arguments))
        return running[-1]

    yield begin
    for one in running:
        one.kill()


@pytest.fixture
def cameras(start: Callable[..., Program]) -> Callable[..., TestCameras]:
    """Starts test cameras with the arguments of camera.py."""

    def begin(*arguments: str) -> TestCameras:
        return TestCameras(start("camera.py", "--with-parent", *arguments))

    return begin
