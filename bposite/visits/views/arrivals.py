"""How visits come in: one invitation, a guest at the desk, a list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bposite.journal.work import unit_of_work
from bposite.people.access import current_actor, requires
from bposite.people.queries import PersonRow
from bposite.plumbing.clock import local, now, site_zone
from bposite.plumbing.db import reading
from bposite.plumbing.errors import Refusal
from bposite.visits import actions, bulk, intake, queries
from bposite.visits.actions import NewVisit
from bposite.visits.forms import ImportForm, InviteForm, VisitFields, WalkInForm, put_errors, refuse
from bposite.visits.intake import Hosts
from bposite.visits.queries import ZoneRow

blueprint = Blueprint("arrivals", __name__, url_prefix="/reception")
_USUAL_STAY = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class _Choices:
    hosts: Hosts
    zones: list[ZoneRow]

    @property
    def options(self) -> list[str]:
        """Hosts as they are offered: name and number."""
        return [host_option(row) for row in self.hosts.rows]


def host_option(row: PersonRow) -> str:
    """A host as one line that names exactly one person."""
    return f"{row.name} ({row.number})"


def _choices() -> _Choices:
    with reading() as session:
        return _Choices(intake.hosts(session), queries.zones(session))


def _offer(form: VisitFields, choices: _Choices) -> None:
    form.offer([(zone.id, zone.name) for zone in choices.zones if zone.kind != actions.LOBBY])


def _read(form: VisitFields, choices: _Choices, begins: datetime | None = None) -> NewVisit | None:
    """The visit that was typed; None after hanging the problems on their fields."""
    read = intake.read_visit(
        form.typed(), form.zones.data or [], choices.hosts, choices.zones, site_zone(), begins=begins
    )
    if isinstance(read, NewVisit):
        return read
    put_errors(form, read)
    return None


@blueprint.route("/invite", methods=["GET", "POST"])
@requires("visits:write")
def invite() -> ResponseReturnValue:
    """Invite one guest."""
    choices = _choices()
    form = InviteForm() if request.method == "POST" else _blank_invitation()
    _offer(form, choices)
    new = _read(form, choices) if form.validate_on_submit() else None
    if new is None:
        return _form("visits/invite.html", form, choices)
    try:
        with unit_of_work(current_actor()) as work:
            placed = actions.invite(work, new)
    except Refusal as refusal:
        refuse(form, refusal)
        return _form("visits/invite.html", form, choices)
    flash(_entered(new, placed.pending), "attention" if placed.pending else "good")
    return redirect(url_for("visit.one", visit_id=placed.visit_id))


def _entered(new: NewVisit, pending: tuple[str, ...]) -> str:
    if pending:
        return f"{new.name} is entered. Somebody else has to approve {', '.join(pending)}."
    return f"{new.name} is expected."


def _blank_invitation() -> InviteForm:
    at = local(now())
    start = (at + timedelta(minutes=59)).replace(minute=0)
    return InviteForm(
        name=request.args.get("name", "")[:120],
        day=start.strftime("%Y-%m-%d"),
        start=start.strftime("%H:%M"),
        until=(start + timedelta(hours=1)).strftime("%H:%M"),
    )


@blueprint.route("/walk-in", methods=["GET", "POST"])
@requires("visits:write")
def walk_in() -> ResponseReturnValue:
    """Register a guest who stands at the desk."""
    choices = _choices()
    at = now()
    until = (local(at + _USUAL_STAY) + timedelta(minutes=29)).replace(minute=0)
    blank = {"name": request.args.get("name", "")[:120], "until": until.strftime("%H:%M")}
    form = WalkInForm() if request.method == "POST" else WalkInForm(**blank)
    _offer(form, choices)
    new = _read(form, choices, begins=at) if form.validate_on_submit() else None
    if new is None:
        return _form("visits/walk_in.html", form, choices)
    try:
        with unit_of_work(current_actor()) as work:
            placed = actions.register_walk_in(work, new)
    except Refusal as refusal:
        refuse(form, refusal)
        return _form("visits/walk_in.html", form, choices)
    return redirect(url_for("visit.one", visit_id=placed.visit_id))


def _form(template: str, form: VisitFields, choices: _Choices) -> ResponseReturnValue:
    failed = bool(form.errors) or bool(form.form_errors)
    page = render_template(template, form=form, choices=choices, lobby=actions.LOBBY)
    return page, 422 if failed else 200


@blueprint.route("/import", methods=["GET", "POST"])
@requires("visits:write")
def from_list() -> ResponseReturnValue:
    """Invite the guests of a CSV file: the good rows in one transaction, the bad ones shown with cell and cause."""
    form = ImportForm()
    columns = bulk.COLUMNS
    if not form.validate_on_submit():
        return render_template("visits/import.html", form=form, result=None, columns=columns)
    choices = _choices()
    try:
        rows = bulk.read_list(form.file.data.read() if form.file.data else b"")
        checked = bulk.check(rows, choices.hosts, choices.zones, site_zone(), now())
        with unit_of_work(current_actor()) as work:
            result = bulk.invite_all(work, checked)
    except Refusal as refusal:
        refuse(form, refusal)
        return render_template("visits/import.html", form=form, result=None, columns=columns), 422
    return render_template("visits/import.html", form=form, result=result, columns=columns)
