"""Geometry of the drawings: numbers for SVG, made on the server so that they need no script and print well."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bposite.cleandesk.queries import PlaceNow, Point
from bposite.cleandesk.rules.statistics import wilson

WIDTH, HEIGHT = 640.0, 220.0
LEFT, RIGHT, TOP, BOTTOM = 44.0, 12.0, 14.0, 30.0
STRIP = 300.0
DESK = 1.4
MARGIN = 1.2
FLOORS = (0.95, 0.9, 0.8, 0.5, 0.0)


def floor_of(shares: Iterable[float]) -> float:
    """Where the scale begins so that everything fits: 95, 90, 80, 50 or 0 %."""
    lowest = min(shares, default=0.9)
    return next(floor for floor in FLOORS if lowest >= floor + 0.005 or floor == 0.0)


@dataclass(frozen=True, slots=True)
class Strip:
    """One interval as a strip: positions in a view box `STRIP` wide."""

    low: float
    point: float
    high: float
    bound: float | None
    target: float


def strip(low: float, point: float, high: float, target: float, floor: float, bound: float | None = None) -> Strip:
    """The interval of one row on the scale [floor, 1]."""

    def at(share: float) -> float:
        return round(STRIP * max(0.0, (share - floor)) / (1 - floor), 1)

    return Strip(at(low), at(point), at(high), None if bound is None else at(bound), at(target))


def ticks(floor: float) -> list[tuple[float, str]]:
    """Marks of a strip's scale: (position, label)."""
    steps = 5 if floor in (0.5, 0.0, 0.95) else 4 if floor == 0.8 else 5
    shares = [floor + (1 - floor) * i / steps for i in range(steps + 1)]
    return [(round(STRIP * i / steps, 1), f"{100 * share:.0f} %") for i, share in enumerate(shares)]


@dataclass(frozen=True, slots=True)
class Mark:
    """One point of a trend with its interval, in the view box."""

    key: str
    x: float
    low: float
    point: float
    high: float
    judged: int
    passed: int
    signal: bool


@dataclass(frozen=True, slots=True)
class Trend:
    """A trend: marks, the line through them, gridlines (y, label), the target's y."""

    marks: tuple[Mark, ...]
    path: str
    grid: tuple[tuple[float, str], ...]
    target: float


def trend(points: Sequence[Point], target: float, signals: frozenset[str] = frozenset()) -> Trend:
    """The share of each period with its Wilson interval, oldest first."""
    intervals = [wilson(point.passed, point.judged) for point in points]
    floor = floor_of([interval.low for interval in intervals] + [target])
    inner = HEIGHT - TOP - BOTTOM

    def y(share: float) -> float:
        return round(TOP + inner * (1 - (max(share, floor) - floor) / (1 - floor)), 1)

    step = (WIDTH - LEFT - RIGHT) / max(1, len(points))
    marks = tuple(
        Mark(
            point.key,
            round(LEFT + step * (i + 0.5), 1),
            y(around.low),
            y(around.point),
            y(around.high),
            point.judged,
            point.passed,
            point.key in signals,
        )
        for i, (point, around) in enumerate(zip(points, intervals, strict=True))
    )
    path = " ".join(f"{'M' if i == 0 else 'L'}{mark.x} {mark.point}" for i, mark in enumerate(marks))
    grid = tuple((y(floor + (1 - floor) * i / 5), f"{100 * (floor + (1 - floor) * i / 5):.0f} %") for i in range(6))
    return Trend(marks, path, grid, y(target))


@dataclass(frozen=True, slots=True)
class Spot:
    """A place on the plan, top left corner and size in metres."""

    id: str
    label: str
    kind: str
    zone: str
    x: float
    y: float
    width: float
    height: float
    tone: str
    title: str


@dataclass(frozen=True, slots=True)
class PlanView:
    """Places on the plan and the view box around them, in metres."""

    box: str
    spots: tuple[Spot, ...]
    missing: int
    right: float = 0.0
    bottom: float = 0.0


_SIZES = {"desk": (DESK, 0.9), "room": (2.6, 1.8), "printer": (0.9, 0.9), "bin": (0.7, 0.7), "whiteboard": (1.6, 0.4)}


def plan_view(places: Iterable[PlaceNow], tones: dict[str, tuple[str, str]]) -> PlanView:
    """Places as rectangles; `tones`: place -> (tone, words). Areas and places without a position are left out."""
    rows = [place for place in places if place.kind != "area"]
    placed = [place for place in rows if place.x is not None and place.y is not None]
    spots = tuple(_spot(place, *tones.get(place.id, ("none", ""))) for place in placed)
    if not spots:
        return PlanView("0 0 20 10", (), len(rows))
    left, top = min(s.x for s in spots) - MARGIN, min(s.y for s in spots) - MARGIN
    right, bottom = max(s.x + s.width for s in spots) + MARGIN, max(s.y + s.height for s in spots) + MARGIN
    box = f"{left:.1f} {top:.1f} {right - left:.1f} {bottom - top:.1f}"
    return PlanView(box, spots, len(rows) - len(placed), right, bottom)


def _spot(place: PlaceNow, tone: str, words: str) -> Spot:
    width, height = _SIZES.get(place.kind, (DESK, 0.9))
    title = f"{place.label}: {words}" if words else place.label
    x, y = place.x or 0.0, place.y or 0.0
    return Spot(place.id, place.label, place.kind, place.zone, x, y, width, height, tone, title)
