#!/usr/bin/env python3
"""The simulated building: cameras, door controllers, people and a receptionist, each a process of its own.

    python run.py simulator.json [--pace 1.0]

The configuration (`bposite demo` writes it): state_dir, site_plan, url, users, mqtt {host, port, username, password},
ref_key (hexadecimal), rtsp_port, and optionally devices {id: {username, password}} and footage (a video file).

The processes talk JSON lines; this program carries them: what people do goes to controllers and cameras, what the
controllers answer goes back to the people. A process that ends is started again; Ctrl-C or SIGTERM ends them all.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import queue
import random
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import stage

HERE = Path(__file__).resolve().parent
FOOTAGE = HERE.parents[2] / "shared" / "cctv" / "vtest.avi"
STEADY_S, LONGEST_PAUSE_S, GRACE_S = 30.0, 20.0, 8.0
PLAYERS = ("people", "reception")  # hear what the controllers and each other say


@dataclass(slots=True)
class Child:
    """One process of the building."""

    name: str
    command: list[str]
    process: subprocess.Popen[str] | None = None
    started: float = 0.0
    pause: float = 1.0
    due: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, message: dict[str, Any]) -> None:
        """One line to its standard input; lost when it is not running."""
        process = self.process
        if process is None or process.stdin is None:
            return
        with self.lock, contextlib.suppress(OSError, ValueError):  # it ended a moment ago
            process.stdin.write(json.dumps(message) + "\n")
            process.stdin.flush()


class Building:
    """Starts, connects, restarts and ends the processes."""

    def __init__(self, children: list[Child]) -> None:
        self._children = {child.name: child for child in children}
        self._lines: queue.SimpleQueue[tuple[str, dict[str, Any]]] = queue.SimpleQueue()

    def run(self, stop: threading.Event) -> None:
        """Keep the building alive until `stop`."""
        try:
            while not stop.is_set():
                for child in self._children.values():
                    self._look_after(child)
                self._carry(0.25)
        finally:
            self._end()

    def _look_after(self, child: Child) -> None:
        now = time.monotonic()
        if child.process is None and now >= child.due:
            child.process = subprocess.Popen(
                child.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
            )
            child.started = now
            threading.Thread(target=self._listen, args=(child.name, child.process), daemon=True).start()
        elif child.process is not None and child.process.poll() is not None:
            child.pause = 1.0 if now - child.started > STEADY_S else min(child.pause * 2, LONGEST_PAUSE_S)
            child.due = now + child.pause * random.uniform(0.7, 1.3)
            note(f"{child.name} ended with {child.process.returncode}, again in {child.due - now:.0f} s")
            child.process = None

    def _listen(self, name: str, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            with contextlib.suppress(ValueError):
                self._lines.put((name, json.loads(line)))

    def _carry(self, seconds: float) -> None:
        """Bring lines to their receivers for so long."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                sender, message = self._lines.get(timeout=left)
            except queue.Empty:
                return
            self._deliver(sender, message)

    def _deliver(self, sender: str, message: dict[str, Any]) -> None:
        if "to" in message:
            child = self._children.get(str(message["to"]))
            if child is not None:
                child.send(message["order"])
            return
        if message.get("event") == "error":
            note(f"{sender}: {message.get('message')}")
        if sender != "cameras":
            for name in PLAYERS:
                if name != sender and name in self._children:
                    self._children[name].send(message | {"from": sender})

    def _end(self) -> None:
        running = [child.process for child in self._children.values() if child.process is not None]
        for process in running:
            process.terminate()
        end = time.monotonic() + GRACE_S
        for process in running:
            try:
                process.wait(max(0.1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def note(text: str) -> None:
    """A line for whoever started the simulator."""
    print(f"simulator: {text}", file=sys.stderr, flush=True)


def children_of(config: dict[str, Any], state: Path, pace: float) -> list[Child]:
    """Write each process's configuration and say how it is started."""
    plan = stage.read_plan(Path(config["site_plan"]))
    footage = Path(config.get("footage") or FOOTAGE)
    cameras = stage.camera_rows(plan, footage.is_file())
    stage.write(state / "cameras.json", cameras)
    world = config | {"pace": pace, "views": stage.views(cameras), "state": str(state)}
    stage.write(state / "world.json", world)
    names = [row["id"] for row in plan["devices"] if row.get("kind", "native") == "native"]
    for name in names:
        login = config.get("devices", {}).get(name, {})
        stage.write(state / f"{name}.json", stage.device_config(plan, name, config["mqtt"], config["ref_key"], login))
    port = str(config.get("rtsp_port", 0))
    footage_option = ["--footage", str(footage)] if footage.is_file() else []
    camera_command = _python("camera.py", "--config", str(state / "cameras.json"), "--port", port, *footage_option)
    players = [Child(name, _python(f"{name}.py", str(state / "world.json"))) for name in PLAYERS]
    controllers = [Child(name, _python("controller.py", str(state / f"{name}.json"))) for name in names]
    return [Child("cameras", [*camera_command, "--stagger", "--with-parent"]), *controllers, *players]


def _python(program: str, *arguments: str) -> list[str]:
    return [sys.executable, str(HERE / program), *arguments]


def main() -> None:
    """Run the building until a signal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path)
    parser.add_argument("--pace", type=float, help="speed of the day; default from the configuration, else 1")
    options = parser.parse_args()
    config = json.loads(options.config.read_text("utf-8"))
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    pace = options.pace or float(config.get("pace", 1.0))
    Building(children_of(config, Path(config["state_dir"]), pace)).run(stop)


if __name__ == "__main__":
    main()
