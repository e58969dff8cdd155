"""Who a visit is of, and finding visits by the guest's name or company: for the lists of other features."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from bposite.visits.rules.machine import INSIDE, VisitState
from bposite.visits.rules.names import folded
from bposite.visits.tables import Visit, Visitor, VisitorWord

MOST_WORDS = 6


@dataclass(frozen=True, slots=True)
class VisitName:
    """A visit as one line: guest, company, host, window and where it stands."""

    id: str
    visitor: str
    company: str
    host: str
    host_name: str
    state: VisitState
    window_from: datetime
    window_until: datetime
    departed_at: datetime | None


def visit_names(session: Session, visit_ids: Iterable[str]) -> dict[str, VisitName]:
    """Several visits: id -> line; unknown ids are left out."""
    statement = select(Visit, Visitor).join(Visitor).where(Visit.id.in_(set(visit_ids)))
    return {visit.id: _name(visit, visitor) for visit, visitor in session.execute(statement).tuples()}


def find_visits(session: Session, text: str, *, limit: int = 50) -> list[VisitName]:
    """Visits of guests in whose name or company every word of `text` begins a word, the newest window first.

    Case, accents and the order of words do not matter; a visit's own id finds it too.
    """
    words = folded(text[:200]).split()[:MOST_WORDS]
    if not words:
        return []
    # A range instead of LIKE: the primary key serves it on both databases (the column sorts by code points).
    starts = (and_(VisitorWord.word >= word, VisitorWord.word < word + "\U0010ffff") for word in words)
    guests = (select(VisitorWord.visitor_id).where(start) for start in starts)
    by_name = [Visit.visitor_id.in_(guest) for guest in guests]
    newest = select(Visit, Visitor).join(Visitor).where(*by_name).order_by(Visit.window_from.desc()).limit(limit)
    found = [_name(visit, visitor) for visit, visitor in session.execute(newest).tuples()]
    return found or list(visit_names(session, [text.strip().upper()]).values())


def visits_inside(session: Session, also: Iterable[str] = ()) -> list[VisitName]:
    """Visits whose guest may still be in the building, overstays and unaccounted included; and those in ``also``."""
    wanted = or_(Visit.state.in_(INSIDE), Visit.id.in_(set(also)))
    statement = select(Visit, Visitor).join(Visitor).where(wanted).order_by(Visit.admitted_at)
    return [_name(visit, visitor) for visit, visitor in session.execute(statement).tuples()]


def _name(visit: Visit, visitor: Visitor) -> VisitName:
    return VisitName(
        visit.id, visitor.name, visitor.company, visit.host, visit.host_name, VisitState(visit.state),
        visit.window_from, visit.window_until, visit.departed_at,
    )  # fmt: skip
