"""One person at one door: seen coming by the cameras, badging at the reader, let through or refused."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

LEAD_S = 5.0  # cameras are told so long before the badge: people are seen coming
CARD_S, FINGER_S, HANDLE_S = 0.0, 0.5, 0.9  # as simulator/controller.py moves the door
APART_S = 6.0  # between two people at one door
PATIENCE_S = 9.0  # without an answer somebody walks away

Later = Callable[[float, Callable[[], None]], None]


@dataclass(frozen=True, slots=True)
class Move:
    """Who shows what at which side of which door. `passes` false: badges, but does not walk through."""

    door: str
    direction: str
    shown: dict[str, str]
    seed: str
    kind: str = "staff"
    passes: bool = True
    seconds: float = 2.0

    @property
    def reader(self) -> str:
        """The reader used."""
        return f"{self.door}-{self.direction}"


@dataclass(slots=True)
class Pending:
    """A move whose answer has not come yet."""

    move: Move
    then: Callable[[bool], None]
    token: float = field(default_factory=time.monotonic)


class Mover:
    """Sends people through doors, one at a time at each door."""

    def __init__(self, plan: dict[str, Any], views: dict[str, list[str]], later: Later) -> None:
        self._device = {row["id"]: row["device"] for row in plan["doors"]}
        self._factors = {row["id"]: str(row.get("factors") or "card") for row in plan["readers"]}
        self._views, self._later = views, later
        self._free: dict[str, float] = {}
        self._pending: dict[str, Pending] = {}

    def wants_finger(self, reader: str) -> bool:
        """Whether staff must show a finger at this reader too."""
        return "finger" in self._factors.get(reader, "")

    def go(self, move: Move, then: Callable[[bool], None]) -> None:
        """Walk up, badge, and (when granted) go through; `then(granted)` is called at the end."""
        now = time.time()
        at = max(now + LEAD_S, self._free.get(move.door, 0.0))
        self._free[move.door] = at + APART_S + (move.seconds if move.passes else 0)
        self._later(at - now - LEAD_S, lambda: self._show(move, at))
        self._later(at - now, lambda: self._badge(move, then))

    def walk_only(self, door: str, direction: str, seed: str, kind: str) -> None:
        """Somebody goes through a door that stands open: only the cameras see it."""
        at = time.time() + LEAD_S
        self._show(Move(door, direction, {}, seed, kind), at, waits=0.1)

    def force(self, door: str, seconds: float) -> None:
        """Somebody opens a door without asking."""
        at = time.time() + LEAD_S
        self._show(Move(door, "in", {}, f"force{at}"), at, waits=0.1)
        self._later(LEAD_S, lambda: order(self._device[door], {"force": {"door": door, "seconds": seconds}}))

    def _show(self, move: Move, at: float, waits: float | None = None) -> None:
        pause = HANDLE_S + (FINGER_S if "finger" in move.shown else 0) if waits is None else waits
        walk = {"door": move.door, "direction": move.direction, "at": at, "seed": move.seed, "kind": move.kind}
        for camera in self._views.get(move.door, ()):
            order("cameras", {"person": walk | {"camera": camera, "waits": pause, "passes": move.passes}})

    def _badge(self, move: Move, then: Callable[[bool], None]) -> None:
        pending = self._pending[move.reader] = Pending(move, then)
        swipe = {"reader": move.reader, "passes": move.passes, "seconds": move.seconds, **move.shown}
        order(self._device[move.door], {"swipe": swipe})
        self._later(PATIENCE_S, lambda: self._give_up(move.reader, pending))

    def _give_up(self, reader: str, pending: Pending) -> None:
        if self._pending.get(reader) is pending:
            del self._pending[reader]
            pending.then(False)

    def hear(self, message: dict[str, Any]) -> None:
        """A controller says something; an answer ends somebody's waiting."""
        if message.get("event") != "answer":
            return
        pending = self._pending.pop(str(message.get("reader")), None)
        if pending is not None:
            granted = message.get("decision") == "granted"
            self._later(HANDLE_S + 1.0 if granted else 1.0, lambda: pending.then(granted))


def order(to: str, what: dict[str, Any]) -> None:
    """An order to a process of the building, by way of run.py."""
    say({"to": to, "order": what})


def say(message: dict[str, Any]) -> None:
    """One JSON line on the standard output."""
    print(json.dumps(message), flush=True)
