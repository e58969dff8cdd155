"""Keeps the processes of a site running: starts them, restarts what ends, stops them in order."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO

import structlog

log = structlog.get_logger(__name__)
LONGEST_PAUSE_S = 30.0
STEADY_S = 60.0
GRACE_S = 12.0
LOG_BYTES = 20_000_000
SUPERVISED = "BPOSITE_SUPERVISED"


@dataclass(slots=True)
class Child:
    """One process. ``pause`` grows while it keeps ending at once; ``log`` takes its output (None: ours)."""

    name: str
    command: Sequence[str]
    log: Path | None = None
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
        with ExitStack() as open_files:
            out = None if child.log is None else open_files.enter_context(_log_file(child.log))
            # a group of its own: Ctrl-C reaches the supervisor only, which then ends the children in order
            child.process = subprocess.Popen(
                list(child.command),
                env={**os.environ, SUPERVISED: "1"},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        child.started = time.monotonic()
        log.info("supervisor:child:started", name=child.name, pid=child.process.pid)

    def _reap(self) -> None:
        for child in self.children:
            if child.process is None or child.process.poll() is None:
                continue
            steady = time.monotonic() - child.started > STEADY_S
            child.pause = 0.5 if steady else min(child.pause * 2, LONGEST_PAUSE_S)
            child.due = time.monotonic() + child.pause
            log.warning("supervisor:child:ended", name=child.name, exit=child.process.returncode, again_s=child.pause)
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


def _log_file(path: Path) -> IO[bytes]:
    """Append to ``path``; one that has grown beyond ``LOG_BYTES`` is set aside first, so that a disk never fills."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LOG_BYTES:
        path.replace(path.with_suffix(".old"))
    return path.open("ab")


def stop_on_signals() -> threading.Event:
    """An event that SIGINT and SIGTERM set, for the main loop of a process."""
    stop = threading.Event()

    def ask(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGINT, ask)
    signal.signal(signal.SIGTERM, ask)
    if os.environ.get(SUPERVISED):
        threading.Thread(target=_follow_parent, args=(stop, os.getppid()), name="parent", daemon=True).start()
    return stop


def _follow_parent(stop: threading.Event, parent: int) -> None:
    """End with the supervisor, however it ended: a site must not run on half, with nobody to restart its parts."""
    while not stop.wait(1.0):
        if os.getppid() != parent:
            log.warning("supervisor:parent:gone")
            stop.set()
