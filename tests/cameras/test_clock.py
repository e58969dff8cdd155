"""Whose clock tells the time of a frame: properties over simulated networks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bposite.cameras.rules.clock import (
    Clock,
    ClockPolicy,
    TimeSource,
    Unit,
    frame_interval,
    judge,
    steady_parts,
    timeline,
)

POLICY = ClockPolicy()
T0 = 1_795_469_397_000_000
FRAME = 66_667


def stream(
    delays: list[int], *, skew: int = 0, reports_from: int | None = 0, drift_ppm: int = 0
) -> tuple[list[Unit], list[int]]:
    """Units of a camera at 15 frames a second and the true moments; arrival order is kept, as TCP does."""
    units, truth, last = [], [], 0
    for i, delay in enumerate(delays):
        taken = T0 + i * FRAME
        last = arrival = max(last + 1, taken + delay)
        drift = i * FRAME * drift_ppm // 1_000_000
        camera = taken + skew + drift if reports_from is not None and i >= reports_from else None
        units.append(Unit(arrival, camera, i * FRAME + drift, i % 30 == 0, 1000))
        truth.append(taken)
    return units, truth


delays = st.lists(st.integers(0, 400_000), min_size=2, max_size=120)


@given(delays, st.integers(0, 60))
def test_a_camera_with_a_right_clock_is_believed_whatever_the_network_does(waits: list[int], late_report: int) -> None:
    units, truth = stream(waits, reports_from=min(late_report, len(waits) - 1))
    timed = timeline(units, POLICY)
    assert [item.at_us for item in timed] == truth  # also the frames before the first sender report
    assert {item.clock.source for item in timed} == {TimeSource.CAMERA}
    assert all(item.clock.error_us == 1_000 and not item.clock.bad for item in timed)


@given(delays)
def test_without_reports_the_least_delayed_arrival_tells_the_time_within_the_bound(waits: list[int]) -> None:
    units, truth = stream(waits, reports_from=None)
    for item in timeline(units, POLICY):
        assert item.clock.source is TimeSource.ARRIVAL
        assert item.at_us - truth[item.index] == min(
            u.arrival_us - taken for u, taken in zip(units, truth, strict=True)
        )
        assert abs(item.at_us - truth[item.index]) <= item.clock.error_us


@given(delays, st.one_of(st.integers(500_000, 86_400_000_000), st.integers(-86_400_000_000, -2_500_000)))
def test_a_wrong_camera_clock_is_refused_and_said_to_be_bad(waits: list[int], skew: int) -> None:
    units, truth = stream(waits, skew=skew)
    for item in timeline(units, POLICY):
        assert item.clock.bad
        assert item.clock.source is TimeSource.ARRIVAL
        assert abs(item.at_us - truth[item.index]) <= item.clock.error_us


@given(delays, delays, st.integers(-10_000_000, -2_500_000))
def test_a_clock_that_is_set_in_mid_stream_is_judged_before_and_after(
    first: list[int], second: list[int], skew: int
) -> None:
    units, truth = stream([*first, *second])
    wrong = [
        Unit(u.arrival_us, (u.camera_us or 0) + skew, u.media_us, u.key, u.size) if i < len(first) else u
        for i, u in enumerate(units)
    ]
    timed = timeline(wrong, POLICY)
    before = [item for item in timed if item.index < len(first)]
    after = [item for item in timed if item.index >= len(first)]
    assert all(item.clock.bad and item.clock.source is TimeSource.ARRIVAL for item in before)
    assert all(item.clock.source is TimeSource.CAMERA and item.at_us == truth[item.index] for item in after)


def test_the_limits_of_belief_are_minus_20_ms_and_plus_2_s() -> None:
    for delay, believed in ((-20_000, True), (-20_001, False), (2_000_000, True), (2_000_001, False)):
        clock = judge([Unit(T0 + delay, T0, 0, True, 1)], POLICY)
        assert (clock.source is TimeSource.CAMERA) is believed
        assert clock.delay_us == delay


def test_drift_within_a_minute_is_no_step_and_stays_within_the_camera_s_error() -> None:
    units, _ = stream([30_000] * 900, drift_ppm=200)
    assert list(steady_parts(units, POLICY)) == [(0, 900)]
    assert judge(units, POLICY).source is TimeSource.CAMERA


def test_a_stream_without_any_timeline_falls_back_to_each_arrival() -> None:
    units = [Unit(T0 + i * FRAME, None, None, True, 1) for i in range(3)]
    assert [item.at_us for item in timeline(units, POLICY)] == [u.arrival_us for u in units]


def test_a_bad_clock_without_media_time_is_shifted_to_the_least_delayed_arrival() -> None:
    units = [Unit(T0 + i * FRAME + wait, T0 + i * FRAME - 5_000_000, None, True, 1) for i, wait in enumerate((90, 10))]
    assert [item.at_us for item in timeline(units, POLICY)] == [T0 + 10, T0 + FRAME + 10]


def test_units_without_a_camera_time_in_a_trusted_stretch_use_the_media_timeline_or_their_arrival() -> None:
    clock = Clock(TimeSource.CAMERA, 1_000, anchor_us=T0)
    assert clock.time_of(Unit(T0 + 9, None, 5, False, 1)) == T0 + 5
    assert clock.time_of(Unit(T0 + 9, None, None, False, 1)) == T0 + 9


def test_the_frame_interval_is_a_median_and_has_a_default() -> None:
    assert frame_interval([0, 100, 200, 900, 1000]) == 100
    assert frame_interval([5]) == 66_667


def test_an_empty_stretch_has_no_timeline() -> None:
    assert timeline([], POLICY) == []
