"""What people type about a visit: names that are names, and times on the site's wall clock."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LONGEST_NAME = 120
LONGEST_WINDOW = timedelta(hours=24)
FURTHEST_AHEAD = timedelta(days=400)
# Direction marks could make a name look like another one; joiners are needed to write Persian and Hindi.
_HIDDEN = re.compile("[\u0000-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_EMAIL = re.compile(r"[^\s@<>\"(),:;\[\]\\]{1,64}@([A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9-]{2,63}")
_PHONE = re.compile(r"\+?[0-9 ()./-]{5,40}")


def tidy(text: str) -> str:
    """`text` in one normal form (NFC) with single blanks: what is stored of anything typed in one line."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def name_problem(text: str, *, longest: int = LONGEST_NAME) -> str | None:
    """Why `text` cannot be the name of a person or a company, in words for the one who typed it; None = fine."""
    if len(text) > longest:
        return f"Use at most {longest} letters; this has {len(text):,}."
    if "<" in text or ">" in text:
        return "A name cannot contain < or >."
    if _HIDDEN.search(text):
        return "This contains invisible characters. Type it instead of pasting it."
    if not any(char.isalpha() for char in text):
        return "Type a name with at least one letter."
    return None


def text_problem(text: str, *, longest: int) -> str | None:
    """Why `text` cannot be a remark of one line; None = fine. Empty is fine."""
    if len(text) > longest:
        return f"Use at most {longest} letters; this has {len(text):,}."
    if "<" in text or ">" in text:
        return "This cannot contain < or >."
    if _HIDDEN.search(text):
        return "This contains invisible characters. Type it instead of pasting it."
    return None


def email_problem(text: str) -> str | None:
    """Why `text` is no e-mail address that we could write to; None = fine."""
    if len(text) > 254 or not _EMAIL.fullmatch(text):
        return "This is not an e-mail address, such as asha@example.com."
    return None


def phone_problem(text: str) -> str | None:
    """Why `text` is no telephone number; None = fine."""
    return None if _PHONE.fullmatch(text) else "Use digits, such as +91 98765 43210."


def day(text: str) -> date | None:
    """`YYYY-MM-DD` in plain digits as a day; None when it is none (week dates and other scripts are refused)."""
    if not (found := _DAY.fullmatch(text)):
        return None
    try:
        return date(*(int(part) for part in found.groups()))
    except ValueError:
        return None


def clock(text: str) -> time | None:
    """`HH:MM`, 00:00 to 23:59, as a time of day; None when it is none."""
    found = _CLOCK.fullmatch(text)
    return time(int(found[1]), int(found[2])) if found else None


def instant(on: date, at: time, zone: ZoneInfo, *, late: bool) -> datetime | None:
    """The moment at which the site's wall clock shows `at` on `on`, in UTC; None when the clock skips it.

    In the repeated hour of autumn `late` picks the second one: a visit starts early and ends late.
    """
    wall = datetime.combine(on, at, tzinfo=zone).replace(fold=1 if late else 0)
    moment = wall.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) != wall.replace(tzinfo=None):
        return None
    return moment


def window(on: date, start: time, end: time, zone: ZoneInfo) -> tuple[datetime, datetime] | str:
    """The half-open window of a visit in UTC, or what is wrong with it in words.

    An end that is not after the start is on the next day, so a night shift is typed as 23:00 to 03:00.
    """
    following = on if end > start else on + timedelta(days=1)
    first, last = instant(on, start, zone, late=False), instant(following, end, zone, late=True)
    if first is None or last is None:
        return "The clocks are put forward at this time, so it does not exist on that day."
    return first, last


def local_day(on: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The calendar day `on` at the site as [start, end) in UTC: 23, 24 or 25 hours."""
    start = datetime.combine(on, time(), tzinfo=zone).astimezone(UTC)
    return start, datetime.combine(on + timedelta(days=1), time(), tzinfo=zone).astimezone(UTC)
