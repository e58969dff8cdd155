"""Intervals, exact bounds and sample sizes, from the standard library alone.

Shapes: counts are plain integers (0 <= passed <= seen <= frame), shares and confidences are
numbers strictly between 0 and 1 unless said otherwise. Nothing here rounds: screens do.
Sources: Wilson 1927; Clopper and Pearson 1934; exact finite-frame bounds by inverting the
hypergeometric tail (Katz 1953, Buonaccorsi 1987); Cohen 1960. The figures of the catalogue
(`config/clean_desk.yaml`, `sampling`) are reproduced by the tests.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import comb, exp, fsum, lgamma, log, log1p, sqrt
from statistics import NormalDist

FINITE_FRAME_SHARE = 0.05
"""From this share of the frame on, drawing without replacement is worth counting (catalogue)."""

_EXACT_FRAME = 2_000
_FRACTION_TERMS = 20_000
_TINY = 1e-300


@dataclass(frozen=True, slots=True)
class Interval:
    """A two-sided interval for a share; `low <= point <= high`, all in [0, 1]."""

    low: float
    point: float
    high: float


def wilson(passed: int, seen: int, confidence: float = 0.95) -> Interval:
    """Two-sided Wilson score interval, for display only: a claim takes an exact bound.

    With nothing seen the interval is the whole line and the point one half.
    """
    _check_counts(passed, seen)
    if seen == 0:
        return Interval(0.0, 0.5, 1.0)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = passed / seen
    width = 1 + z * z / seen
    middle = (share + z * z / (2 * seen)) / width
    half = z * sqrt(share * (1 - share) / seen + z * z / (4 * seen * seen)) / width
    low = 0.0 if passed == 0 else max(0.0, middle - half)
    high = 1.0 if passed == seen else min(1.0, middle + half)
    return Interval(low, share, high)


def clopper_pearson_lower(passed: float, seen: float, confidence: float = 0.95) -> float:
    """Exact one-sided lower bound of a binomial share.

    Fractional counts are allowed: an effective sample size is rarely whole (Korn and Graubard
    1998). Nothing seen or nothing passed gives 0.
    """
    if not 0 <= passed <= seen:
        raise ValueError(f"{passed} passed of {seen} seen")
    if passed == 0:
        return 0.0
    return _beta_quantile(1 - confidence, passed, seen - passed + 1)


def clopper_pearson_upper(passed: float, seen: float, confidence: float = 0.95) -> float:
    """Exact one-sided upper bound of a binomial share; nothing seen or all passed gives 1."""
    return 1.0 - clopper_pearson_lower(seen - passed, seen, confidence)


def finite_lower(passed: int, seen: int, frame: int, confidence: float = 0.95) -> float:
    """Exact one-sided lower bound of the share of a whole frame of `frame` units, of which
    `seen` were drawn without replacement: the hypergeometric tail, inverted in whole numbers."""
    failed = finite_failed_upper(seen - passed, seen, frame, confidence)
    return (frame - failed) / frame


def finite_upper(passed: int, seen: int, frame: int, confidence: float = 0.95) -> float:
    """Exact one-sided upper bound of the share of a whole frame (see `finite_lower`)."""
    return finite_failed_upper(passed, seen, frame, confidence) / frame


def finite_failed_upper(failed: int, seen: int, frame: int, confidence: float = 0.95) -> int:
    """The largest number of failing units in the frame that the sample does not rule out.

    It rules a number F out when so few failures would be found with probability 1 - confidence
    or less.
    """
    _check_counts(failed, seen)
    if seen > frame or frame < 1:
        raise ValueError(f"{seen} seen of a frame of {frame}")
    alpha = 1 - _exact(confidence)
    # P(found <= failed | F) falls as F grows, so the first F that is ruled out is found by halves.
    low, high = failed, frame - (seen - failed) + 1
    while low + 1 < high:
        middle = (low + high) // 2
        if _finite_tail(failed, seen, frame, middle) > alpha:
            low = middle
        else:
            high = middle
    return low


def exact_lower(passed: int, seen: int, frame: int | None, confidence: float = 0.95) -> float:
    """The lower bound a claim may use for a simple random sample: hypergeometric when more than
    5 % of a known frame was seen, Clopper-Pearson otherwise (`frame=None`: frame without end)."""
    if frame is not None and seen > FINITE_FRAME_SHARE * frame:
        return finite_lower(passed, seen, frame, confidence)
    return clopper_pearson_lower(passed, seen, confidence)


def exact_upper(passed: int, seen: int, frame: int | None, confidence: float = 0.95) -> float:
    """The matching one-sided upper bound (see `exact_lower`)."""
    if frame is not None and seen > FINITE_FRAME_SHARE * frame:
        return finite_upper(passed, seen, frame, confidence)
    return clopper_pearson_upper(passed, seen, confidence)


def sample_size(target: float, confidence: float, fails: int, frame: int | None = None) -> int:
    """The smallest sample in which `fails` failures still support "at least `target`".

    `frame=None` is the large frame (binomial); otherwise exact for that frame. In a frame so
    small that even a full look cannot bear that many failures, ValueError.
    """
    if fails < 0:
        raise ValueError("failures cannot be negative")
    alpha, share = 1 - _exact(confidence), _exact(target)
    if frame is None:
        return _smallest(fails + 1, None, lambda n: _binomial_tail(fails, n, 1 - share) <= alpha)
    return _finite_sample_size(share, alpha, fails, frame)


def finite_fails_allowed(target: float, frame: int) -> int:
    """How many failing units a frame may hold and still be "at least `target`"."""
    return int((1 - _exact(target)) * frame)


def design_effect_size(size: int, cluster: float, rho: float) -> int:
    """A sample size enlarged for alike neighbours: n * (1 + (m - 1) * rho), rounded up."""
    if cluster < 1 or not 0 <= rho <= 1:
        raise ValueError("a cluster has at least one unit and rho lies in [0, 1]")
    enlarged = Fraction(size) * (1 + (_exact(cluster) - 1) * _exact(rho))
    return -int(-enlarged // 1)


@dataclass(frozen=True, slots=True)
class Agreement:
    """How two auditors agreed on the same desk-moments."""

    pairs: int
    observed: float
    kappa: float | None
    """None when there is no pair, or when both always gave the same single answer: chance alone
    would then agree as well, and kappa says nothing."""


def cohen_kappa(pairs: Sequence[tuple[str, str]]) -> Agreement:
    """Cohen's kappa of (first auditor's answer, second auditor's answer)."""
    count = len(pairs)
    if count == 0:
        return Agreement(0, 0.0, None)
    observed = sum(first == second for first, second in pairs) / count
    answers = {answer for pair in pairs for answer in pair}
    chance = sum(
        sum(first == answer for first, _ in pairs) * sum(second == answer for _, second in pairs) for answer in answers
    ) / (count * count)
    kappa = None if chance == 1.0 else (observed - chance) / (1 - chance)
    return Agreement(count, observed, kappa)


