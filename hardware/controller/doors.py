"""One door as its controller sees it: lock, contact, the grant that waits to be used, forced and held open.

Pure: it is told what happened and when (seconds of a steady clock) and answers with what has to be said.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Said:
    """Something to report: the event's class and its data."""

    kind: str
    data: dict[str, Any]


@dataclass(slots=True)
class DoorState:
    """The state machine. `grant` is the data of the decision that released the lock, until somebody takes it."""

    id: str
    held_s: float
    mode: str = "normal"
    open: bool = False
    released_until: float = 0.0
    opened_at: float = 0.0
    grant: dict[str, Any] | None = None
    alarms: set[str] = field(default_factory=set)

    def release(self, until: float, grant: dict[str, Any] | None) -> None:
        """The lock is released until then, for this grant."""
        self.released_until, self.grant = until, grant

    def lock(self) -> None:
        """Close the lock now; a grant that nobody used is void."""
        self.released_until, self.grant = 0.0, None

    def is_released(self, now: float) -> bool:
        """Whether the lock is released at this moment."""
        return self.mode == "unlocked" or now < self.released_until

    def contact(self, opened: bool, now: float) -> list[Said]:
        """The contact changed: somebody went through, forced the door, or closed it."""
        if opened == self.open:
            return []
        self.open = opened
        return self._opened(now) if opened else self._closed()

    def _opened(self, now: float) -> list[Said]:
        self.opened_at = now
        if not self.is_released(now):
            self.alarms.add("forcedOpen")
            return [Said("alarm", {"door": self.id, "reason": "forcedOpen", "active": True})]
        grant, self.grant = self.grant, None
        self.released_until = now  # one grant, one passage: the lock closes behind the door
        return [Said("access", passage(grant, taken=True))] if grant else []

    def _closed(self) -> list[Said]:
        over = [Said("alarm", {"door": self.id, "reason": one, "active": False}) for one in sorted(self.alarms)]
        self.alarms.clear()
        return over

    def time(self, now: float) -> list[Said]:
        """What the passing of time brings: a grant nobody took, a door that stays open."""
        said: list[Said] = []
        if self.grant is not None and not self.open and now >= self.released_until:
            said.append(Said("access", passage(self.grant, taken=False)))
            self.grant = None
        if self.open and now - self.opened_at >= self.held_s and "doorOpenTooLong" not in self.alarms:
            self.alarms.add("doorOpenTooLong")
            said.append(Said("alarm", {"door": self.id, "reason": "doorOpenTooLong", "active": True}))
        return said

    def facet(self, now: float) -> dict[str, Any]:
        """The door's state as it stands, for `state/door/{id}`."""
        return {
            "contact": "open" if self.open else "closed",
            "lock": "unlocked" if self.is_released(now) else "locked",
            "mode": self.mode,
        }


def passage(grant: dict[str, Any], *, taken: bool) -> dict[str, Any]:
    """The data of the access event that says whether a grant was used."""
    word, reason = ("taken", "passed") if taken else ("not-taken", "noEntryAfterGranted")
    return grant | {"decision": word, "reason": reason, "taken": taken}
