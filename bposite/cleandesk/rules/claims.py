"""What a sample may claim, and what is missing when it may not.

A claim is "at least <target> of the desk-moments comply, with <confidence> confidence". It stands
on an exact bound, never on the observed share. Two ways lead to the bound:

- *pooled*: one stratum, or several drawn in proportion to their size. The pooled count is then
  treated as one simple random sample of the whole frame (Hoeffding 1956: with a stratified draw in
  proportion the tail is never heavier), hypergeometric when more than 5 % of the frame was seen.
- *stratified*: anything else. p = sum(W_h p_h), V = sum(W_h^2 (1 - n_h/N_h) p_h (1 - p_h)/(n_h - 1)),
  effective n = p(1 - p)/V, Clopper-Pearson on it (Korn and Graubard 1998). The effective n is capped
  at min(n_h/W_h), the largest draw in proportion that the sample contains, which is n itself for a
  draw in proportion. The cap at n that is usually written loses the stated confidence when strata
  are drawn unevenly and the faults sit where little was looked at (measured: 86 % instead of 95 %);
  `tests/cleandesk/test_cleandesk_claims.py` shows both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil

from bposite.cleandesk.rules.allocation import spread
from bposite.cleandesk.rules.statistics import (
    FINITE_FRAME_SHARE,
    Interval,
    clopper_pearson_lower,
    clopper_pearson_upper,
    exact_lower,
    exact_upper,
    wilson,
)

IN_PROPORTION = 0.9
"""A stratum is in proportion when it has at least this share of the sample its size asks for."""

LONGEST_SEARCH = 20_000


@dataclass(frozen=True, slots=True)
class StratumCount:
    """One stratum of a random sample: desk-moments in the frame, judged (pass or fail), passed."""

    key: str
    frame: int
    seen: int
    passed: int

    def __post_init__(self) -> None:
        if not 0 <= self.passed <= self.seen <= self.frame:
            raise ValueError(f"{self.key}: {self.passed} of {self.seen} of {self.frame}")


@dataclass(frozen=True, slots=True)
class Estimate:
    """The share over all strata: point (weighted by stratum size), exact one-sided bounds at
    `confidence`, the two-sided Wilson interval for display, and how it was reached."""

    seen: int
    passed: int
    frame: int
    point: float
    lower: float
    upper: float
    display: Interval
    method: str
    effective: float
    confidence: float


def estimate(strata: Sequence[StratumCount], confidence: float = 0.95) -> Estimate | None:
    """The estimate of a sample; None when nothing was seen or a whole stratum was left out
    (then no number speaks for the frame)."""
    counted = [stratum for stratum in strata if stratum.frame > 0]
    if not counted or any(stratum.seen == 0 for stratum in counted):
        return None
    if in_proportion(counted):
        return _pooled(counted, confidence)
    return _stratified(counted, confidence)


def in_proportion(strata: Sequence[StratumCount]) -> bool:
    """Whether each stratum was drawn in proportion to its size, within 10 % and rounding."""
    seen, frame = sum(s.seen for s in strata), sum(s.frame for s in strata)
    return all(s.seen >= IN_PROPORTION * s.frame * seen / frame - 0.5 for s in strata)


def proportional_size(strata: Sequence[StratumCount]) -> float:
    """min(n_h / W_h): the size of the largest draw in proportion that the sample contains; at most n.

    With no fail seen, P(no fail) <= prod (1 - f_h)^(m W_h) <= (1 - f)^m for every way of heaping the
    faults, so Clopper-Pearson on this m holds without any assumption.
    """
    frame = sum(s.frame for s in strata)
    return min(s.seen * frame / s.frame for s in strata)


def _pooled(strata: Sequence[StratumCount], confidence: float) -> Estimate:
    seen, passed = sum(s.seen for s in strata), sum(s.passed for s in strata)
    frame = sum(s.frame for s in strata)
    finite = seen > FINITE_FRAME_SHARE * frame
    return Estimate(
        seen=seen,
        passed=passed,
        frame=frame,
        point=passed / seen,
        lower=exact_lower(passed, seen, frame, confidence),
        upper=exact_upper(passed, seen, frame, confidence),
        display=wilson(passed, seen, confidence),
        method="hypergeometric" if finite else "clopper_pearson",
        effective=float(seen),
        confidence=confidence,
    )


def _stratified(strata: Sequence[StratumCount], confidence: float) -> Estimate:
    seen, passed = sum(s.seen for s in strata), sum(s.passed for s in strata)
    frame = sum(s.frame for s in strata)
    point = sum(s.frame / frame * s.passed / s.seen for s in strata)
    effective = _effective_size(strata, point)
    weighted = min(effective, max(0.0, point * effective))
    return Estimate(
        seen=seen,
        passed=passed,
        frame=frame,
        point=point,
        lower=clopper_pearson_lower(weighted, effective, confidence),
        upper=clopper_pearson_upper(weighted, effective, confidence),
        display=_weighted_wilson(point, effective, confidence),
        method="stratified",
        effective=effective,
        confidence=confidence,
    )


def _effective_size(strata: Sequence[StratumCount], point: float) -> float:
    cap, frame = proportional_size(strata), sum(s.frame for s in strata)
    if not 0 < point < 1 or any(s.seen < 2 for s in strata):
        return cap
    variance = sum(
        (s.frame / frame) ** 2 * (1 - s.seen / s.frame) * share * (1 - share) / (s.seen - 1)
        for s in strata
        for share in (s.passed / s.seen,)
    )
    return cap if variance <= 0 else min(cap, point * (1 - point) / variance)


def _weighted_wilson(point: float, effective: float, confidence: float) -> Interval:
    """Wilson on the effective size; whole counts keep the plain formula usable for display."""
    size = max(1, round(effective))
    around = wilson(round(point * size), size, confidence)
    return Interval(min(around.low, point), point, max(around.high, point))


class Status(StrEnum):
    """The colour of a zone or of a period; `unknown` is shown as "not enough seen"."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"
    UNKNOWN = "unknown"


