"""The simulator's programs as real processes, and readers of what they make."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from typing import Any

import av
import numpy as np

SIMULATOR = Path(__file__).resolve().parents[3] / "hardware" / "simulator"
sys.path[:0] = [str(SIMULATOR), str(SIMULATOR.parent / "controller")]

from stamp import Picture, read_frame_number  # noqa: E402


class Program:
    """One program of the simulator: JSON lines in and out."""

    def __init__(self, name: str, *arguments: str) -> None:
        command = [sys.executable, str(SIMULATOR / name), *arguments]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.lines: Queue[dict[str, Any]] = Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(json.loads(line))

    def wait_for(self, event: str, seconds: float = 30, **wanted: Any) -> dict[str, Any]:
        """The next line that says `event` and carries these values."""
        end = time.monotonic() + seconds
        while True:
            line = self.lines.get(timeout=max(0.01, end - time.monotonic()))
            if line.get("event") == event and all(line.get(key) == value for key, value in wanted.items()):
                return line

    def send(self, order: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@dataclass(frozen=True)
class Seen:
    """One decoded picture: what is burnt in, the camera's wall clock from sender reports (or None), when it came."""

    number: int | None
    wall: float | None
    key: bool
    arrived: float
    picture: Picture


class TestCameras:
    """A process of test cameras and the truth about them."""

    __test__ = False

    def __init__(self, program: Program) -> None:
        self.program = program
        self.cards: list[dict[str, Any]] = program.wait_for("ready")["cameras"]

    def order(self, **order: Any) -> dict[str, Any]:
        self.program.send(order)
        return self.program.wait_for("changed")

    def truth(self, number: int, camera: int = 0) -> float:
        """When picture `number` was captured, in seconds since 1970."""
        card = self.cards[camera]
        return float(card["t0"]) + number / float(card["fps"])

    def watch(self, camera: int = 0, *, udp: bool = False, login: str = "") -> Iterator[Seen]:
        """Pictures as a viewer decodes them, from the connection on."""
        url = self.cards[camera]["url"].replace("rtsp://", f"rtsp://{login}")
        options = {"rtsp_transport": "udp" if udp else "tcp", "analyzeduration": "0", "probesize": "32"}
        with av.open(url, options=options, timeout=(5, 5)) as container:
            for packet in container.demux(container.streams.video[0]):
                arrived, wall = time.time(), _wall(packet)
                for frame in packet.decode():
                    picture = np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
                    yield Seen(read_frame_number(picture), wall, bool(packet.is_keyframe), arrived, picture)

    def see(self, count: int, camera: int = 0, *, udp: bool = False, login: str = "") -> list[Seen]:
        """The next `count` pictures."""
        viewer = self.watch(camera, udp=udp, login=login)
        seen = [one for _, one in zip(range(count), viewer, strict=False)]
        viewer.close()  # type: ignore[attr-defined]
        return seen


def _wall(packet: av.Packet) -> float | None:
    """The producer reference time of a packet: microseconds since 1970, little-endian, from RTCP."""
    if not packet.has_sidedata("prft"):
        return None
    return int.from_bytes(bytes(packet.get_sidedata("prft"))[:8], "little") / 1e6
