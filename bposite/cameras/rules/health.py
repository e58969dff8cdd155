"""Is a camera doing its job? Verdicts from numbers measured on one keyframe every few seconds and on the stream.

The limits were set on recorded and synthetic scenes and are tested on others (tests/cameras); each says why.
Order matters: a black picture is also sharpless and unlike its reference, so the most certain cause speaks first.
"""

from collections.abc import Sequence
from enum import StrEnum

import msgspec


class Verdict(StrEnum):
    """What is wrong with a camera; OK when nothing is."""

    OK = "ok"
    NO_STREAM = "no_stream"
    BLACK = "black"
    GLARE = "glare"
    COVERED = "covered"
    FROZEN = "frozen"
    BLURRED = "blurred"
    MOVED = "moved"
    OBSTRUCTED = "obstructed"
    WRONG_RATE = "wrong_rate"
    WRONG_CLOCK = "wrong_clock"


FAILURES = frozenset(Verdict) - {Verdict.OK, Verdict.WRONG_RATE, Verdict.WRONG_CLOCK}
"""Verdicts under which the camera gives no usable picture of its door; the others are warnings."""

WORDS: dict[Verdict, str] = {
    Verdict.OK: "Working",
    Verdict.NO_STREAM: "No stream",
    Verdict.BLACK: "Black picture",
    Verdict.GLARE: "Glare",
    Verdict.COVERED: "Covered",
    Verdict.FROZEN: "Frozen picture",
    Verdict.BLURRED: "Out of focus",
    Verdict.MOVED: "Moved",
    Verdict.OBSTRUCTED: "View obstructed",
    Verdict.WRONG_RATE: "Wrong frame rate",
    Verdict.WRONG_CLOCK: "Wrong clock",
}


class Measures(msgspec.Struct, frozen=True):
    """Numbers of one keyframe at 320 x 180 grey.

    `mean`, `deviation` in grey values 0..255; `entropy` in bits; shares 0..1; `sharpness` = variance of the
    Laplacian / variance of the grey values. Against the best-fitting confirmed reference, None without one:
    `likeness` = correlation of gradients, `lost_tiles` = share of structured tiles (of 4 x 4) whose edges are gone,
    `relative_sharpness` = sharpness / the reference's. `digest` is equal only for pixel-equal pictures.
    """

    mean: float
    deviation: float
    entropy: float
    bright_share: float
    dark_share: float
    sharpness: float
    digest: str
    likeness: float | None = None
    lost_tiles: float | None = None
    relative_sharpness: float | None = None


class HealthPolicy(msgspec.Struct, frozen=True):
    """Limits of the verdicts."""

    black_mean: float = 16.0
    black_deviation: float = 8.0
    glare_share: float = 0.35
    covered_deviation: float = 6.0
    covered_entropy: float = 3.0
    blurred_sharpness: float = 0.02
    blurred_ratio: float = 0.3
    moved_likeness: float = 0.33
    unlike: float = 0.15
    most_tiles: float = 0.8
    obstructed_tiles: float = 0.12
    frozen_repeats: int = 3
    rate_tolerance: float = 0.25
    silent_us: int = 5_000_000


class Stream(msgspec.Struct, frozen=True):
    """Numbers of the stream. `silent_us` since the last unit (None: never one); frames a second measured and
    expected (None: not known); `clock_bad` from `rules.clock`; `repeats` of the same pixels while time went on."""

    silent_us: int | None
    rate: float | None = None
    expected_rate: float | None = None
    clock_bad: bool = False
    repeats: int = 0


def picture_verdict(seen: Measures, policy: HealthPolicy) -> Verdict:
    """Verdict on a single picture."""
    if seen.mean < policy.black_mean and seen.deviation < policy.black_deviation:
        return Verdict.BLACK
    if seen.bright_share > policy.glare_share:
        return Verdict.GLARE
    if seen.deviation < policy.covered_deviation or seen.entropy < policy.covered_entropy:
        return Verdict.COVERED
    return _against_reference(seen, policy) or _focus(seen, policy)


def _against_reference(seen: Measures, policy: HealthPolicy) -> Verdict | None:
    if seen.likeness is None or seen.lost_tiles is None:
        return None
    unlike = seen.likeness < policy.unlike
    if unlike and seen.lost_tiles >= policy.most_tiles:
        return Verdict.COVERED
    if seen.relative_sharpness is not None and seen.relative_sharpness < policy.blurred_ratio and not unlike:
        return Verdict.BLURRED
    if seen.likeness < policy.moved_likeness:
        return Verdict.MOVED
    return Verdict.OBSTRUCTED if seen.lost_tiles >= policy.obstructed_tiles else None


def _focus(seen: Measures, policy: HealthPolicy) -> Verdict:
    return Verdict.BLURRED if seen.sharpness < policy.blurred_sharpness else Verdict.OK


def verdicts(stream: Stream, seen: Measures | None, policy: HealthPolicy) -> list[Verdict]:
    """Everything that is wrong, worst first; empty when the camera works. `seen` None: no picture was measured."""
    if stream.silent_us is None or stream.silent_us > policy.silent_us:
        return [Verdict.NO_STREAM]
    found: list[Verdict] = []
    if seen is not None and (verdict := picture_verdict(seen, policy)) is not Verdict.OK:
        found.append(verdict)
    if stream.repeats >= policy.frozen_repeats and Verdict.BLACK not in found:
        found.append(Verdict.FROZEN)
    if _wrong_rate(stream, policy):
        found.append(Verdict.WRONG_RATE)
    if stream.clock_bad:
        found.append(Verdict.WRONG_CLOCK)
    return found


def _wrong_rate(stream: Stream, policy: HealthPolicy) -> bool:
    if stream.rate is None or not stream.expected_rate:
        return False
    return abs(stream.rate - stream.expected_rate) > policy.rate_tolerance * stream.expected_rate


class Standing(msgspec.Struct, frozen=True):
    """What is reported of a camera, changed only after `votes` samples say the same (no alarm for one odd frame)."""

    verdict: Verdict = Verdict.OK
    candidate: Verdict = Verdict.OK
    votes: int = 0


VOTES_TO_FAIL = 2
VOTES_TO_RECOVER = 2


def next_standing(standing: Standing, found: Sequence[Verdict]) -> Standing:
    """The standing after one more sample. A lost stream is believed at once: it is measured, not judged."""
    worst = found[0] if found else Verdict.OK
    if worst is standing.verdict:
        return Standing(worst)
    votes = standing.votes + 1 if worst is standing.candidate else 1
    needed = 1 if worst is Verdict.NO_STREAM else VOTES_TO_RECOVER if worst is Verdict.OK else VOTES_TO_FAIL
    return Standing(worst) if votes >= needed else Standing(standing.verdict, worst, votes)
