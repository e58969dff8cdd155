"""The own account: sessions, password, authenticator, recovery codes, and confirming that it is still oneself."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bposite.journal.work import unit_of_work
from bposite.people import actions, cookies, passwords, queries, rules, totp
from bposite.people.access import current_actor, current_identity, requires
from bposite.people.actions import Answer
from bposite.people.forms import ChangePasswordForm, CodeForm, OldFactorForm, refuse, text
from bposite.people.queries import Identity
from bposite.people.views.enrol import qr_response
from bposite.people.views.signin import TRIES, WRONG_CODE, home
from bposite.plumbing.db import reading
from bposite.plumbing.errors import NotFound, Refusal
from bposite.plumbing.web import limiter

blueprint = Blueprint("account", __name__, url_prefix="/account")
blueprint.add_app_template_filter(rules.browser_of, "browser")


@blueprint.get("/")
@requires("account:own")
def overview() -> ResponseReturnValue:
    """Who I am here, where I am signed in, and what protects the account."""
    me = _me()
    with reading() as session:
        return render_template(
            "people/account.html",
            user=queries.user(session, me.id),
            sessions=queries.sessions_of(session, me.id),
            here=me.session_id,
            codes_left=queries.recovery_codes_left(session, me.id),
            roles=[queries.roles()[name] for name in me.roles],
        )


@blueprint.post("/sessions/<session_id>/end")
@requires("account:own")
def end_session(session_id: str) -> ResponseReturnValue:
    """Sign out somewhere else."""
    with unit_of_work(current_actor()) as work:
        if not actions.end_session(work, session_id, "ended_by_person", of_user=_me().id):
            raise NotFound("session", "There is no such session, or it has ended.")
    flash("The session has ended.", "good")
    return redirect(url_for(".overview"))


@blueprint.post("/sessions/end-others")
@requires("account:own")
def end_others() -> ResponseReturnValue:
    """Sign out everywhere but here."""
    with unit_of_work(current_actor()) as work:
        count = actions.end_sessions(work, _me().id, "ended_by_person", but=_me().session_id)
    flash(f"Sessions ended: {count}.", "good")
    return redirect(url_for(".overview"))


@blueprint.route("/confirm", methods=["GET", "POST"])
@requires("account:own")
@limiter.limit(TRIES, methods=["POST"])
def confirm() -> ResponseReturnValue:
    """Step-up: a code now, for the next ten minutes of sensitive actions."""
    form, target = CodeForm(), rules.safe_next(request.args.get("next")) or home()
    if not form.validate_on_submit():
        return _page("people/confirm.html", form, target=target)
    with unit_of_work(current_actor()) as work:
        answer = actions.confirm_session(work, _me().session_id, text(form.code), cookies.origin(request))
    if answer.secret is None:
        _refused(form, answer)
        return _page("people/confirm.html", form, target=target)
    return redirect(target)


@blueprint.route("/password", methods=["GET", "POST"])
@requires("account:own")
@limiter.limit(TRIES, methods=["POST"])
def password() -> ResponseReturnValue:
    """Change the password; every other session ends."""
    me, form = _me(), ChangePasswordForm()
    form.user_name = me.user_name
    if not form.validate_on_submit():
        return _page("people/account_password.html", form)
    old = _checked_password(me, text(form.old))
    if old is None:
        form.old.errors = ["This is not your present password."]
        return _page("people/account_password.html", form)
    new = passwords.hashed(text(form.password))
    with unit_of_work(current_actor()) as work:
        actions.change_password(work, me.session_id, old, new)
    flash("Your password has been changed. You are signed out everywhere else.", "good")
    return redirect(url_for(".overview"))


@blueprint.route("/authenticator", methods=["GET", "POST"])
@requires("account:own")
@limiter.limit(TRIES, methods=["POST"])
def authenticator() -> ResponseReturnValue:
    """Begin to change the authenticator: the password and a code of the old one."""
    me, form = _me(), OldFactorForm()
    if not form.validate_on_submit():
        return _page("people/account_authenticator.html", form)
    if _checked_password(me, text(form.password)) is None:
        form.password.errors = ["This is not your password."]
        return _page("people/account_authenticator.html", form)
    with unit_of_work(current_actor()) as work:
        answer = actions.offer_factor(work, me.session_id, text(form.code), cookies.origin(request))
    if answer.secret is None:
        _refused(form, answer)
        return _page("people/account_authenticator.html", form)
    return redirect(url_for(".new_authenticator"))


@blueprint.route("/authenticator/new", methods=["GET", "POST"])
@requires("account:own", fresh=True)
@limiter.limit(TRIES, methods=["POST"])
def new_authenticator() -> ResponseReturnValue:
    """Scan the new one, prove it; then new recovery codes are shown, once."""
    me, form = _me(), CodeForm()
    with reading() as session:
        secret = queries.new_factor(session, me.session_id)
    if secret is None:
        return redirect(url_for(".authenticator"))
    page = {"picture": url_for(".picture"), "typed": totp.grouped(secret), "name": me.user_name}
    if not form.validate_on_submit():
        return _page("people/new_authenticator.html", form, **page)
    try:
        with unit_of_work(current_actor()) as work:
            codes = actions.change_factor(work, me.session_id, text(form.code))
    except Refusal as refusal:
        refuse(form, refusal)
        return _page("people/new_authenticator.html", form, **page)
    return render_template("people/recovery_codes.html", codes=codes, onward=url_for(".overview"), first=False)


@blueprint.get("/authenticator/qr.svg")
@requires("account:own", fresh=True)
def picture() -> ResponseReturnValue:
    """The QR code of the authenticator that is being set up."""
    with reading() as session:
        secret = queries.new_factor(session, _me().session_id)
    if secret is None:
        raise NotFound("factor", "No authenticator is being set up.")
    return qr_response(secret, _me().user_name)


@blueprint.post("/recovery-codes")
@requires("account:own", fresh=True)
def recovery_codes() -> ResponseReturnValue:
    """New recovery codes, shown once; the earlier ones stop working."""
    with unit_of_work(current_actor()) as work:
        codes = actions.new_recovery_codes(work, _me().session_id)
    return render_template("people/recovery_codes.html", codes=codes, onward=url_for(".overview"), first=False)


def _me() -> Identity:
    identity = current_identity()
    if identity is None:  # the gate lets nobody through to here; this keeps it so should a route lose its mark
        raise NotFound("session", "You are not signed in.")
    return identity


def _checked_password(me: Identity, given: str) -> str | None:
    with reading() as session:
        stored = queries.password_hash(session, user_id=me.id)
    return stored if passwords.matches(stored, given) else None


def _refused(form: CodeForm, answer: Answer) -> None:
    wait = f" Further tries are looked at in {rules.in_words(answer.wait)}." if answer.wait else ""
    form.code.errors = [WRONG_CODE + wait]


def _page(template: str, form: CodeForm | ChangePasswordForm, **more: str) -> ResponseReturnValue:
    return render_template(template, form=form, **more), 422 if form.errors else 200
