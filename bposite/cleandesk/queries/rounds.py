"""Rounds as screens read them, and what a walk needs on the phone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, case, cast, func, select
from sqlalchemy.orm import Session

from bposite.cleandesk.rules.machines import Round
from bposite.cleandesk.rules.sampling import seed
from bposite.cleandesk.tables import AuditPlan, AuditRound, FindingRow, Observation, ObservedItem, Photo, RoundPlace

OPEN_STATES = (Round.PLANNED, Round.DRAWN, Round.IN_PROGRESS)


@dataclass(frozen=True, slots=True)
class RoundRow:
    """A round in a list. `drawn`: places to look at; `seen`: looked at; `judged`: of these pass or fail; `passed`."""

    id: str
    number: int
    name: str
    purpose: str
    exercise: bool
    period: str
    month: str
    zones: tuple[str, ...]
    kinds: tuple[str, ...]
    shift: str
    moment: str
    size: int
    planned_for: datetime
    auditor_id: str
    auditor_name: str
    second_id: str | None
    second_name: str
    state: str
    reason: str
    plan_id: str | None
    drawn: int
    seen: int
    judged: int
    passed: int
    not_observed: int
    findings: int


@dataclass(frozen=True, slots=True)
class RoundProof:
    """What an outsider needs to make the draw again; `nonce` is empty until the round is published."""

    plan: str
    period: str
    commitment: str
    checkpoint: str
    nonce: str
    frame_digest: str
    catalogue_version: int
    planned_at: datetime
    planned_by: str
    drawn_at: datetime | None
    started_at: datetime | None
    submitted_at: datetime | None
    reviewed_at: datetime | None
    reviewed_by: str
    review_note: str
    published_at: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class LookRow:
    """One observation in force."""

    id: str
    place: str
    seat: str
    auditor: str
    answer: str
    reason: str
    note: str
    complies: bool | None
    worst: str | None
    seen_at: datetime
    late: bool
    items: tuple[str, ...]
    photos: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StopRow:
    """One place of a round: where it stands in the draw and in the walk, and what was seen there."""

    place: str
    stratum: str
    rank: int
    taken: bool
    double: bool
    ordinal: int
    replaces: str | None
    team: str
    client: str
    zone: str
    zone_type: str
    kind: str
    vacant: bool
    looks: dict[str, LookRow] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A line of the programme."""

    id: str
    name: str
    zones: tuple[str, ...]
    kinds: tuple[str, ...]
    shifts: tuple[str, ...]
    moments: tuple[str, ...]
    frequency: str
    target: float
    confidence: float
    fails_allowed: int
    exercise: bool
    created_at: datetime
    ended_at: datetime | None


def rounds(
    session: Session,
    *,
    states: Sequence[str] = (),
    auditor: str = "",
    month: str = "",
    plan: str = "",
    before: int | None = None,
    limit: int = 50,
) -> list[RoundRow]:
    """Rounds, newest number first; `before` is the number of the last one of the page before."""
    statement = select(AuditRound).order_by(AuditRound.number.desc()).limit(limit)
    if states:
        statement = statement.where(AuditRound.state.in_(states))
    if auditor:
        statement = statement.where((AuditRound.auditor_id == auditor) | (AuditRound.second_id == auditor))
    if month:
        statement = statement.where(AuditRound.month == month)
    if plan:
        statement = statement.where(AuditRound.plan_id == plan)
    if before is not None:
        statement = statement.where(AuditRound.number < before)
    return _with_counts(session, list(session.scalars(statement)))


def round_of(session: Session, round_id: str) -> RoundRow | None:
    """One round."""
    row = session.get(AuditRound, round_id)
    return None if row is None else _with_counts(session, [row])[0]


def proof_of(session: Session, round_id: str) -> RoundProof | None:
    """The dates of a round and the parts of its draw."""
    row = session.get(AuditRound, round_id)
    if row is None:
        return None
    names = [name for name in RoundProof.__dataclass_fields__ if name != "plan"]
    return RoundProof(plan=row.plan_id or row.id, **{name: getattr(row, name) for name in names})


def seed_of(proof: RoundProof) -> str:
    """The seed of a published round; ValueError before it is published."""
    if not proof.nonce:
        raise ValueError("the nonce of this round is not published")
    return seed(proof.plan, proof.period, proof.checkpoint, proof.nonce)


def stops(session: Session, round_id: str, *, taken: bool = True) -> list[StopRow]:
    """The places of a round in walking order (then, with `taken` false, the rest of the frame in drawn order)."""
    statement = select(RoundPlace).where(RoundPlace.round_id == round_id)
    if taken:
        statement = statement.where(RoundPlace.taken.is_(True))
    found = looks(session, round_id)
    rows = [
        StopRow(
            place=row.place_id,
            stratum=row.stratum,
            rank=row.rank,
            taken=row.taken,
            double=row.double,
            ordinal=row.ordinal,
            replaces=row.replaces,
            team=row.team,
            client=row.client,
            zone=row.zone,
            zone_type=row.zone_type,
            kind=row.kind,
            vacant=row.vacant,
            looks=found.get(row.place_id, {}),
        )
        for row in session.scalars(statement)
    ]
    return sorted(rows, key=lambda row: (not row.taken, row.ordinal, row.stratum, row.rank))


