"""Holds and waivers: who stopped a visit and why, who let it go on and why."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from bposite.journal.work import Work
from bposite.passes import actions as passes
from bposite.passes.rules import Suspension
from bposite.plumbing.errors import Conflict, NotFound, Refusal
from bposite.plumbing.ids import new_id
from bposite.visits.actions.steps import Why, actor_key, move, visit_for_change
from bposite.visits.rules.machine import INSIDE, VisitEvent, VisitState
from bposite.visits.rules.requirements import WaiverKind, may_release
from bposite.visits.rules.standing import DocumentKind, HoldKind
from bposite.visits.tables import Document, Hold, Visit, Waiver


def raise_hold(work: Work, visit_id: str, kind: HoldKind, reason: str) -> str:
    """Stop a visit; returns the id of the hold. The pass of a guest who is inside opens no further door."""
    visit = visit_for_change(work, visit_id)
    return hold(work, visit, kind, reason)


def hold(work: Work, visit: Visit, kind: HoldKind, reason: str) -> str:
    """The same for a visit that is in hand already."""
    row = Hold(
        id=new_id(),
        visit_id=visit.id,
        kind=kind,
        reason=reason,
        raised_by=actor_key(work),
        raised_by_name=work.actor.name,
        raised_at=work.now,
    )
    work.session.add(row)
    work.session.flush()
    work.record("visits:hold:raised", subject=visit.id, data={"hold": row.id, "kind": kind, "reason": reason})
    if visit.state == VisitState.CLEARED:
        move(work, visit, VisitEvent.REOPEN, Why(f"hold: {kind}"))
    if visit.state in INSIDE:
        passes.suspend(work, visit.id, Suspension.HOLD)
    return row.id


def release_hold(work: Work, hold_id: str, reason: str, permissions: frozenset[str]) -> str:
    """Clear one hold and return the id of its visit; `permissions` are those of the one who clears.

    Whoever raised a hold may not clear it alone. A watchlist match is cleared by somebody who keeps the watchlist.
    """
    row = work.session.get(Hold, hold_id, with_for_update=True)
    if row is None or row.cleared_at is not None:
        raise NotFound("no_hold", "This hold is not open any more.", remedy="Reload the page.")
    if not may_release(row.raised_by, actor_key(work), HoldKind(row.kind), permissions):
        raise Refusal("hold_not_yours", _not_yours(HoldKind(row.kind)), field="reason", remedy="Ask your supervisor.")
    if not reason:
        raise Refusal("reason_needed", "Say why the hold can be cleared.", field="reason")
    _clear(work, row, reason)
    return row.visit_id


def _not_yours(kind: HoldKind) -> str:
    if kind is HoldKind.WATCHLIST:
        return "A watchlist hold is cleared by somebody who keeps the watchlist, not at the desk."
    return "A hold is cleared by somebody else than the one who raised it."


def _clear(work: Work, row: Hold, reason: str) -> None:
    row.cleared_by, row.cleared_by_name = actor_key(work), work.actor.name
    row.cleared_at, row.cleared_why = work.now, reason
    work.record("visits:hold:cleared", subject=row.visit_id, data={"hold": row.id, "kind": row.kind, "reason": reason})
    work.session.flush()
    if not open_holds(work, row.visit_id):
        passes.resume(work, row.visit_id, Suspension.HOLD)


def open_holds(work: Work, visit_id: str) -> list[Hold]:
    """The open holds of a visit."""
    return list(work.session.scalars(select(Hold).where(Hold.visit_id == visit_id, Hold.cleared_at.is_(None))))


def clear_approval_holds(work: Work, visit_id: str, reason: str) -> None:
    """Clear the approval holds of a visit whose approvals are now complete; the approver is the second person."""
    for row in open_holds(work, visit_id):
        if row.kind == HoldKind.APPROVAL and row.raised_by != actor_key(work):
            _clear(work, row, reason)


def waive(work: Work, visit_id: str, kind: WaiverKind, reason: str, what: DocumentKind | None = None) -> None:
    """Set a condition aside, with a name and a reason; Refusal without a reason."""
    if not reason:
        raise Refusal("reason_needed", "Say why this may be set aside.", field="reason")
    visit = visit_for_change(work, visit_id)
    work.session.add(
        Waiver(
            id=new_id(),
            visit_id=visit.id,
            kind=kind,
            what=what or "",
            reason=reason,
            by=actor_key(work),
            by_name=work.actor.name,
            at=work.now,
        )
    )
    work.record("visits:waiver:given", subject=visit.id, data={"kind": kind, "what": what or "", "reason": reason})


def demand_document(work: Work, visit_id: str, kind: DocumentKind) -> None:
    """Make a document a condition of the visit; demanding it twice changes nothing."""
    visit = visit_for_change(work, visit_id)
    if _document(work, visit.id, kind) is not None:
        return
    work.session.add(Document(id=new_id(), visit_id=visit.id, kind=kind))
    work.record("visits:document:demanded", subject=visit.id, data={"kind": kind})


def see_document(work: Work, visit_id: str, kind: DocumentKind, until: datetime) -> None:
    """Note that a demanded document was seen and is in force until `until`; Conflict when it was not demanded."""
    row = _document(work, visit_id, kind)
    if row is None:
        raise Conflict("not_demanded", "This document is not demanded for this visit.", field="kind")
    if until <= work.now:
        raise Refusal("document_over", "This document is not in force any more.", field="until")
    row.until, row.seen_by_name, row.seen_at = until, work.actor.name, work.now
    work.record("visits:document:seen", subject=visit_id, data={"kind": kind, "until": until.isoformat()})


def _document(work: Work, visit_id: str, kind: DocumentKind) -> Document | None:
    return work.session.scalar(select(Document).where(Document.visit_id == visit_id, Document.kind == kind))
