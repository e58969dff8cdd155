"""Sending what the store holds: in order, a window at a time, again when the site stays silent."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Protocol

from contract import Names
from store import Held, Store

WINDOW = 200  # events sent ahead of the site's acknowledgement
FIRST_PATIENCE, LONGEST_PATIENCE = 10.0, 300.0  # seconds without progress before everything unconfirmed goes again


class Line(Protocol):
    """The broker's line."""

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool: ...


class Forwarder:
    """Keeps a window of sent, unconfirmed events. Deletes only what the site says it has committed."""

    def __init__(self, store: Store, line: Line, names: Names) -> None:
        self._store, self._line, self._names = store, line, names
        self._connected = False
        self._sent_to = 0  # store number up to which all was sent in this connection
        self._under_way = 0
        self._patience, self._progress = FIRST_PATIENCE, 0.0

    def connected(self, now: float) -> None:
        """A new connection: everything that is held is sent again, oldest first."""
        self._connected, self._sent_to, self._under_way, self._progress = True, 0, 0, now
        self._fill()

    def disconnected(self) -> None:
        """The connection has gone."""
        self._connected = False

    def added(self, held: Held) -> None:
        """A new event is in the store; sent at once unless older ones still have to go first."""
        if self._connected and self._under_way < WINDOW:
            self._fill()

    def acknowledged(self, boot: str, upto: int, missing: Iterable[Sequence[int]]) -> None:
        """The site has committed a boot's events up to a number, and lacks the ranges in `missing`."""
        gone = self._store.forget(boot, upto)
        self._under_way = max(0, self._under_way - gone)
        if gone:
            self._patience, self._progress = FIRST_PATIENCE, time.monotonic()
        self.resend(boot, missing)
        self._fill()

    def resend(self, boot: str, ranges: Iterable[Sequence[int]]) -> int:
        """Send held events of a boot again; how many there were."""
        again = self._store.ranges(boot, ranges)
        for held in again:
            self._line.publish(held.topic, held.body)
        return len(again)

    def time(self, now: float) -> None:
        """No progress for a while: the broker may have lost what it took, so send from the start, ever more rarely."""
        if not self._connected or not self._under_way or now - self._progress < self._patience:
            return
        self._patience = min(self._patience * 2, LONGEST_PATIENCE)
        self._sent_to, self._under_way, self._progress = 0, 0, now
        self._fill()

    def _fill(self) -> None:
        while self._connected and self._under_way < WINDOW:
            batch = self._store.after(self._sent_to, WINDOW - self._under_way)
            if not batch:
                return
            if not self._under_way:
                self._progress = time.monotonic()
            for held in batch:
                if not self._line.publish(held.topic, held.body):
                    return
                self._sent_to, self._under_way = held.number, self._under_way + 1
