"""The figures of a period: counts by stratum of random rounds, quality, trends. No claim is made here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, case, cast, func, select
from sqlalchemy.orm import Session

from bposite.cleandesk.rules.claims import Quality, StratumCount
from bposite.cleandesk.rules.machines import Round
from bposite.cleandesk.rules.programme import period_of
from bposite.cleandesk.rules.statistics import cohen_kappa
from bposite.cleandesk.tables import AuditRound, FindingRow, Observation, ObservedItem, Place, RoundPlace
from bposite.plumbing.clock import local

COUNTED = (Round.SUBMITTED, Round.REVIEWED, Round.PUBLISHED, Round.CLOSED)
UNFINISHED = (Round.DRAWN, Round.IN_PROGRESS)


@dataclass(frozen=True, slots=True)
class Scope:
    """Which rounds a figure is about: random ones of some months, and of one plan or client when given."""

    months: tuple[str, ...]
    plan: str = ""
    zones: tuple[str, ...] = ()
    client: str = ""
    exercise: bool = False


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a trend: a period (or an item, a shift), desk-moments judged, passed, and severity points."""

    key: str
    judged: int
    passed: int
    points: int


@dataclass(frozen=True, slots=True)
class ItemCount:
    """How often one item was found, over how many desk-moments."""

    item: str
    severity: str
    found: int


def strata(session: Session, scope: Scope) -> list[StratumCount]:
    """Counts by stratum, pooled over the finished random rounds of the scope.

    Frame: places of the frame, once per walk. A replacement is judged in the place of what it replaces.
    """
    frames = dict(
        session.execute(
            select(RoundPlace.stratum, func.count())
            .join(AuditRound, AuditRound.id == RoundPlace.round_id)
            .where(*_rounds(scope), *_places(scope))
            .group_by(RoundPlace.stratum)
        )
        .tuples()
        .all()
    )
    seen = {
        stratum: (judged, passed)
        for stratum, judged, passed in session.execute(
            select(Observation.stratum, func.count(), _count(Observation.complies.is_(True)))
            .join(AuditRound, AuditRound.id == Observation.round_id)
            .join(RoundPlace, _same_place())
            .where(*_rounds(scope), *_places(scope), *_in_force(), Observation.complies.is_not(None))
            .group_by(Observation.stratum)
        )
    }
    return [StratumCount(key, frame, *seen.get(key, (0, 0))) for key, frame in sorted(frames.items())]


def quality(session: Session, scope: Scope) -> Quality:
    """Drawn and not observed places, unfinished rounds, and how the double audits agree."""
    drawn = session.scalar(
        select(func.count())
        .select_from(RoundPlace)
        .join(AuditRound, AuditRound.id == RoundPlace.round_id)
        .where(*_rounds(scope), *_places(scope), RoundPlace.taken.is_(True))
    )
    unseen = session.scalar(
        select(func.count())
        .select_from(Observation)
        .join(AuditRound, AuditRound.id == Observation.round_id)
        .join(RoundPlace, _same_place())
        .where(*_rounds(scope), *_places(scope), *_in_force(), Observation.answer == "not_observed")
    )
    unfinished = session.scalar(select(func.count()).select_from(AuditRound).where(*_rounds(scope, UNFINISHED)))
    agreement = cohen_kappa(pairs(session, scope))
    return Quality(drawn or 0, unseen or 0, unfinished or 0, agreement.pairs, agreement.kappa, agreement.observed)


def pairs(session: Session, scope: Scope) -> list[tuple[str, str]]:
    """(first, second) answers of places that two auditors judged: pass or fail, after the rule for a desk-moment."""
    rows = session.execute(
        select(Observation.round_id, Observation.place_id, Observation.seat, Observation.complies)
        .join(AuditRound, AuditRound.id == Observation.round_id)
        .join(RoundPlace, _same_place())
        .where(
            *_rounds(scope),
            *_places(scope),
            RoundPlace.double.is_(True),
            Observation.superseded.is_(False),
            Observation.complies.is_not(None),
        )
    )
    both: dict[tuple[str, str], dict[str, bool | None]] = {}
    for round_id, place_id, seat, complies in rows:
        both.setdefault((round_id, place_id), {})[seat] = complies
    return [
        (_word(seats["first"]), _word(seats["second"]))
        for seats in both.values()
        if seats.keys() >= {"first", "second"}
    ]


