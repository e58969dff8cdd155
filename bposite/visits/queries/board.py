"""The reception's day in four lanes, and the search that forgives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session

from bposite.plumbing.clock import local, site_zone
from bposite.visits.queries.standing import Judged, load
from bposite.visits.rules.inputs import local_day
from bposite.visits.rules.machine import AT_DESK, EXPECTED, INSIDE, VisitState
from bposite.visits.rules.names import MATCH_FROM, folded, likeness
from bposite.visits.rules.requirements import Missing, missing_to_admit, missing_to_clear
from bposite.visits.rules.standing import HoldKind
from bposite.visits.tables import Visit, Visitor, VisitorWord, ZoneRule

LANE = 100
_LEFT_TODAY = (
    VisitState.DEPARTED,
    VisitState.PRESUMED_LEFT,
    VisitState.TURNED_AWAY,
    VisitState.BREAK_OUT,
    VisitState.NO_SHOW,
)
_MAX_WORDS = 5


@dataclass(frozen=True, slots=True)
class ZoneRow:
    """A zone that a visitor can be sent to. `approval`: never, walk_in or always."""

    id: str
    name: str
    kind: str
    approval: str
    escort: bool
    deposit: bool


@dataclass(frozen=True, slots=True)
class Card:
    """One visit as a card. `at` is the moment its lane is sorted by; `missing` what admission still needs."""

    id: str
    visitor_id: str
    name: str
    company: str
    host: str
    host_name: str
    purpose: str
    state: VisitState
    zones: tuple[str, ...]
    window_from: datetime
    window_until: datetime
    at: datetime
    photo: str | None
    walk_in: bool
    missing: tuple[Missing, ...]
    holds: tuple[HoldKind, ...]
    late: bool


@dataclass(frozen=True, slots=True)
class Lane:
    """A lane with the number of all its visits; `cards` are the first of them."""

    name: str
    count: int
    cards: tuple[Card, ...]


def zones(session: Session) -> list[ZoneRow]:
    """Zones that can be chosen for a visit, in the order of the plan."""
    rows = session.scalars(select(ZoneRule).where(ZoneRule.active).order_by(ZoneRule.position))
    return [ZoneRow(row.id, row.name, row.kind, row.approval, row.escort, row.deposit) for row in rows]


def zone_names(session: Session) -> dict[str, str]:
    """Zone id -> name, zones that are gone included."""
    return {row.id: row.name for row in session.execute(select(ZoneRule.id, ZoneRule.name))}


def board(session: Session, at: datetime) -> tuple[Lane, ...]:
    """The four lanes of the site's calendar day around `at`: expected, at desk, on site, left."""
    start, end = local_day(local(at).date(), site_zone())
    expected = and_(Visit.state.in_(EXPECTED), Visit.window_from < end, Visit.window_until > start)
    left = or_(
        and_(Visit.state.in_(_LEFT_TODAY), Visit.departed_at >= start),
        and_(Visit.state.in_(_LEFT_TODAY), Visit.departed_at.is_(None), Visit.window_from >= start),
        and_(Visit.state == VisitState.BREAK_OUT),
    )
    return (
        _lane(session, "expected", expected, Visit.window_from, at),
        _lane(session, "at_desk", Visit.state.in_(AT_DESK), Visit.arrived_at, at),
        _lane(session, "on_site", Visit.state.in_(INSIDE), Visit.window_until, at),
        _lane(session, "left", left, func.coalesce(Visit.departed_at, Visit.window_from).desc(), at),
    )


def _lane(session: Session, name: str, which: object, order: object, at: datetime) -> Lane:
    count = session.scalar(select(func.count()).select_from(Visit).where(which)) or 0  # type: ignore[arg-type]
    statement = select(Visit.id).where(which).order_by(order, Visit.id).limit(LANE)  # type: ignore[arg-type]
    return Lane(name, count, cards(session, session.scalars(statement).all(), at))


