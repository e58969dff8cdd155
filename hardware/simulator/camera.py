#!/usr/bin/env python3
"""Test cameras: RTSP streams made in Python, with every fault that a camera can have.

    python camera.py --cameras 2 --codec h264 --size 320x180 --fps 10
    python camera.py --config cameras.json

On the standard output, one JSON object a line, first of all:
    {"event": "ready", "port": ..., "cameras": [{"path", "url", "t0", "fps", ...}]}
Picture n of a camera is captured at t0 + n / fps, in seconds since 1970: that is the truth to test against.

On the standard input, one JSON object a line; "camera" is a path or "*":
    {"camera": "cam0", "faults": {"skew": 3.0, "picture": "black"}}     see faults.py
    {"camera": "cam0", "drop": true}                                    every connection is cut
    {"camera": "cam0", "stall": 5.0}                                    connections stay, pictures stop
    {"person": {"camera": "cam-lobby", "door": "ops-a-main", "direction": "in", "at": 1795469401.2}}
Each is answered by {"event": "changed", ...} or {"event": "error", "message": ...}.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from faults import FaultError, Faults
from media import AccessUnit, Live, Source
from pictures import Spoiled
from plans import Maker, Plan, read_plans
from rooms import Room, WalkError
from rtp import RTP_CLOCK, payloads, sender_report
from rtsp import Login, Viewer, serve

LOST_TRACK = 5.0  # seconds behind after which pictures are left out instead of made up for


class OwnClock:
    """The camera's idea of the time: true time plus a skew, gaining by a drift; and its RTP clock."""

    def __init__(self, start: float) -> None:
        self._start, self._since, self._gained, self._ppm = start, start, 0.0, 0.0
        self._skew = 0.0
        self._rtp_start = random.getrandbits(31)

    def tune(self, skew: float, drift_ppm: float, now: float) -> None:
        """Run with this skew and drift from `now` on; what was gained before stays."""
        self._gained, self._since = self._gain(now), now
        self._skew, self._ppm = skew, drift_ppm

    def _gain(self, at: float) -> float:
        return self._gained + (at - self._since) * self._ppm * 1e-6

    def wall(self, at: float) -> float:
        """What the camera's wall clock shows at true time `at`."""
        return at + self._skew + self._gain(at)

    def rtp(self, at: float) -> int:
        """The RTP timestamp of a picture captured at true time `at`: a drifting crystal drifts here too."""
        return (self._rtp_start + round((at - self._start + self._gain(at)) * RTP_CLOCK)) & 0xFFFFFFFF