def looks(session: Session, round_id: str) -> dict[str, dict[str, LookRow]]:
    """The observations in force of a round: place -> seat -> look."""
    rows = list(
        session.scalars(select(Observation).where(Observation.round_id == round_id, Observation.superseded.is_(False)))
    )
    ids = [row.id for row in rows]
    items = _grouped(
        session, select(ObservedItem.observation_id, ObservedItem.item_id), ObservedItem.observation_id, ids
    )
    photos = _grouped(session, select(Photo.observation_id, Photo.id), Photo.observation_id, ids)
    found: dict[str, dict[str, LookRow]] = {}
    for row in rows:
        found.setdefault(row.place_id, {})[row.seat] = LookRow(
            id=row.id, place=row.place_id, seat=row.seat, auditor=row.auditor_name, answer=row.answer,
            reason=row.reason, note=row.note, complies=row.complies, worst=row.worst, seen_at=row.seen_at,
            late=row.late, items=tuple(items.get(row.id, ())), photos=tuple(photos.get(row.id, ())),
        )  # fmt: skip
    return found


def plans(session: Session, *, ended: bool = False) -> list[PlanRow]:
    """The programme, newest line last."""
    statement = select(AuditPlan).order_by(AuditPlan.created_at)
    if not ended:
        statement = statement.where(AuditPlan.ended_at.is_(None))
    return [_plan(row) for row in session.scalars(statement)]


def plan(session: Session, plan_id: str) -> PlanRow | None:
    """One line of the programme."""
    row = session.get(AuditPlan, plan_id)
    return None if row is None else _plan(row)


def periods_planned(
    session: Session, plan_ids: Sequence[str], periods: Sequence[str]
) -> set[tuple[str, str, str, str]]:
    """(plan, period, shift, moment) for which a round exists that was not cancelled."""
    rows = session.execute(
        select(AuditRound.plan_id, AuditRound.period, AuditRound.shift, AuditRound.moment).where(
            AuditRound.plan_id.in_(plan_ids),
            AuditRound.period.in_(periods),
            AuditRound.state != Round.CANCELLED,
        )
    )
    return {(plan_id or "", period, shift, moment) for plan_id, period, shift, moment in rows}


def _with_counts(session: Session, rows: list[AuditRound]) -> list[RoundRow]:
    ids = [row.id for row in rows]
    drawn = dict(
        session.execute(
            select(RoundPlace.round_id, func.count())
            .where(RoundPlace.round_id.in_(ids), RoundPlace.taken.is_(True))
            .group_by(RoundPlace.round_id)
        )
        .tuples()
        .all()
    )
    seen = {row[0]: row[1:] for row in session.execute(_seen_counts(ids))}
    findings = dict(
        session.execute(
            select(FindingRow.round_id, func.count())
            .where(FindingRow.round_id.in_(ids), FindingRow.state != "withdrawn")
            .group_by(FindingRow.round_id)
        )
        .tuples()
        .all()
    )
    return [_round(row, drawn.get(row.id, 0), seen.get(row.id, (0, 0, 0, 0)), findings.get(row.id, 0)) for row in rows]


def _seen_counts(ids: Sequence[str]) -> Any:
    judged = func.sum(case((Observation.complies.is_not(None), 1), else_=0))
    passed = func.sum(case((Observation.complies.is_(True), 1), else_=0))
    unseen = func.sum(case((Observation.answer == "not_observed", 1), else_=0))
    return (
        select(Observation.round_id, func.count(), *(cast(part, Integer) for part in (judged, passed, unseen)))
        .where(Observation.round_id.in_(ids), Observation.seat == "first", Observation.superseded.is_(False))
        .group_by(Observation.round_id)
    )


def _round(row: AuditRound, drawn: int, seen: Sequence[int], findings: int) -> RoundRow:
    plain = {
        name: getattr(row, name)
        for name in RoundRow.__dataclass_fields__
        if name not in ("zones", "kinds", "drawn", "seen", "judged", "passed", "not_observed", "findings")
    }
    return RoundRow(
        **plain, zones=tuple(row.zones), kinds=tuple(row.kinds), drawn=drawn, seen=seen[0], judged=seen[1],
        passed=seen[2], not_observed=seen[3], findings=findings,
    )  # fmt: skip


def _plan(row: AuditPlan) -> PlanRow:
    values: dict[str, Any] = {name: getattr(row, name) for name in PlanRow.__dataclass_fields__}
    values |= {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
    return PlanRow(**values)


def _grouped(session: Session, statement: Any, column: Any, ids: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key, value in session.execute(statement.where(column.in_(ids)).order_by(column)):
        found.setdefault(key, []).append(value)
    return found
