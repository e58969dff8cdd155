"""Which time an event gets, and what a device's clock is believed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bposite.doors.rules.times import Clockwork, hint, liveness
from tests.doors.rules.house import NOON


def seconds(number: float) -> timedelta:
    """So many."""
    return timedelta(seconds=number)


@pytest.mark.parametrize(
    ("behind", "clock", "stored", "source", "late", "alarm"),
    [
        (0.2, "ntp", False, "device", False, None),
        (59, "ntp", False, "device", False, None),
        (61, "ntp", False, "device", True, None),  # late, not a wrong clock: one event proves nothing
        (21600, "ntp", False, "device", True, None),
        (-3, "ntp", False, "device", False, None),
        (-30, "rtc", False, "corrected", False, None),  # a future time can only be a clock that is ahead
        (-61, "ntp", False, "received", False, "clock-drift"),
        (-19800, "ntp", False, "received", False, "clock-drift"),
        (0.2, "unset", False, "received", False, "clock-unset"),
        (5, "ntp", True, "device", True, None),
    ],
)
def test_one_event(behind: float, clock: object, stored: bool, source: str, late: bool, alarm: str | None) -> None:
    timing = Clockwork().judge(NOON - seconds(behind), clock, NOON, stored_before=stored)  # type: ignore[arg-type]
    assert (timing.source, timing.late, timing.alarm) == (source, late, alarm)
    if source == "received":
        assert timing.used == NOON
    if source == "device":
        assert timing.used == NOON - seconds(behind)


def test_no_time_and_a_time_before_clocks_existed() -> None:
    assert Clockwork().judge(None, "ntp", NOON, stored_before=False).source == "received"
    told = datetime(2000, 1, 1, 0, 0, 7, tzinfo=UTC)
    assert Clockwork().judge(told, "rtc", NOON, stored_before=False).alarm == "clock-unset"


def test_a_slow_clock_is_known_after_twenty_online_events_and_corrected() -> None:
    clock = Clockwork()
    for step in range(25):
        received = NOON + seconds(3 * step)
        timing = clock.judge(received - seconds(90 + step % 3), "rtc", received, stored_before=False)
        assert timing.late is (step < 19)
    assert timing.source == "corrected"
    assert timing.alarm == "clock-drift"
    assert abs(timing.used - (NOON + seconds(72))) <= seconds(2)


def test_a_queue_that_empties_after_an_outage_is_not_a_wrong_clock() -> None:
    clock = Clockwork()
    for step in range(500):
        received = NOON + seconds(600 + step / 100)
        timing = clock.judge(NOON + seconds(step), "ntp", received, stored_before=False)
        assert timing.source == "device"
        assert timing.late is (received - (NOON + seconds(step)) > seconds(60))


def test_events_from_the_store_of_a_device_say_nothing_about_its_clock() -> None:
    clock = Clockwork()
    for _ in range(40):
        clock.judge(NOON - seconds(7200), "ntp", NOON, stored_before=True)
    assert clock.skew_ms is None
    assert clock.judge(NOON - seconds(1), "ntp", NOON, stored_before=False).source == "device"


@pytest.mark.parametrize(
    ("skew_ms", "words"),
    [(19_800_000, "time zone misconfigured"), (-3_590_000, "time zone misconfigured"), (700_000, ""), (10_000, "")],
)
def test_a_skew_near_a_quarter_of_an_hour_is_a_wrong_zone(skew_ms: int, words: str) -> None:
    assert hint(skew_ms) == words


def test_what_a_late_event_may_still_do() -> None:
    assert liveness(NOON, NOON + timedelta(minutes=15)) == "live"
    assert liveness(NOON, NOON + timedelta(hours=72)) == "alarm-only"
    assert liveness(NOON, NOON + timedelta(hours=73)) == "stored-only"
