"""Which frame shows a moment: never another moment, and never a wrong word about it."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bposite.cameras.rules.frames import (
    HOLE_FACTOR,
    Choice,
    Hole,
    LinkState,
    NoVideo,
    Readiness,
    choose,
    clip_range,
    error_bound_us,
    missing_us,
    readiness,
    settle,
    why_missing,
)

STEP = 66_667
grids = st.lists(st.integers(1, 4 * STEP), min_size=0, max_size=60).map(
    lambda steps: [sum(steps[: i + 1]) for i in range(len(steps))]
)


@given(grids, st.integers(-STEP, 200 * STEP))
def test_the_choice_is_the_nearest_frame_and_never_lies_across_a_hole(moments: list[int], wanted: int) -> None:
    found = choose(moments, wanted, STEP)
    if isinstance(found, Choice):
        assert found.at_us == moments[found.index]
        assert abs(found.distance_us) == min(abs(at - wanted) for at in moments)
        assert error_bound_us(found, 0) >= abs(found.at_us - wanted)
        assert abs(found.distance_us) <= HOLE_FACTOR * STEP / 2 + 1
    else:
        assert all(abs(at - wanted) > STEP // 2 + 1_000 for at in moments)
        assert found.before_us == max((at for at in moments if at < wanted), default=None)
        assert found.after_us == min((at for at in moments if at > wanted), default=None)


@given(st.integers(0, 299 * STEP))
def test_in_an_even_stream_the_distance_is_at_most_half_a_frame(wanted: int) -> None:
    found = choose([i * STEP for i in range(300)], wanted, STEP)
    assert isinstance(found, Choice)
    assert abs(found.distance_us) <= STEP / 2 + 1
    assert error_bound_us(found, 1_000) <= STEP // 2 + 1_001


def test_one_lost_frame_widens_the_bound_and_three_make_a_hole() -> None:
    one = choose([0, STEP, 3 * STEP, 4 * STEP], 2 * STEP - 5, STEP)
    assert isinstance(one, Choice)
    assert error_bound_us(one, 1_000) == STEP + 1_000
    three = choose([0, STEP, 5 * STEP], 3 * STEP, STEP)
    assert three == Hole(STEP, 5 * STEP)
    assert three.size_us(3 * STEP) == 4 * STEP


def test_beside_a_hole_the_frame_at_its_edge_still_shows_its_own_moment() -> None:
    found = choose([0, STEP, 50 * STEP], STEP + 20_000, STEP)
    assert isinstance(found, Choice)
    assert found.at_us == STEP


def test_open_ends_are_holes_with_one_side() -> None:
    assert choose([], 7, STEP) == Hole(None, None)
    assert choose([0], 10 * STEP, STEP) == Hole(0, None)
    assert choose([0], -10 * STEP, STEP) == Hole(None, 0)
    assert Hole(None, None).size_us(5) == 0
    assert Hole(100, None).size_us(400) == 300


@given(grids, st.integers(0, 100 * STEP), st.integers(1, 60 * STEP))
def test_missing_time_is_what_no_frame_covers(moments: list[int], start: int, length: int) -> None:
    end = start + length
    missing = missing_us(moments, start, end, STEP)
    assert 0 <= missing <= length
    inside = [at for at in moments if start <= at <= end]
    if not inside and not any(b - a <= HOLE_FACTOR * STEP and a <= start and b >= end for a, b in pairwise(moments)):
        assert missing >= length - 2 * HOLE_FACTOR * STEP


def test_missing_time_of_a_whole_window_is_zero_and_of_an_empty_one_is_all() -> None:
    even = [i * STEP for i in range(200)]
    assert missing_us(even, 10 * STEP, 100 * STEP, STEP) == 0
    assert missing_us([], 0, 1000, STEP) == 1000
    assert missing_us([i * STEP for i in range(200) if not 40 <= i < 60], 10 * STEP, 100 * STEP, STEP) == 21 * STEP
    assert missing_us(even[:50], 10 * STEP, 100 * STEP, STEP) == 51 * STEP


@given(st.integers(1, 40), st.integers(0, 20 * STEP), st.integers(STEP, 20 * STEP))
def test_a_clip_starts_at_a_keyframe_and_holds_every_frame_of_its_window(gop: int, start: int, length: int) -> None:
    moments = [i * STEP for i in range(60)]
    found = clip_range([i % gop == 0 for i in range(60)], moments, start, start + length)
    assert found is not None
    first, last = found
    assert first % gop == 0
    assert all(first <= i <= last for i, at in enumerate(moments) if start <= at <= start + length)


def test_no_clip_without_a_keyframe_or_without_a_frame_in_the_window() -> None:
    assert clip_range([False, False], [0, STEP], 0, STEP) is None
    assert clip_range([True, False], [0, STEP], 10 * STEP, 20 * STEP) is None
    assert clip_range([], [], 0, 1) is None


def test_states_say_what_there_is() -> None:
    def state(pictured: bool, missing: int, clip: bool, late: bool = False) -> LinkState:
        return settle(pictured, missing, clip, NoVideo.HOLE, late).state

    assert state(True, 0, True) is LinkState.LINKED
    assert state(True, 0, True, late=True) is LinkState.LINKED_LATE
    assert state(True, 1, True) is LinkState.PARTIAL
    assert state(True, 0, False) is LinkState.PARTIAL
    assert state(False, 1, True) is LinkState.PARTIAL
    gone = settle(False, 10_000_001, False, NoVideo.CAMERA_DOWN, late=False)
    assert (gone.state, gone.reason, gone.gap_ms) == (LinkState.NO_VIDEO, NoVideo.CAMERA_DOWN, 10_001)


def test_the_reason_tells_an_overwritten_moment_from_a_hole_and_from_a_dead_camera() -> None:
    assert why_missing(Hole(None, None), 5, None, None) is NoVideo.NEVER_SEEN
    assert why_missing(Hole(None, 50), 5, 40, 30) is NoVideo.NOT_YET
    assert why_missing(Hole(None, 50), 35, 40, 30) is NoVideo.OVERWRITTEN
    assert why_missing(Hole(1, 50), 20, 1, 1) is NoVideo.HOLE
    assert why_missing(Hole(1, None), 20, 1, 1) is NoVideo.CAMERA_DOWN


def test_a_ring_is_ready_when_a_later_frame_is_there_and_overdue_at_the_deadline() -> None:
    assert readiness(None, 5, 9, 10) is Readiness.WAIT
    assert readiness(4, 5, 9, 10) is Readiness.WAIT
    assert readiness(5, 5, 9, 10) is Readiness.READY
    assert readiness(4, 5, 10, 10) is Readiness.OVERDUE