class Camera:
    """One camera: makes its pictures on its time grid and sends them to its viewers, faults included."""

    def __init__(self, plan: Plan, maker: Maker, t0: float, phase: float) -> None:
        self.name, self.plan, self.faults = plan.path, plan, plan.faults
        self._maker = maker
        self._base: Source = maker.source(plan)
        self.source: Source = self._base
        self.room: Room | None = maker.room(plan)
        self.t0 = t0 + phase
        self._offset = time.time() - time.monotonic()
        self._began = self.t0 - self._offset
        self.ssrc = random.getrandbits(32)
        self._clock = OwnClock(self.t0)
        self._clock.tune(self.faults.skew, self.faults.drift_ppm, self.t0)
        self._viewers: set[Viewer] = set()
        self._since_key: list[tuple[float, int, list[bytes]]] = []
        self._outbox: deque[tuple[bool, float, list[bytes]]] = deque()
        self._stalled_until = self._last_send = 0.0
        if self._spoiled(self.faults):
            self.source = self._private()

    # for the RTSP server

    def answers(self) -> str:
        """normal, dead or refuse."""
        return self.faults.answer

    def loss(self) -> float:
        """Share of packets lost on UDP."""
        return self.faults.loss

    def join(self, viewer: Viewer) -> None:
        """A viewer wants pictures, from the next keyframe on or from the last one (burst)."""
        if viewer in self._viewers:
            return
        viewer.playing_since, viewer.waits_for_key = time.monotonic(), True
        self._viewers.add(viewer)
        self.source.want_key()

    def leave(self, viewer: Viewer) -> None:
        """The viewer has gone."""
        self._viewers.discard(viewer)

    # control

    def change(self, changes: dict[str, Any]) -> None:
        """Switch faults. Raises FaultError."""
        new = self.faults.changed(changes)
        self._clock.tune(new.skew, new.drift_ppm, time.time())
        if (new.picture, new.every) != (self.faults.picture, self.faults.every):
            self.faults = new
            self.source = self._private() if self._spoiled(new) else self._base
            self._ask_key()
        self.faults = new

    @staticmethod
    def _spoiled(faults: Faults) -> bool:
        return faults.picture != "normal" or faults.every != 1

    def _private(self) -> Source:
        artist = self._maker.artist(self.plan)
        if self.faults.picture != "normal":
            artist = Spoiled(artist, self.faults.picture)
        return Live(artist, self._base.shape)

    def drop(self) -> None:
        """Cut every connection."""
        for viewer in list(self._viewers):
            viewer.cut()

    def stall(self, seconds: float) -> None:
        """Send and make nothing for so long; connections stay open."""
        self._stalled_until = time.monotonic() + seconds

    # pictures

    async def run(self) -> None:
        """Make pictures for ever."""
        index, fps = 0, self.source.shape.fps
        while True:
            wait = self._began + index / fps - time.monotonic()
            if wait < -LOST_TRACK:
                index += int(-wait * fps)
                self._ask_key()
            await asyncio.sleep(max(0.0, wait))
            self._tick(index, self._began + index / fps)
            index += 1

    def _tick(self, index: int, due: float) -> None:
        if time.monotonic() < self._stalled_until:
            return self._ask_key()
        if index % self.faults.every:
            return None
        captured = self._wall(due)
        return self._send_later(self.source.unit(index, captured), captured, due)

    def _wall(self, due: float) -> float:
        """Wall clock at a moment of the monotonic clock; follows the machine's clock when that is set."""
        offset = time.time() - time.monotonic()
        if abs(offset - self._offset) > 0.0005:  # less is the noise of reading two clocks
            self._offset = offset
        return due + self._offset

    def _ask_key(self) -> None:
        for viewer in self._viewers:
            viewer.waits_for_key = True
        self.source.want_key()

    def _send_later(self, unit: AccessUnit, captured: float, due: float) -> None:
        parts = payloads(self.source.shape.codec, unit)
        delay = self.faults.latency + random.random() * self.faults.jitter
        self._last_send = max(self._last_send, due + delay)
        self._outbox.append((unit.key, captured, parts))
        if delay <= 0 and len(self._outbox) == 1:
            return self._send_next()
        loop = asyncio.get_running_loop()
        loop.call_at(loop.time() + self._last_send - time.monotonic(), self._send_next)
        return None

    def _send_next(self) -> None:
        """Timers that are due together fire in any order: each sends the oldest picture that waits."""
        self._send(*self._outbox.popleft())

    def _send(self, key: bool, captured: float, parts: list[bytes]) -> None:
        timestamp = self._clock.rtp(captured)
        now = time.monotonic()
        for viewer in list(self._viewers):
            if viewer.waits_for_key and not self._begin(viewer, key, now):
                continue
            self._report(viewer, captured, timestamp, now)
            viewer.picture(timestamp, parts)
        kept = [] if key else self._since_key
        self._since_key = [*kept, (captured, timestamp, parts)]

    def _begin(self, viewer: Viewer, key: bool, now: float) -> bool:
        """Whether this viewer can start at this picture; a burst camera first sends what led up to it."""
        if not key and not (self.faults.burst and self._since_key):
            return False
        viewer.waits_for_key = False
        if not key:
            for captured, timestamp, parts in self._since_key:
                self._report(viewer, captured, timestamp, now)
                viewer.picture(timestamp, parts)
        return True

    def _report(self, viewer: Viewer, captured: float, timestamp: int, now: float) -> None:
        """A sender report when one is due: before the first picture, or late, or never, as the faults say."""
        if not self.faults.reports or now - viewer.playing_since < self.faults.first_report:
            return
        if viewer.reported_at is not None and now - viewer.reported_at < self.faults.report_every:
            return
        viewer.reported_at = now
        wall = self._clock.wall(captured)
        viewer.report(sender_report(self.ssrc, wall, timestamp, viewer.packets, viewer.octets))


class Control:
    """Lines of JSON in, changes to the cameras, answers out."""

    def __init__(self, cameras: dict[str, Camera]) -> None:
        self._cameras = cameras

    def line(self, text: str) -> None:
        """Do what one line says; a bad line is answered by an error and changes nothing."""
        try:
            order = json.loads(text)
            if not isinstance(order, dict):
                raise TypeError("an order is a JSON object")
            say(self._obey(order))
        except (ValueError, KeyError, TypeError, FaultError, WalkError) as error:
            say({"event": "error", "message": f"{type(error).__name__}: {error}"})

    def _obey(self, order: dict[str, Any]) -> dict[str, Any]:
        if "person" in order:
            walk = dict(order["person"])
            name = walk.pop("camera")
            room = self._cameras[name].room
            if room is None:
                raise WalkError(f"camera {name!r} shows no room")
            room.walk(walk)
            return {"event": "changed", "camera": name, "person": walk}
        wanted = order.get("camera", "*")
        chosen = list(self._cameras.values()) if wanted == "*" else [self._cameras[wanted]]
        for camera in chosen:
            self._change(camera, order)
        return {"event": "changed", "at": time.time()} | order

    @staticmethod
    def _change(camera: Camera, order: dict[str, Any]) -> None:
        camera.change(order.get("faults", {}))
        if order.get("drop"):
            camera.drop()
        if order.get("stall"):
            camera.stall(float(order["stall"]))


