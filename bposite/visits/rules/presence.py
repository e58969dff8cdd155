"""Where a person is: one place, how we know, and what to do with a contradiction."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

OUTSIDE = "outside"
UNKNOWN = "unknown"
STALE_AFTER = timedelta(hours=4)


class Confidence(StrEnum):
    """How a place is known."""

    SEEN = "seen"
    INFERRED = "inferred"
    STALE = "stale"


class Presence(Struct, frozen=True, kw_only=True):
    """One person in one place (a zone id, `outside` or `unknown`), with the passage that told."""

    place: str = UNKNOWN
    at: datetime | None = None
    door: str = ""
    direction: str = ""
    confidence: Confidence = Confidence.INFERRED


class Passage(Struct, frozen=True, kw_only=True):
    """A person went through a door: out of one place into another."""

    at: datetime
    door: str
    direction: str
    left: str
    entered: str


def after(presence: Presence, passage: Passage) -> tuple[Presence, bool]:
    """Presence after `passage`, and whether it contradicts what was known.

    A passage that is older than the last one known changes nothing and contradicts
    nothing: late events are stored, and presence is replayed in order of time.
    """
    if presence.at is not None and passage.at < presence.at:
        return presence, False
    contradicts = presence.place not in (UNKNOWN, passage.left)
    moved = Presence(
        place=passage.entered,
        at=passage.at,
        door=passage.door,
        direction=passage.direction,
        confidence=Confidence.SEEN,
    )
    return moved, contradicts


def confidence(presence: Presence, now: datetime) -> Confidence:
    """The confidence to show at `now`: what was seen long ago is stale, unless the person is outside."""
    if presence.place == OUTSIDE or presence.at is None:
        return presence.confidence
    return Confidence.STALE if now - presence.at > STALE_AFTER else presence.confidence
