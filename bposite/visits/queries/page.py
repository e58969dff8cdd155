"""Everything about one visit for its page, as frozen rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from bposite.passes import queries as passes
from bposite.passes.codes import Codes
from bposite.passes.queries import MediumRow, PassRow
from bposite.passes.rules import MediumState, PassState
from bposite.visits.queries.board import Card, ZoneRow, admission_lacks, cards, zones
from bposite.visits.queries.standing import Judged, judged
from bposite.visits.rules.machine import AT_DESK, INSIDE, VisitState
from bposite.visits.rules.next_step import NextStep, next_step
from bposite.visits.rules.requirements import Missing
from bposite.visits.rules.standing import DocumentKind, HoldKind
from bposite.visits.tables import Approval, Document, Hold, Transition, Visit, Waiver


@dataclass(frozen=True, slots=True)
class HoldRow:
    """A hold, open while `cleared_at` is None."""

    id: str
    kind: HoldKind
    reason: str
    raised_by: str
    raised_by_name: str
    raised_at: datetime
    cleared_by_name: str | None
    cleared_at: datetime | None
    cleared_why: str | None
    score: int | None
    matched: str | None


@dataclass(frozen=True, slots=True)
class ApprovalRow:
    """A zone that needs a yes: pending, approved or rejected."""

    zone: str
    decision: str
    requested_by: str
    decided_by_name: str | None
    decided_at: datetime | None
    reason: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A demanded document; missing while `until` is None and it is not waived."""

    kind: DocumentKind
    until: datetime | None
    seen_by_name: str | None
    waived: bool


