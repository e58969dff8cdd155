"""How the desk sees guests off."""

from __future__ import annotations

from flask import Blueprint, flash, request
from flask.typing import ResponseReturnValue

from bposite.journal.work import Work
from bposite.people.access import requires
from bposite.plumbing.clock import site_zone
from bposite.plumbing.errors import Refusal
from bposite.visits import actions
from bposite.visits.rules import inputs
from bposite.visits.rules.machine import Evidence
from bposite.visits.views.desk import do, typed

blueprint = Blueprint("leaving", __name__, url_prefix="/reception/visits")


@blueprint.post("/<visit_id>/depart")
@requires("visits:write")
def depart(visit_id: str) -> ResponseReturnValue:
    """The guest has left: how is that known, and did the label come back?"""

    def action(work: Work) -> None:
        evidence = _evidence(request.form.get("evidence", Evidence.CARD_SURRENDERED))
        note = typed("note")
        if evidence is not Evidence.CARD_SURRENDERED and not note:
            raise Refusal("who_needed", "Name who says or saw that the visitor left.", field="note")
        returned = request.form.get("returned", "yes") == "yes"
        if not actions.depart(work, visit_id, evidence, note=note, returned=returned):
            flash("The visitor had been checked out already.", "attention")

    return do(visit_id, "depart", action)


def _evidence(text: str) -> Evidence:
    try:
        return Evidence(text)
    except ValueError as error:
        raise Refusal("evidence", "Choose how you know that the visitor left.", field="evidence") from error


@blueprint.post("/<visit_id>/break")
@requires("visits:write")
def start_break(visit_id: str) -> ResponseReturnValue:
    """The guest steps out and comes back."""
    return do(visit_id, "depart", lambda work: actions.start_break(work, visit_id))


@blueprint.post("/<visit_id>/back")
@requires("visits:write")
def come_back(visit_id: str) -> ResponseReturnValue:
    """The guest is back."""
    return do(visit_id, "depart", lambda work: actions.come_back(work, visit_id))


@blueprint.post("/<visit_id>/presume-left")
@requires("visits:write")
def presume_left(visit_id: str) -> ResponseReturnValue:
    """Searched for and not found: a named person answers for it."""
    return do(
        visit_id, "find", lambda work: actions.presume_left(work, visit_id, typed("searched_by"), typed("reason"))
    )


@blueprint.post("/<visit_id>/escalate")
@requires("visits:write")
def escalate(visit_id: str) -> ResponseReturnValue:
    """Nobody knows where the guest is, and a search did not help: an incident."""

    def action(work: Work) -> None:
        why = typed("reason")
        if not why:
            raise Refusal("reason_needed", "Say what is known.", field="reason")
        actions.escalate(work, visit_id, why)

    return do(visit_id, "escalate", action)


@blueprint.post("/<visit_id>/correct")
@requires("visits:approve")
def correct(visit_id: str) -> ResponseReturnValue:
    """Correct when and how a guest left; what was written before stays in the log."""

    def action(work: Work) -> None:
        day, clock = inputs.day(typed("day")), inputs.clock(typed("time"))
        at = inputs.instant(day, clock, site_zone(), late=True) if day and clock else None
        if at is None:
            raise Refusal("departure_time", "Choose the day and the time at which the visitor left.", field="time")
        evidence = _evidence(request.form.get("evidence", ""))
        actions.correct_departure(work, visit_id, evidence, at, typed("reason"))

    return do(visit_id, "correct", action, "The departure is corrected.")
