"""How many visits there are in each part of the day: cheap enough to be asked every second."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from bposite.plumbing.clock import local, site_zone
from bposite.visits.queries.board import Card, cards
from bposite.visits.rules.inputs import local_day
from bposite.visits.rules.machine import AT_DESK, EXPECTED, INSIDE, VisitState
from bposite.visits.tables import Visit

OVERDUE = (VisitState.OVERSTAY, VisitState.UNACCOUNTED)
MOST = 20


@dataclass(frozen=True, slots=True)
class Tally:
    """Numbers of visits: expected today, at the desk, on site (overdue ones included), overdue."""

    expected: int
    at_desk: int
    on_site: int
    overdue: int


def tally(session: Session, at: datetime) -> Tally:
    """The numbers of the site's calendar day around ``at``."""
    start, end = local_day(local(at).date(), site_zone())
    today = and_(Visit.window_from < end, Visit.window_until > start)
    statement = (
        select(Visit.state, func.count())
        .where(or_(Visit.state.in_((*AT_DESK, *INSIDE)), and_(Visit.state.in_(EXPECTED), today)))
        .group_by(Visit.state)
    )
    counts = {VisitState(state): count for state, count in session.execute(statement)}
    return Tally(
        sum(counts.get(state, 0) for state in EXPECTED), sum(counts.get(state, 0) for state in AT_DESK),
        sum(counts.get(state, 0) for state in INSIDE), sum(counts.get(state, 0) for state in OVERDUE),
    )  # fmt: skip


def overdue(session: Session, at: datetime) -> tuple[Card, ...]:
    """The visits whose time is over and whose guest has not left, longest first."""
    late = select(Visit.id).where(Visit.state.in_(OVERDUE)).order_by(Visit.window_until, Visit.id).limit(MOST)
    return cards(session, session.scalars(late).all(), at)
