"""The one way in which a visit moves: through its table, with a row that says who, when, where and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bposite.journal.work import Work
from bposite.plumbing.errors import Conflict, NotFound
from bposite.visits.rules.machine import VISIT_MACHINE, VisitEvent, VisitState
from bposite.visits.tables import Transition, Visit

_E = VisitEvent
FACT = {
    _E.REQUEST: "requested",
    _E.APPROVE: "approved",
    _E.REJECT: "rejected",
    _E.INVITE: "invited",
    _E.PREREGISTER: "preregistered",
    _E.WALK_IN: "walked_in",
    _E.ARRIVE: "arrived",
    _E.CLEAR: "cleared",
    _E.REOPEN: "reopened",
    _E.ADMIT: "admitted",
    _E.TURN_AWAY: "turned_away",
    _E.CANCEL: "cancelled",
    _E.NO_SHOW: "no_show",
    _E.BREAK_OUT: "break_started",
    _E.COME_BACK: "came_back",
    _E.OVERSTAY: "overstayed",
    _E.EXTEND: "extended",
    _E.UNACCOUNT: "unaccounted",
    _E.DEPART: "departed",
    _E.PRESUME_LEFT: "presumed_left",
    _E.ESCALATE: "escalated",
}


@dataclass(frozen=True, slots=True)
class Why:
    """What a step rests on: words, ids of evidence (entries, media, stills), and the device's own clock."""

    reason: str = ""
    evidence: tuple[str, ...] = ()
    device_at: datetime | None = None


NO_REASON = Why()


def visit_for_change(work: Work, visit_id: str) -> Visit:
    """The visit, locked until the unit of work ends; NotFound when there is none."""
    visit = work.session.get(Visit, visit_id, with_for_update=True)
    if visit is None:
        raise NotFound("no_visit", "This visit does not exist.", remedy="Search for the visitor by name.")
    return visit


def possible(visit: Visit, event: VisitEvent) -> bool:
    """Whether `event` leads anywhere from where the visit stands."""
    return VISIT_MACHINE.after(VisitState(visit.state), event) is not None


def move(work: Work, visit: Visit, event: VisitEvent, why: Why = NO_REASON) -> VisitState:
    """Move `visit` by `event`; Conflict when its table has no such arrow (somebody else was quicker)."""
    source = VisitState(visit.state)
    target = VISIT_MACHINE.after(source, event)
    if target is None:
        raise Conflict(
            "not_possible",
            f"This visit is {words(source)}; it cannot be {words(FACT[event])}.",
            remedy="Reload the page: somebody else may have changed it.",
        )
    visit.state = target
    work.session.add(
        Transition(
            visit_id=visit.id,
            event=event,
            source=source,
            target=target,
            actor=actor_key(work),
            actor_name=work.actor.name,
            role=work.actor.role or work.actor.kind,
            device=work.actor.place or "",
            at=work.now,
            device_at=why.device_at,
            reason=why.reason,
            evidence=list(why.evidence),
        )
    )
    work.record(
        f"visits:visit:{FACT[event]}",
        subject=visit.id,
        data={"from": source, "to": target, "reason": why.reason, "evidence": list(why.evidence)},
    )
    return target


def actor_key(work: Work) -> str:
    """Who acts, as one text: kind and id. Two keys are equal only for the same actor."""
    return f"{work.actor.kind}:{work.actor.id}"[:60]


def words(name: str) -> str:
    """A state or an event as people read it: "at_desk" is "at desk"."""
    return name.replace("_", " ")
