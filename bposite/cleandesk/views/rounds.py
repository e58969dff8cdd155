"""Rounds: the list, planning one, its page, and the steps of the planner and the reviewer."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bposite.cleandesk import actions, queries
from bposite.cleandesk.actions import NewRound
from bposite.cleandesk.forms import RoundForm, WordsForm, refuse
from bposite.cleandesk.queries import Wanted
from bposite.cleandesk.rules.machines import Round
from bposite.cleandesk.rules.programme import Needed, Target, needed
from bposite.cleandesk.rules.sampling import seed
from bposite.cleandesk.views.base import blueprint, me, needed_round, zone_words
from bposite.cleandesk.views.overview import plan_needs
from bposite.journal.work import unit_of_work
from bposite.people.access import current_actor, requires
from bposite.plumbing.clock import local, now, site_zone
from bposite.plumbing.db import reading
from bposite.plumbing.errors import Refusal
from bposite.plumbing.web import wants_fragment, whole_number
from bposite.visits.queries import VisitRow, visit_row

PAGE = 40
WALKS = 4
SWEEP_BEFORE = timedelta(minutes=30)
MOST_SWEPT = 60


@blueprint.get("/rounds/")
@requires("cleandesk:read")
def rounds() -> ResponseReturnValue:
    """All rounds, newest first."""
    state = request.args.get("state", "")
    before = whole_number(request.args.get("before"))
    states = (state,) if state in {str(known) for known in Round} else ()
    with reading() as session:
        rows = queries.rounds(session, states=states, before=before, limit=PAGE + 1)
        older = url_for(".rounds", state=state or None, before=rows[PAGE - 1].number) if rows[PAGE:] else None
        return render_template(
            "cleandesk/rounds.html", rounds=rows[:PAGE], zones=zone_words(session), state=state, older=older
        )


@blueprint.route("/rounds/new", methods=["GET", "POST"])
@requires("cleandesk:plan")
def new_round() -> ResponseReturnValue:
    """Plan a round: the sample size comes from the target, the draw from the seed."""
    with reading() as session:
        form = RoundForm(data=_defaults(session)) if request.method == "GET" else RoundForm()
        form.size.flags.required = True  # for a random sample; a targeted check names its places instead
        _choices(session, form)
        hint = _hint(session, form)
    if "work_out" in request.form:
        form.size.data = hint.walk if hint else form.size.data
    elif form.validate_on_submit():
        try:
            with unit_of_work(current_actor()) as work:
                round_id = actions.plan_round(work, _round(form))
            flash("The round is planned. Its secret number is committed to the journal.", "good")
            return redirect(url_for(".round_page", round_id=round_id))
        except Refusal as refusal:
            refuse(form, refusal)
    return render_template("cleandesk/round_new.html", form=form, hint=hint), 422 if form.errors else 200


@blueprint.get("/rounds/size")
@requires("cleandesk:plan")
def round_size() -> ResponseReturnValue:
    """How many places a walk needs for what is chosen on the form: a fragment."""
    form = RoundForm(request.args, meta={"csrf": False})
    with reading() as session:
        _choices(session, form)
        return render_template("cleandesk/round_size.html", hint=_hint(session, form))


@blueprint.get("/rounds/<round_id>")
@requires("cleandesk:read")
def round_page(round_id: str) -> ResponseReturnValue:
    """One round: what was drawn and seen, its findings, and the proof of its draw."""
    with reading() as session:
        row = needed_round(session, round_id)
        started = row.state not in (Round.PLANNED, Round.DRAWN, Round.CANCELLED)
        stops = queries.stops(session, round_id) if started else []
        page = "cleandesk/round_stops.html" if wants_fragment() else "cleandesk/round.html"
        return render_template(
            page,
            round=row,
            proof=queries.proof_of(session, round_id),
            stops=stops,
            findings=queries.findings(session, Wanted(round_id=round_id, exercise=row.exercise), now(), limit=200),
            zones=zone_words(session),
            labels=queries.labels(session, [stop.place for stop in stops]),
            catalogue=queries.in_force(),
            form=WordsForm(),
            mine=row.auditor_id == me(),
            second=row.second_id == me(),
            auditors=queries.auditors(session),
            presence=queries.presence_of(session, round_id),
        )


@blueprint.post("/rounds/<round_id>/cancel")
@requires("cleandesk:plan")
def cancel_round(round_id: str) -> ResponseReturnValue:
    """Take back a planned round."""
    return _step(round_id, lambda work, words: actions.cancel_round(work, round_id, words), "The round is cancelled.")


@blueprint.post("/rounds/<round_id>/reassign")
@requires("cleandesk:plan")
def reassign(round_id: str) -> ResponseReturnValue:
    """Give a planned round to somebody else."""
    auditor, second = request.form.get("auditor", ""), request.form.get("second") or None
    return _step(
        round_id, lambda work, _: actions.reassign(work, round_id, auditor, second), "The round has another auditor."
    )


@blueprint.post("/rounds/<round_id>/review")
@requires("cleandesk:verify")
def review_round(round_id: str) -> ResponseReturnValue:
    """Another person has looked at it: its seed is published."""
    done = "The round is reviewed and its seed is published."
    return _step(round_id, lambda work, words: actions.review_round(work, round_id, words), done)


@blueprint.get("/rounds/<round_id>/draw.txt")
@requires("cleandesk:read")
def round_draw(round_id: str) -> ResponseReturnValue:
    """Everything an outsider needs to make the draw again, as plain text."""
    with reading() as session:
        row, proof = needed_round(session, round_id), queries.proof_of(session, round_id)
        stops = queries.stops(session, round_id, taken=False)
        if proof is None or not proof.nonce:
            raise Refusal("not_published", "The seed of this round is published after its review.")
        value = seed(proof.plan, proof.period, proof.checkpoint, proof.nonce)
        text = render_template("cleandesk/draw.txt", round=row, proof=proof, seed=value, stops=stops)
    headers = {"Content-Disposition": f'attachment; filename="round-{row.number}-draw.txt"'}
    return Response(text, mimetype="text/plain", headers=headers)


def _step(round_id: str, do: Any, done: str) -> ResponseReturnValue:
    try:
        with unit_of_work(current_actor()) as work:
            do(work, request.form.get("words", "")[:1000])
        flash(done, "good")
    except Refusal as refusal:
        flash(f"{refusal.message} {refusal.remedy}".strip(), "refused")
    return redirect(url_for(".round_page", round_id=round_id))


def _defaults(session: Session) -> dict[str, Any]:
    soon = local(now() + timedelta(minutes=15)).replace(second=0, microsecond=0)
    values: dict[str, Any] = {"day": soon.date(), "time": soon.time(), "kinds": ["desk"], "purpose": "random"}
    plan = queries.plan(session, request.args.get("plan", ""))
    if plan is not None:
        shift = request.args.get("shift", plan.shifts[0])
        values |= {
            "plan": plan.id, "name": plan.name, "zones": list(plan.zones), "kinds": list(plan.kinds), "shift": shift,
            "moment": request.args.get("moment", plan.moments[0]), "size": plan_needs(session, plan, shift).walk,
            "exercise": plan.exercise,
        }  # fmt: skip
    elif (visit := visit_row(session, request.args.get("visit", ""))) is not None:
        values |= _before_visit(session, visit)
    elif place := request.args.get("place"):
        found = queries.place(session, place)
        zones = [found.zone] if found else []
        values |= {"purpose": "targeted", "places": place, "name": f"Check of {place}", "zones": zones}
    return values


def _before_visit(session: Session, visit: VisitRow) -> dict[str, Any]:
    """A targeted sweep half an hour before a visitor comes, of the desks in the zones of the visit."""
    shift = next(iter(queries.shifts(session)), "day")
    at = local(max(visit.window_from - SWEEP_BEFORE, now())).replace(second=0, microsecond=0)
    used = {zone for zone, _ in queries.counts(session)}
    zones = [zone for zone in visit.zones if zone in used]
    desks = queries.places(session, zones=zones, kinds=("desk",), shift=shift) if zones else []
    return {
        "name": "Sweep before a visit", "purpose": "targeted", "zones": zones, "shift": shift, "moment": "live",
        "places": ", ".join(place.id for place in desks[:MOST_SWEPT]), "reason": f"visit {visit.id}",
        "day": at.date(), "time": at.time(),
    }  # fmt: skip


def _choices(session: Session, form: RoundForm) -> None:
    used = {zone for zone, _ in queries.counts(session)}
    form.zones.choices = [(zone, name) for zone, name in zone_words(session).items() if zone in used]
    form.shift.choices = [(shift, shift.capitalize()) for shift in queries.shifts(session) or ["day"]]
    walkers = [(one.id, f"{one.name}{f' ({one.team})' if one.team else ''}") for one in queries.auditors(session)]
    form.auditor.choices = walkers
    form.second.choices = [("", "Nobody"), *walkers]


def _hint(session: Session, form: RoundForm) -> Needed | None:
    """What "at least 95 %, 95 % confidence" asks of each of four walks over what is chosen; None while nothing is."""
    plan = queries.plan(session, form.plan.data or "")
    zones, kinds = form.zones.data or [], form.kinds.data or []
    shift = form.shift.data or next(iter(queries.shifts(session)), "day")
    if not zones or not kinds:
        return None
    if plan is not None:
        return plan_needs(session, plan, shift)
    places = len(queries.places(session, zones=zones, kinds=kinds, shift=shift))
    return needed(Target(0.95, 0.95, 0), places, WALKS)


def _round(form: RoundForm) -> NewRound:
    targeted = form.purpose.data == "targeted"
    names = [name for name in re.split(r"[\s,;]+", form.places.data or "") if name]
    if form.size.data is None and not targeted:
        raise Refusal("size", "Say how many places are looked at.", field="size")
    return NewRound(
        name=form.name.data or "",
        purpose=form.purpose.data,
        zones=tuple(form.zones.data or ()),
        kinds=tuple(form.kinds.data or ()),
        shift=form.shift.data,
        moment=form.moment.data,
        size=form.size.data or 0,
        planned_for=datetime.combine(form.day.data, form.time.data, site_zone()),  # type: ignore[arg-type]
        auditor=form.auditor.data,
        second=form.second.data or None,
        plan=form.plan.data or None,
        reason=form.reason.data or "",
        exercise=bool(form.exercise.data),
        places=tuple(dict.fromkeys(names)) if targeted else (),
    )
