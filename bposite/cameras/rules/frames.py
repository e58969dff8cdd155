"""Which frame shows the moment, which units make the clip, and what the link is called.

Another moment is never substituted silently: a frame counts as the frame of a moment only when the
stream around it has no hole; otherwise the answer is a hole with its size.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise

import msgspec

HOLE_FACTOR = 2.5
"""A distance of more than this many usual frame distances is a hole (one lost frame is not)."""


class LinkState(StrEnum):
    """What can be said of a link between an entry and a camera."""

    PENDING = "pending"
    LINKED = "linked"
    LINKED_LATE = "linked_late"
    PARTIAL = "partial"
    NO_VIDEO = "no_video"


class NoVideo(StrEnum):
    """Why there is no picture of the moment (closed list)."""

    HOLE = "hole"
    CAMERA_DOWN = "camera_down"
    NEVER_SEEN = "never_seen"
    NOT_YET = "not_yet"
    OVERWRITTEN = "overwritten"
    CLOCK_AHEAD = "clock_ahead"
    UNDECODABLE = "undecodable"
    DISABLED = "disabled"


class LinkPolicy(msgspec.Struct, frozen=True):
    """Times of linking, in microseconds. `deadline_us` counts from the end of the clip window."""

    before_us: int = 5_000_000
    after_us: int = 5_000_000
    deadline_us: int = 8_000_000
    late_us: int = 60_000_000
    ahead_us: int = 60_000_000


class Choice(msgspec.Struct, frozen=True):
    """The frame nearest to a moment: its position, its moment, and half the distance of its neighbours."""

    index: int
    at_us: int
    distance_us: int
    half_gap_us: int


class Hole(msgspec.Struct, frozen=True):
    """No frame shows the moment: the last one before and the first one after it, None where there is none."""

    before_us: int | None
    after_us: int | None

    def size_us(self, moment_us: int) -> int:
        """Length of the hole; where one side is open, the distance to the side that is known (0: nothing known)."""
        if self.before_us is not None and self.after_us is not None:
            return self.after_us - self.before_us
        known = self.before_us if self.before_us is not None else self.after_us
        return 0 if known is None else abs(moment_us - known)


class Outcome(msgspec.Struct, frozen=True):
    """The final word on a link."""

    state: LinkState
    reason: NoVideo | None
    gap_ms: int


def choose(moments: Sequence[int], wanted_us: int, interval_us: int) -> Choice | Hole:
    """Nearest of the ascending `moments` to `wanted_us`, or the hole there.

    The moment must lie between two frames without a hole, or within half an interval (+ 1 ms) of an end.
    """
    right = bisect_left(moments, wanted_us)
    before = moments[right - 1] if right > 0 else None
    after = moments[right] if right < len(moments) else None
    if after == wanted_us:
        return Choice(right, wanted_us, 0, interval_us // 2)
    if before is not None and after is not None:
        return _between(right, before, after, wanted_us, interval_us)
    return _at_an_end(right, before, after, wanted_us, interval_us)


def _between(right: int, before: int, after: int, wanted_us: int, interval_us: int) -> Choice | Hole:
    nearer_left = wanted_us - before <= after - wanted_us
    index, at_us = (right - 1, before) if nearer_left else (right, after)
    if after - before > HOLE_FACTOR * interval_us:
        return _edge(index, at_us, wanted_us, interval_us) or Hole(before, after)
    return Choice(index, at_us, at_us - wanted_us, max(after - before, interval_us) // 2)


def _at_an_end(right: int, before: int | None, after: int | None, wanted_us: int, interval_us: int) -> Choice | Hole:
    if before is not None:
        return _edge(right - 1, before, wanted_us, interval_us) or Hole(before, None)
    if after is not None:
        return _edge(right, after, wanted_us, interval_us) or Hole(None, after)
    return Hole(None, None)


def _edge(index: int, at_us: int, wanted_us: int, interval_us: int) -> Choice | None:
    if abs(at_us - wanted_us) <= interval_us // 2 + 1_000:
        return Choice(index, at_us, at_us - wanted_us, interval_us // 2)
    return None


def error_bound_us(choice: Choice, clock_error_us: int) -> int:
    """How far the picture can be from the moment: half a frame distance (or more, if it is) plus the clock's error."""
    return max(choice.half_gap_us, abs(choice.distance_us)) + clock_error_us


def clip_range(keys: Sequence[bool], moments: Sequence[int], start_us: int, end_us: int) -> tuple[int, int] | None:
    """Units [first, last] of a clip in decoding order: from the last keyframe at or before `start_us`
    (or the first one after it) up to the last unit taken at or before `end_us`. None when there is nothing."""
    inside = [i for i, at_us in enumerate(moments) if at_us <= end_us]
    starts = [i for i in inside if keys[i]]
    if not starts:
        return None
    earlier = [i for i in starts if moments[i] <= start_us]
    first = earlier[-1] if earlier else starts[0]
    last = inside[-1]
    return (first, last) if moments[last] >= start_us else None


def missing_us(moments: Sequence[int], start_us: int, end_us: int, interval_us: int) -> int:
    """How much of [start, end] no frame covers; distances up to a hole count as covered. `moments` ascending."""
    low = max(bisect_right(moments, start_us) - 1, 0)
    high = min(bisect_left(moments, end_us) + 1, len(moments))
    near = list(moments[low:high])
    if not near:
        return end_us - start_us
    edges = [*([start_us] if near[0] > start_us else []), *near, *([end_us] if near[-1] < end_us else [])]
    limit = HOLE_FACTOR * interval_us
    return sum(_overlap(a, b, start_us, end_us) for a, b in pairwise(edges) if b - a > limit)


def _overlap(a: int, b: int, start_us: int, end_us: int) -> int:
    return max(0, min(b, end_us) - max(a, start_us))


def settle(pictured: bool, clip_missing_us: int, has_clip: bool, reason: NoVideo, late: bool) -> Outcome:
    """Final state of a link. `pictured`: the moment itself was seen; otherwise `reason` says why not."""
    gap_ms = -(-clip_missing_us // 1000)
    if not pictured:
        state = LinkState.PARTIAL if has_clip else LinkState.NO_VIDEO
        return Outcome(state, reason, gap_ms)
    if gap_ms or not has_clip:
        return Outcome(LinkState.PARTIAL, None, gap_ms)
    return Outcome(LinkState.LINKED_LATE if late else LinkState.LINKED, None, 0)


def why_missing(hole: Hole, moment_us: int, oldest_us: int | None, began_us: int | None) -> NoVideo:
    """Reason behind a hole. `oldest_us`: the oldest unit that the rings still hold; `began_us`: the first ever."""
    if oldest_us is None or began_us is None:
        return NoVideo.NEVER_SEEN
    if moment_us < began_us:
        return NoVideo.NOT_YET
    if moment_us < oldest_us:
        return NoVideo.OVERWRITTEN
    if hole.before_us is not None and hole.after_us is not None:
        return NoVideo.HOLE
    return NoVideo.CAMERA_DOWN


class Readiness(StrEnum):
    """Whether a ring can answer for a moment."""

    WAIT = "wait"
    READY = "ready"
    OVERDUE = "overdue"


def readiness(newest_us: int | None, moment_us: int, now_us: int, deadline_us: int) -> Readiness:
    """READY when a frame after `moment_us` is in the ring; OVERDUE when `now` is past `deadline_us` (absolute)."""
    if newest_us is not None and newest_us >= moment_us:
        return Readiness.READY
    return Readiness.OVERDUE if now_us >= deadline_us else Readiness.WAIT
