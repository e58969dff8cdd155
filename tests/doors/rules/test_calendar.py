"""Schedules: over midnight, on special days, across clock changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bposite.doors.rules.calendar import opening_at, openings, parse_window
from tests.doors.rules.house import BERLIN, at, schedule


@pytest.mark.parametrize(
    ("windows", "when", "is_open"),
    [
        (["mon-fri 08:00-18:00"], "2026-11-23 08:00", True),  # half-open: the start belongs to it
        (["mon-fri 08:00-18:00"], "2026-11-23 18:00", False),  # and the end does not
        (["mon-fri 08:00-18:00"], "2026-11-23 07:59", False),
        (["mon-fri 08:00-18:00"], "2026-11-28 12:00", False),  # a Saturday
        (["fri-mon 08:00-18:00"], "2026-11-22 12:00", True),  # days may run over the week's end
        (["mon,wed 08:00-18:00"], "2026-11-24 12:00", False),
        (["mon-sun 00:00-24:00"], "2026-11-23 23:59", True),
        (["fri 21:00-06:00"], "2026-11-28 05:59", True),  # Saturday morning belongs to Friday's shift
        (["fri 21:00-06:00"], "2026-11-28 06:00", False),
        (["fri 21:00-06:00"], "2026-11-27 05:00", False),  # Friday morning belongs to Thursday's
        (["mon 00:00-00:00"], "2026-11-23 23:30", True),
    ],
)
def test_windows(windows: list[str], when: str, is_open: bool) -> None:
    assert (opening_at(schedule(*windows), at(when)) is not None) is is_open


@pytest.mark.parametrize(
    ("windows", "holidays_open", "when", "is_open"),
    [
        (["mon-fri 08:00-18:00"], True, "2026-12-25 12:00", True),
        (["mon-fri 08:00-18:00"], False, "2026-12-25 12:00", False),
        (["mon-fri 08:00-18:00", "holiday 10:00-12:00"], False, "2026-12-25 11:00", True),
        (["mon-fri 08:00-18:00", "holiday 10:00-12:00"], False, "2026-12-25 13:00", False),
        (["mon-fri 21:00-06:00"], False, "2026-12-25 05:00", True),  # began on Thursday, before the holiday
        (["mon-fri 21:00-06:00"], False, "2026-12-25 22:00", False),
        (["mon-fri 21:00-06:00"], False, "2026-12-26 05:00", False),
    ],
)
def test_special_days(windows: list[str], holidays_open: bool, when: str, is_open: bool) -> None:
    assert (opening_at(schedule(*windows, holidays_open=holidays_open), at(when)) is not None) is is_open


def test_the_repeated_hour_belongs_to_the_shift_twice() -> None:
    night = schedule("sat 23:00-03:00", zone=BERLIN, special={})  # clocks go back on 2026-10-25 at 03:00
    (shift,) = openings(night, date(2026, 10, 24))
    assert shift.end - shift.start == timedelta(hours=5)
    assert opening_at(night, datetime(2026, 10, 25, 0, 30, tzinfo=UTC)) == shift  # 02:30 summer time
    assert opening_at(night, datetime(2026, 10, 25, 1, 30, tzinfo=UTC)) == shift  # 02:30 again


def test_the_missing_hour_shortens_the_shift() -> None:
    night = schedule("sat 23:00-03:00", zone=BERLIN, special={})  # clocks go forward on 2026-03-29 at 02:00
    (shift,) = openings(night, date(2026, 3, 28))
    assert shift.end - shift.start == timedelta(hours=3)


def test_a_window_inside_the_missing_hour_never_turns_around() -> None:
    (shift,) = openings(schedule("sun 02:15-02:45", zone=BERLIN, special={}), date(2026, 3, 29))
    assert shift.end - shift.start == timedelta(minutes=30)


NONSENSE = ["", "mon", "mon 8:00-18:00", "mon 08:00-24:01", "mon 08:60-18:00", "foo-bar 08:00-09:00", "mon 24:00-06:00"]
OTHER_DIGITS = "mon ०८:००-१८:००"
YEAR = (datetime(2026, 1, 1), datetime(2026, 12, 31))  # noqa: DTZ001 - wall clocks, placed in a zone later


@pytest.mark.parametrize("text", [*NONSENSE, OTHER_DIGITS])
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_window(text)


@given(st.integers(0, 1439), st.integers(1, 1440), st.datetimes(*YEAR))
def test_a_daily_window_is_open_exactly_between_its_ends(start: int, end: int, wall: datetime) -> None:
    text = f"mon-sun {start // 60:02d}:{start % 60:02d}-{end // 60:02d}:{end % 60:02d}"
    daily = schedule(text, special={})
    minute = wall.hour * 60 + wall.minute
    inside = start <= minute < end if end > start else (minute >= start or minute < end)
    assert (opening_at(daily, at(wall.isoformat())) is not None) is inside
