"""Times as people type them, in the site's zone, and as programs send them, with an offset."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

_TEXT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?"
)
"""A strict subset of ISO 8601: ``fromisoformat`` also takes week dates and other things nobody meant."""
EXAMPLE = "2026-11-23 14:07 or 2026-11-23"
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)


def typed_moment(text: str, zone: ZoneInfo, *, end: bool = False) -> datetime:
    """What somebody typed -> aware UTC. Without an offset it is the site's wall clock.

    A date alone is the start of that day; with ``end`` it is the end of it, because "until 23 November" includes the
    day. A time with minutes only and ``end`` stays the start of that minute. ValueError says what to type.
    """
    match = _TEXT.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"Type a date, or a date and a time: {EXAMPLE}.")
    try:
        found = _moment(match, zone, end)
    except (ValueError, OverflowError):
        raise ValueError("There is no such day or time.") from None
    if not EARLIEST <= found < LATEST:
        raise ValueError("Type a year between 2000 and 2199.")
    return found


def sent_moment(text: str) -> datetime:
    """What a program sent -> aware UTC; ValueError unless it carries an offset."""
    match = _TEXT.fullmatch(text)
    if match is None or match[8] is None:
        raise ValueError("expected a time with an offset, such as 2026-11-23T09:00:00Z")
    return typed_moment(text, ZoneInfo("UTC"))


def _moment(match: re.Match[str], zone: ZoneInfo, end: bool) -> datetime:
    year, month, day = int(match[1]), int(match[2]), int(match[3])
    if match[4] is None:
        midnight = datetime.combine(date(year, month, day), time(), zone)
        return (midnight + timedelta(days=1) if end else midnight).astimezone(UTC)
    micros = int(float(match[7] or "0") * 1_000_000 + 0.5)
    clock = time(int(match[4]), int(match[5]), int(match[6] or 0), micros)
    return datetime.combine(date(year, month, day), clock, _offset(match[8], zone)).astimezone(UTC)


def _offset(text: str | None, zone: ZoneInfo) -> tzinfo:
    if text is None:
        return zone
    if text == "Z":
        return UTC
    minutes = int(text[1:3]) * 60 + int(text[4:6])
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))
