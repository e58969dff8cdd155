"""Times as devices tell them: epoch seconds, RFC 3339, and local times without a zone.

A local time needs the device's IANA zone. In the hour that the autumn change repeats it
has two readings: a live message takes the one nearer to its arrival; of replayed ones the
sequence decides (``resolve``), because a device counts up even while its clock goes back.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from bposite.doors.events import CLOCK_FLOOR, Clock
from bposite.doors.wire.strict import MalformedError

_LOCAL = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[ T]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,6})[0-9]*)?(?: \S{1,8})?"
)
_LIMIT = 253402300799  # 9999-12-31T23:59:59Z


class Moment(NamedTuple):
    """A time in aware UTC, and its other reading when the local hour came twice."""

    time: datetime
    other: datetime | None = None

    @property
    def clock(self) -> Clock:
        """``unset`` when no set clock could have said this."""
        return "rtc" if self.time >= CLOCK_FLOOR else "unset"


def local(text: str, zone: ZoneInfo, near: datetime | None = None) -> Moment:
    """A local time without a zone (``2026-11-23 14:30:12``); a zone's short name behind it is
    passed over, because some gateways stamp the name of their own zone on it.

    ``near``: the arrival of a live message, to choose between two readings.
    """
    found = _LOCAL.fullmatch(text)
    if found is None:
        raise MalformedError("bad-value", "not a local time (YYYY-MM-DD hh:mm:ss)")
    *parts, fraction = found.groups()
    try:
        year, month, day, hour, minute, second = map(int, parts)
        there = datetime(year, month, day, hour, minute, second, int((fraction or "0").ljust(6, "0")), zone)
        early, late = (there.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    except (ValueError, OverflowError):
        raise MalformedError("bad-value", "no such date or time") from None
    if late <= early:  # an ordinary time, or one that the spring change skips
        return Moment(early)
    if near is not None and abs(near - late) < abs(near - early):
        return Moment(late, early)
    return Moment(early, late)


def resolve(moment: Moment, before: datetime | None) -> Moment:
    """The reading that keeps the order of the device's own count: not before the event before it."""
    if moment.other is None or before is None:
        return moment
    early, late = sorted((moment.time, moment.other))
    return Moment(early, late) if early >= before else Moment(late, early)


def epoch(seconds: float) -> Moment:
    """Seconds since 1970 (or milliseconds, when that is the only plausible reading)."""
    if seconds > 1e11:
        seconds /= 1000
    if not 0 <= seconds <= _LIMIT:
        raise MalformedError("bad-value", "not a time since 1970")
    return Moment(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds))
