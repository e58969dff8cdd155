"""Which time an event gets: the device's own when its clock can be trusted, else the time it was received.

The original is never rewritten. The clock error of a device is estimated as the least (received - told) of its last 20
online events: delay only ever adds, so the least one is nearest to the truth. Samples are at least three seconds of
receiving apart, so that a queue that empties after an outage is not taken for a clock that is behind.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from bposite.doors.events import CLOCK_FLOOR, Clock

TimeSource = Literal["device", "corrected", "received"]
SAMPLES = 20
APART = timedelta(seconds=3)
LATE = timedelta(seconds=60)
WARN = timedelta(seconds=5)
ALARM = timedelta(seconds=60)
QUARTER = 15 * 60
LIVE = timedelta(minutes=15)
"""Beyond this an event is stored but drives no live action (trust.md, P8)."""
STORED_ONLY = timedelta(hours=72)
ZERO = timedelta(0)


class Timing(msgspec.Struct, frozen=True, gc=False):
    """``skew_ms``: how far the device is ahead (negative: behind), None when it told no time. ``alarm``: a code."""

    used: datetime
    source: TimeSource
    skew_ms: int | None
    late: bool
    alarm: str | None = None


class Clockwork:
    """The clock of one device, learnt from its online events."""

    __slots__ = ("_least", "_sampled", "offsets")

    def __init__(self, offsets: Iterable[timedelta] = ()) -> None:
        self.offsets: deque[timedelta] = deque(offsets, maxlen=SAMPLES)
        self._least = min(self.offsets, default=ZERO)
        self._sampled: datetime | None = None

    @property
    def offset(self) -> timedelta:
        """What to add to the device's time: known at once when it is ahead, when behind after 20 samples that agree.

        The delays of a queue that empties shrink from sample to sample; a clock that is wrong stays wrong.
        """
        if self._least < ZERO:
            return self._least
        if self._least <= WARN or len(self.offsets) < SAMPLES or max(self.offsets) - self._least > WARN:
            return ZERO
        return self._least

    @property
    def skew_ms(self) -> int | None:
        """How far the device is ahead, in milliseconds; None before the first event."""
        return -round(self._least / _MILLISECOND) if self.offsets else None

    def judge(self, told: datetime | None, clock: Clock, received: datetime, *, stored_before: bool) -> Timing:
        """The time of one event. ``stored_before``: the device says that it kept the event (offline, replayed)."""
        if told is None or clock == "unset" or told < CLOCK_FLOOR:
            alarm = "clock-unset" if clock == "unset" or told is not None else None
            return Timing(received, "received", None, stored_before, alarm)
        offset = received - told
        if not stored_before:
            self._learn(offset, received)
        skew_ms = -offset // _MILLISECOND
        if offset < -ALARM:
            return Timing(received, "received", skew_ms, stored_before, "clock-drift")
        correction = self.offset
        if -WARN <= correction <= WARN:
            return Timing(told, "device", skew_ms, stored_before or offset > LATE)
        used = min(told + correction, received)
        alarm = "clock-drift" if abs(correction) > ALARM else None
        return Timing(used, "corrected", skew_ms, stored_before or received - used > LATE, alarm)

    def _learn(self, offset: timedelta, received: datetime) -> None:
        """Take one more sample; the least one is looked for again only when it drops out."""
        offsets = self.offsets
        if self._sampled is not None and received - self._sampled < APART:
            offsets[-1], self._least = min(offsets[-1], offset), min(self._least, offset)
            return
        self._sampled = received
        leaves = offsets[0] if len(offsets) == SAMPLES else None
        offsets.append(offset)
        if leaves is not None and leaves <= self._least:
            self._least = min(offsets)
        elif len(offsets) == 1 or offset < self._least:
            self._least = offset


_MILLISECOND = timedelta(milliseconds=1)


def hint(skew_ms: int) -> str:
    """Why a clock may be wrong: an error near a multiple of 15 minutes is a wrong time zone."""
    seconds = abs(skew_ms) / 1000
    nearest = round(seconds / QUARTER) * QUARTER
    if nearest and abs(seconds - nearest) <= 30:
        return "time zone misconfigured"
    return ""


def liveness(used: datetime, received: datetime) -> Literal["live", "alarm-only", "stored-only"]:
    """What a late event may still do: all up to 15 minutes, alarms up to 72 hours, then nothing."""
    age = received - used
    if age <= LIVE:
        return "live"
    return "alarm-only" if age <= STORED_ONLY else "stored-only"
