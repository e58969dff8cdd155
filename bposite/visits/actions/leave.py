"""How a guest leaves, and what happens to one of whom nobody knows whether he left."""

from __future__ import annotations

from datetime import datetime

from bposite.journal.work import Work
from bposite.passes import actions as passes
from bposite.passes.rules import Ending, Suspension
from bposite.plumbing.errors import Refusal
from bposite.visits.actions.steps import Why, move, possible, visit_for_change
from bposite.visits.rules.machine import Evidence, VisitEvent, VisitState, grade
from bposite.visits.tables import Visit


def depart(
    work: Work, visit_id: str, evidence: Evidence, *, note: str = "", ids: tuple[str, ...] = (), returned: bool = True
) -> bool:
    """Write the departure of a guest, with its one kind of evidence; False when he had departed already.

    `ids` name what proves it (an entry, a still); a camera still needs `note` to name who viewed it.
    `returned`: the label or card came back. One that did not stays on the list of the day close.
    """
    visit = visit_for_change(work, visit_id)
    if visit.state == VisitState.DEPARTED:
        return False
    if evidence is Evidence.CAMERA_STILL and not note:
        raise Refusal("viewer_needed", "Name who saw the guest leave on the picture.", field="note")
    _depart(work, visit, evidence, Why(note or evidence.replace("_", " "), ids))
    if returned:
        passes.return_media(work, visit_id)
    return True


def _depart(work: Work, visit: Visit, evidence: Evidence, why: Why) -> None:
    visit.departure, visit.departed_at = evidence, why.device_at or work.now
    move(work, visit, VisitEvent.DEPART, why)
    surrendered = evidence in (Evidence.CARD_SURRENDERED, Evidence.DESK_SCAN, Evidence.KIOSK_SCAN)
    passes.end(work, visit.id, Ending.SURRENDERED if surrendered else Ending.EXPIRED)
    work.record("visits:departure:graded", subject=visit.id, data={"evidence": evidence, "grade": grade(evidence)})


def left_by_door(work: Work, visit_id: str, *, entry: str, at: datetime) -> bool:
    """An exit door saw the guest go out of the building: the strongest evidence of departure.

    `entry` is the position of the log entry, `at` the time used for it. Called by doors for each
    passage to the outside; changes nothing (False) for a guest who is not inside: on a break, departed, unknown.
    """
    visit = work.session.get(Visit, visit_id, with_for_update=True)
    if visit is None or visit.state == VisitState.BREAK_OUT or not possible(visit, VisitEvent.DEPART):
        return False
    _depart(work, visit, Evidence.EXIT_DOOR, Why("went out through a door", (entry,), at))
    return True


def correct_departure(work: Work, visit_id: str, evidence: Evidence, at: datetime, reason: str) -> None:
    """Correct when and how a guest left. The rows that said otherwise stay; the correction is a further fact."""
    visit = visit_for_change(work, visit_id)
    if visit.state != VisitState.DEPARTED or visit.departed_at is None:
        raise Refusal("not_departed", "Only a departure that was written can be corrected.")
    if not reason:
        raise Refusal("reason_needed", "Say why the departure is corrected.", field="reason")
    if at > work.now or (visit.admitted_at is not None and at < visit.admitted_at):
        raise Refusal("departure_time", "The guest left after the admission and not in the future.", field="time")
    before = {"evidence": visit.departure, "at": visit.departed_at.isoformat()}
    visit.departure, visit.departed_at = evidence, at
    after = {"evidence": evidence, "at": at.isoformat()}
    work.record("visits:departure:corrected", subject=visit.id, data={"from": before, "to": after, "reason": reason})


def start_break(work: Work, visit_id: str, reason: str = "") -> VisitState:
    """The guest steps out and means to come back; the pass opens nothing until then."""
    visit = visit_for_change(work, visit_id)
    state = move(work, visit, VisitEvent.BREAK_OUT, Why(reason))
    passes.suspend(work, visit_id, Suspension.BREAK)
    return state


def come_back(work: Work, visit_id: str) -> VisitState:
    """The guest is back from a break; the pass opens doors again."""
    visit = visit_for_change(work, visit_id)
    state = move(work, visit, VisitEvent.COME_BACK)
    passes.resume(work, visit_id, Suspension.BREAK)
    return state


def extend(work: Work, visit_id: str, until: datetime, reason: str) -> None:
    """Let the guest stay until `until`: the window grows, an overstay is one no more."""
    visit = visit_for_change(work, visit_id)
    if until <= work.now or until <= visit.window_until:
        raise Refusal("not_longer", "Choose a time after the present end of the visit.", field="until")
    if visit.state == VisitState.OVERSTAY:
        move(work, visit, VisitEvent.EXTEND, Why(reason))
    elif visit.state != VisitState.ON_SITE:
        raise Refusal("not_inside", "Only a guest who is inside can stay longer.", field="until")
    before, visit.window_until = visit.window_until, until
    work.record(
        "visits:window:extended",
        subject=visit.id,
        data={"from": before.isoformat(), "to": until.isoformat(), "reason": reason},
    )


def presume_left(work: Work, visit_id: str, searched_by: str, reason: str) -> VisitState:
    """Write that a guest was searched for and is presumed to have left; a named person answers for it."""
    if not searched_by or not reason:
        raise Refusal("search_needed", "Name who searched, and say what makes you sure.", field="reason")
    visit = visit_for_change(work, visit_id)
    state = move(work, visit, VisitEvent.PRESUME_LEFT, Why(f"searched by {searched_by}: {reason}"))
    passes.end(work, visit_id, Ending.REVOKED)
    return state


def escalate(work: Work, visit_id: str, reason: str) -> VisitState:
    """Hand a guest of whom nobody knows over as an incident."""
    visit = visit_for_change(work, visit_id)
    state = move(work, visit, VisitEvent.ESCALATE, Why(reason))
    passes.end(work, visit_id, Ending.REVOKED)
    return state
