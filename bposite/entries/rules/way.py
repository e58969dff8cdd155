"""A visit's way through the site: passages -> stays in zones, drawn as bands on one time axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

AXIS = 1000.0
NARROWEST = 3.0


@dataclass(frozen=True, slots=True)
class Passage:
    """Somebody went through a door: out of ``left`` into ``entered`` (zone ids)."""

    position: int
    at: datetime
    door: str
    left: str
    entered: str


@dataclass(frozen=True, slots=True)
class Stay:
    """A time in one zone; ``until`` None while it lasts. ``sure`` False: nobody saw how the zone was entered."""

    zone: str
    since: datetime
    until: datetime | None
    sure: bool


@dataclass(frozen=True, slots=True)
class Band:
    """A stay on the axis, from ``x`` on, in units of ``AXIS``."""

    stay: Stay
    x: float
    width: float


def stays(passages: Sequence[Passage], outside: frozenset[str]) -> list[Stay]:
    """Stays between passages, in order of time. Zones in ``outside`` are not stays; a jump is kept and marked.

    ``passages`` may come in any order; the first zone left is shown only from the first passage on.
    """
    found: list[Stay] = []
    inside: Stay | None = None
    for passage in sorted(passages, key=lambda one: (one.at, one.position)):
        if inside is not None:
            found.append(Stay(inside.zone, inside.since, passage.at, inside.sure and inside.zone == passage.left))
        inside = None if passage.entered in outside else Stay(passage.entered, passage.at, None, True)
    if inside is not None:
        found.append(inside)
    return found


def bands(found: Sequence[Stay], start: datetime, end: datetime) -> list[Band]:
    """Stays as bands on an axis from ``start`` to ``end``; a short one stays wide enough to be seen."""
    span = max(end - start, timedelta(seconds=1))
    drawn = []
    for stay in found:
        x = AXIS * ((stay.since - start) / span)
        width = AXIS * (((stay.until or end) - stay.since) / span)
        drawn.append(Band(stay, round(min(max(x, 0.0), AXIS), 1), round(max(width, NARROWEST), 1)))
    return drawn