@dataclass(frozen=True, slots=True)
class WaiverRow:
    """A condition that was set aside."""

    kind: str
    what: str
    reason: str
    by_name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step in the life of a visit."""

    event: str
    target: VisitState
    actor_name: str
    role: str
    device: str
    at: datetime
    reason: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VisitPage:
    """A visit with everything around it. `codes` are there only while the pass may be shown."""

    card: Card
    email: str
    phone: str
    created_by_name: str
    created_at: datetime
    identity: str | None
    identity_by: str | None
    acknowledged_at: datetime | None
    acknowledged_how: str
    escort: str | None
    escort_name: str | None
    deposit_token: str | None
    arrived_at: datetime | None
    admitted_at: datetime | None
    departed_at: datetime | None
    departure: str | None
    demanding: tuple[ZoneRow, ...]
    holds: tuple[HoldRow, ...]
    approvals: tuple[ApprovalRow, ...]
    documents: tuple[DocumentRow, ...]
    waivers: tuple[WaiverRow, ...]
    steps: tuple[StepRow, ...]
    passes: tuple[PassRow, ...]
    media: tuple[MediumRow, ...]
    codes: Codes | None
    lacks: tuple[Missing, ...]
    next: NextStep

    @property
    def live_pass(self) -> PassRow | None:
        """The pass that is not ended."""
        return next((row for row in self.passes if row.state is not PassState.ENDED), None)

    @property
    def inside(self) -> bool:
        """Whether the visitor may still be in the building."""
        return self.card.state in INSIDE

    @property
    def at_desk(self) -> bool:
        """Whether the visitor stands at the desk."""
        return self.card.state in AT_DESK

    @property
    def needs_escort(self) -> tuple[ZoneRow, ...]:
        """Zones of the visit that demand an escort."""
        return tuple(zone for zone in self.demanding if zone.escort)

    @property
    def needs_deposit(self) -> tuple[ZoneRow, ...]:
        """Zones of the visit into which no device may be taken."""
        return tuple(zone for zone in self.demanding if zone.deposit)


def visit_page(session: Session, visit_id: str, at: datetime) -> VisitPage | None:
    """The page of one visit; None when there is no such visit."""
    found = judged(session, visit_id)
    if found is None:
        return None
    visit = found.visit
    all_passes = tuple(passes.passes_of(session, visit_id))
    media = tuple(passes.media_of(session, visit_id))
    live = next((row for row in all_passes if row.state is not PassState.ENDED), None)
    codes = passes.codes_of(session, live.id) if live else None
    lacks = admission_lacks(found, at)
    good = any(row.state in (MediumState.PRINTING, MediumState.ISSUED) for row in media)
    chosen = {zone.id: zone for zone in zones(session)}
    return VisitPage(
        card=cards(session, [visit_id], at)[0],
        email=found.visitor.email,
        phone=found.visitor.phone,
        created_by_name=visit.created_by_name,
        created_at=visit.created_at,
        identity=visit.identity,
        identity_by=visit.identity_by,
        acknowledged_at=visit.acknowledged_at,
        acknowledged_how=visit.acknowledged_how,
        escort=visit.escort,
        escort_name=visit.escort_name,
        deposit_token=visit.deposit_token,
        arrived_at=visit.arrived_at,
        admitted_at=visit.admitted_at,
        departed_at=visit.departed_at,
        departure=visit.departure,
        demanding=tuple(chosen[zone] for zone in visit.zones if zone in chosen),
        holds=_holds(session, visit_id),
        approvals=_approvals(session, visit_id),
        documents=_documents(session, found),
        waivers=_waivers(session, visit_id),
        steps=steps(session, visit_id),
        passes=all_passes,
        media=media,
        codes=codes,
        lacks=lacks,
        next=next_step(VisitState(visit.state), lacks, printable=codes is not None and not good),
    )


def _holds(session: Session, visit_id: str) -> tuple[HoldRow, ...]:
    rows = session.scalars(select(Hold).where(Hold.visit_id == visit_id).order_by(Hold.raised_at, Hold.id))
    return tuple(
        HoldRow(
            row.id, HoldKind(row.kind), row.reason, row.raised_by, row.raised_by_name, row.raised_at,
            row.cleared_by_name, row.cleared_at, row.cleared_why, row.score, row.matched,
        )
        for row in rows
    )  # fmt: skip


def _approvals(session: Session, visit_id: str) -> tuple[ApprovalRow, ...]:
    rows = session.scalars(select(Approval).where(Approval.visit_id == visit_id).order_by(Approval.zone))
    return tuple(
        ApprovalRow(
            row.zone, row.decision, row.requested_by, row.decided_by_name, row.decided_at, row.reason, row.until
        )
        for row in rows
    )  # fmt: skip


def _documents(session: Session, found: Judged) -> tuple[DocumentRow, ...]:
    waived = {document.kind for document in found.standing.documents if document.waived}
    rows = session.scalars(select(Document).where(Document.visit_id == found.visit.id).order_by(Document.kind))
    return tuple(
        DocumentRow(DocumentKind(row.kind), row.until, row.seen_by_name, row.kind in waived) for row in rows
    )  # fmt: skip


def _waivers(session: Session, visit_id: str) -> tuple[WaiverRow, ...]:
    rows = session.scalars(select(Waiver).where(Waiver.visit_id == visit_id).order_by(Waiver.at, Waiver.id))
    return tuple(WaiverRow(row.kind, row.what, row.reason, row.by_name, row.at) for row in rows)


def steps(session: Session, visit_id: str) -> tuple[StepRow, ...]:
    """All steps of a visit, in their order."""
    rows = session.scalars(select(Transition).where(Transition.visit_id == visit_id).order_by(Transition.id))
    return tuple(
        StepRow(
            row.event, VisitState(row.target), row.actor_name, row.role, row.device, row.at, row.reason,
            tuple(row.evidence),
        )
        for row in rows
    )  # fmt: skip


def photo_belongs(session: Session, visit_id: str, digest: str) -> bool:
    """Whether the photo with this digest is that of the visit's guest."""
    found = judged(session, visit_id)
    return found is not None and found.visitor.photo == digest


def other_visits(session: Session, visitor_id: str, but: str, at: datetime, *, limit: int = 5) -> tuple[Card, ...]:
    """The guest's other visits, newest first."""
    which = (Visit.visitor_id == visitor_id) & (Visit.id != but) & (Visit.window_from > at - timedelta(days=366))
    ids = session.scalars(select(Visit.id).where(which).order_by(Visit.window_from.desc()).limit(limit))
    return cards(session, ids.all(), at)
