"""The main loop of a player: things at their time, and lines of the standard input when they come."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import json
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any


class Clockwork:
    """Does things at their time, and lines from the standard input when they come."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._ids = itertools.count()
        self.lines: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()

    def later(self, seconds: float, do: Callable[[], None]) -> None:
        """Do something in so many seconds."""
        heapq.heappush(self._due, (time.monotonic() + seconds, next(self._ids), do))

    def run(self, hear: Callable[[dict[str, Any]], None]) -> None:
        """Work until the standard input ends."""
        while True:
            wait = max(0.0, self._due[0][0] - time.monotonic()) if self._due else 1.0
            try:
                line = self.lines.get(timeout=wait)
            except queue.Empty:
                if self._due and self._due[0][0] <= time.monotonic():
                    heapq.heappop(self._due)[2]()
                continue
            if line is None:
                return
            hear(line)

    def start(self) -> None:
        """Listen to the standard input, and to the signals that end the process."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self.lines.put(None))
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        for line in sys.stdin:
            with contextlib.suppress(ValueError):  # half a line of a process that was killed
                self.lines.put(json.loads(line))
        self.lines.put(None)