def trend(session: Session, scope: Scope) -> list[Point]:
    """One point per week of the site's calendar, oldest first."""
    found: dict[str, list[int]] = {}
    for moment, judged, passed, points in session.execute(_shares(scope, AuditRound.planned_for)):
        week = found.setdefault(period_of(local(moment).date(), "weekly"), [0, 0, 0])
        for index, count in enumerate((judged, passed, points)):
            week[index] += count
    return [Point(key, *counts) for key, counts in sorted(found.items())]


def by_zone(session: Session, scope: Scope) -> list[Point]:
    """One point per zone."""
    return _points(session, scope, RoundPlace.zone)


def by_shift(session: Session, scope: Scope) -> list[Point]:
    """One point per shift."""
    return _points(session, scope, AuditRound.shift)


def by_moment(session: Session, scope: Scope) -> list[Point]:
    """One point per kind of moment."""
    return _points(session, scope, AuditRound.moment)


def by_team(session: Session, scope: Scope) -> list[Point]:
    """One point per team; screens hide teams that are too small."""
    return [point for point in _points(session, scope, RoundPlace.team) if point.key]


def by_place(session: Session, scope: Scope) -> list[Point]:
    """One point per place, for the heat on the plan."""
    return _points(session, scope, Observation.place_id)


def items(session: Session, scope: Scope) -> list[ItemCount]:
    """The items that were found, most frequent first."""
    rows = session.execute(
        select(ObservedItem.item_id, ObservedItem.severity, func.count())
        .join(Observation, Observation.id == ObservedItem.observation_id)
        .join(AuditRound, AuditRound.id == Observation.round_id)
        .join(RoundPlace, _same_place())
        .where(*_rounds(scope), *_places(scope), *_in_force())
        .group_by(ObservedItem.item_id, ObservedItem.severity)
        .order_by(func.count().desc(), ObservedItem.item_id)
    )
    return [ItemCount(item, severity, count) for item, severity, count in rows]


def months(session: Session) -> list[str]:
    """The months that have finished rounds, newest first."""
    rows = session.scalars(select(AuditRound.month).where(AuditRound.state.in_(COUNTED)).distinct())
    return sorted(rows, reverse=True)


def clients(session: Session) -> list[str]:
    """The clients of the roster."""
    return sorted(filter(None, session.scalars(select(Place.client).where(Place.removed_at.is_(None)).distinct())))


def open_by_place(session: Session) -> dict[str, str]:
    """place -> gravest severity that is open there."""
    rows = session.execute(
        select(FindingRow.place_id, func.min(FindingRow.severity))
        .where(FindingRow.settled_at.is_(None), FindingRow.exercise.is_(False))
        .group_by(FindingRow.place_id)
    )
    return dict(rows.tuples().all())


def _points(session: Session, scope: Scope, key: Any) -> list[Point]:
    return [Point(*row) for row in session.execute(_shares(scope, key))]


def _shares(scope: Scope, key: Any) -> Select[Any]:
    """Judged and passed desk-moments and severity points, grouped by `key`."""
    return (
        select(key, func.count(), _count(Observation.complies.is_(True)), cast(func.sum(Observation.points), Integer))
        .join(AuditRound, AuditRound.id == Observation.round_id)
        .join(RoundPlace, _same_place())
        .where(*_rounds(scope), *_places(scope), *_in_force(), Observation.complies.is_not(None))
        .group_by(key)
        .order_by(key)
    )


def _rounds(scope: Scope, states: Iterable[str] = COUNTED) -> Sequence[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        AuditRound.purpose == "random",
        AuditRound.exercise.is_(scope.exercise),
        AuditRound.state.in_(tuple(states)),
        AuditRound.month.in_(scope.months),
    ]
    if scope.plan:
        conditions.append(AuditRound.plan_id == scope.plan)
    return conditions


def _places(scope: Scope) -> Sequence[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if scope.zones:
        conditions.append(RoundPlace.zone.in_(scope.zones))
    if scope.client:
        conditions.append(RoundPlace.client == scope.client)
    return conditions


def _in_force() -> Sequence[ColumnElement[bool]]:
    return (Observation.seat == "first", Observation.superseded.is_(False))


def _same_place() -> ColumnElement[bool]:
    return (RoundPlace.round_id == Observation.round_id) & (RoundPlace.place_id == Observation.place_id)


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return cast(func.sum(case((condition, 1), else_=0)), Integer)


def _word(complies: bool | None) -> str:
    return "pass" if complies else "fail"
