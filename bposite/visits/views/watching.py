"""The watchlist's screens."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bposite.journal.work import unit_of_work
from bposite.people.access import current_actor, requires
from bposite.plumbing.clock import local, now, site_zone
from bposite.plumbing.db import reading
from bposite.plumbing.errors import Refusal
from bposite.visits import actions, queries
from bposite.visits.actions import NewEntry
from bposite.visits.forms import WatchForm, plain, refuse
from bposite.visits.rules.inputs import day, local_day, tidy

blueprint = Blueprint("watching", __name__, url_prefix="/reception/watchlist")
_USUAL = timedelta(days=365)


@blueprint.get("/")
@requires("watchlist:read")
def overview() -> ResponseReturnValue:
    """Entries in force, or those that are over."""
    past = request.args.get("past") == "1"
    with reading() as session:
        rows = queries.watch_rows(session, now(), past=past)
    return render_template("visits/watchlist.html", rows=rows, past=past)


@blueprint.route("/new", methods=["GET", "POST"])
@requires("watchlist:write")
def new() -> ResponseReturnValue:
    """Enter somebody."""
    usual = local(now() + _USUAL).strftime("%Y-%m-%d")
    form = WatchForm() if request.method == "POST" else WatchForm(until=usual)
    if not form.validate_on_submit():
        return render_template("visits/watch_new.html", form=form), 422 if form.errors else 200
    try:
        with unit_of_work(current_actor()) as work:
            actions.watch(work, _read(form))
    except Refusal as refusal:
        refuse(form, refusal)
        return render_template("visits/watch_new.html", form=form), 422
    flash("From now on such a guest is held at the desk.", "good")
    return redirect(url_for(".overview"))


def _read(form: WatchForm) -> NewEntry:
    last = day(tidy(form.until.data or ""))
    if last is None:
        raise Refusal("watch_until", "Choose the last day, such as 2027-03-31.", field="until")
    return NewEntry(
        name=tidy(form.name.data or ""),
        company=tidy(form.company.data or ""),
        contact=tidy(form.contact.data or ""),
        reason=plain(form.reason.data, "reason"),
        expires_at=local_day(last, site_zone())[1],
    )


@blueprint.post("/<entry_id>/end")
@requires("watchlist:write")
def end(entry_id: str) -> ResponseReturnValue:
    """End an entry before its time."""
    try:
        with unit_of_work(current_actor()) as work:
            actions.unwatch(work, entry_id, plain(request.form.get("reason"), "reason"))
    except Refusal as refusal:
        flash(f"{refusal.message} {refusal.remedy}".strip(), "refused")
    else:
        flash("The entry is not in force any more.", "good")
    return redirect(url_for(".overview"))
