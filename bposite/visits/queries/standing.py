"""The facts that decide about a visit, gathered for many visits with a fixed number of statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bposite.passes import queries as passes
from bposite.passes.queries import PassRow
from bposite.passes.rules import PassState
from bposite.plumbing.settings import current
from bposite.visits.rules.machine import INSIDE, VisitState
from bposite.visits.rules.requirements import DeskFacts, WaiverKind
from bposite.visits.rules.standing import ApprovalStanding, DocumentKind, DocumentStanding, HoldKind, PassStanding
from bposite.visits.tables import Approval, Document, Hold, Visit, Visitor, Waiver, ZoneRule

_Row = TypeVar("_Row", Hold, Approval, Document, Waiver)


@dataclass(frozen=True, slots=True)
class Judged:
    """A visit with everything that decides about it."""

    visit: Visit
    visitor: Visitor
    standing: PassStanding
    desk: DeskFacts


def pass_standing(session: Session, code_hash: str) -> PassStanding | None:
    """The facts behind the pass with reference `code_hash` (`passes.codes.code_hash`); None = nobody issued it.

    An ended pass is answered too: a door tells "superseded" from "unknown".
    """
    row = passes.pass_of_hash(session, code_hash)
    return None if row is None else standing_of_pass(session, row)


def standing_of_pass(session: Session, row: PassRow) -> PassStanding | None:
    """The facts behind one pass."""
    visits = load(session, [row.visit_id], {row.visit_id: row})
    return visits[0].standing if visits else None


def judged(session: Session, visit_id: str) -> Judged | None:
    """One visit with its latest pass; None when there is no such visit."""
    found = load(session, [visit_id])
    return found[0] if found else None


def load(session: Session, visit_ids: Sequence[str], passes_by_visit: dict[str, PassRow] | None = None) -> list[Judged]:
    """The visits named, in the order given; ids that do not exist are left out."""
    ids = list(visit_ids)
    pairs = session.execute(select(Visit, Visitor).join(Visitor).where(Visit.id.in_(ids))).tuples()
    by_id = {visit.id: (visit, visitor) for visit, visitor in pairs}
    parts = _Parts(session, ids, passes_by_visit or passes.latest_passes(session, ids))
    return [parts.judge(*by_id[name]) for name in ids if name in by_id]


class _Parts:
    """Rows around visits, each kind fetched once for all of them."""

    def __init__(self, session: Session, ids: list[str], passes_by_visit: dict[str, PassRow]) -> None:
        self.passes = passes_by_visit
        self.zones = {rule.id: rule for rule in session.scalars(select(ZoneRule))}
        self.inside = _inside_by_zone(session, [z for z in self.zones.values() if z.capacity])
        self.holds = _grouped(session.scalars(select(Hold).where(Hold.visit_id.in_(ids), Hold.cleared_at.is_(None))))
        self.approvals = _grouped(session.scalars(select(Approval).where(Approval.visit_id.in_(ids))))
        self.documents = _grouped(session.scalars(select(Document).where(Document.visit_id.in_(ids))))
        self.waivers = _grouped(session.scalars(select(Waiver).where(Waiver.visit_id.in_(ids))))

    def judge(self, visit: Visit, visitor: Visitor) -> Judged:
        """Put the facts of one visit together."""
        waived = {(row.kind, row.what) for row in self.waivers[visit.id]}
        desk = DeskFacts(
            identity=visit.identity is not None or (WaiverKind.IDENTITY, "") in waived,
            host_acknowledged=visit.acknowledged_at is not None or (WaiverKind.HOST_ACK, "") in waived,
            room=all(self._has_room(zone) for zone in visit.zones) or visit.state in INSIDE,
        )
        return Judged(visit, visitor, self._standing(visit, visitor, waived), desk)

    def _has_room(self, zone: str) -> bool:
        rule = self.zones.get(zone)
        return rule is None or not rule.capacity or self.inside[zone] < rule.capacity

    def _standing(self, visit: Visit, visitor: Visitor, waived: set[tuple[str, str]]) -> PassStanding:
        row = self.passes.get(visit.id)
        rules = [self.zones[zone] for zone in visit.zones if zone in self.zones]
        approvals = self.approvals[visit.id]
        return PassStanding(
            pass_id=row.id if row else "",
            pass_number=row.number if row else 0,
            visit_id=visit.id,
            visitor_id=visitor.id,
            visitor_name=visitor.name,
            company=visitor.company,
            host=visit.host,
            host_name=visit.host_name,
            site=current().site.id,
            photo=visitor.photo,
            state=row.state if row else PassState.ISSUED,
            suspension=row.suspension if row else None,
            ending=row.ending if row else None,
            window_from=visit.window_from,
            window_until=visit.window_until,
            visit_state=VisitState(visit.state),
            zones=frozenset(visit.zones),
            holds=frozenset(HoldKind(hold.kind) for hold in self.holds[visit.id]),
            documents=tuple(
                DocumentStanding(
                    kind=DocumentKind(document.kind),
                    until=document.until,
                    waived=(WaiverKind.DOCUMENT, document.kind) in waived,
                )
                for document in self.documents[visit.id]
            ),
            approvals=tuple(ApprovalStanding(zone=a.zone, until=a.until) for a in approvals if a.until is not None),
            approval_zones=frozenset(approval.zone for approval in approvals),
            escort_zones=frozenset(rule.id for rule in rules if rule.escort),
            escort=visit.escort,
            deposit_zones=frozenset(rule.id for rule in rules if rule.deposit),
            deposited=visit.deposit_token is not None,
        )


def _grouped(rows: Iterable[_Row]) -> defaultdict[str, list[_Row]]:
    groups: defaultdict[str, list[_Row]] = defaultdict(list)
    for row in rows:
        groups[row.visit_id].append(row)
    return groups


def _inside_by_zone(session: Session, limited: list[ZoneRule]) -> defaultdict[str, int]:
    """Guests inside by zone they may enter, counted only when a zone has a limit."""
    counts: defaultdict[str, int] = defaultdict(int)
    if not limited:
        return counts
    rows = session.execute(select(Visit.zones, func.count()).where(Visit.state.in_(INSIDE)).group_by(Visit.zones))
    for zones, count in rows:
        for zone in zones:
            counts[zone] += count
    return counts
