"""Repeats, team faults and escalation: what a series of findings asks for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bposite.cleandesk.rules.catalogue import Grade, Repeats, Step


@dataclass(frozen=True, slots=True)
class Past:
    """An earlier finding, as far as repeats are concerned. `place` stands for the person where none is named."""

    item: str
    place: str
    team: str
    shift: str
    person: str | None
    seen_at: datetime


def rank(now: Past, earlier: Iterable[Past], rules: Repeats) -> int:
    """Which time this is (1 = first) within the window: the same person, or else the same desk, team and shift, and the
    same item. Withdrawn findings must not be among `earlier`."""
    since = now.seen_at - timedelta(days=rules.window_days)
    return 1 + sum(
        past.item == now.item and since <= past.seen_at < now.seen_at and _same(past, now) for past in earlier
    )


def rung(number: int, rules: Repeats) -> str:
    """What the ladder asks for at the n-th time; beyond its end the last rung."""
    return rules.ladder[min(max(number, 1), len(rules.ladder)) - 1]


def team_fault(now: Past, earlier: Iterable[Past], rules: Repeats) -> bool:
    """Whether this finding makes it a fault of the process: enough different people (or desks, where nobody is named)
    of one team with one item within the days of the rule."""
    since = now.seen_at - timedelta(days=rules.team_days)
    who = {
        past.person or past.place
        for past in (*earlier, now)
        if past.item == now.item and past.team == now.team and since <= past.seen_at <= now.seen_at
    }
    return bool(now.team) and len(who) >= rules.team_people


def _same(past: Past, now: Past) -> bool:
    if past.person and now.person:
        return past.person == now.person
    return (past.place, past.team, past.shift) == (now.place, now.team, now.shift)


def escalation(grade: Grade, due_at: datetime, at: datetime, done: int) -> Sequence[Step]:
    """The rungs of a severity's escalation that are due at `at`, without the first `done` that already went out."""
    late = at - due_at
    return [step for step in grade.escalate if late >= timedelta(hours=step.after_hours)][done:]
