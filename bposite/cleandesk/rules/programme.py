"""The programme: how often, which period a round belongs to, and how many places a walk has to see."""

from dataclasses import dataclass
from datetime import date
from math import ceil

from bposite.cleandesk.rules.statistics import finite_fails_allowed, sample_size

FREQUENCIES = {
    "weekly": "every week",
    "fortnightly": "every two weeks",
    "monthly": "every month",
    "quarterly": "every quarter",
}
ROUNDS_A_MONTH = {"weekly": 4, "fortnightly": 2, "monthly": 1, "quarterly": 1}


def period_of(day: date, frequency: str) -> str:
    """The period of a plan in which `day` (site's calendar) lies, such as 2026-W48, 2026-F24, 2026-11 or 2026-Q4."""
    year, week, _ = day.isocalendar()
    if frequency == "weekly":
        return f"{year}-W{week:02d}"
    if frequency == "fortnightly":
        return f"{year}-F{(week + 1) // 2:02d}"
    if frequency == "quarterly":
        return f"{day.year}-Q{(day.month + 2) // 3}"
    return f"{day:%Y-%m}"


@dataclass(frozen=True, slots=True)
class Target:
    """What a plan wants to say at the end of a month: "at least `share`, with `confidence`", bearing so many fails."""

    share: float
    confidence: float
    fails: int


@dataclass(frozen=True, slots=True)
class Needed:
    """The sample a target needs. `month`: desk-moments over all walks of a month; `walk`: places of one walk;
    `frame`: desk-moments that exist in those walks. `fails` may be fewer than wanted where the frame cannot bear more.
    """

    frame: int
    month: int
    walk: int
    walks: int
    fails: int


def needed(target: Target, places: int, walks: int) -> Needed:
    """How many places each of `walks` walks over `places` places has to see (exact, finite frame).

    Where even a full look cannot bear the failures asked for, as many as the frame bears.
    """
    frame = places * walks
    if frame == 0:
        return Needed(0, 0, 0, walks, 0)
    fails = min(target.fails, finite_fails_allowed(target.share, frame))
    month = sample_size(target.share, target.confidence, fails, frame)
    return Needed(frame, month, min(places, ceil(month / walks)), walks, fails)


def walks_a_month(frequency: str, shifts: int, moments: int) -> int:
    """How many walks of a plan fall into a month."""
    return ROUNDS_A_MONTH[frequency] * max(1, shifts) * max(1, moments)


def stratum(zone: str, shift: str, moment: str) -> str:
    """The name of a stratum: zone x shift x moment."""
    return f"{zone}/{shift}/{moment}"
