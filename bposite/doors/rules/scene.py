"""What changes from minute to minute: who is where, which doors stand open, what is locked, who just failed.

The listener keeps one scene in memory and stores presence in the transaction of the entries; a restart builds the same
scene again. Presence, anti-passback and muster hang on *taken*, never on the grant alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

import msgspec

from bposite.doors.events import Direction
from bposite.doors.rules.policy import Policy, Side, Zone

Confidence = Literal["seen", "inferred", "stale"]
FAILURE_MEMORY = timedelta(minutes=10)
SWIPE_MEMORY = timedelta(minutes=2)


class Whereabouts(msgspec.Struct, frozen=True, gc=False):
    """Where one subject (person number, or ``visit:<id>``) was last known to be; zone None = unknown.

    ``key`` orders passages of one device that carry the same time: (boot rank is not known) its sequence number.
    """

    subject: str
    zone: str | None
    at: datetime
    door: str | None = None
    direction: Direction | None = None
    confidence: Confidence = "seen"
    position: int = -1


class Lockdown(msgspec.Struct, frozen=True):
    """A lockdown of one zone or, with scope ``*``, of the site. It ends by release or at ``until``."""

    scope: str
    rank: int
    since: datetime
    until: datetime | None = None
    by: str = ""
    reason: str = ""


class Swipe(NamedTuple):
    """A valid credential shown at a door side a moment ago."""

    subject: str
    at: datetime


class Move(NamedTuple):
    """What one passage did to presence: the new row, the row before, and what contradicted it."""

    now: Whereabouts
    before: Whereabouts | None
    contradiction: str | None


class Scene:
    """The live facts. Reading is what ``decide`` does; the ``note_...`` methods are the only changes."""

    def __init__(self, people: Iterable[Whereabouts] = ()) -> None:
        self.people: dict[str, Whereabouts] = {}
        self.heads: dict[str, int] = {}
        self.full: set[str] = set()
        self.open_doors: set[str] = set()
        self.modes: dict[str, str] = {}
        self.lockdowns: dict[str, Lockdown] = {}
        self.failures: dict[Side, list[datetime]] = {}
        self.swipes: dict[Side, list[Swipe]] = {}
        self.last_used: dict[tuple[str, str], datetime] = {}
        self.uses: dict[tuple[str, str], int] = {}
        self.escorted: dict[str, str] = {}
        for whereabouts in people:
            self.put(whereabouts)

    # --- reading -----------------------------------------------------------------------------------------------------

    def zone_of(self, subject: str) -> str | None:
        """The zone a subject is known to be in; None when unknown or when the row has gone stale."""
        found = self.people.get(subject)
        return None if found is None or found.confidence == "stale" else found.zone

    def inside(self, zone: str) -> int:
        """How many are in ``zone``."""
        return self.heads.get(zone, 0)

    def is_full(self, zone: Zone) -> bool:
        """Whether nobody more may enter; once full, the zone opens again only at ``reopen_at`` people."""
        if not zone.capacity:
            return False
        heads = self.inside(zone.id)
        return heads >= zone.capacity or (zone.id in self.full and heads > (zone.reopen_at or zone.capacity - 1))

    def lockdown_over(self, zone: str, at: datetime) -> Lockdown | None:
        """The highest lockdown that is in force over ``zone`` at ``at``."""
        found = [self.lockdowns[scope] for scope in (zone, "*") if scope in self.lockdowns]
        running = [one for one in found if one.until is None or at < one.until]
        return max(running, key=lambda one: one.rank, default=None)

    def failures_at(self, side: Side, since: datetime) -> int:
        """How many refused tries there were at a door side since ``since``."""
        return sum(at >= since for at in self.failures.get(side, ()))

    def companions(self, side: Side, subject: str, since: datetime) -> list[str]:
        """Others who showed a valid credential at this side since ``since``, oldest first."""
        return [swipe.subject for swipe in self.swipes.get(side, ()) if swipe.at >= since and swipe.subject != subject]

    # --- changes -----------------------------------------------------------------------------------------------------

    def note_passage(self, passage: Whereabouts, leaves: str) -> Move:
        """Somebody went through a door out of zone ``leaves``. An older passage than the known one moves nobody."""
        before = self.people.get(passage.subject)
        if before is not None and before.at > passage.at:
            return Move(before, before, "late")
        self.put(passage)
        known = before is not None and before.confidence == "seen" and before.zone is not None
        contradiction = "elsewhere" if known and before is not None and before.zone != leaves else None
        return Move(passage, before, contradiction)

    def note_forgiven(self, subject: str, at: datetime) -> None:
        """Anti-passback forgiven: where the subject is counts as unknown until the next passage."""
        self.put(Whereabouts(subject, None, at))

    def note_swipe(self, side: Side, subject: str, at: datetime) -> None:
        """A valid credential was shown: it may be the first of two, or an escort's."""
        recent = [swipe for swipe in self.swipes.get(side, ()) if swipe.at >= at - SWIPE_MEMORY]
        self.swipes[side] = [*recent, Swipe(subject, at)]

    def note_failure(self, side: Side, at: datetime) -> None:
        """A try was refused for what was shown (not for rights or time)."""
        recent = [one for one in self.failures.get(side, ()) if one >= at - FAILURE_MEMORY]
        self.failures[side] = [*recent, at]

    def note_success(self, side: Side, credential: tuple[str, str], at: datetime) -> None:
        """A grant ends the count of failures and counts as a use."""
        self.failures.pop(side, None)
        self.last_used[credential] = at
        self.uses[credential] = self.uses.get(credential, 0) + 1

    def note_heads(self, policy: Policy) -> None:
        """Remember which zones are full, for the hysteresis."""
        for zone in policy.zones.values():
            if zone.capacity and self.is_full(zone):
                self.full.add(zone.id)
            else:
                self.full.discard(zone.id)

    def put(self, whereabouts: Whereabouts) -> None:
        """Set where a subject is, and keep the head-counts."""
        before = self.people.get(whereabouts.subject)
        if before is not None and before.zone is not None:
            self.heads[before.zone] = self.heads.get(before.zone, 0) - 1
        if whereabouts.zone is not None:
            self.heads[whereabouts.zone] = self.heads.get(whereabouts.zone, 0) + 1
        self.people[whereabouts.subject] = whereabouts
