"""The close of a day: guests nobody saw leave, labels that are still out, and the signature."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from bposite.journal.work import Work, unit_of_work
from bposite.passes import actions as passes
from bposite.people.access import current_actor, requires
from bposite.plumbing.clock import local, now, site_zone
from bposite.plumbing.db import reading
from bposite.plumbing.errors import NotFound, Refusal
from bposite.visits import actions, queries, words
from bposite.visits.rules import inputs

blueprint = Blueprint("closing", __name__, url_prefix="/reception/day")


@blueprint.get("/")
@requires("visits:read")
def today() -> ResponseReturnValue:
    """The day that is running."""
    return redirect(url_for(".one", day=local(now()).date().isoformat()))


@blueprint.get("/<day>")
@requires("visits:read")
def one(day: str) -> ResponseReturnValue:
    """One day: what is open, and who signed it."""
    on, at = _day(day), now()
    with reading() as session:
        shown = queries.day_close(session, on, at)
    beside = [on + timedelta(days=1), on - timedelta(days=1)]
    newer = url_for(".one", day=beside[0].isoformat()) if beside[0] <= local(at).date() else None
    older = url_for(".one", day=beside[1].isoformat())
    return render_template("visits/day.html", day=shown, newer=newer, older=older, words=words)


@blueprint.post("/<day>/close")
@requires("visits:write")
def close(day: str) -> ResponseReturnValue:
    """Guests over their time without evidence become unaccounted for; they stay on the roll call."""
    return _do(day, actions.close_day, "Guests without evidence of leaving are now unaccounted for.")


@blueprint.post("/<day>/missing")
@requires("visits:write")
def missing(day: str) -> ResponseReturnValue:
    """Labels of the day that did not come back are missing: their doors close at once."""
    start, end = inputs.local_day(_day(day), site_zone())
    return _do(
        day, lambda work: passes.miss_media(work, start, end), "Labels that were still out are declared missing."
    )


@blueprint.post("/<day>/sign")
@requires("visits:approve")
def sign(day: str) -> ResponseReturnValue:
    """Sign the day."""
    on = _day(day)
    return _do(day, lambda work: actions.sign_day(work, on), "The day is signed.")


def _day(text: str) -> date:
    day = inputs.day(text)
    if day is None or not 2000 <= day.year <= 2200:
        raise NotFound("no_day", "This is not a day, such as 2026-11-23.")
    return day


def _do(day: str, action: Callable[[Work], object], done: str) -> ResponseReturnValue:
    try:
        with unit_of_work(current_actor()) as work:
            action(work)
    except Refusal as refusal:
        flash(f"{refusal.message} {refusal.remedy}".strip(), "refused")
    else:
        flash(done, "good")
    return redirect(url_for(".one", day=_day(day).isoformat()))
