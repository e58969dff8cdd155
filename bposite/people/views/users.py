"""Accounts, for administrators: who may sign in, with which roles, and where they are signed in."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from bposite.journal.work import unit_of_work
from bposite.people import actions, queries
from bposite.people.access import current_actor, requires
from bposite.people.actions import Link
from bposite.people.forms import NewUserForm, RolesForm, UserForm, refuse, text
from bposite.people.queries import UserRow
from bposite.plumbing.db import reading
from bposite.plumbing.errors import NotFound, Refusal
from bposite.plumbing.settings import current

blueprint = Blueprint("users", __name__, url_prefix="/users")


@blueprint.get("/")
@requires("users:manage")
def overview() -> ResponseReturnValue:
    """Every account with its roles and state."""
    with reading() as session:
        return render_template("people/users.html", users=queries.users(session), roles=queries.roles())


@blueprint.route("/new", methods=["GET", "POST"])
@requires("users:manage", fresh=True)
def new() -> ResponseReturnValue:
    """Create an account; the answer is the link for its person."""
    form = NewUserForm()
    form.roles.choices = _choices()
    if not form.validate_on_submit():
        return render_template("people/user_new.html", form=form, roles=queries.roles()), 422 if form.errors else 200
    try:
        with unit_of_work(current_actor()) as work:
            person = _person_id(text(form.number))
            link = actions.create_user(
                work, text(form.name), text(form.display), form.roles.ticked, email=text(form.email), person_id=person
            )
    except Refusal as refusal:
        refuse(form, refusal)
        return render_template("people/user_new.html", form=form, roles=queries.roles()), 422
    return _link_page(text(form.display), link)


@blueprint.get("/<user_id>")
@requires("users:manage")
def one(user_id: str) -> ResponseReturnValue:
    """One account: roles, sessions, and what can be done with it."""
    return _user_page(_user(user_id), None)


@blueprint.post("/<user_id>/roles")
@requires("users:manage", fresh=True)
def roles(user_id: str) -> ResponseReturnValue:
    """Give an account exactly the ticked roles."""
    user, form = _user(user_id), RolesForm()
    form.roles.choices = _choices()
    if not form.validate_on_submit():
        return _user_page(user, form)
    try:
        with unit_of_work(current_actor()) as work:
            actions.set_roles(work, user_id, form.roles.ticked)
    except Refusal as refusal:
        refuse(form, Refusal(refusal.code, refusal.message, field="roles", remedy=refusal.remedy))
        return _user_page(user, form)
    flash(f"The roles of {user.display} have been changed. They hold at once.", "good")
    return redirect(url_for(".one", user_id=user_id))


@blueprint.route("/<user_id>/edit", methods=["GET", "POST"])
@requires("users:manage", fresh=True)
def edit(user_id: str) -> ResponseReturnValue:
    """Change name, address and person of an account."""
    user = _user(user_id)
    form = UserForm(display=user.display, email=user.email, number=_number(user))
    if form.validate_on_submit():
        try:
            with unit_of_work(current_actor()) as work:
                person = _person_id(text(form.number))
                actions.change_user(work, user_id, display=text(form.display), email=text(form.email), person_id=person)
        except Refusal as refusal:
            refuse(form, refusal)
        else:
            flash("Changes saved.", "good")
            return redirect(url_for(".one", user_id=user_id))
    return render_template("people/user_edit.html", form=form, user=user), 422 if form.errors else 200


@blueprint.post("/<user_id>/disable")
@requires("users:manage", fresh=True)
def disable(user_id: str) -> ResponseReturnValue:
    """Switch an account off: it is signed out everywhere at once."""
    return _switch(user_id, False, "has been switched off and is signed out everywhere.")


@blueprint.post("/<user_id>/enable")
@requires("users:manage", fresh=True)
def enable(user_id: str) -> ResponseReturnValue:
    """Switch an account on again."""
    return _switch(user_id, True, "can sign in again.")


@blueprint.post("/<user_id>/reset")
@requires("users:manage", fresh=True)
def reset(user_id: str) -> ResponseReturnValue:
    """Take password and authenticator away and make a link to set them anew."""
    user = _user(user_id)
    with unit_of_work(current_actor()) as work:
        link = actions.reset_user(work, user_id)
    return _link_page(user.display, link)


@blueprint.post("/<user_id>/link")
@requires("users:manage", fresh=True)
def link(user_id: str) -> ResponseReturnValue:
    """A new link for somebody who has not set up the account yet."""
    user = _user(user_id)
    with unit_of_work(current_actor()) as work:
        made = actions.invite_again(work, user_id)
    return _link_page(user.display, made)


@blueprint.post("/<user_id>/sessions/end")
@requires("users:manage", fresh=True)
def end_sessions(user_id: str) -> ResponseReturnValue:
    """Sign an account out everywhere."""
    with unit_of_work(current_actor()) as work:
        count = actions.end_sessions(work, user_id, "ended_by_administrator")
    flash(f"Sessions ended: {count}.", "good")
    return redirect(url_for(".one", user_id=user_id))


def _switch(user_id: str, active: bool, words: str) -> ResponseReturnValue:
    user = _user(user_id)
    try:
        with unit_of_work(current_actor()) as work:
            actions.set_active(work, user_id, active)
    except Refusal as refusal:
        flash(f"{refusal.message} {refusal.remedy}", "refused")
    else:
        flash(f"{user.display} {words}", "good")
    return redirect(url_for(".one", user_id=user_id))


def _user(user_id: str) -> UserRow:
    with reading() as session:
        user = queries.user(session, user_id)
    if user is None:
        raise NotFound("user", "There is no such account.")
    return user


def _user_page(user: UserRow, form: RolesForm | None) -> ResponseReturnValue:
    if form is None:
        form = RolesForm(formdata=None, roles=list(user.roles))
        form.roles.choices = _choices()
    with reading() as session:
        sessions = queries.sessions_of(session, user.id)
    page = render_template("people/user.html", user=user, form=form, sessions=sessions, roles=queries.roles())
    return page, 422 if form.errors else 200


def _link_page(who: str, link: Link) -> ResponseReturnValue:
    return render_template("people/link.html", who=who, link=link, address=current().web.address + link.path)


def _number(user: UserRow) -> str:
    with reading() as session:
        person = queries.person(session, user.person_id) if user.person_id else None
    return person.number if person else ""


def _person_id(number: str) -> str | None:
    if not number:
        return None
    with reading() as session:
        found = queries.persons_by_number(session, [number]).get(number)
    if found is None:
        raise Refusal("person", "Nobody in the directory has this number.", field="number")
    return found.id


def _choices() -> list[tuple[str, str]]:
    return [(name, role.title) for name, role in queries.roles().items()]
