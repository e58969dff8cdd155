"""Health verdicts on scenes the limits were not set on: drawn rooms, other noise, other damage."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bposite.cameras.capture.decode import Pixels
from bposite.cameras.capture.measure import grey_of_pixels, measure, reference_of
from bposite.cameras.rules.health import (
    FAILURES,
    HealthPolicy,
    Measures,
    Standing,
    Stream,
    Verdict,
    next_standing,
    picture_verdict,
    verdicts,
)

POLICY = HealthPolicy()
WIDTH, HEIGHT = 640, 360


def room(seed: int, people: int = 0, light: float = 1.0, noise: float = 3.0) -> Pixels:
    """A drawn room: floor, walls, furniture, pictures, a door; people stand anywhere."""
    fixed, moving = np.random.default_rng(seed), np.random.default_rng(seed * 31 + people * 7 + round(light * 100))
    image = np.full((HEIGHT, WIDTH, 3), fixed.integers(120, 190), np.uint8)
    cv2.rectangle(image, (0, 230), (WIDTH, HEIGHT), tuple(map(int, fixed.integers(60, 120, 3))), -1)
    for _ in range(26):
        x, y = int(fixed.integers(0, WIDTH)), int(fixed.integers(0, HEIGHT))
        w, h = int(fixed.integers(16, 90)), int(fixed.integers(14, 70))
        colour = tuple(map(int, fixed.integers(20, 240, 3)))
        cv2.rectangle(image, (x, y), (x + w, y + h), colour, -1 if fixed.random() < 0.6 else 2)
    for column in range(0, WIDTH, 48):
        cv2.line(image, (column, 230), (int(column * 1.6 - WIDTH * 0.3), HEIGHT), (50, 50, 55), 1)
    for _ in range(people):
        x, y = int(moving.integers(20, WIDTH - 40)), int(moving.integers(80, 220))
        cv2.rectangle(image, (x, y), (x + 26, y + 78), tuple(map(int, moving.integers(20, 200, 3))), -1)
        cv2.circle(image, (x + 13, y - 12), 12, (120, 150, 200), -1)
    grain = moving.normal(0, noise, image.shape)
    return np.clip(image * light + grain, 0, 255).astype(np.uint8)


def shifted(image: Pixels, across: int, down: int) -> Pixels:
    return np.asarray(np.roll(image, (down, across), axis=(0, 1)), dtype=np.uint8)


def boxed(image: Pixels, x0: float, y0: float, x1: float, y1: float) -> Pixels:
    copy = image.copy()
    copy[int(y0 * HEIGHT) : int(y1 * HEIGHT), int(x0 * WIDTH) : int(x1 * WIDTH)] = 70
    return copy


def flat(image: Pixels, value: int, noise: float, seed: int) -> Pixels:
    grain = np.random.default_rng(seed).normal(value, noise, image.shape)
    return np.clip(grain, 0, 255).astype(np.uint8)


Damage = Callable[[int], Pixels]
CASES: dict[Verdict, list[Damage]] = {
    Verdict.OK: [
        lambda s: room(s),
        lambda s: room(s, 2),
        lambda s: room(s, 4),
        lambda s: room(s, 2, 0.55),
        lambda s: room(s, 1, 1.12),
        lambda s: room(s, 1, 0.8, 7.0),
        lambda s: shifted(room(s, 1), 2, 1),
    ],
    Verdict.BLACK: [lambda s: flat(room(s), 6, 2, s), lambda s: room(s, 0, 0.03)],
    Verdict.COVERED: [lambda s: flat(room(s), 60, 3, s), lambda s: flat(room(s), 120, 5, s)],
    Verdict.GLARE: [lambda s: np.clip(room(s).astype(int) + 170, 0, 255).astype(np.uint8)],
    Verdict.BLURRED: [
        lambda s: np.asarray(cv2.GaussianBlur(room(s, 1, noise=0), (0, 0), 5), np.uint8),
        lambda s: np.asarray(cv2.GaussianBlur(room(s, 2, noise=0), (0, 0), 8), np.uint8),
    ],
    Verdict.MOVED: [
        lambda s: shifted(room(s, 1), 70, 10),
        lambda s: shifted(room(s), -120, 30),
        lambda s: room(s + 900),
    ],
    Verdict.OBSTRUCTED: [lambda s: boxed(room(s, 1), 0, 0, 0.4, 1), lambda s: boxed(room(s), 0.5, 0, 1, 0.75)],
}


def test_at_least_99_of_100_verdicts_are_right_on_unseen_scenes() -> None:
    wrong, total = [], 0
    for seed in range(30):
        reference = [reference_of(grey_of_pixels(room(seed)))]
        for wanted, damages in CASES.items():
            for number, damage in enumerate(damages):
                told = picture_verdict(measure(grey_of_pixels(damage(seed)), reference), POLICY)
                total += 1
                if told is not wanted:
                    wrong.append((seed, wanted.value, number, told.value))
    assert len(wrong) <= total * 0.01, (len(wrong), total, wrong[:12])


def test_of_a_day_and_a_night_view_the_fitting_one_counts() -> None:
    day, night = room(5), room(5, 0, 0.3, 6.0)
    references = [reference_of(grey_of_pixels(day)), reference_of(grey_of_pixels(night))]
    for view in (day, night, room(5, 2, 0.3, 6.0)):
        assert picture_verdict(measure(grey_of_pixels(view), references), POLICY) is Verdict.OK


def test_without_a_reference_the_certain_failures_are_still_seen() -> None:
    def told(image: Pixels) -> Verdict:
        return picture_verdict(measure(grey_of_pixels(image)), POLICY)

    assert told(room(3)) is Verdict.OK
    assert told(flat(room(3), 5, 1, 3)) is Verdict.BLACK
    assert told(flat(room(3), 90, 2, 3)) is Verdict.COVERED
    assert told(np.asarray(cv2.GaussianBlur(room(3, noise=0), (0, 0), 9), np.uint8)) is Verdict.BLURRED


def good() -> Measures:
    return measure(grey_of_pixels(room(1)))


def test_the_stream_speaks_before_the_picture() -> None:
    assert verdicts(Stream(None), good(), POLICY) == [Verdict.NO_STREAM]
    assert verdicts(Stream(5_000_001), good(), POLICY) == [Verdict.NO_STREAM]
    assert verdicts(Stream(100), good(), POLICY) == []
    assert verdicts(Stream(100, repeats=3), good(), POLICY) == [Verdict.FROZEN]
    assert verdicts(Stream(100, 7.4, 15.0), good(), POLICY) == [Verdict.WRONG_RATE]
    assert verdicts(Stream(100, 14.2, 15.0), good(), POLICY) == []
    assert verdicts(Stream(100, clock_bad=True), None, POLICY) == [Verdict.WRONG_CLOCK]
    black = measure(grey_of_pixels(flat(room(1), 4, 0, 1)))
    assert verdicts(Stream(100, repeats=9), black, POLICY) == [Verdict.BLACK]  # a black picture repeats itself


@given(st.lists(st.sampled_from([[], [Verdict.BLACK], [Verdict.BLURRED, Verdict.WRONG_CLOCK]]), max_size=30))
def test_one_odd_sample_never_changes_the_standing(samples: list[list[Verdict]]) -> None:
    standing, last = Standing(), []
    for found in samples:
        worst = found[0] if found else Verdict.OK
        after = next_standing(standing, found)
        if after.verdict is not standing.verdict:
            assert last[-1:] == [worst]
        standing, last = after, [*last, worst]


@pytest.mark.parametrize("verdict", sorted(FAILURES - {Verdict.NO_STREAM}))
def test_two_samples_fail_and_two_recover_but_silence_is_believed_at_once(verdict: Verdict) -> None:
    one = next_standing(Standing(), [verdict])
    assert one.verdict is Verdict.OK
    two = next_standing(one, [verdict])
    assert two.verdict is verdict
    assert next_standing(two, []).verdict is verdict
    assert next_standing(next_standing(two, []), []).verdict is Verdict.OK
    assert next_standing(Standing(), [Verdict.NO_STREAM]).verdict is Verdict.NO_STREAM
