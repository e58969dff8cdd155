"""Alarms: what wants a person, who has it, how it ended."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bposite.doors import actions, queries
from bposite.doors.forms import ReasonForm, refuse
from bposite.doors.queries.names import door_names
from bposite.doors.rules.words import remedy
from bposite.journal.work import unit_of_work
from bposite.people.access import current_actor, requires
from bposite.plumbing.db import reading
from bposite.plumbing.errors import NotFound, Refusal
from bposite.plumbing.web import wants_fragment

blueprint = Blueprint("alarms", __name__, url_prefix="/alarms")
PAGE = 50
LISTS = {"open": ("open", "acknowledged"), "closed": ("closed",)}


@blueprint.get("/")
@requires("doors:read")
def overview() -> ResponseReturnValue:
    """Open alarms, or closed ones."""
    name = request.args.get("show", "open")
    name = name if name in LISTS else "open"
    with reading() as session:
        rows = queries.alarms(session, states=LISTS[name], before=request.args.get("before", "")[:26], limit=PAGE + 1)
        page = "doors/alarm_rows.html" if wants_fragment() else "doors/alarms.html"
        return render_template(
            page, rows=rows[:PAGE], more=len(rows) > PAGE, show=name, doors=door_names(session), waiting=len(rows)
        )


@blueprint.get("/<alarm_id>")
@requires("doors:read")
def one(alarm_id: str) -> ResponseReturnValue:
    """One alarm."""
    return _page(alarm_id, ReasonForm())


@blueprint.post("/<alarm_id>/acknowledge")
@requires("doors:command")
def acknowledge(alarm_id: str) -> ResponseReturnValue:
    """I have it."""
    with unit_of_work(current_actor()) as work:
        actions.acknowledge_alarm(work, alarm_id)
    flash("It is yours. Close it when you know what it was.", "good")
    return redirect(url_for(".one", alarm_id=alarm_id))


@blueprint.post("/<alarm_id>/close")
@requires("doors:command")
def close(alarm_id: str) -> ResponseReturnValue:
    """Close it with what was found."""
    form = ReasonForm()
    if not form.validate_on_submit():
        return _page(alarm_id, form), 422
    try:
        with unit_of_work(current_actor()) as work:
            actions.close_alarm(work, alarm_id, form.reason.data or "")
    except NotFound:
        raise
    except Refusal as refusal:
        refuse(form, refusal)
        return _page(alarm_id, form), refusal.status
    flash("The alarm is closed.", "good")
    return redirect(url_for(".overview"))


def _page(alarm_id: str, form: ReasonForm) -> str:
    with reading() as session:
        found = queries.alarm(session, alarm_id)
        if found is None:
            raise NotFound("alarm", "There is no such alarm.")
        entry = queries.entry(session, found.entry) if found.entry is not None else None
        return render_template(
            "doors/alarm.html",
            alarm=found,
            entry=entry,
            form=form,
            doors=door_names(session),
            remedy=remedy(found.kind),
        )
