"""The statistics against the published tables, SciPy and their own definitions."""

import math
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped]

from bposite.cleandesk.rules import statistics as ours

CATALOGUE = Path(__file__).parents[2] / "config" / "clean_desk.yaml"
SAMPLING: dict[str, Any] = yaml.safe_load(CATALOGUE.read_text("utf-8"))["sampling"]


@pytest.mark.parametrize(("plan", "target"), [("95", 0.95), ("90", 0.90), ("98", 0.98)])
def test_published_sample_sizes_of_a_large_frame(plan: str, target: float) -> None:
    table = SAMPLING[f"plan_{plan}_95"]["allowed_fails_to_n"]
    assert {fails: ours.sample_size(target, 0.95, fails) for fails in table} == table


def test_published_sample_sizes_of_a_finite_frame() -> None:
    table = SAMPLING["finite_frame_95_95"]["table"]
    found = {frame: [ours.sample_size(0.95, 0.95, fails, frame) for fails in range(3)] for frame in table}
    # The published table shows the whole frame where two fails in 40 desks are already the limit.
    assert found == table


def test_an_observed_95_never_supports_95() -> None:
    for passed, seen, supports in ((114, 120, 0.904), (190, 200, 0.917), (285, 300, 0.924)):
        assert ours.clopper_pearson_lower(passed, seen) == pytest.approx(supports, abs=0.0005)
    assert ours.clopper_pearson_lower(59, 59) == pytest.approx(0.950, abs=0.0005)
    assert ours.clopper_pearson_lower(58, 58) < 0.95 < ours.clopper_pearson_lower(59, 59)


@given(
    st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    st.sampled_from([0.8, 0.9, 0.95, 0.99]),
)
@settings(max_examples=150, deadline=None)
def test_clopper_pearson_and_wilson_agree_with_scipy(counts: tuple[int, int], confidence: float) -> None:
    passed, seen = counts
    test = stats.binomtest(passed, seen, alternative="greater")
    theirs = test.proportion_ci(confidence, method="exact").low
    assert ours.clopper_pearson_lower(passed, seen, confidence) == pytest.approx(theirs, abs=1e-9)
    upper = stats.binomtest(passed, seen, alternative="less").proportion_ci(confidence).high
    assert ours.clopper_pearson_upper(passed, seen, confidence) == pytest.approx(upper, abs=1e-9)
    wilson = stats.binomtest(passed, seen).proportion_ci(confidence, method="wilson")
    mine = ours.wilson(passed, seen, confidence)
    assert (mine.low, mine.high) == pytest.approx((wilson.low, wilson.high), abs=1e-9)
    assert mine.low <= mine.point <= mine.high


@given(st.floats(0.5, 400), st.floats(0.5, 400), st.floats(0.001, 0.999))
@settings(max_examples=150, deadline=None)
def test_fractional_counts_agree_with_the_beta_quantile(passed: float, failed: float, confidence: float) -> None:
    theirs = float(stats.beta.ppf(1 - confidence, passed, failed + 1))
    found = ours.clopper_pearson_lower(passed, passed + failed, confidence)
    assert found == pytest.approx(theirs, abs=1e-9)


@st.composite
def frames(draw: st.DrawFn) -> tuple[int, int, int]:
    frame = draw(st.integers(1, 400))
    seen = draw(st.integers(1, frame))
    return draw(st.integers(0, seen)), seen, frame


@given(frames())
@settings(max_examples=150, deadline=None)
def test_the_finite_bound_is_the_last_number_not_ruled_out(case: tuple[int, int, int]) -> None:
    failed, seen, frame = case
    upper = ours.finite_failed_upper(failed, seen, frame)
    assert failed <= upper <= frame - (seen - failed)
    tail = stats.hypergeom(frame, upper, seen).cdf(failed)
    assert tail > 0.05 - 1e-9
    if upper < frame - (seen - failed):
        assert stats.hypergeom(frame, upper + 1, seen).cdf(failed) <= 0.05 + 1e-9


@given(frames())
@settings(max_examples=100, deadline=None)
def test_bounds_are_ordered_and_a_full_look_is_certain(case: tuple[int, int, int]) -> None:
    passed, seen, frame = case
    low, high = ours.finite_lower(passed, seen, frame), ours.finite_upper(passed, seen, frame)
    assert 0 <= low <= high <= 1
    assert ours.finite_lower(passed, frame, frame) == pytest.approx(passed / frame)
    # Seeing part of a frame can never say less than seeing as many of an endless one.
    assert low >= ours.clopper_pearson_lower(passed, seen) - 1 / frame


@given(st.floats(0.5, 0.99), st.floats(0.5, 0.99), st.integers(0, 6))
@settings(max_examples=60, deadline=None)
def test_sample_size_is_the_smallest_that_supports_the_target(target: float, confidence: float, fails: int) -> None:
    target, confidence = round(target, 2), round(confidence, 2)
    size = ours.sample_size(target, confidence, fails)
    assert ours.clopper_pearson_lower(size - fails, size, confidence) >= target - 1e-9
    if size > fails + 1:
        smaller = ours.clopper_pearson_lower(size - 1 - fails, size - 1, confidence)
        assert smaller < target + 1e-9


def test_a_frame_too_small_for_its_failures_is_said() -> None:
    assert ours.finite_fails_allowed(0.95, 40) == 2
    with pytest.raises(ValueError, match="cannot support"):
        ours.sample_size(0.95, 0.95, 3, 40)


def test_impossible_counts_are_refused() -> None:
    for call in (
        lambda: ours.wilson(3, 2),
        lambda: ours.clopper_pearson_lower(-1, 4),
        lambda: ours.finite_lower(3, 11, 10),
        lambda: ours.sample_size(0.95, 0.95, -1),
        lambda: ours.design_effect_size(10, 0, 0.1),
    ):
        with pytest.raises(ValueError, match=r"\w"):
            call()


def test_design_effect_rounds_up() -> None:
    assert ours.design_effect_size(59, 1, 0.1) == 59
    assert ours.design_effect_size(59, 8, 0.1) == math.ceil(59 * 1.7)


def test_kappa_known_values() -> None:
    pairs = [("pass", "pass")] * 20 + [("pass", "fail")] * 5
    pairs += [("fail", "pass")] * 10 + [("fail", "fail")] * 15
    found = ours.cohen_kappa(pairs)
    assert (found.pairs, found.observed) == (50, 0.7)
    assert found.kappa == pytest.approx(0.4)
    assert ours.cohen_kappa([]).kappa is None
    assert ours.cohen_kappa([("pass", "pass")] * 9).kappa is None


@given(st.lists(st.tuples(st.sampled_from("pfn"), st.sampled_from("pfn")), min_size=1))
def test_kappa_is_at_most_one_and_blind_to_who_came_first(pairs: list[tuple[str, str]]) -> None:
    found = ours.cohen_kappa(pairs)
    assert found.kappa is None or found.kappa <= 1 + 1e-12
    assert found.kappa == pytest.approx(ours.cohen_kappa([(b, a) for a, b in pairs]).kappa)