def _check_counts(part: int, whole: int) -> None:
    if not 0 <= part <= whole:
        raise ValueError(f"{part} of {whole} is no count")


def _exact(number: float) -> Fraction:
    """The decimal a person wrote: 0.95 is 19/20 and not its nearest double."""
    return Fraction(str(number))


def _finite_tail(failed: int, seen: int, frame: int, frame_failed: int) -> Fraction | float:
    """P(at most `failed` failures in the sample | `frame_failed` in the frame): exact in frames up
    to `_EXACT_FRAME`, to about eleven digits beyond. The shorter of the two tails is summed."""
    most = min(seen, frame_failed)
    if failed >= most:
        return Fraction(1)
    if 2 * failed > most:
        return 1 - _finite_sum(range(failed + 1, most + 1), seen, frame, frame_failed)
    return _finite_sum(range(failed + 1), seen, frame, frame_failed)


def _finite_sum(found: range, seen: int, frame: int, bad: int) -> Fraction | float:
    good = frame - bad
    possible = [i for i in found if i <= bad and seen - i <= good]
    if frame <= _EXACT_FRAME:
        ways = sum(comb(bad, i) * comb(good, seen - i) for i in possible)
        return Fraction(ways, comb(frame, seen))
    whole = _log_comb(frame, seen)
    return fsum(exp(_log_comb(bad, i) + _log_comb(good, seen - i) - whole) for i in possible)


def _log_comb(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)


def _binomial_tail(failed: int, seen: int, share_failed: Fraction) -> Fraction:
    """P(at most `failed` failures in `seen` | share), exactly."""
    bad, whole = share_failed.numerator, share_failed.denominator
    good = whole - bad
    ways = sum(comb(seen, i) * bad**i * good ** (seen - i) for i in range(failed + 1))
    return Fraction(ways, whole**seen)


def _finite_sample_size(target: Fraction, alpha: Fraction, fails: int, frame: int) -> int:
    first_bad = int((1 - target) * frame) + 1
    if fails >= first_bad or first_bad > frame:
        raise ValueError(f"{fails} failures cannot support the target in a frame of {frame}")
    return _smallest(fails + 1, frame, lambda n: _finite_tail(fails, n, frame, first_bad) <= alpha)


def _smallest(low: int, high: int | None, holds: Callable[[int], bool]) -> int:
    """The smallest whole number from `low` on for which `holds`; it must hold from there on."""
    if high is None:
        high = low
        while not holds(high):
            high *= 2
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low


def _beta_quantile(probability: float, a: float, b: float) -> float:
    low, high = 0.0, 1.0
    for _ in range(70):
        middle = (low + high) / 2
        if _beta_cdf(middle, a, b) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _beta_cdf(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function by its continued fraction (Lentz)."""
    if x <= 0.0 or x >= 1.0:
        return 0.0 if x <= 0.0 else 1.0
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _beta_fraction(x, a, b) / a
    return 1.0 - front * _beta_fraction(1 - x, b, a) / b


def _beta_fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1.0 / _away_from_zero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _FRACTION_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1.0 / _away_from_zero(1 + term * d)
            c = _away_from_zero(1 + term / c)
            value *= c * d
        if abs(c * d - 1.0) < 1e-15:
            return value
    raise ArithmeticError("the incomplete beta function did not converge")


def _away_from_zero(number: float) -> float:
    return number if abs(number) > _TINY else _TINY
