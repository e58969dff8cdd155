"""Whose clock tells when a frame was taken, and how sure that is.

A camera that sends RTCP sender reports stamps every frame with its own wall clock; nothing that
happens in the network can move that. Without sender reports, or when the camera's clock is plainly
wrong, the least-delayed arrival is the best witness: a frame can be late but never early, so the
smallest difference between arrival and the media timeline belongs to the frame that waited least.
All times are integers of microseconds since the epoch, UTC.
"""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import pairwise
from statistics import median

import msgspec

DEFAULT_INTERVAL_US = 66_667
"""Assumed frame distance while fewer than two frames are known (15 frames a second)."""


class TimeSource(StrEnum):
    """Who told the time of a picture."""

    CAMERA = "camera"
    ARRIVAL = "arrival"


class Unit(msgspec.Struct, frozen=True, gc=False):
    """What is known of one encoded picture without its bytes.

    `arrival_us` local wall clock at reception; `camera_us` the camera's own wall clock or None;
    `media_us` position on the stream's own timeline (any epoch, constant within a connection) or None.
    """

    arrival_us: int
    camera_us: int | None
    media_us: int | None
    key: bool
    size: int


class ClockPolicy(msgspec.Struct, frozen=True):
    """Limits of belief. The window is the house's: a frame cannot arrive before it was taken (20 ms of
    slack for clock reading), and a network that delays every single frame by over 2 s is not a camera
    network but a wrong clock."""

    earliest_us: int = -20_000
    latest_us: int = 2_000_000
    step_us: int = 50_000
    camera_error_us: int = 1_000
    arrival_error_us: int = 500_000


class Clock(msgspec.Struct, frozen=True):
    """The verdict on one stretch of units.

    `delay_us` is the smallest arrival minus camera time (None without sender reports); `bad` means the
    camera did send a clock and it was refused. `anchor_us` maps the media timeline to the time used.
    """

    source: TimeSource
    error_us: int
    bad: bool = False
    delay_us: int | None = None
    anchor_us: int | None = None
    shift_us: int = 0

    def time_of(self, unit: Unit) -> int:
        """Moment at which `unit` was taken, by this verdict."""
        if self.source is TimeSource.CAMERA and unit.camera_us is not None:
            return unit.camera_us
        if self.anchor_us is not None and unit.media_us is not None:
            return unit.media_us + self.anchor_us
        if self.source is TimeSource.ARRIVAL and unit.camera_us is not None:
            return unit.camera_us + self.shift_us
        return unit.arrival_us


class Timed(msgspec.Struct, frozen=True, gc=False):
    """One unit of a stretch with the moment it was taken and the verdict behind it."""

    at_us: int
    index: int
    clock: Clock


def judge(units: Sequence[Unit], policy: ClockPolicy) -> Clock:
    """Verdict for units of one connection whose camera clock made no step (see `steady_parts`)."""
    delays = [unit.arrival_us - unit.camera_us for unit in units if unit.camera_us is not None]
    if not delays:
        return _by_arrival(units, policy, delay_us=None)
    delay_us = min(delays)
    if policy.earliest_us <= delay_us <= policy.latest_us:
        return Clock(TimeSource.CAMERA, policy.camera_error_us, delay_us=delay_us, anchor_us=_camera_anchor(units))
    return _by_arrival(units, policy, delay_us=delay_us)


def _camera_anchor(units: Sequence[Unit]) -> int | None:
    """Camera time minus media time: dates the frames that came before the first sender report."""
    for unit in units:
        if unit.camera_us is not None and unit.media_us is not None:
            return unit.camera_us - unit.media_us
    return None


def _by_arrival(units: Sequence[Unit], policy: ClockPolicy, delay_us: int | None) -> Clock:
    waits = [unit.arrival_us - unit.media_us for unit in units if unit.media_us is not None]
    return Clock(
        TimeSource.ARRIVAL,
        policy.arrival_error_us,
        bad=delay_us is not None,
        delay_us=delay_us,
        anchor_us=min(waits) if waits else None,
        shift_us=delay_us or 0,
    )


def steady_parts(units: Sequence[Unit], policy: ClockPolicy) -> Iterator[tuple[int, int]]:
    """Index ranges [start, end) between steps of the camera's clock.

    A camera that is set by NTP in mid-stream has two clocks in one connection: a verdict over both would
    believe the wrong half. A step shows as a jump of camera time against the media timeline.
    """
    start, last = 0, None
    for index, unit in enumerate(units):
        if unit.camera_us is None or unit.media_us is None:
            continue
        anchor = unit.camera_us - unit.media_us
        if last is not None and abs(anchor - last) > policy.step_us:
            yield start, index
            start = index
        last = anchor
    if start < len(units):
        yield start, len(units)


def timeline(units: Sequence[Unit], policy: ClockPolicy) -> list[Timed]:
    """Every unit of one connection with its moment, ordered by moment. `index` points into `units`."""
    timed: list[Timed] = []
    for start, end in steady_parts(units, policy):
        clock = judge(units[start:end], policy)
        timed.extend(Timed(clock.time_of(units[i]), i, clock) for i in range(start, end))
    return sorted(timed, key=lambda item: item.at_us)


def frame_interval(moments: Sequence[int]) -> int:
    """Usual distance between neighbouring frames in microseconds (median, robust to lost frames)."""
    steps = [after - before for before, after in pairwise(moments) if after > before]
    return int(median(steps)) if steps else DEFAULT_INTERVAL_US
