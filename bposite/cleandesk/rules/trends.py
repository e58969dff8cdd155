"""When a trend says something: exact control limits of a share, and runs on one side. A colour is never the signal."""

from collections.abc import Sequence
from dataclasses import dataclass

from bposite.cleandesk.rules.statistics import clopper_pearson_lower, clopper_pearson_upper

LIMIT = 0.99865
"""One-sided confidence of a control limit: what three standard deviations mean for a normal distribution."""

RUN = 8
"""So many periods in a row on one side of the centre are no chance (Nelson's rule 2, shortened)."""


@dataclass(frozen=True, slots=True)
class Signal:
    """What a period says, in words."""

    key: str
    words: str


def signals(points: Sequence[tuple[str, int, int]]) -> list[Signal]:
    """Signals of (period, passed, judged), oldest first, against the share of all periods before the one judged.

    A period signals when the earlier share lies outside its own exact limits, or when it ends a run of eight on one
    side of the earlier share. Fewer than four earlier periods say nothing yet.
    """
    found = []
    for index, (key, passed, judged) in enumerate(points):
        before = points[:index]
        base = sum(n for _, _, n in before)
        if len(before) < 4 or judged == 0 or base == 0:
            continue
        centre = sum(k for _, k, _ in before) / base
        if clopper_pearson_upper(passed, judged, LIMIT) < centre:
            found.append(Signal(key, "worse than the periods before, beyond chance"))
        elif clopper_pearson_lower(passed, judged, LIMIT) > centre:
            found.append(Signal(key, "better than the periods before, beyond chance"))
        elif len(before) + 1 >= RUN and (side := _run(points[index + 1 - RUN : index + 1], centre)):
            found.append(Signal(key, f"{RUN} periods in a row {side} the share before"))
    return found


def _run(points: Sequence[tuple[str, int, int]], centre: float) -> str:
    judged = [(k, n) for _, k, n in points if n]
    if len(judged) < RUN:
        return ""
    if all(k / n > centre for k, n in judged):
        return "above"
    return "below" if all(k / n < centre for k, n in judged) else ""
