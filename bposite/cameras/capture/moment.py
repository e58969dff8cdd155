"""The moment of an entry, looked up in the rings: one exact picture and a clip around it."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

import msgspec

from bposite.cameras.capture.decode import UndecodableError, exact_jpeg
from bposite.cameras.capture.units import AccessUnit, Codec, Stretch
from bposite.cameras.rules.clock import ClockPolicy, Timed, TimeSource, frame_interval, timeline
from bposite.cameras.rules.frames import Hole, choose, clip_range, error_bound_us, missing_us

MARGIN_US = 30_000_000
"""How far around a moment units are read: the least-delayed arrival needs neighbours, and a network that stalls
delivers frames seconds after they were taken."""


LOST_FACTOR = 1.5
"""A step of the media timeline of more than this many frame distances means that a picture is missing."""


class View(msgspec.Struct, frozen=True):
    """Everything the rings know around a moment, on one axis of time.

    `timed` is ordered by moment; its `index` points into `units`, which are in decoding order over all connections.
    """

    units: tuple[AccessUnit, ...]
    codecs: tuple[Codec, ...]
    timed: tuple[Timed, ...]
    interval_us: int

    @property
    def moments(self) -> list[int]:
        """Moments of all frames, ascending."""
        return [item.at_us for item in self.timed]

    @property
    def newest_us(self) -> int | None:
        """Moment of the newest frame."""
        return self.timed[-1].at_us if self.timed else None

    def arrival_after(self, moment_us: int) -> int:
        """When the first frame taken at or after a moment arrived; the moment itself when there is none."""
        found = next((item for item in self.timed if item.at_us >= moment_us), None)
        return moment_us if found is None else self.units[found.index].unit.arrival_us


class Picture(msgspec.Struct, frozen=True):
    """The frame of a moment as a JPEG file, and how sure its time is. Times in microseconds."""

    jpeg: bytes
    at_us: int
    time_source: TimeSource
    error_us: int
    clock_bad: bool
    damaged: bool


class Clip(msgspec.Struct, frozen=True):
    """Units of one connection around a moment, in decoding order, with the moment of each."""

    codec: Codec
    units: tuple[AccessUnit, ...]
    moments: tuple[int, ...]


def view_of(stretches: Sequence[Stretch], policy: ClockPolicy) -> View:
    """Put the stretches of several connections on one axis, each judged by itself.

    A camera sends its last group of pictures again when it is connected to; the new copy replaces the old one, so that
    every moment is there once and decoding order is the order of time.
    """
    units: list[AccessUnit] = []
    codecs: list[Codec] = []
    moments: list[Timed] = []
    for stretch in stretches:
        timed = sorted(timeline(stretch.times, policy), key=lambda item: item.index)
        keep = _before(moments, min((item.at_us for item in timed), default=0))
        del units[keep:], codecs[keep:], moments[keep:]
        moments.extend(Timed(item.at_us, keep + item.index, item.clock) for item in timed)
        units.extend(stretch.units)
        codecs.extend([stretch.codec] * len(stretch.units))
    moments.sort(key=lambda item: item.at_us)
    return View(tuple(units), tuple(codecs), tuple(moments), frame_interval([item.at_us for item in moments]))


def _before(timed: Sequence[Timed], moment_us: int) -> int:
    """Number of leading units (decoding order) taken before `moment_us`."""
    return next((i for i, item in enumerate(timed) if item.at_us >= moment_us), len(timed))


def picture_at(view: View, moment_us: int) -> Picture | Hole:
    """The frame nearest to the moment, or the hole there. UndecodableError when the frame does not decode."""
    choice = choose(view.moments, moment_us, view.interval_us)
    if isinstance(choice, Hole):
        return choice
    item = view.timed[choice.index]
    start, end = _group(view, item.index)
    jpeg, damaged = exact_jpeg(view.codecs[item.index], view.units[start:end], item.index - start)
    damaged = damaged or _lost_before(view, start, item.index)
    bound = error_bound_us(choice, item.clock.error_us)
    return Picture(jpeg, choice.at_us, item.clock.source, bound, item.clock.bad, damaged)


def _lost_before(view: View, start: int, index: int) -> bool:
    """Whether a picture that this one is built upon was lost on the way (only where the network may lose any)."""
    if not view.codecs[index].lossy or view.codecs[index].name == "mjpeg":
        return False
    times = [view.units[i].unit.media_us for i in range(start, index + 1)]
    known = [at for at in times if at is not None]
    return any(after - before > LOST_FACTOR * view.interval_us for before, after in pairwise(known))


def _group(view: View, index: int) -> tuple[int, int]:
    """The group of pictures around unit `index`: [its keyframe, the next keyframe)."""
    start = next((i for i in range(index, -1, -1) if view.units[i].unit.key), -1)
    if start < 0 or view.codecs[start] != view.codecs[index]:
        raise UndecodableError("the keyframe of the moment is gone")
    end = next((i for i in range(index + 1, len(view.units)) if view.units[i].unit.key), len(view.units))
    return start, end


def clip_at(view: View, start_us: int, end_us: int, moment_us: int) -> Clip | None:
    """The clip over [start, end]; where connections or codecs change inside, the run with the moment in or next to it.

    None when no frame was taken within the window.
    """
    clips = [clip for run in _runs(view) if (clip := _clip_of(view, run, start_us, end_us)) is not None]
    return min(clips, key=lambda clip: _distance(clip, moment_us), default=None)


def _distance(clip: Clip, moment_us: int) -> int:
    return max(min(clip.moments) - moment_us, moment_us - max(clip.moments), 0)


def _runs(view: View) -> Iterator[range]:
    """Ranges of units with one codec: only those can share a container."""
    start = 0
    for i in range(1, len(view.units) + 1):
        if i == len(view.units) or view.codecs[i] != view.codecs[start]:
            yield range(start, i)
            start = i


def _clip_of(view: View, run: range, start_us: int, end_us: int) -> Clip | None:
    moment_of = {item.index: item.at_us for item in view.timed}
    moments = [moment_of[i] for i in run]
    found = clip_range([view.units[i].unit.key for i in run], moments, start_us, end_us)
    if found is None:
        return None
    first, last = found
    return Clip(view.codecs[run[0]], view.units[run[first] : run[last] + 1], tuple(moments[first : last + 1]))


def missing_in(view: View, start_us: int, end_us: int) -> int:
    """How many microseconds of [start, end] no frame covers."""
    return missing_us(view.moments, start_us, end_us, view.interval_us)