def cards(session: Session, visit_ids: Sequence[str], at: datetime) -> tuple[Card, ...]:
    """The visits named as cards, in the order given."""
    names = zone_names(session)
    return tuple(_card(found, names, at) for found in load(session, visit_ids))


def _card(found: Judged, names: dict[str, str], at: datetime) -> Card:
    visit, standing = found.visit, found.standing
    state = VisitState(visit.state)
    return Card(
        id=visit.id,
        visitor_id=visit.visitor_id,
        name=found.visitor.name,
        company=found.visitor.company,
        host=visit.host,
        host_name=visit.host_name,
        purpose=visit.purpose,
        state=state,
        zones=tuple(names.get(zone, zone) for zone in visit.zones),
        window_from=visit.window_from,
        window_until=visit.window_until,
        at=_moment(visit, state),
        photo=found.visitor.photo,
        walk_in=visit.walk_in,
        missing=_missing(found, state, at),
        holds=tuple(sorted(standing.holds)),
        late=state in EXPECTED and at > visit.window_from + timedelta(minutes=15),
    )


def _moment(visit: Visit, state: VisitState) -> datetime:
    if state in AT_DESK:
        return visit.arrived_at or visit.window_from
    if state in INSIDE:
        return visit.admitted_at or visit.window_from
    return visit.departed_at or visit.window_from


def _missing(found: Judged, state: VisitState, at: datetime) -> tuple[Missing, ...]:
    if state in EXPECTED:
        # What the guest will be asked for at the desk anyway is not missing yet.
        later = {Missing.IDENTITY, Missing.TOO_EARLY, Missing.CAPACITY}
        return tuple(m for m in missing_to_clear(found.standing, found.desk, at) if m not in later)
    if state in AT_DESK:
        return admission_lacks(found, at)
    return ()


def admission_lacks(found: Judged, at: datetime) -> tuple[Missing, ...]:
    """What stands between a guest at the desk and the door, clearance itself not counted: the desk gives it."""
    lacks = missing_to_admit(found.standing, found.desk, at)
    return tuple(missing for missing in lacks if missing is not Missing.CLEARANCE)


def search(session: Session, text: str, at: datetime, *, limit: int = 20) -> tuple[Card, ...]:
    """Visits whose guest's name or company has words that begin like those of `text`, the newest first.

    Case, accents and order do not matter. When nothing begins like that, today's visits with
    names that are nearly the same are given: a letter too many is no reason to find nobody.
    """
    words = [word[:60] for word in folded(text[:200]).split()[:_MAX_WORDS]]
    if not words:
        return ()
    found = session.scalars(_by_words(words).limit(limit)).all()
    return cards(session, found or _nearly(session, text, at, limit), at)


def _by_words(words: Iterable[str]) -> Select[str]:
    statement = select(Visit.id).order_by(Visit.window_from.desc(), Visit.id.desc())
    for word in words:
        # A range instead of LIKE: the primary key serves it on both databases (the column sorts by code points).
        begins = and_(VisitorWord.word >= word, VisitorWord.word < word + "\U0010ffff")
        statement = statement.where(Visit.visitor_id.in_(select(VisitorWord.visitor_id).where(begins)))
    return statement


def _nearly(session: Session, text: str, at: datetime, limit: int) -> list[str]:
    near = and_(Visit.window_from > at - timedelta(days=1), Visit.window_from < at + timedelta(days=1))
    rows = session.execute(select(Visit.id, Visitor.name).join(Visitor).where(near).limit(2000)).tuples()
    scored = sorted(((_alike(text, name), visit_id) for visit_id, name in rows), reverse=True)
    return [visit_id for score, visit_id in scored[:limit] if score >= MATCH_FROM - 0.11]


def _alike(text: str, name: str) -> float:
    wanted, words = folded(text), folded(name).split()
    return max([likeness(text, name), *(likeness(wanted, word) for word in words)], default=0.0)
