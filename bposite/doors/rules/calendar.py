"""Schedules in the site's own time: windows over midnight, holidays, special days, clock changes.

A window belongs to the day on which it starts, so a Friday night shift runs to Saturday morning even when Saturday is a
holiday. On the night the clocks go back the repeated hour is inside both times; on the night they go forward the hour
that does not exist is simply not there. Windows are half-open: [start, end).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES = 24 * 60
_WINDOW = re.compile(r"(?a:([a-z]+(?:-[a-z]+)?(?:,[a-z]+(?:-[a-z]+)?)*) (\d\d):(\d\d)-(\d\d):(\d\d))")


class Window(msgspec.Struct, frozen=True):
    """``days`` are weekdays 0 to 6 or names of special days; minutes of the day, end <= start runs over midnight."""

    days: frozenset[int | str]
    start: int
    end: int
    text: str


class Schedule(msgspec.Struct, frozen=True, eq=False):
    """When something applies. On a special day only windows that name it count, unless ``holidays_open``."""

    id: str
    name: str
    windows: tuple[Window, ...]
    zone: ZoneInfo
    holidays_open: bool = True
    special: Mapping[date, str] = {}


class Opening(msgspec.Struct, frozen=True):
    """One run of a window in absolute time: [start, end)."""

    start: datetime
    end: datetime
    text: str


class Span(msgspec.Struct, frozen=True):
    """From ``since`` to before ``until`` one and the same window is open, or none."""

    since: datetime
    until: datetime
    opening: Opening | None


REMEMBERED = 4096
_LAST: dict[Schedule, Span] = {}
"""The last answer by schedule: nearly every question falls into the same span. It changes no answer."""


def parse_window(text: str) -> Window:
    """``mon-fri 21:00-06:00`` or ``sat,holiday 08:00-14:00`` as a window; ValueError says what is wrong."""
    match = _WINDOW.fullmatch(text.strip().lower())
    if match is None:
        raise ValueError(f"{text!r} is not of the form 'mon-fri 07:30-20:00'")
    start, end = (_minute(match[i], match[i + 1], text) for i in (2, 4))
    if start == MINUTES:
        raise ValueError(f"{text!r} starts at 24:00")
    return Window(frozenset(_days(match[1], text)), start, end, text.strip())


def _minute(hour: str, minute: str, text: str) -> int:
    value = int(hour) * 60 + int(minute)
    if int(minute) > 59 or value > MINUTES:
        raise ValueError(f"{text!r} has no such time as {hour}:{minute}")
    return value


def _days(text: str, whole: str) -> Iterable[int | str]:
    for part in text.split(","):
        first, _, last = part.partition("-")
        if first not in DAYS and not last:
            yield first  # the name of a special day, such as "holiday"
        elif first not in DAYS or (last and last not in DAYS):
            raise ValueError(f"{whole!r}: days are {', '.join(DAYS)}")
        else:
            yield from _run(DAYS.index(first), DAYS.index(last or first))


def _run(first: int, last: int) -> Iterable[int]:
    return ((first + step) % 7 for step in range((last - first) % 7 + 1))


def opening_at(schedule: Schedule, moment: datetime) -> Opening | None:
    """The window that is open at ``moment`` (aware), or None."""
    span = _LAST.get(schedule)
    if span is None or not span.since <= moment < span.until:
        if len(_LAST) >= REMEMBERED:
            _LAST.clear()
        span = _LAST[schedule] = _span(schedule, moment)
    return span.opening


def _span(schedule: Schedule, moment: datetime) -> Span:
    """The answer for ``moment``, and the time for which it stays the same."""
    today = moment.astimezone(schedule.zone).date()
    near = [one for days in (0, -1, 1) for one in openings(schedule, today + timedelta(days=days))]
    edges = [edge for one in near for edge in (one.start, one.end)]
    edges += [_local(schedule.zone, today + timedelta(days=days), 0, fold=0) for days in (0, 1)]
    opening = next((one for one in near if one.start <= moment < one.end), None)
    since = max(edge for edge in edges if edge <= moment)
    return Span(since, min(edge for edge in edges if edge > moment), opening)


@lru_cache(maxsize=4096)
def openings(schedule: Schedule, day: date) -> tuple[Opening, ...]:
    """All windows that start on local ``day``, in absolute time."""
    name = schedule.special.get(day)
    if name is None or schedule.holidays_open:
        kinds: set[int | str] = {day.weekday()} | ({name} if name else set())
    else:
        kinds = {name}
    return tuple(_absolute(schedule.zone, day, window) for window in schedule.windows if window.days & kinds)


def _absolute(zone: ZoneInfo, day: date, window: Window) -> Opening:
    length = 0 if window.end > window.start else 1
    start = _local(zone, day, window.start, fold=0)
    end = _local(zone, day + timedelta(days=length), window.end, fold=1)
    return Opening(start, end, window.text)


def _local(zone: ZoneInfo, day: date, minute: int, fold: int) -> datetime:
    """A wall-clock minute as UTC; of an hour that comes twice ``fold`` chooses, one that never comes moves on."""
    whole = day + timedelta(days=minute // MINUTES)
    hour, rest = divmod(minute % MINUTES, 60)
    wall = datetime(whole.year, whole.month, whole.day, hour, rest, tzinfo=zone, fold=fold)
    if wall.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != wall.replace(tzinfo=None):
        wall = wall.replace(fold=0)
    return wall.astimezone(UTC)
