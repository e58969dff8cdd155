"""The programme: its lines, and a new one."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bposite.cleandesk import actions, queries
from bposite.cleandesk.actions import NewPlan
from bposite.cleandesk.forms import PlanForm, refuse
from bposite.cleandesk.rules.programme import FREQUENCIES
from bposite.cleandesk.views.base import blueprint, zone_words
from bposite.cleandesk.views.overview import due_walks, plan_needs
from bposite.journal.work import unit_of_work
from bposite.people.access import current_actor, requires
from bposite.plumbing.clock import now
from bposite.plumbing.db import reading
from bposite.plumbing.errors import Refusal


@blueprint.get("/programme/")
@requires("cleandesk:read")
def programme() -> ResponseReturnValue:
    """All lines, with the sample each needs and what is due now."""
    with reading() as session:
        plans = queries.plans(session)
        return render_template(
            "cleandesk/programme.html",
            plans=[(plan, [plan_needs(session, plan, shift) for shift in plan.shifts]) for plan in plans],
            due=due_walks(session, now()),
            zones=zone_words(session),
            frequencies=FREQUENCIES,
            catalogue=queries.in_force(),
        )


@blueprint.route("/programme/new", methods=["GET", "POST"])
@requires("cleandesk:plan")
def new_plan() -> ResponseReturnValue:
    """Add a line."""
    defaults = {"kinds": ["desk"], "shifts": ["day"], "moments": ["end_of_shift"]}
    form = PlanForm(data=defaults) if request.method == "GET" else PlanForm()
    with reading() as session:
        _choices(session, form)
    if form.validate_on_submit():
        try:
            with unit_of_work(current_actor()) as work:
                actions.save_plan(work, _plan(form))
            flash(f"{form.name.data} is part of the programme.", "good")
            return redirect(url_for(".programme"))
        except Refusal as refusal:
            refuse(form, refusal)
    return render_template("cleandesk/plan_new.html", form=form), 422 if form.errors else 200


@blueprint.post("/programme/<plan_id>/end")
@requires("cleandesk:plan")
def end_plan(plan_id: str) -> ResponseReturnValue:
    """Stop a line; what it showed stays."""
    with unit_of_work(current_actor()) as work:
        actions.end_plan(work, plan_id)
    flash("The plan has ended. Its rounds and findings stay.", "good")
    return redirect(url_for(".programme"))


def _choices(session: Session, form: PlanForm) -> None:
    used = {zone for zone, _ in queries.counts(session)}
    form.zones.choices = [(zone, name) for zone, name in zone_words(session).items() if zone in used]
    form.shifts.choices = [(shift, shift.capitalize()) for shift in queries.shifts(session) or ["day"]]


def _plan(form: PlanForm) -> NewPlan:
    return NewPlan(
        name=form.name.data or "",
        zones=tuple(form.zones.data or ()),
        kinds=tuple(form.kinds.data or ()),
        shifts=tuple(form.shifts.data or ()),
        moments=tuple(form.moments.data or ()),
        frequency=form.frequency.data,
        target=float(form.target.data),
        confidence=float(form.confidence.data),
        fails_allowed=form.fails_allowed.data or 0,
        exercise=bool(form.exercise.data),
    )
