"""Doors and zones: how they stand, what applies, commands with a reason, and what would happen if."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from bposite.doors import actions, queries
from bposite.doors.forms import LockdownForm, ReasonForm, WhatIfForm, refuse
from bposite.doors.queries import DoorNow, EntryFilter
from bposite.doors.queries.rules import DoorRules, door_rules, try_person
from bposite.doors.rules.decide import Answer
from bposite.doors.rules.words import label, remedy
from bposite.journal.work import Work, unit_of_work
from bposite.people.access import current_actor, requires
from bposite.people.queries import PersonRow, persons_by_number, search_persons
from bposite.plumbing.clock import local, now, site_zone
from bposite.plumbing.db import reading
from bposite.plumbing.errors import NotFound, Refusal
from bposite.plumbing.web import wants_fragment
from bposite.visits.queries.names import visit_names

blueprint = Blueprint("doors", __name__, url_prefix="/doors")
blueprint.add_app_template_filter(label, "reason_label")
blueprint.add_app_template_filter(remedy, "reason_remedy")
DAY = timedelta(hours=24)
COMMANDS: dict[str, tuple[str, Callable[[Work, str, str], str]]] = {
    "unlock": ("Asked to open once.", actions.unlock),
    "lock": ("Asked to lock. Exits stay free.", actions.lock),
    "release": ("Asked to go back to normal.", actions.release),
}


@blueprint.get("/")
@requires("doors:read")
def overview() -> ResponseReturnValue:
    """All doors and zones at a glance; the fragment is what the page fetches again when something moved."""
    with reading() as session:
        page = "doors/board.html" if wants_fragment() else "doors/overview.html"
        return render_template(
            page,
            doors=queries.doors_now(session),
            zones=queries.zones_now(session),
            lockdowns=queries.lockdowns_now(session),
            alarms=queries.open_alarms(session),
            form=_lockdown_form(session),
            reason=ReasonForm(prefix="release"),
        )


@blueprint.get("/<door_id>")
@requires("doors:read")
def one(door_id: str) -> ResponseReturnValue:
    """One door."""
    with reading() as session:
        return _page(session, _door(session, door_id), ReasonForm())


@blueprint.post("/<door_id>/<any(unlock, lock, release):name>")
@requires("doors:command")
def command(door_id: str, name: str) -> ResponseReturnValue:
    """Send a command to a door; what it answers shows on the page."""
    form = ReasonForm()
    words, action = COMMANDS[name]
    if form.validate_on_submit():
        try:
            with unit_of_work(current_actor()) as work:
                action(work, door_id, form.reason.data or "")
        except NotFound:
            raise
        except Refusal as refusal:
            refuse(form, refusal)
        else:
            flash(words, "good")
            return redirect(url_for(".one", door_id=door_id))
    with reading() as session:
        return _page(session, _door(session, door_id), form), 422


@blueprint.get("/<door_id>/what-if")
@requires("doors:read")
def what_if(door_id: str) -> ResponseReturnValue:
    """Try a decision; nothing is recorded and no door moves."""
    form = WhatIfForm(request.args)
    answer: Answer | None = None
    with reading() as session:
        door = _door(session, door_id)
        person = None
        if request.args and form.validate():
            person, problem = _find(session, form.person.data or "")
            if person is None:
                form.person.errors = [problem]
            else:
                factors = frozenset((form.shown.data or "card").split("+"))
                at = _moment(form.at.data) or now()
                answer = try_person(session, door_id, person.number, form.direction.data, factors, at)
        status = 422 if form.errors else 200
        page = render_template("doors/what_if.html", door=door, form=form, answer=answer, person=person)
        return page, status


@blueprint.get("/zones/<zone_id>")
@requires("doors:read")
def zone(zone_id: str) -> ResponseReturnValue:
    """Who is in one zone, since when, through which door."""
    with reading() as session:
        found = next((one for one in queries.zones_now(session) if one.id == zone_id), None)
        if found is None:
            raise NotFound("zone", "There is no such zone.")
        here = queries.present(session, [zone_id])
        return render_template("doors/zone.html", zone=found, here=here, names=_names(session, here), form=ReasonForm())


@blueprint.post("/zones/<zone_id>/forgive/<path:subject>")
@requires("doors:command")
def forgive(zone_id: str, subject: str) -> ResponseReturnValue:
    """Forgive anti-passback: where this person is counts as unknown."""
    form = ReasonForm()
    if not form.validate_on_submit():
        flash(" ".join(form.reason.errors), "refused")
    else:
        with unit_of_work(current_actor()) as work:
            actions.forgive_passback(work, subject, form.reason.data or "")
        flash("Forgiven: the next door lets this person in.", "good")
    return redirect(url_for(".zone", zone_id=zone_id))


@blueprint.post("/lockdown")
@requires("doors:command")
def start_lockdown() -> ResponseReturnValue:
    """Start a lockdown."""
    with reading() as session:
        form = _lockdown_form(session)
    if form.validate_on_submit():
        with unit_of_work(current_actor()) as work:
            told = actions.start_lockdown(
                work, form.scope.data, form.rank.data or 1, form.reason.data or "", form.minutes.data
            )
        flash(f"Lockdown is in force. Doors told: {len(told)}. Exits stay free.", "alarm")
        return redirect(url_for(".overview"))
    return _overview_again(form, ReasonForm(prefix="release"))


@blueprint.post("/lockdown/<path:scope>/release")
@requires("doors:command")
def release_lockdown(scope: str) -> ResponseReturnValue:
    """Release a lockdown."""
    form = ReasonForm(prefix="release")
    if form.validate_on_submit():
        with unit_of_work(current_actor()) as work:
            actions.release_lockdown(work, scope, form.reason.data or "")
        flash("The lockdown is released.", "good")
        return redirect(url_for(".overview"))
    with reading() as session:
        lockdown = _lockdown_form(session)
    return _overview_again(lockdown, form)


def _overview_again(form: LockdownForm, reason: ReasonForm) -> ResponseReturnValue:
    with reading() as session:
        page = render_template(
            "doors/overview.html",
            doors=queries.doors_now(session),
            zones=queries.zones_now(session),
            lockdowns=queries.lockdowns_now(session),
            alarms=queries.open_alarms(session),
            form=form,
            reason=reason,
        )
    return page, 422


def _lockdown_form(session: Session) -> LockdownForm:
    form = LockdownForm()
    zones = [one for one in queries.zones_now(session) if one.kind != "outside"]
    form.scope.choices = [("*", "The whole site"), *((one.id, one.name) for one in zones)]
    return form


def _find(session: Session, typed: str) -> tuple[PersonRow | None, str]:
    """The person whose number or name was typed, or what to say when it is not just one."""
    found = list(persons_by_number(session, [typed]).values()) or search_persons(session, typed, limit=4)
    if len(found) == 1:
        return found[0], ""
    if not found:
        return None, "Nobody has this name or number. Numbers look like E-1001."
    names = ", ".join(f"{one.name} ({one.number})" for one in found[:3])
    return None, f"Several people: {names}{' and others' if len(found) > 3 else ''}."


def _door(session: Session, door_id: str) -> DoorNow:
    found = queries.door_now(session, door_id)
    if found is None:
        raise NotFound("door", "There is no such door.")
    return found


def _page(session: Session, door: DoorNow, form: ReasonForm) -> str:
    at = now()
    entries = queries.search_entries(session, EntryFilter(doors=(door.id,)), limit=12)
    bars = queries.histogram(session, EntryFilter(doors=(door.id,)), start=at - DAY, end=at, bars=48)
    rules: DoorRules | None = door_rules(session, door.id, at)
    return render_template(
        "doors/door.html",
        door=door,
        form=form,
        entries=entries,
        names=_names(session, entries),
        bars=bars,
        most=max((bar.count for bar in bars), default=0),
        rules=rules,
        commands=queries.commands_of(session, door.id),
    )


def _names(session: Session, rows: Any) -> dict[str, str]:
    """Names of the people and visitors in rows that carry ``person`` and ``visit``."""
    people = persons_by_number(session, {row.person for row in rows if row.person})
    visits = visit_names(session, {row.visit for row in rows if row.visit})
    return {number: one.name for number, one in people.items()} | {key: one.visitor for key, one in visits.items()}


def _moment(typed: datetime | None) -> datetime | None:
    """A wall-clock time that was typed, as a moment."""
    return typed.replace(tzinfo=site_zone()).astimezone(UTC) if typed else None


@blueprint.app_template_global("site_now")
def site_now() -> str:
    """The site's time for a datetime field."""
    return local(now()).strftime("%Y-%m-%dT%H:%M")
