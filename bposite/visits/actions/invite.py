"""How a visit begins: an invitation or a guest at the desk, the approvals it needs, and calling it off."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select

from bposite.journal.work import Work
from bposite.passes import actions as passes
from bposite.passes.rules import Ending
from bposite.plumbing.errors import Refusal
from bposite.plumbing.ids import new_id
from bposite.visits.actions.holds import clear_approval_holds, hold
from bposite.visits.actions.plan import LOBBY
from bposite.visits.actions.steps import Why, actor_key, move, visit_for_change
from bposite.visits.actions.watch import look_up
from bposite.visits.rules.inputs import FURTHEST_AHEAD
from bposite.visits.rules.machine import VisitEvent, VisitState
from bposite.visits.rules.names import folded
from bposite.visits.rules.standing import HoldKind
from bposite.visits.tables import Approval, Visit, Visitor, VisitorWord, ZoneRule

AT_THE_DESK = Why("at the desk")


@dataclass(frozen=True, kw_only=True, slots=True)
class NewVisit:
    """What is known when somebody is invited or stands at the desk. Texts are tidy, times are UTC, half-open."""

    name: str
    host: str
    host_name: str
    window_from: datetime
    window_until: datetime
    zones: tuple[str, ...] = ()
    company: str = ""
    email: str = ""
    phone: str = ""
    purpose: str = ""
    batch_key: str | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """A visit that was entered; `pending` names the zones that still need somebody's yes."""

    visit_id: str
    state: VisitState
    pending: tuple[str, ...]
    created: bool = True


def invite(work: Work, new: NewVisit) -> Placed:
    """Enter an invitation. Without a zone that needs approval the guest is expected at once.

    The same `batch_key` again (a list uploaded twice) enters nothing and gives the visit that is there.
    """
    if new.batch_key and (there := work.session.scalar(select(Visit).where(Visit.batch_key == new.batch_key))):
        return Placed(there.id, VisitState(there.state), (), created=False)
    visit, pending = _enter(work, new, walk_in=False)
    if not pending:
        move(work, visit, VisitEvent.APPROVE, Why("no zone of this visit needs an approval"))
    return Placed(visit.id, VisitState(visit.state), pending)


def register_walk_in(work: Work, new: NewVisit) -> Placed:
    """Enter a guest who stands at the desk unannounced. Missing approvals become a hold for somebody else."""
    visit, pending = _enter(work, new, walk_in=True)
    _to_desk(work, visit, pending)
    return Placed(visit.id, VisitState(visit.state), pending)


def _enter(work: Work, new: NewVisit, *, walk_in: bool) -> tuple[Visit, tuple[str, ...]]:
    _check_window(work, new)
    rules = _zone_rules(work, new.zones)
    visitor = _visitor(work, new)
    visit = Visit(
        id=new_id(),
        visitor_id=visitor.id,
        state=VisitState.DRAFT,
        host=new.host,
        host_name=new.host_name,
        purpose=new.purpose,
        window_from=new.window_from,
        window_until=new.window_until,
        zones=[rule.id for rule in rules],
        walk_in=walk_in,
        created_at=work.now,
        created_by=actor_key(work),
        created_by_name=work.actor.name,
        batch_key=new.batch_key,
    )
    work.session.add(visit)
    work.session.flush()
    move(work, visit, VisitEvent.REQUEST, Why(new.purpose))
    wanted = ("walk_in", "always") if walk_in else ("always",)
    pending = tuple(rule.id for rule in rules if rule.approval in wanted)
    _ask(work, visit, pending)
    look_up(work, visit)
    return visit, pending


def _check_window(work: Work, new: NewVisit) -> None:
    if new.window_until <= work.now:
        raise Refusal("window_past", "This visit would already be over.", field="day", remedy="Choose a later time.")
    if new.window_from > work.now + FURTHEST_AHEAD:
        raise Refusal("window_far", "Invite at most 400 days ahead.", field="day")


def _zone_rules(work: Work, wanted: Iterable[str]) -> list[ZoneRule]:
    """The rules of the zones wanted, the lobby always among them, in the order of the plan."""
    known = list(work.session.scalars(select(ZoneRule).where(ZoneRule.active).order_by(ZoneRule.position)))
    chosen = set(wanted)
    if unknown := chosen - {rule.id for rule in known}:
        raise Refusal("no_zone", f"There is no zone {', '.join(sorted(unknown))} here.", field="zones")
    return [rule for rule in known if rule.id in chosen or rule.kind == LOBBY]


def _visitor(work: Work, new: NewVisit) -> Visitor:
    key = new.email.lower() or None
    visitor = work.session.scalar(select(Visitor).where(Visitor.email_key == key)) if key else None
    if visitor is None:
        visitor = Visitor(id=new_id(), email=new.email, email_key=key, created_at=work.now, name="", company="")
        work.session.add(visitor)
    if (visitor.name, visitor.company) != (new.name, new.company or visitor.company):
        if visitor.name:
            work.record("visits:visitor:renamed", subject=visitor.id, data={"from": visitor.name, "to": new.name})
        visitor.name, visitor.company = new.name, new.company or visitor.company
        work.session.flush()
        _index(work, visitor)
    visitor.phone = new.phone or visitor.phone or ""
    return visitor


