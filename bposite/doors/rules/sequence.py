"""What a device's numbers prove: which events are here, which are missing, and what may be acknowledged.

A device deletes what the site acknowledges, so the acknowledged number is contiguous and never the maximum: with 0.2 %
of the events lost before the store, acknowledging the maximum loses nearly all of them for good.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

REORDER_WINDOW = timedelta(seconds=5)
MISSING_AT_MOST = 50
Range = tuple[int, int]


class Watermark:
    """The numbers of one (device, boot) that are stored or given up: all up to ``upto``, and closed ranges beyond.

    Numbers begin at 1; a device that begins at 0 is understood too. Membership here is a hint that is exact as long as
    one writer owns the device; the unique key in the store decides.
    """

    __slots__ = ("ahead", "upto")

    def __init__(self, upto: int = 0, ahead: Iterable[Range] = ()) -> None:
        self.upto = upto
        self.ahead: list[Range] = sorted(ahead)

    def has(self, seq: int) -> bool:
        """Whether ``seq`` is stored or was given up."""
        if seq <= self.upto:
            return True
        at = bisect_left(self.ahead, (seq + 1,)) - 1
        return at >= 0 and self.ahead[at][0] <= seq <= self.ahead[at][1]

    def add(self, seq: int) -> None:
        """``seq`` is stored. Anything known already changes nothing."""
        if seq == self.upto + 1 and not self.ahead:
            self.upto = seq
        else:
            self.fill(seq, seq)

    def fill(self, first: int, last: int) -> None:
        """Everything from ``first`` to ``last`` is stored or given up."""
        if last <= self.upto:
            return
        merged = _merge([*self.ahead, (max(first, self.upto + 1), last)])
        while merged and merged[0][0] <= self.upto + 1:
            self.upto = max(self.upto, merged.pop(0)[1])
        self.ahead = merged

    def missing(self, limit: int = MISSING_AT_MOST) -> list[Range]:
        """Closed ranges below the highest number that are not here, oldest first."""
        gaps: list[Range] = []
        below = self.upto
        for first, last in self.ahead[:limit]:
            gaps.append((below + 1, first - 1))
            below = last
        return gaps

    @property
    def highest(self) -> int:
        """The highest number known."""
        return self.ahead[-1][1] if self.ahead else self.upto

    def copy(self) -> Watermark:
        """An independent copy, for a batch that may be rolled back."""
        return Watermark(self.upto, self.ahead)


def _merge(ranges: Sequence[Range]) -> list[Range]:
    merged: list[Range] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return merged


def begin(first_seen: int, oldest_held: int | None) -> Watermark:
    """The watermark of a boot that nobody has seen before.

    ``oldest_held``: what the device said it still holds (birth, ``seq_oldest``); older ones cannot come any more.
    Without it the count begins at 1, so that events lost before the first contact are asked for.
    """
    if oldest_held is not None and oldest_held <= first_seen:
        return Watermark(max(oldest_held - 1, 0))
    return Watermark(min(first_seen - 1, 0))


def subtract(ranges: Iterable[Range], taken: Range) -> list[Range]:
    """What is left of ``ranges`` when ``taken`` is cut out of them."""
    first, last = taken
    left: list[Range] = []
    for low, high in ranges:
        if high < first or low > last:
            left.append((low, high))
            continue
        if low < first:
            left.append((low, first - 1))
        if high > last:
            left.append((last + 1, high))
    return left


def completeness(stored: int, missing: int) -> float | None:
    """The share of the events that a device counted which are stored, in percent; None when it counted none."""
    counted = stored + missing
    return None if counted == 0 else 100.0 * stored / counted


def overdue(found_at: datetime, at: datetime) -> bool:
    """Whether a hole has outlived the reorder window and counts as a gap."""
    return at - found_at >= REORDER_WINDOW
