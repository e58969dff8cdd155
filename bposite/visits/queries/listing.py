"""Visits as plain rows, filtered and paged: for programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from bposite.visits.rules.machine import VisitState
from bposite.visits.tables import Visit, Visitor


@dataclass(frozen=True, slots=True)
class VisitRow:
    """One visit. Times are UTC; `zones` are ids; `departure` is the kind of evidence."""

    id: str
    visitor_id: str
    name: str
    company: str
    host: str
    host_name: str
    purpose: str
    state: VisitState
    window_from: datetime
    window_until: datetime
    zones: tuple[str, ...]
    walk_in: bool
    created_at: datetime
    arrived_at: datetime | None
    admitted_at: datetime | None
    departed_at: datetime | None
    departure: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """A filter; what is None or empty does not filter. `start` and `end` cut the window, half-open."""

    states: Sequence[VisitState] = ()
    host: str = ""
    start: datetime | None = None
    end: datetime | None = None


def visit_rows(session: Session, wanted: Wanted, *, after: str = "", limit: int = 100) -> list[VisitRow]:
    """Visits in the order in which they were entered, after the id `after`."""
    statement = _filtered(select(Visit, Visitor).join(Visitor), wanted)
    statement = statement.where(Visit.id > after).order_by(Visit.id).limit(limit)
    return [_row(visit, visitor) for visit, visitor in session.execute(statement).tuples()]


def visit_row(session: Session, visit_id: str) -> VisitRow | None:
    """One visit; None when there is none."""
    visit = session.get(Visit, visit_id)
    visitor = session.get(Visitor, visit.visitor_id) if visit else None
    return _row(visit, visitor) if visit and visitor else None


def _filtered(statement: Select[Visit, Visitor], wanted: Wanted) -> Select[Visit, Visitor]:
    if wanted.states:
        statement = statement.where(Visit.state.in_(wanted.states))
    if wanted.host:
        statement = statement.where(Visit.host == wanted.host)
    if wanted.start is not None:
        statement = statement.where(Visit.window_until > wanted.start)
    if wanted.end is not None:
        statement = statement.where(Visit.window_from < wanted.end)
    return statement


def _row(visit: Visit, visitor: Visitor) -> VisitRow:
    return VisitRow(
        visit.id, visit.visitor_id, visitor.name, visitor.company, visit.host, visit.host_name, visit.purpose,
        VisitState(visit.state), visit.window_from, visit.window_until, tuple(visit.zones), visit.walk_in,
        visit.created_at, visit.arrived_at, visit.admitted_at, visit.departed_at, visit.departure,
    )  # fmt: skip