def _index(work: Work, visitor: Visitor) -> None:
    work.session.execute(delete(VisitorWord).where(VisitorWord.visitor_id == visitor.id))
    found = {word[:60] for word in folded(f"{visitor.name} {visitor.company}").split()}
    work.session.add_all(VisitorWord(word=word, visitor_id=visitor.id) for word in sorted(found))


def _ask(work: Work, visit: Visit, zones: Iterable[str]) -> None:
    for zone in zones:
        work.session.add(
            Approval(id=new_id(), visit_id=visit.id, zone=zone, decision="pending", requested_by=actor_key(work))
        )
        work.record("visits:approval:asked", subject=visit.id, data={"zone": zone})
    work.session.flush()


def pending_approvals(work: Work, visit_id: str) -> list[Approval]:
    """Approvals of a visit that nobody has decided yet."""
    statement = select(Approval).where(Approval.visit_id == visit_id, Approval.decision == "pending")
    return list(work.session.scalars(statement.with_for_update()))


def arrive(work: Work, visit_id: str, why: Why = AT_THE_DESK) -> VisitState:
    """The guest stands at the desk. A visit that still waits for approvals comes to the desk with a hold."""
    visit = visit_for_change(work, visit_id)
    if visit.state == VisitState.REQUESTED:
        _to_desk(work, visit, tuple(row.zone for row in pending_approvals(work, visit_id)))
    else:
        move(work, visit, VisitEvent.ARRIVE, why)
    visit.arrived_at = work.now
    look_up(work, visit)  # the list may have grown since the invitation
    return VisitState(visit.state)


def _to_desk(work: Work, visit: Visit, pending: tuple[str, ...]) -> None:
    move(work, visit, VisitEvent.WALK_IN, Why("at the desk without an invitation"))
    visit.arrived_at = work.now
    if pending:
        hold(work, visit, HoldKind.APPROVAL, "needs approval for " + ", ".join(pending))


def decide(work: Work, visit_id: str, *, approve: bool, reason: str = "") -> VisitState:
    """Approve or reject all zones of a visit that wait for a yes. The requester never approves his own.

    A yes lapses with the window of the visit. A no rejects the visit, or turns the guest away who waits at the desk.
    """
    visit = visit_for_change(work, visit_id)
    rows = pending_approvals(work, visit_id)
    if not rows:
        raise Refusal("nothing_to_approve", "Nothing of this visit waits for an approval.", remedy="Reload the page.")
    if any(row.requested_by == actor_key(work) for row in rows):
        raise Refusal("own_request", "A request is approved by somebody else than the one who made it.")
    if not approve and not reason:
        raise Refusal("reason_needed", "Say why the visit is rejected.", field="reason")
    for row in rows:
        row.decision = "approved" if approve else "rejected"
        row.decided_by, row.decided_by_name, row.decided_at = actor_key(work), work.actor.name, work.now
        row.reason, row.until = reason, visit.window_until if approve else None
    named = [row.zone for row in rows]
    work.record(
        f"visits:approval:{'given' if approve else 'refused'}",
        subject=visit.id,
        data={"zones": named, "reason": reason},
    )
    return _after_yes(work, visit, reason) if approve else _after_no(work, visit, reason)


def _after_yes(work: Work, visit: Visit, reason: str) -> VisitState:
    if visit.state == VisitState.REQUESTED:
        return move(work, visit, VisitEvent.APPROVE, Why(reason or "approved"))
    clear_approval_holds(work, visit.id, reason or "approved")
    return VisitState(visit.state)


def _after_no(work: Work, visit: Visit, reason: str) -> VisitState:
    passes.end(work, visit.id, Ending.REVOKED)
    event = VisitEvent.REJECT if visit.state == VisitState.REQUESTED else VisitEvent.TURN_AWAY
    return move(work, visit, event, Why(reason))


def cancel(work: Work, visit_id: str, reason: str) -> VisitState:
    """Call a visit off before the guest has arrived; its pass opens nothing from now on."""
    visit = visit_for_change(work, visit_id)
    if not reason:
        raise Refusal("reason_needed", "Say why the visit is called off.", field="reason")
    state = move(work, visit, VisitEvent.CANCEL, Why(reason))
    passes.end(work, visit_id, Ending.REVOKED)
    return state


def reschedule(work: Work, visit_id: str, window_from: datetime, window_until: datetime) -> None:
    """Move the window of a visit that has not begun. Approvals were given for the old one and are asked for again."""
    visit = visit_for_change(work, visit_id)
    if VisitState(visit.state) not in _MOVABLE:
        raise Refusal("not_movable", "Only a visit that has not begun can be moved.", field="day")
    if window_until <= work.now:
        raise Refusal("window_past", "This visit would already be over.", field="day", remedy="Choose a later time.")
    before = [visit.window_from.isoformat(), visit.window_until.isoformat()]
    visit.window_from, visit.window_until = window_from, window_until
    for row in work.session.scalars(select(Approval).where(Approval.visit_id == visit.id)):
        row.decision, row.decided_by, row.decided_by_name, row.decided_at, row.until = "pending", None, None, None, None
    after = [window_from.isoformat(), window_until.isoformat()]
    work.record("visits:visit:rescheduled", subject=visit.id, data={"from": before, "to": after})


_MOVABLE = frozenset({VisitState.REQUESTED, VisitState.APPROVED, VisitState.INVITED, VisitState.PREREGISTERED})
