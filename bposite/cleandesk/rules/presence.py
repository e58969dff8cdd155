"""Whether the auditor was in the zone at the moment of each look, as far as the doors know."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Verdict = Literal["confirmed", "contradicted", "unknown"]
SLACK = timedelta(minutes=1)
"""Clocks of phone and door differ, and people tap while they walk through."""


@dataclass(frozen=True, slots=True)
class ZonePresence:
    """Looks in one zone: how many there are, how many while the doors had the auditor inside.

    `contradicted`: the doors know where the auditor was during these looks, and it was mostly elsewhere.
    """

    zone: str
    looks: int
    inside: int
    verdict: Verdict


def judge_presence(
    passages: Sequence[tuple[datetime, str]], looks: Sequence[tuple[datetime, str]]
) -> list[ZonePresence]:
    """Judge looks (when, zone) by the auditor's passages (when, zone entered), both in the order of time.

    Before the first known passage nothing is known. A zone is contradicted when less than half of the looks that can
    be judged happened inside.
    """
    found = []
    for zone in dict.fromkeys(zone for _, zone in looks):
        moments = [at for at, looked in looks if looked == zone]
        known = [_inside(passages, at, zone) for at in moments]
        inside, judged = sum(answer is True for answer in known), sum(answer is not None for answer in known)
        verdict: Verdict = "unknown" if judged == 0 else "confirmed" if 2 * inside >= judged else "contradicted"
        found.append(ZonePresence(zone, len(moments), inside, verdict))
    return found


def _inside(passages: Sequence[tuple[datetime, str]], at: datetime, zone: str) -> bool | None:
    before = [entered for moment, entered in passages if moment <= at - SLACK]
    near = {entered for moment, entered in passages if at - SLACK < moment <= at + SLACK}
    if not before and not near:
        return None
    return zone in near or (bool(before) and before[-1] == zone)
