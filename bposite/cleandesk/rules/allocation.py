"""How many units of each stratum a sample takes."""

from collections.abc import Mapping, Sequence
from heapq import heapify, heappop, heappush
from math import sqrt


def spread(total: int, weights: Sequence[float], start: Sequence[int], room: Sequence[int]) -> list[int]:
    """Whole numbers near `weights`, adding up to `total` (or to the room, where that is less).

    Begins at `start` and gives one unit after another where the share is furthest behind
    (Webster / Sainte-Lague), so a larger total only ever adds. No number passes its `room`.
    """
    given = list(start)
    heap = [
        (-weight / (2 * have + 1), index)
        for index, (weight, have, most) in enumerate(zip(weights, given, room, strict=True))
        if have < most and weight > 0
    ]
    heapify(heap)
    for _ in range(total - sum(given)):
        if not heap:
            break
        _, index = heappop(heap)
        given[index] += 1
        if given[index] < room[index]:
            heappush(heap, (-weights[index] / (2 * given[index] + 1), index))
    return given


def proportional(total: int, frames: Mapping[str, int], least: int = 5) -> dict[str, int]:
    """A sample in proportion to the frames, at least `least` (or all) of each stratum.

    Where the minima alone exceed `total`, the minima win: no stratum may be dropped.
    """
    start = [min(least, frame) for frame in frames.values()]
    sizes = list(frames.values())
    return dict(zip(frames, spread(total, sizes, start, sizes), strict=True))


def neyman(total: int, frames: Mapping[str, int], last_shares: Mapping[str, float], least: int = 5) -> dict[str, int]:
    """A sample that looks more where the last period varied more: N_h * sqrt(p_h (1 - p_h)).

    A stratum without a last share, or with a share of exactly 0 or 1, counts as one fail in
    twenty: perfect results of a small sample are no reason to stop looking.
    """
    sizes = list(frames.values())
    weights = [
        frame * sqrt(share * (1 - share))
        for key, frame in frames.items()
        for share in (min(0.95, max(0.05, last_shares.get(key, 0.95))),)
    ]
    start = [min(least, frame) for frame in sizes]
    return dict(zip(frames, spread(total, weights, start, sizes), strict=True))