def say(message: dict[str, Any]) -> None:
    """One JSON line on the standard output."""
    print(json.dumps(message), flush=True)


def read_lines(loop: asyncio.AbstractEventLoop, take: Callable[[str], None], at_end: Callable[[], None]) -> None:
    """Hand each line of the standard input to `take` inside the loop, then call `at_end` (a thread's body)."""
    for line in sys.stdin:
        if line.strip():
            loop.call_soon_threadsafe(take, line)
    loop.call_soon_threadsafe(at_end)


async def work(options: argparse.Namespace) -> None:
    """Start the cameras and serve them until a signal, or until the parent has gone (--with-parent)."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    plans = read_plans(options)
    maker = Maker(options.cache, options.footage, options.clip_seconds)
    t0 = round(time.time() + 0.05, 3)
    cameras = {
        plan.path: Camera(plan, maker, t0, round(at / plan.shape.fps / len(plans), 3) if options.stagger else 0.0)
        for at, plan in enumerate(plans)
    }
    login = Login(options.user, options.password, options.scheme) if options.user else None
    server = await serve(options.host, options.port, cameras, login)
    tasks = [loop.create_task(camera.run()) for camera in cameras.values()]
    port = server.sockets[0].getsockname()[1]
    say({"event": "ready", "port": port, "cameras": [_card(one, options.host, port) for one in cameras.values()]})
    control = Control(cameras)
    at_end = stop.set if options.with_parent else (lambda: None)
    threading.Thread(target=read_lines, args=(loop, control.line, at_end), daemon=True).start()
    await _until(stop, tasks)
    server.close()


async def _until(stop: asyncio.Event, tasks: list[asyncio.Task[None]]) -> None:
    """Wait for the stop signal; a camera that crashes ends the program with its error."""
    stopped = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait([stopped, *tasks], return_when=asyncio.FIRST_COMPLETED)
    for task in (*tasks, stopped):
        task.cancel()
    for task in done:
        if task is not stopped:
            task.result()


def _card(camera: Camera, host: str, port: int) -> dict[str, Any]:
    loop_length = getattr(camera.source, "length", None)
    return {
        "path": camera.name,
        "url": f"rtsp://{host}:{port}/{camera.name}",
        "kind": camera.plan.kind,
        "t0": camera.t0,
        "loop": loop_length,
        **asdict(camera.source.shape),
    }


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, help="JSON file with a list of cameras (plans.py says the fields)")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 = any free port; the ready line names it")
    parser.add_argument("--cameras", type=int, default=1, help="without --config: cam0, cam1, ...")
    parser.add_argument("--kind", default="test", choices=("test", "clip", "file", "room", "footage"))
    parser.add_argument("--file", type=Path, help="kind file: an MP4 with H.264 or H.265, served as it is")
    parser.add_argument("--codec", default="h264", choices=("h264", "hevc"))
    parser.add_argument("--size", default="320x180", help="width x height in pixels, even numbers")
    parser.add_argument("--fps", type=float, default=10.0)
    parser.add_argument("--gop", type=int, default=20, help="pictures from keyframe to keyframe")
    parser.add_argument("--clip-seconds", type=float, default=60.0, help="kind clip: length before it starts again")
    parser.add_argument("--cache", type=Path, help="folder that keeps prerendered clips (default: temporary)")
    parser.add_argument("--footage", type=Path, help="video file that footage and clip cameras show")
    parser.add_argument("--fault", action="append", default=[], metavar="NAME=JSON", help="as on the standard input")
    parser.add_argument("--stagger", action="store_true", help="spread the cameras' pictures over the interval")
    parser.add_argument("--user", help="ask viewers to sign in")
    parser.add_argument("--password", default="")
    parser.add_argument("--scheme", default="both", choices=("basic", "digest", "both"))
    parser.add_argument("--with-parent", action="store_true", help="end when the standard input ends")
    return parser


if __name__ == "__main__":
    asyncio.run(work(arguments().parse_args()))
