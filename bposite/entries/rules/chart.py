"""The small histogram over time as plain geometry: the template draws it with presentation attributes only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

WIDTH = 960.0
HEIGHT = 56.0
GAP = 2.0
STEPS = tuple(
    timedelta(seconds=seconds)
    for seconds in (60, 300, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800, 604800, 2_592_000, 31_536_000)
)
"""Distances between labels that people count in."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar in user units, y downwards. ``low`` is the top of the part that needs attention."""

    x: float
    width: float
    top: float
    height: float
    low: float
    low_height: float
    title: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Tick:
    """A label on the time axis."""

    x: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything the template needs; ``peak`` is the largest count."""

    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    peak: int
    total: int
    notable: int
    start: datetime
    end: datetime


def chart(counts: Sequence[tuple[datetime, int, int]], end: datetime, zone: ZoneInfo) -> Chart:
    """Bars for (start, count, notable), the last one ending at ``end``; a count that is not zero is always visible."""
    if not counts:
        raise ValueError("a histogram needs at least one bar")
    peak = max(count for _, count, _ in counts)
    width = WIDTH / len(counts)
    ends = [*(at for at, _, _ in counts[1:]), end]
    bars = tuple(
        _bar(index * width, width - GAP, at, until, count, notable, peak, zone)
        for index, ((at, count, notable), until) in enumerate(zip(counts, ends, strict=True))
    )
    total, notables = sum(count for _, count, _ in counts), sum(notable for _, _, notable in counts)
    return Chart(bars, ticks(counts[0][0], end, zone), peak, total, notables, counts[0][0], end)


def _bar(
    x: float, width: float, since: datetime, until: datetime, count: int, notable: int, peak: int, zone: ZoneInfo
) -> Bar:
    height, low = _height(count, peak), _height(notable, peak)
    first, last = since.astimezone(zone), until.astimezone(zone)
    words = f"{first:%d %b %H:%M} to {last:%H:%M}: {count}" + (f", {notable} to look at" if notable else "")
    return Bar(
        round(x, 2), round(width, 2), round(HEIGHT - height, 2), round(height, 2), round(HEIGHT - low, 2),
        round(low, 2), words, since, until,
    )  # fmt: skip


def _height(count: int, peak: int) -> float:
    return max(HEIGHT * count / peak, 2.0) if count else 0.0


def ticks(start: datetime, end: datetime, zone: ZoneInfo, *, at_most: int = 8) -> tuple[Tick, ...]:
    """Labels at round local times, at most ``at_most`` of them."""
    span = end - start
    step = next((step for step in STEPS if span / step <= at_most), STEPS[-1])
    local = start.astimezone(zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    first = midnight + step * -(-(local - midnight) // step)
    found = []
    for number in range(at_most + 1):
        at = first + step * number
        if start < at < end:
            text = (
                at.strftime("%d %b") if step >= timedelta(days=1) or (at.hour, at.minute) == (0, 0) else f"{at:%H:%M}"
            )
            found.append(Tick(round(WIDTH * ((at - start) / span), 1), text))
    return tuple(found)
