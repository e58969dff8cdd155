"""What happens at the desk between arrival and admission."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bposite.journal.work import Work
from bposite.passes import actions as passes
from bposite.passes.actions import Issued
from bposite.passes.rules import Ending
from bposite.plumbing.errors import Conflict, NotFound, Refusal
from bposite.visits.actions.holds import hold
from bposite.visits.actions.steps import Why, move, visit_for_change
from bposite.visits.queries.standing import Judged, judged
from bposite.visits.rules.machine import INSIDE, VisitEvent, VisitState
from bposite.visits.rules.requirements import Missing, missing_to_admit, missing_to_clear
from bposite.visits.rules.standing import HoldKind
from bposite.visits.tables import Visit, Visitor


class IdentityKind(StrEnum):
    """What was looked at. Never its number, never a copy: PCI DSS 9.3.2 asks for authorisation, not for a file."""

    NATIONAL_ID = "national_id"
    PASSPORT = "passport"
    DRIVING_LICENCE = "driving_licence"
    COMPANY_CARD = "company_card"
    KNOWN_PERSON = "known_person"


@dataclass(frozen=True, slots=True)
class Admission:
    """The answer to "let this guest in": admitted, or what is still missing. `issued` holds a new pass, if one was."""

    admitted: bool
    missing: tuple[Missing, ...] = ()
    issued: Issued | None = None


def check_identity(work: Work, visit_id: str, kind: IdentityKind, *, matches: bool) -> None:
    """Note which kind of document was looked at and by whom; a face that does not match raises a hold."""
    visit = _at_desk(work, visit_id)
    if not matches:
        hold(work, visit, HoldKind.ID_MISMATCH, f"{kind.value.replace('_', ' ')} does not match the guest")
        return
    visit.identity, visit.identity_by, visit.identity_at = kind, work.actor.name, work.now
    work.record("visits:identity:checked", subject=visit.id, data={"kind": kind})


def acknowledge(work: Work, visit_id: str, how: str) -> None:
    """Note that the host knows the guest is here; `how` says by whom or why not by the host himself."""
    if not how:
        raise Refusal("reason_needed", "Say how the host was told.", field="how")
    visit = visit_for_change(work, visit_id)
    if visit.acknowledged_at is None:
        visit.acknowledged_at, visit.acknowledged_how = work.now, how
        work.record("visits:host:acknowledged", subject=visit.id, data={"how": how})


def name_escort(work: Work, visit_id: str, number: str, name: str) -> None:
    """Name the person who leads the guest; a second call hands the guest over to somebody else."""
    visit = visit_for_change(work, visit_id)
    before, visit.escort, visit.escort_name = visit.escort, number, name
    work.record("visits:escort:named", subject=visit.id, data={"from": before, "to": number})


def deposit(work: Work, visit_id: str, token: str) -> None:
    """Note that the guest's devices lie at the desk under `token` (the number of the box or tag)."""
    if not token:
        raise Refusal("token_needed", "Write down the number of the box or tag.", field="token")
    visit = visit_for_change(work, visit_id)
    visit.deposit_token = token
    work.record("visits:deposit:taken", subject=visit.id, data={"token": token})


def set_photo(work: Work, visit_id: str, digest: str) -> None:
    """Attach the guest's picture; `digest` is the SHA-256 of the file that `photos.store` wrote."""
    visit = visit_for_change(work, visit_id)
    visitor = work.session.get(Visitor, visit.visitor_id)
    if visitor is None:
        raise NotFound("no_visitor", "This visitor does not exist.")
    visitor.photo, visitor.photo_at = digest, work.now
    work.record("visits:visitor:photographed", subject=visitor.id, data={"visit": visit.id, "sha256": digest})


def admit(work: Work, visit_id: str) -> Admission:
    """Let the guest in: clear if that is still to do, arm the pass, issue one when there is none yet.

    A refused admission is an answer and a fact, not an error. A guest who is inside already is
    admitted: the answer to a repeated request is the same.
    """
    found = _judged(work, visit_id)
    if found.visit.state in INSIDE:
        return Admission(admitted=True)
    if found.visit.state == VisitState.AT_DESK and not missing_to_clear(found.standing, found.desk, work.now):
        move(work, found.visit, VisitEvent.CLEAR)
    found = _judged(work, visit_id)
    missing = missing_to_admit(found.standing, found.desk, work.now)
    if missing:
        if found.visit.state == VisitState.CLEARED and missing_to_clear(found.standing, found.desk, work.now):
            move(work, found.visit, VisitEvent.REOPEN, Why("a condition of the clearance has lapsed"))
        work.record("visits:admission:refused", subject=visit_id, data={"missing": list(missing)})
        return Admission(admitted=False, missing=tuple(m for m in missing if m is not Missing.CLEARANCE))
    move(work, found.visit, VisitEvent.ADMIT, Why(found.visit.acknowledged_how))
    found.visit.admitted_at = work.now
    _start_window(work, found.visit)
    issued = None if passes.live_pass(work, visit_id) else passes.issue(work, visit_id)
    work.session.flush()
    passes.arm(work, visit_id)
    return Admission(admitted=True, issued=issued)


def _start_window(work: Work, visit: Visit) -> None:
    """Whom the desk lets in before the hour is let in by the doors too: admission starts the window."""
    if work.now < visit.window_from:
        work.record("visits:window:started", subject=visit.id, data={"was": visit.window_from.isoformat()})
        visit.window_from = work.now


def issue_pass(work: Work, visit_id: str) -> Issued:
    """Issue the guest's pass, or a new one in place of the pass that is alive (a reprint)."""
    visit = visit_for_change(work, visit_id)
    if VisitState(visit.state) not in _MAY_HOLD_A_PASS:
        raise Conflict("no_pass_now", f"A visit that is {visit.state.replace('_', ' ')} gets no pass.")
    return passes.issue(work, visit_id)


_MAY_HOLD_A_PASS = INSIDE | {
    VisitState.APPROVED,
    VisitState.INVITED,
    VisitState.PREREGISTERED,
    VisitState.AT_DESK,
    VisitState.CLEARED,
    VisitState.BREAK_OUT,
}


def turn_away(work: Work, visit_id: str, reason: str) -> VisitState:
    """Send the guest away with a reason; the pass opens nothing any more."""
    if not reason:
        raise Refusal("reason_needed", "Say why the guest is turned away.", field="reason")
    visit = visit_for_change(work, visit_id)
    state = move(work, visit, VisitEvent.TURN_AWAY, Why(reason))
    passes.end(work, visit_id, Ending.REVOKED)
    passes.return_media(work, visit_id)
    return state


def _at_desk(work: Work, visit_id: str) -> Visit:
    visit = visit_for_change(work, visit_id)
    if visit.state not in (VisitState.AT_DESK, VisitState.CLEARED):
        raise Conflict(
            "not_at_desk",
            f"This visit is {visit.state.replace('_', ' ')}, not at the desk.",
            remedy="Check the guest in first.",
        )
    return visit


def _judged(work: Work, visit_id: str) -> Judged:
    visit_for_change(work, visit_id)
    work.session.flush()
    found = judged(work.session, visit_id)
    if found is None:
        raise NotFound("no_visit", "This visit does not exist.")
    return found
