"""Devices: what workstations report about themselves, what contradicts the doors, exemptions and lockers."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bposite.cleandesk import actions, queries
from bposite.cleandesk.forms import ExemptionForm, LockerForm, LogForm, refuse
from bposite.cleandesk.osquery import Log, read_log
from bposite.cleandesk.views.base import blueprint, sees_people, zone_words
from bposite.journal.work import unit_of_work
from bposite.people import queries as people
from bposite.people.access import current_actor, requires
from bposite.plumbing.clock import now, site_zone
from bposite.plumbing.db import reading
from bposite.plumbing.errors import Refusal


@blueprint.get("/devices/")
@requires("cleandesk:read")
def devices() -> ResponseReturnValue:
    """All workstations, and what does not fit together."""
    return _page()


@blueprint.post("/devices/log")
@requires("cleandesk:plan")
def take_log() -> ResponseReturnValue:
    """Take a result log of osquery; lines that cannot be read are named."""
    form = LogForm(prefix="log")
    try:
        file = form.file.data
        log = read_log(file.read() if file else b"", now())
        with unit_of_work(current_actor()) as work:
            taken = actions.take_log(work, log)
    except Refusal as refusal:
        refuse(form, refusal)
        return _page({"log": form}), 422
    flash(f"{taken.new} readings taken, {taken.known} were here already.", "good")
    return _page(odd=log), 422 if log.faulty else 200


@blueprint.post("/devices/<path:host>/claim")
@requires("cleandesk:plan")
def claim_workstation(host: str) -> ResponseReturnValue:
    """Say where a workstation stands and whose it is."""
    place, person = request.form.get("place", "").strip()[:40], _number(request.form.get("person", ""))
    try:
        with unit_of_work(current_actor()) as work:
            actions.claim_workstation(work, host, place, person)
        flash(f"{host} is noted.", "good")
    except Refusal as refusal:
        flash(f"{refusal.message} {refusal.remedy}".strip(), "refused")
    return redirect(url_for(".devices"))


@blueprint.post("/devices/exemptions")
@requires("cleandesk:plan")
def exempt() -> ResponseReturnValue:
    """Allow a device in a no-device zone until a day."""
    form = ExemptionForm(prefix="exempt")
    if form.validate_on_submit():
        try:
            until = datetime.combine(form.until.data, time(23, 59), site_zone())  # type: ignore[arg-type]
            who = _number(form.person.data or "")
            with unit_of_work(current_actor()) as work:
                actions.exempt(work, form.tag.data or "", form.what.data or "", who, form.reason.data or "", until)
            flash("The device is exempt until that day.", "good")
            return redirect(url_for(".devices"))
        except Refusal as refusal:
            refuse(form, refusal)
    return _page({"exempt": form}), 422


@blueprint.post("/devices/exemptions/<exemption_id>/end")
@requires("cleandesk:plan")
def end_exemption(exemption_id: str) -> ResponseReturnValue:
    """Take an exemption back."""
    with unit_of_work(current_actor()) as work:
        actions.end_exemption(work, exemption_id)
    flash("The exemption is over.", "good")
    return redirect(url_for(".devices"))


@blueprint.post("/devices/lockers")
@requires("cleandesk:plan")
def set_locker() -> ResponseReturnValue:
    """Give a locker to somebody, or make it free."""
    form = LockerForm(prefix="locker")
    form.zone.choices = _zones()
    if form.validate_on_submit():
        try:
            with unit_of_work(current_actor()) as work:
                actions.set_locker(work, form.locker.data or "", form.zone.data, _number(form.person.data or ""))
            flash("The locker is noted.", "good")
            return redirect(url_for(".devices"))
        except Refusal as refusal:
            refuse(form, refusal)
    return _page({"locker": form}), 422


def _page(given: dict[str, Any] | None = None, odd: Log | None = None) -> str:
    at = now()
    blank: dict[str, Any] = {"formdata": None}
    locker = LockerForm(prefix="locker", **blank)
    locker.zone.choices = _zones()
    forms = {"log": LogForm(prefix="log", **blank), "exempt": ExemptionForm(prefix="exempt", **blank), "locker": locker}
    with reading() as session:
        found = queries.workstations(session, at)
        return render_template(
            "cleandesk/devices.html",
            found=found,
            left=queries.unlocked_seats(session, found, at),
            exemptions=queries.exemptions(session, at),
            lockers=queries.lockers(session),
            zones=zone_words(session),
            staff=people.search_persons(session, "", limit=400),
            sees_people=sees_people(),
            forms=forms | (given or {}),
            odd=odd,
        )


def _zones() -> list[tuple[str, str]]:
    with reading() as session:
        return [(zone, name) for zone, name in zone_words(session).items() if zone != "outside"]


def _number(text: str) -> str:
    """A directory number out of "E-1004 Ben Okafor" or "E-1004"."""
    return text.strip().split(" ")[0][:40]
