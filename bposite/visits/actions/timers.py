"""What time does, and the close of a day. Nothing here writes a departure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import delete, or_, select

from bposite.journal.work import Work
from bposite.passes import actions as passes
from bposite.passes import queries as pass_queries
from bposite.passes.rules import Ending, reconciled
from bposite.plumbing.clock import site_zone
from bposite.plumbing.errors import Conflict, Refusal
from bposite.visits.actions.steps import Why, actor_key, move
from bposite.visits.rules.inputs import local_day
from bposite.visits.rules.machine import EXPECTED, VisitEvent, VisitState
from bposite.visits.rules.requirements import NO_SHOW_AFTER, by_time
from bposite.visits.tables import DayClose, ScanAnswer, ShortCodeMiss, Visit

# A request that is repeated later than this is not a lost reply any more.
ANSWERS_KEPT = timedelta(days=7)
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Expired:
    """How many visits the clock moved."""

    no_shows: int
    overstays: int
    codes_wiped: int


def expire(work: Work) -> Expired:
    """Do what is due by the clock; called by the worker about once a minute, in any number at once.

    Expected guests become no-shows, guests inside become overstays: their doors close, they stay on the roll call.
    """
    moved = Counter(_move_by_time(work, visit) for visit in _due(work))
    _forget(work)
    return Expired(moved[VisitEvent.NO_SHOW], moved[VisitEvent.OVERSTAY], passes.forget_codes(work))


def _due(work: Work) -> list[Visit]:
    late = Visit.state.in_(EXPECTED) & (Visit.window_until <= work.now - NO_SHOW_AFTER)
    over = (Visit.state == VisitState.ON_SITE) & (Visit.window_until <= work.now)
    statement = select(Visit).where(or_(late, over)).limit(_BATCH).with_for_update(skip_locked=True)
    return list(work.session.scalars(statement))


def _move_by_time(work: Work, visit: Visit) -> VisitEvent | None:
    event = by_time(VisitState(visit.state), visit.window_until, work.now)
    if event is not None:
        move(work, visit, event, Why("the window of the visit has closed"))
    if event is VisitEvent.NO_SHOW:
        passes.end(work, visit.id, Ending.EXPIRED)
    return event


def _forget(work: Work) -> None:
    work.session.execute(delete(ScanAnswer).where(ScanAnswer.at < work.now - ANSWERS_KEPT))
    work.session.execute(delete(ShortCodeMiss).where(ShortCodeMiss.at < work.now - timedelta(hours=1)))


def close_day(work: Work) -> list[str]:
    """Every overstay without evidence of leaving becomes unaccounted; returns their ids. They stay on the roll call."""
    statement = select(Visit).where(Visit.state == VisitState.OVERSTAY).with_for_update()
    found = list(work.session.scalars(statement))
    for visit in found:
        move(work, visit, VisitEvent.UNACCOUNT, Why("no evidence of leaving at day close"))
    return [visit.id for visit in found]


def sign_day(work: Work, day: date) -> None:
    """Sign a day: issued = returned + destroyed + void + missing (PCI DSS 9.3.3), or a Refusal says what is open."""
    if work.session.get(DayClose, day.isoformat()) is not None:
        raise Conflict("day_signed", "This day is signed already.")
    start, end = local_day(day, site_zone())
    if end > work.now:
        raise Refusal("day_running", "This day is not over yet.", field="day")
    counts = pass_queries.media_counts(work.session, start, end)
    if not reconciled(counts):
        raise Refusal(
            "media_open",
            "Some labels or cards of this day are neither returned, destroyed, void nor missing.",
            remedy="Take them back, or declare them missing: their doors close at once.",
        )
    figures = {str(state): count for state, count in counts.items()}
    work.session.add(
        DayClose(
            day=day.isoformat(),
            signed_by=actor_key(work),
            signed_by_name=work.actor.name,
            at=work.now,
            figures=figures,
        )
    )
    work.record("visits:day:signed", subject=day.isoformat(), data=figures)
