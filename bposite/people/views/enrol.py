"""Setting an account up by a one-time link: password, authenticator, recovery codes."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bposite.journal.work import Actor, unit_of_work
from bposite.people import actions, cookies, passwords, qr, queries, totp
from bposite.people.access import current_actor, public
from bposite.people.forms import CodeForm, FirstAdministratorForm, NewPassword, refuse, text
from bposite.people.queries import LinkRow
from bposite.people.views.signin import TRIES, signed_in
from bposite.plumbing.clock import now
from bposite.plumbing.db import reading
from bposite.plumbing.errors import NotFound, Refusal
from bposite.plumbing.settings import current
from bposite.plumbing.web import limiter

blueprint = Blueprint("enrol", __name__, url_prefix="/enrol")


@blueprint.route("/<secret>", methods=["GET", "POST"])
@public
@limiter.limit(TRIES, methods=["POST"])
def password(secret: str) -> ResponseReturnValue:
    """Step one: choose a password (and, for the first administrator, a name)."""
    link = _link(secret)
    form = FirstAdministratorForm() if link.names_account else NewPassword()
    form.user_name = link.name
    if not form.validate_on_submit():
        return _page("people/enrol_password.html", form, link)
    chosen = passwords.hashed(text(form.password))
    name, display = (text(form.name), text(form.display)) if link.names_account else (link.name, link.display)
    try:
        with unit_of_work(_actor(link)) as work:
            actions.choose_password(work, secret, name=name, display=display, password_hash=chosen)
    except Refusal as refusal:
        refuse(form, refusal)
        return _page("people/enrol_password.html", form, link)
    return redirect(url_for(".authenticator", secret=secret))


@blueprint.route("/<secret>/authenticator", methods=["GET", "POST"])
@public
@limiter.limit(TRIES, methods=["POST"])
def authenticator(secret: str) -> ResponseReturnValue:
    """Step two: scan the picture, prove it with a code; then the recovery codes are shown, once."""
    link, form = _link(secret), CodeForm()
    if link.secret is None:
        return redirect(url_for(".password", secret=secret))
    if not form.validate_on_submit():
        return _authenticator_page(form, link, secret)
    try:
        with unit_of_work(_actor(link)) as work:
            done = actions.confirm_factor(work, secret, text(form.code), cookies.origin(request))
    except Refusal as refusal:
        refuse(form, refusal)
        return _authenticator_page(form, link, secret)
    page = render_template("people/recovery_codes.html", codes=done.recovery_codes, onward=done.landing, first=True)
    return signed_in(make_response(page), done.session_secret, done.device)


@blueprint.get("/<secret>/qr.svg")
@public
def picture(secret: str) -> ResponseReturnValue:
    """The QR code for the authenticator, while the link holds."""
    link = _link(secret)
    if link.secret is None:
        raise NotFound("password_first", "Choose a password first.")
    return qr_response(link.secret, link.name)


def qr_response(secret: str, name: str) -> Response:
    """A picture that no cache keeps."""
    response = make_response(qr.svg(totp.address(secret, name, f"bposite {current().site.name}")))
    response.headers["Content-Type"] = "image/svg+xml"
    response.headers["Cache-Control"] = "no-store"
    return response


def _link(secret: str) -> LinkRow:
    with reading() as session:
        link = queries.link(session, secret[: cookies.LONGEST], now())
    if link is None:
        raise NotFound("link", "This link has been used or is too old.", remedy="Ask your administrator for a new one.")
    return link


def _actor(link: LinkRow) -> Actor:
    return Actor("link", link.purpose, link.display or link.purpose, place=current_actor().place)


def _page(template: str, form: NewPassword, link: LinkRow) -> ResponseReturnValue:
    return render_template(template, form=form, link=link), 422 if form.errors else 200


def _authenticator_page(form: CodeForm, link: LinkRow, secret: str) -> ResponseReturnValue:
    page = render_template(
        "people/enrol_authenticator.html",
        form=form,
        picture=url_for(".picture", secret=secret),
        typed=totp.grouped(link.secret or ""),
        name=link.name,
    )
    return page, 422 if form.errors else 200
