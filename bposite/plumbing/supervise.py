"""Keeps the processes of a site running: starts them, restarts what ends, stops them in order."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import FrameType

import structlog

log = structlog.get_logger(__name__)
LONGEST_PAUSE_S = 30.0
STEADY_S = 60.0
GRACE_S = 12.0


@dataclass(slots=True)
class Child:
    """One process. ``pause`` grows while it keeps ending at once."""

    name: str
    command: Sequence[str]
    env: dict[str, str] | None = None
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = 0.5
    due: float = field(default=0.0)


class Supervisor:
    """Runs children until ``stop`` is set. The last one given is stopped first."""

    def __init__(self, children: Sequence[Child]) -> None:
        self.children = list(children)

    def start(self) -> None:
        """Start every child that is not running and due."""
        for child in self.children:
            if child.process is None and time.monotonic() >= child.due:
                self._start(child)

    def run(self, stop: threading.Event) -> None:
        """Start, watch and restart until ``stop``, then end all children."""
        try:
            while not stop.is_set():
                self.start()
                self._reap()
                stop.wait(0.2)
        finally:
            self.end()

    def end(self) -> None:
        """SIGTERM in reverse order; SIGKILL for what is still there after the grace time."""
        running = [child for child in reversed(self.children) if child.process is not None]
        for child in running:
            if child.process is not None and child.process.poll() is None:
                child.process.terminate()
                self._await(child, GRACE_S if child.name != "broker" else 3.0)
            child.process = None

    def _start(self, child: Child) -> None:
        env = None if child.env is None else {**os.environ, **child.env}
        # a group of its own: Ctrl-C reaches the supervisor only, which then ends the children in order
        child.process = subprocess.Popen(list(child.command), env=env, stdin=subprocess.DEVNULL, start_new_session=True)
        child.started = time.monotonic()
        log.info("supervisor:child:started", name=child.name, pid=child.process.pid)

    def _reap(self) -> None:
        for child in self.children:
            if child.process is None or child.process.poll() is None:
                continue
            steady = time.monotonic() - child.started > STEADY_S
            child.pause = 0.5 if steady else min(child.pause * 2, LONGEST_PAUSE_S)
            child.due = time.monotonic() + child.pause
            log.warning("supervisor:child:ended", name=child.name, code=child.process.returncode, again_s=child.pause)
            child.process = None

    @staticmethod
    def _await(child: Child, seconds: float) -> None:
        assert child.process is not None
        try:
            child.process.wait(seconds)
        except subprocess.TimeoutExpired:
            log.warning("supervisor:child:killed", name=child.name)
            child.process.kill()
            child.process.wait()


def stop_on_signals() -> threading.Event:
    """An event that SIGINT and SIGTERM set, for the main loop of a process."""
    stop = threading.Event()

    def ask(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGINT, ask)
    signal.signal(signal.SIGTERM, ask)
    return stop
