"""What goes wrong in the simulated building, each in its turn and then again: a demonstration needs trouble."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

from moves import Later, Move, Mover, order

ROUND_S = 1200.0  # after which the script begins anew
WRONG_DOOR_EVERY_S = 40.0


class Incidents:
    """A script of incidents by seconds since the start (at pace 1), and wrong doors all the time."""

    def __init__(self, plan: dict[str, Any], mover: Mover, later: Later, pace: float) -> None:
        self._mover, self._later, self._pace = mover, later, pace
        self._credentials = plan["credentials"]
        self._levels = plan["levels"]
        self._staff = [row["number"] for row in plan["persons"]]
        self._names = {row["id"] for row in (*plan["doors"], *plan["cameras"], *plan["devices"])}

    def begin(self) -> None:
        """Start the script."""
        script: list[tuple[float, str, Callable[[], None]]] = [
            (75, "goods-bay", lambda: self._mover.force("goods-bay", 6)),
            (150, "cam-core", lambda: self._spoil("cam-core", {"picture": "black"}, 240)),
            (260, "ops-a-west", self._hold),
            (400, "ctl-floor-b", lambda: order("ctl-floor-b", {"cut": {"seconds": 25}})),
            (520, "cam-goods", lambda: self._spoil("cam-goods", {"answer": "dead"}, 120, drop=True)),
            (700, "card-room", lambda: self._alarm("tamper", "card-room")),
            (850, "cam-ops-b", lambda: self._spoil("cam-ops-b", {"picture": "frozen"}, 150)),
            (1000, "cam-lobby", lambda: self._spoil("cam-lobby", {"picture": "covered"}, 90)),
        ]
        for at, what, do in script:
            if what in self._names:
                self._later(at / self._pace, do)
        self._later(ROUND_S / self._pace, self.begin)
        self._later(20 / self._pace, self._wrong_door)

    def _wrong_door(self) -> None:
        move = random.choice((self._stranger, self._lost_card, self._no_right, self._no_right, self._denied))()
        if move is not None:
            self._mover.go(move, _whatever)
        self._later(random.uniform(0.6, 1.4) * WRONG_DOOR_EVERY_S / self._pace, self._wrong_door)

    def _stranger(self) -> Move:
        """A card that nobody enrolled."""
        card = f"{random.randint(1, 250)}:{random.randint(1, 65000)}"
        return Move("staff-entrance", "in", {"card": card}, f"stranger{time.time()}", "visitor", passes=False)

    def _lost_card(self) -> Move | None:
        bad = [row for row in self._credentials if row.get("status") in ("lost", "expired") and row["type"] == "card"]
        if not bad:
            return None
        row = random.choice(bad)
        return Move("staff-entrance", "in", {"card": row["number"]}, row["person"], passes=False)

    def _no_right(self) -> Move | None:
        """Somebody tries a floor that is not theirs."""
        door = random.choice(("ops-b-main", "ops-a-main", "server-room", "card-room"))
        allowed = {one for row in self._levels if door in row["doors"] for one in row["members"]}
        others = [number for number in self._staff if number not in allowed]
        return self._staff_move(random.choice(others), door) if others else None

    def _denied(self) -> Move | None:
        """Somebody whom a deny level keeps out of a door that their team may use."""
        rows = [row for row in self._levels if row.get("effect") == "deny"]
        return self._staff_move(rows[0]["members"][0], rows[0]["doors"][0]) if rows else None

    def _staff_move(self, number: str, door: str) -> Move | None:
        own = {row["type"]: row["number"] for row in self._credentials if row["person"] == number and _good(row)}
        if "card" not in own or (self._mover.wants_finger(f"{door}-in") and "finger" not in own):
            return None
        return Move(door, "in", own, number, passes=False)

    def _hold(self) -> None:
        """Somebody wedges a door open behind them."""
        row = next((row for row in self._levels if "ops-a-west" in row["doors"]), None)
        move = self._staff_move(row["members"][0], "ops-a-west") if row else None
        if move is not None:
            held = Move(move.door, "in", move.shown, move.seed, passes=True, seconds=45.0)
            self._mover.go(held, _whatever)

    def _alarm(self, reason: str, door: str) -> None:
        order("ctl-floor-a", {"alarm": {"reason": reason, "door": door}})
        over = {"alarm": {"reason": reason, "door": door, "active": False}}
        self._later(60, lambda: order("ctl-floor-a", over))

    def _spoil(self, camera: str, faults: dict[str, Any], seconds: float, *, drop: bool = False) -> None:
        """A camera fails for a while."""
        order("cameras", {"camera": camera, "faults": faults} | ({"drop": True} if drop else {}))
        whole = {"picture": "normal", "answer": "normal"}
        self._later(seconds / self._pace, lambda: order("cameras", {"camera": camera, "faults": whole}))


def _good(row: dict[str, Any]) -> bool:
    return bool(row.get("status", "active") == "active")


def _whatever(granted: bool) -> None:
    """Nobody in the story waits for this answer."""
