"""The order in which an auditor walks: zone by zone, the next desk near the last one."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from math import hypot

LONGEST_IMPROVED = 250
"""Beyond this many places in one zone the nearest neighbour alone decides: improving costs the square."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A place to visit; `x` and `y` in metres on the plan, None when it was never placed."""

    place: str
    zone: str
    x: float | None
    y: float | None


def walk_order(stops: Sequence[Stop]) -> list[str]:
    """The places in walking order. Places without a position come after the others of their zone, by name."""
    order: list[str] = []
    for _, in_zone in groupby(sorted(stops, key=lambda stop: (stop.zone, stop.place)), key=lambda stop: stop.zone):
        here = list(in_zone)
        placed = [stop for stop in here if stop.x is not None and stop.y is not None]
        order += [stop.place for stop in _improved(_nearest(placed))]
        order += [stop.place for stop in here if stop.x is None or stop.y is None]
    return order


def length(stops: Sequence[Stop]) -> float:
    """Metres of a walk over placed stops."""
    return sum(_distance(a, b) for a, b in pairwise(stops))


def _nearest(stops: list[Stop]) -> list[Stop]:
    """Start in the corner of the plan, then always the nearest: how a person would go."""
    left = sorted(stops, key=lambda stop: ((stop.x or 0) + (stop.y or 0), stop.place))
    order = left[:1]
    left = left[1:]
    while left:
        here = order[-1]
        following = min(left, key=lambda stop: (round(_distance(here, stop), 6), stop.place))
        left.remove(following)
        order.append(following)
    return order


def _improved(order: list[Stop]) -> list[Stop]:
    """Undo crossings (2-opt) until there is none; the first stop stays."""
    better = len(order) <= LONGEST_IMPROVED
    while better:
        better = False
        for i in range(1, len(order) - 1):
            for j in range(i + 1, len(order)):
                if _gain(order, i, j) > 1e-9:
                    order[i : j + 1] = reversed(order[i : j + 1])
                    better = True
    return order


def _gain(order: list[Stop], i: int, j: int) -> float:
    before = _distance(order[i - 1], order[i])
    after = _distance(order[i - 1], order[j])
    if j + 1 < len(order):
        before += _distance(order[j], order[j + 1])
        after += _distance(order[i], order[j + 1])
    return before - after


def _distance(a: Stop, b: Stop) -> float:
    return hypot((a.x or 0) - (b.x or 0), (a.y or 0) - (b.y or 0))
