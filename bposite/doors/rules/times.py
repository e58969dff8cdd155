"""Which time an event gets: the device's own when its clock can be trusted, else the time it was received.

The original is never rewritten. The clock error of a device is estimated as the least (received - told) of its last 20
online events: delay only ever adds, so the least one is nearest to the truth.
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

    __slots__ = ("offsets",)

    def __init__(self, offsets: Iterable[timedelta] = ()) -> None:
        self.offsets: deque[timedelta] = deque(offsets, maxlen=SAMPLES)

    @property
    def offset(self) -> timedelta:
        """What to add to the device's time: known at once when it is ahead, after 20 online events when behind."""
        if not self.offsets:
            return ZERO
        least = min(self.offsets)
        return least if least < ZERO or len(self.offsets) == SAMPLES else ZERO

    @property
    def skew_ms(self) -> int | None:
        """How far the device is ahead, in milliseconds; None before the first event."""
        return -round(min(self.offsets) / timedelta(milliseconds=1)) if self.offsets else None

    def judge(self, told: datetime | None, clock: Clock, received: datetime, *, stored_before: bool) -> Timing:
        """The time of one event. ``stored_before``: the device says that it kept the event (offline, replayed)."""
        if told is None or clock == "unset" or told < CLOCK_FLOOR:
            alarm = "clock-unset" if clock == "unset" or told is not None else None
            return Timing(received, "received", None, stored_before, alarm)
        offset = received - told
        if not stored_before:
            self.offsets.append(offset)
        skew_ms = -round(offset / _MILLISECOND)
        if offset < -ALARM:
            return Timing(received, "received", skew_ms, stored_before, "clock-drift")
        correction = self.offset
        if -WARN <= correction <= WARN:
            return Timing(told, "device", skew_ms, stored_before or offset > LATE)
        used = min(told + correction, received)
        alarm = "clock-drift" if abs(correction) > ALARM else None
        return Timing(used, "corrected", skew_ms, stored_before or received - used > LATE, alarm)


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
