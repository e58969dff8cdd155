"""The directory of staff and hosts."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bposite.journal.work import unit_of_work
from bposite.people import actions, queries
from bposite.people.access import current_actor, requires
from bposite.people.actions.directory import read_person
from bposite.people.forms import PersonForm, one_line, refuse
from bposite.people.queries import PersonRow
from bposite.plumbing.db import reading
from bposite.plumbing.errors import NotFound, Refusal
from bposite.plumbing.web import wants_fragment

blueprint = Blueprint("directory", __name__, url_prefix="/people")
PAGE = 50


@blueprint.get("/")
@requires("people:read")
def overview() -> ResponseReturnValue:
    """The directory, searched by name, number, client, team or email; accents and order do not matter."""
    text = (one_line(request.args.get("q")) or "")[:120]
    hosts, gone = request.args.get("hosts") == "1", request.args.get("gone") == "1"
    after = (one_line(request.args.get("after")) or "")[:40]
    with reading() as session:
        rows = queries.search_persons(session, text, hosts=hosts, active=not gone, limit=PAGE + 1, after=after)
        count = queries.count_persons(session, text, hosts=hosts, active=not gone)
    kept = {name: value for name, value in request.args.items() if name in ("q", "hosts", "gone")}
    older = f"{url_for('.overview')}?{urlencode(kept | {'after': rows[PAGE - 1].number})}" if rows[PAGE:] else None
    template = "people/people_rows.html" if wants_fragment() else "people/people.html"
    return render_template(
        template, persons=rows[:PAGE], count=count, text=text, hosts=hosts, gone=gone, older=older, paged=bool(after)
    )


@blueprint.get("/<person_id>")
@requires("people:read")
def one(person_id: str) -> ResponseReturnValue:
    """One person."""
    return render_template("people/person.html", person=_person(person_id))


@blueprint.route("/new", methods=["GET", "POST"])
@requires("people:write")
def new() -> ResponseReturnValue:
    """Add a person by hand."""
    form = PersonForm(active=True, can_host=True) if request.method == "GET" else PersonForm()
    return _edit(form, None, "Person added.")


@blueprint.route("/<person_id>/edit", methods=["GET", "POST"])
@requires("people:write")
def edit(person_id: str) -> ResponseReturnValue:
    """Change a person."""
    person = _person(person_id)
    return _edit(PersonForm(obj=person), person, "Changes saved.")


def _edit(form: PersonForm, person: PersonRow | None, done: str) -> ResponseReturnValue:
    if not form.validate_on_submit():
        return render_template("people/person_edit.html", form=form, person=person), 422 if form.errors else 200
    try:
        with unit_of_work(current_actor()) as work:
            saved = actions.save_person(work, read_person(form.data, person), person.id if person else None)
    except Refusal as refusal:
        refuse(form, refusal)
        return render_template("people/person_edit.html", form=form, person=person), 422
    flash(done, "good")
    return redirect(url_for(".one", person_id=saved))


def _person(person_id: str) -> PersonRow:
    with reading() as session:
        person = queries.person(session, person_id)
    if person is None:
        raise NotFound("person", "This person is not in the directory.")
    return person