def status(found: Estimate | None, target: float, *, overdue_s1: bool = False) -> Status:
    """Green: the exact lower bound reaches the target. Red: the exact upper bound is below it, or a
    critical finding is past due. Amber: neither is shown yet."""
    if overdue_s1:
        return Status.RED
    if found is None:
        return Status.UNKNOWN
    if found.lower >= target:
        return Status.GREEN
    return Status.RED if found.upper < target else Status.AMBER


@dataclass(frozen=True, slots=True)
class Quality:
    """What else a period needs before it may claim anything."""

    drawn: int
    not_observed: int
    open_rounds: int
    pairs: int
    kappa: float | None
    observed_agreement: float = 0.0


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of the catalogue (`sampling`)."""

    not_observed_max: float = 0.10
    kappa_floor: float = 0.7
    double_share: float = 0.10


@dataclass(frozen=True, slots=True)
class Missing:
    """One reason why a claim is refused, with what would lift it."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Claim:
    """The answer to "may we say at least `target`?"."""

    target: float
    confidence: float
    found: Estimate | None
    missing: tuple[Missing, ...]
    provisional: tuple[Missing, ...]
    more_without_fail: int | None
    """How many more desk-moments without a single fail would carry the claim; None when the claim
    is carried already or no further sample of this frame can carry it."""

    @property
    def supported(self) -> bool:
        """Whether the claim may be made."""
        return not self.missing


