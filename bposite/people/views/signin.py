"""Signing in, in two steps, and out."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm

from bposite.journal.work import unit_of_work
from bposite.people import actions, cookies, passwords, queries, rules
from bposite.people.access import current_actor, current_identity, public
from bposite.people.forms import CodeForm, SignInForm, text
from bposite.plumbing.clock import now
from bposite.plumbing.db import reading
from bposite.plumbing.secrets import keyed_hash
from bposite.plumbing.web import limiter

blueprint = Blueprint("signin", __name__)
TRIES = "30 per minute"
WRONG = "User name or password is not right. Check both; capital letters count in the password."
WRONG_CODE = "This code is not right, or was used before. Wait for the next one and type that."


@blueprint.route("/sign-in", methods=["GET", "POST"])
@public
@limiter.limit(TRIES, methods=["POST"])
def password() -> ResponseReturnValue:
    """Step one: user name and password."""
    if current_identity() is not None:
        return redirect(_target() or home())
    form = SignInForm()
    if not form.validate_on_submit():
        return _page("people/sign_in.html", form)
    name, given, origin = _user_name(text(form.name)), text(form.password), cookies.origin(request)
    with reading() as found:
        wait = queries.wait_before(found, name, origin, now())
        stored = queries.password_hash(found, name=name)
    if wait > timedelta(0):
        return _page("people/sign_in.html", form, wait)
    checked = stored if passwords.matches(stored, given) else None
    with unit_of_work(current_actor()) as work:
        answer = actions.password_given(work, name, origin, given, checked)
    if answer.secret is None:
        form.password.errors = [WRONG]
        return _page("people/sign_in.html", form, answer.wait)
    response = make_response(redirect(url_for(".code", next=_target())))
    cookies.set_step(response, answer.secret)
    return response


@blueprint.route("/sign-in/code", methods=["GET", "POST"])
@public
@limiter.limit(TRIES, methods=["POST"])
def code() -> ResponseReturnValue:
    """Step two: a code of the authenticator, or a recovery code."""
    step = cookies.read(request, cookies.STEP)
    if not step:
        return _again()
    form = CodeForm()
    if not form.validate_on_submit():
        return _page("people/code.html", form)
    with unit_of_work(current_actor()) as work:
        answer = actions.code_given(work, step, text(form.code), cookies.origin(request))
    if answer.over:
        return _again()
    if answer.secret is None:
        form.code.errors = [WRONG_CODE]
        return _page("people/code.html", form, answer.wait)
    return signed_in(make_response(redirect(_target() or answer.landing)), answer.secret, answer.device)


@blueprint.post("/sign-out")
@public
def leave() -> ResponseReturnValue:
    """End the session everywhere: the row ends, so a copied cookie is worth nothing."""
    identity = current_identity()
    if identity is not None and identity.kind == "user":
        with unit_of_work(current_actor()) as work:
            actions.end_session(work, identity.session_id, "signed_out")
    session.clear()
    flash("You are signed out.", "good")
    response = make_response(redirect(url_for(".password")))
    cookies.clear(response, cookies.SESSION)
    cookies.clear(response, cookies.STEP)
    return response


def signed_in(response: Response, secret: str, device: str) -> Response:
    """Give the browser its new session; what it held before signing in, the form token included, is dropped."""
    session.clear()
    cookies.start(response, secret, device)
    return response


def home() -> str:
    """The landing page of whoever is signed in."""
    identity = current_identity()
    return rules.landing(queries.roles(), identity.roles) if identity else url_for("signin.password")


def _target() -> str | None:
    return rules.safe_next(request.args.get("next"))


def _user_name(text: str) -> str:
    """The name to look for; what cannot be one is looked for too, so that it takes as long and counts the same."""
    return rules.user_name(text) or keyed_hash("people:no-name", text)


def _again() -> ResponseReturnValue:
    flash("That took longer than five minutes. Please begin again.", "attention")
    return redirect(url_for(".password", next=_target()))


def _page(template: str, form: FlaskForm, wait: timedelta = timedelta(0)) -> ResponseReturnValue:
    status = 200 if request.method == "GET" else 422
    waiting = wait > timedelta(0)
    page = render_template(template, form=form, wait=rules.in_words(wait) if waiting else "", target=_target())
    response = make_response(page, 429 if waiting else status)
    if waiting:
        response.headers["Retry-After"] = str(int(wait.total_seconds()) + 1)
    return response
