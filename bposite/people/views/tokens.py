"""API tokens, for administrators."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from bposite.journal.work import unit_of_work
from bposite.people import actions, queries, rules
from bposite.people.access import current_actor, current_identity, requires
from bposite.people.actions import NewToken
from bposite.people.forms import NewTokenForm, refuse, text
from bposite.plumbing.clock import now
from bposite.plumbing.db import reading
from bposite.plumbing.errors import Refusal

blueprint = Blueprint("tokens", __name__, url_prefix="/tokens")


@blueprint.get("/")
@requires("tokens:manage")
def overview() -> ResponseReturnValue:
    """Every token, what it may do and when it was used."""
    with reading() as session:
        return render_template("people/tokens.html", tokens=queries.tokens(session, now()))


@blueprint.route("/new", methods=["GET", "POST"])
@requires("tokens:manage", fresh=True)
def new() -> ResponseReturnValue:
    """Make a token; it is shown once."""
    form = NewTokenForm()
    form.permissions.choices = [
        (name, text) for name, text in rules.PERMISSIONS.items() if name not in rules.NEVER_FOR_TOKENS
    ]
    if not form.validate_on_submit():
        return render_template("people/token_new.html", form=form), 422 if form.errors else 200
    try:
        made = _make(form)
    except Refusal as refusal:
        refuse(form, refusal)
        return render_template("people/token_new.html", form=form), 422
    return render_template("people/token.html", token=made, name=text(form.name))


@blueprint.post("/<token_id>/revoke")
@requires("tokens:manage", fresh=True)
def revoke(token_id: str) -> ResponseReturnValue:
    """Stop a token at once."""
    with unit_of_work(current_actor()) as work:
        actions.revoke_token(work, token_id)
    flash("The token has been revoked. It stops working at once.", "good")
    return redirect(url_for(".overview"))


def _make(form: NewTokenForm) -> NewToken:
    identity = current_identity()
    mine = identity.permissions if identity else frozenset()
    with unit_of_work(current_actor()) as work:
        return actions.create_token(
            work, text(form.name), form.permissions.ticked, days=form.days.data or 0, maker=mine
        )  # fmt: skip
