"""The first page: what is due, what is open, and what this month may claim."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import render_template
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bposite.cleandesk import queries
from bposite.cleandesk.queries import PlanRow, Scope, Wanted
from bposite.cleandesk.rules.claims import Claim, Status, estimate, judge, status
from bposite.cleandesk.rules.machines import Round
from bposite.cleandesk.rules.programme import Needed, Target, needed, period_of, walks_a_month
from bposite.cleandesk.views.base import blueprint, me, zone_words
from bposite.people.access import requires
from bposite.plumbing.clock import local, now
from bposite.plumbing.db import reading

TARGET, CONFIDENCE = 0.95, 0.95


@dataclass(frozen=True, slots=True)
class Due:
    """A walk of the programme that nobody has planned in this period."""

    plan: PlanRow
    period: str
    shift: str
    moment: str
    needed: Needed


@blueprint.get("/")
@requires("cleandesk:read")
def overview() -> ResponseReturnValue:
    """Today's walks, open findings, what is due, and the month so far."""
    at = now()
    month = f"{local(at):%Y-%m}"
    with reading() as session:
        mine = [r for r in queries.rounds(session, states=queries.OPEN_STATES, auditor=me()) if not _double_only(r)]
        return render_template(
            "cleandesk/overview.html",
            mine=mine,
            planned=queries.rounds(session, states=queries.OPEN_STATES, limit=12),
            to_review=queries.rounds(session, states=(Round.SUBMITTED,), limit=12),
            counts=queries.board_counts(session, Wanted(states=queries.OPEN), at),
            critical=[f for f in queries.open_findings(session) if f.severity == "S1"][:6],
            walks_due=due_walks(session, at),
            claim=month_claim(session, Scope((month,))),
            zone_states=zone_states(session, month, at),
            faults=queries.team_faults(session),
            zones=zone_words(session),
            month=month,
            target=TARGET,
            places=sum(queries.counts(session).values()),
        )


def _double_only(row: queries.RoundRow) -> bool:
    """Whether I am only the second auditor of a round that has not begun: there is nothing to do yet."""
    return row.auditor_id != me() and row.state == Round.PLANNED


def month_claim(session: Session, scope: Scope, target: float = TARGET, confidence: float = CONFIDENCE) -> Claim:
    """What the rounds of the scope may claim."""
    limits = queries.limits(queries.in_force())
    return judge(queries.strata(session, scope), target, confidence, queries.quality(session, scope), limits)


@dataclass(frozen=True, slots=True)
class ZoneState:
    """A zone's colour of a month. `judged` and `passed` are counts; below 20 only they are shown."""

    zone: str
    status: Status
    judged: int
    passed: int
    open_findings: int


def zone_states(session: Session, month: str, at: datetime) -> list[ZoneState]:
    """Every zone of the roster with its colour."""
    small = queries.in_force().sampling.small_stratum
    found = []
    open_now = queries.open_findings(session)
    for zone in sorted({zone for zone, _ in queries.counts(session)}):
        strata = queries.strata(session, Scope((month,), zones=(zone,)))
        judged, passed = sum(s.seen for s in strata), sum(s.passed for s in strata)
        estimated = estimate(strata) if judged >= small else None
        late = queries.overdue_critical(session, at, (zone,)) > 0
        colour = status(estimated, TARGET, overdue_s1=late)
        found.append(ZoneState(zone, colour, judged, passed, sum(f.zone == zone for f in open_now)))
    return found


def due_walks(session: Session, at: datetime) -> list[Due]:
    """What the programme asks for in the present period and nobody has planned yet."""
    plans = queries.plans(session)
    today = local(at).date()
    periods = {plan.id: period_of(today, plan.frequency) for plan in plans}
    done = queries.periods_planned(session, list(periods), sorted(set(periods.values())))
    return [
        Due(plan, periods[plan.id], shift, moment, plan_needs(session, plan, shift))
        for plan in plans
        for shift in plan.shifts
        for moment in plan.moments
        if (plan.id, periods[plan.id], shift, moment) not in done
    ]


def plan_needs(session: Session, plan: PlanRow, shift: str) -> Needed:
    """How many places a walk of the plan has to see in a shift."""
    frame = len(queries.places(session, zones=plan.zones, kinds=plan.kinds, shift=shift))
    walks = walks_a_month(plan.frequency, len(plan.shifts), len(plan.moments))
    return needed(Target(plan.target, plan.confidence, plan.fails_allowed), frame, walks)
