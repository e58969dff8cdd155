"""What one look at one place comes to: pass, fail, not observed, not applicable; and when a finding is due."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from bposite.cleandesk.rules.catalogue import Catalogue, Grade, Item, Severity

Answer = Literal["pass", "fail", "not_observed", "not_applicable"]
ANSWERS: tuple[Answer, ...] = ("pass", "fail", "not_observed", "not_applicable")


@dataclass(frozen=True, slots=True)
class Judgement:
    """`complies` is the yes or no that the statistics count (None: it does not count), `points` the severity points of
    the trend figure, `worst` the gravest severity found."""

    complies: bool | None
    points: int
    worst: Severity | None


def judge(answer: Answer, severities: Sequence[Severity], grades: Mapping[Severity, Grade]) -> Judgement:
    """Pass = no S1 and no S2 (catalogue, `scoring`). Not observed and not applicable never count as a pass.

    ValueError when the answer and the items do not fit together.
    """
    if (answer == "fail") != bool(severities):
        raise ValueError("a fail names at least one item, every other answer names none")
    if answer in ("not_observed", "not_applicable"):
        return Judgement(None, 0, None)
    points = sum(grades[severity].weight for severity in severities)
    failed = any(grades[severity].fails_desk for severity in severities)
    return Judgement(not failed, points, min(severities, default=None))


def due_at(item: Item, seen_at: datetime) -> datetime:
    """When the finding has to be mended: the catalogue's hours after it was seen (aware UTC)."""
    return seen_at + timedelta(hours=item.due_hours)


def proposes_incident(item: Item, *, flagged: bool) -> bool:
    """Whether a finding proposes an incident: always by the item's own rule, or when the auditor flagged its case
    ("card number or health data")."""
    return item.incident == "always" or (item.incident == "when" and flagged)


def may_name_person(item: Item) -> bool:
    """A finding belongs to desk, team and shift; a person is linked only where the item needs it (badge, device)."""
    return item.names_person


def photo_problem(item: Item, *, masks: int, nothing_to_mask: bool) -> str | None:
    """Why a photo of this item may not be kept, in words for the auditor; None when it may."""
    if item.photo == "none":
        return "This item is recorded in words: no photo of people or of what they hold."
    if item.photo == "redacted" and masks == 0 and not nothing_to_mask:
        return "Cover what can be read, or say that nothing can be read."
    return None


def points_per_hundred(points: int, looked_at: int) -> float | None:
    """Severity points per 100 desk-moments, for trends only and never for a claim; None when nothing was looked at."""
    return 100 * points / looked_at if looked_at else None


def dispute_until(raised_on: date, holidays: frozenset[date], working_days: int) -> date:
    """The last day (site's calendar) on which a finding can be disputed; weekends and holidays do not count."""
    day = raised_on
    while working_days > 0:
        day += timedelta(days=1)
        if day.weekday() < 5 and day not in holidays:
            working_days -= 1
    return day


def items_of(catalogue: Catalogue, ids: Sequence[str]) -> list[Item]:
    """The catalogue's items by id, without doubles, in the given order; KeyError names one that does not exist."""
    return [catalogue.item(item_id) for item_id in dict.fromkeys(ids)]