def judge(
    strata: Sequence[StratumCount],
    target: float,
    confidence: float,
    quality: Quality,
    limits: Limits | None = None,
) -> Claim:
    """Judge a claim over the random sample of a period.

    Refused reasons are listed all at once, the most basic first. A low or missing kappa makes the
    claim provisional rather than refused (catalogue: "retrain and mark period provisional").
    """
    limits = limits or Limits()
    found = estimate(strata, confidence)
    more = None if found is None or found.lower >= target else _more(strata, target, confidence)
    missing = _missing_quality(strata, quality, limits)
    if found is not None and found.lower < target:
        missing.append(_too_little(found, target, more))
    return Claim(target, confidence, found, tuple(missing), tuple(_provisional(quality, limits)), more)


def _missing_quality(strata: Sequence[StratumCount], quality: Quality, limits: Limits) -> list[Missing]:
    missing = []
    if not any(stratum.seen for stratum in strata):
        missing.append(Missing("nothing_seen", "No desk-moment of a random draw was judged yet."))
    elif left_out := [s.key for s in strata if s.frame and not s.seen]:
        named = ", ".join(left_out)
        missing.append(Missing("stratum_left_out", f"Nothing was seen in: {named}."))
    if quality.open_rounds:
        rounds = "1 round is" if quality.open_rounds == 1 else f"{quality.open_rounds} rounds are"
        missing.append(Missing("rounds_open", f"{rounds} drawn but not submitted."))
    if quality.drawn and quality.not_observed > limits.not_observed_max * quality.drawn:
        share = quality.not_observed / quality.drawn
        text = f"{quality.not_observed} of {quality.drawn} drawn places ({_percent(share, 0)}) were not seen"
        text += f"; more than {_percent(limits.not_observed_max, 0)} makes the period not reportable."
        missing.append(Missing("not_reportable", text))
    return missing


def _provisional(quality: Quality, limits: Limits) -> list[Missing]:
    wanted = ceil(limits.double_share * (quality.drawn - quality.not_observed))
    if quality.pairs < wanted:
        text = f"{quality.pairs} of {wanted} double audits were made."
        return [Missing("double_audits", text)]
    if quality.kappa is None:
        return []
    if quality.kappa < limits.kappa_floor:
        text = f"Two auditors agree with kappa {quality.kappa:.2f}; the floor is "
        text += f"{limits.kappa_floor:.2f}. Retrain, then look again."
        return [Missing("kappa", text)]
    return []


def _too_little(found: Estimate, target: float, more: int | None) -> Missing:
    shown = f"{found.passed} of {found.seen} supports at least {_percent(found.lower)}, not {_percent(target, 0)}."
    if more is None:
        return Missing("cannot_be_carried", shown + " No further sample of this frame can carry it.")
    desks = "1 more desk" if more == 1 else f"{more} more desks"
    return Missing("sample_too_small", f"{shown} Missing: {desks} with no fail.")


def _more(strata: Sequence[StratumCount], target: float, confidence: float) -> int | None:
    """The smallest number of further passes, spread in proportion, that carries the claim."""

    def carried(extra: int) -> bool:
        found = estimate(_with_passes(strata, extra), confidence)
        return found is not None and found.lower >= target

    room = min(sum(s.frame - s.seen for s in strata), LONGEST_SEARCH)
    low, high = 0, 1
    while high <= room and not carried(high):
        low, high = high, high * 2
    if high > room:
        if not carried(room):
            return None
        high = room
    while low + 1 < high:
        middle = (low + high) // 2
        low, high = (low, middle) if carried(middle) else (middle, high)
    return high


def _with_passes(strata: Sequence[StratumCount], extra: int) -> list[StratumCount]:
    """The strata with `extra` more passes, each given to the stratum furthest below its share."""
    frames = [stratum.frame for stratum in strata]
    seen = [stratum.seen for stratum in strata]
    return [
        StratumCount(s.key, s.frame, size, s.passed + size - s.seen)
        for s, size in zip(strata, spread(sum(seen) + extra, frames, seen, frames), strict=True)
    ]


def _percent(share: float, places: int = 1) -> str:
    return f"{100 * share:.{places}f} %"
