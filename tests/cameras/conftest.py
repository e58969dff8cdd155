"""A real RTSP camera for each test that wants one, and readers of the number burnt into its pictures."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Queue
from typing import Any

import cv2
import numpy as np
import pytest

REPO = Path(__file__).resolve().parents[2]
SIMULATOR = REPO / "hardware" / "simulator"
sys.path.append(str(SIMULATOR))  # the burnt-in number is read with the camera's own reader

from stamp import read_frame_number  # noqa: E402

PATIENCE = 60.0


def wait_for(condition: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """The first true value of `condition`; fails naming `what` when it does not come."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.02)
    pytest.fail(f"waited {seconds:g} s for {what}")


def frame_number(jpeg: bytes) -> int | None:
    """The number burnt into a JPEG picture."""
    return read_frame_number(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR))


class Cameras:
    """A running process of test cameras. `truth(n)` is the moment of picture n in microseconds."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, str(SIMULATOR / "camera.py"), "--with-parent", *arguments]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._said: Queue[dict[str, Any]] = Queue()
        threading.Thread(target=self._listen, daemon=True).start()
        ready = self._said.get(timeout=60)
        assert ready["event"] == "ready", ready
        self.cards = ready["cameras"]
        self.port = ready["port"]

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._said.put(json.loads(line))
        self._said.put({"event": "ended"})

    def url(self, number: int = 0) -> str:
        return str(self.cards[number]["url"])

    def truth_us(self, picture: int, number: int = 0) -> int:
        card = self.cards[number]
        return round((card["t0"] + picture / card["fps"]) * 1_000_000)

    def number_at(self, moment_us: int, number: int = 0) -> float:
        """The (fractional) number of the picture that is taken at a moment."""
        card = self.cards[number]
        return (moment_us / 1_000_000 - card["t0"]) * float(card["fps"])

    def order(self, **order: Any) -> None:
        """One line of control, waited for."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer = self._said.get(timeout=10)
        assert answer["event"] == "changed", answer

    def faults(self, **faults: Any) -> None:
        self.order(camera="*", faults=faults)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture
def cameras() -> Iterator[Callable[..., Cameras]]:
    """Starts test cameras with the arguments of `hardware/simulator/camera.py`; stopped at the end."""
    running: list[Cameras] = []

    def start(*arguments: str) -> Cameras:
        running.append(Cameras(*arguments))
        return running[-1]

    yield start
    for one in running:
        one.close()
