"""Setting an account up by a one-time link: first the password, then the authenticator, proved by a code."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from bposite.journal.work import Work
from bposite.people import failures, queries, rules, totp
from bposite.people.actions.accounts import ADMINISTRATOR, add_user, fresh_recovery_codes
from bposite.people.actions.links import open_link
from bposite.people.actions.sessions import start_session
from bposite.people.rules import Origin
from bposite.people.tables import OneTimeLink, User
from bposite.plumbing.errors import Conflict, Refusal


@dataclass(frozen=True, slots=True)
class Enrolled:
    """An account that is ready: its recovery codes, shown this once, and the session that begins."""

    user_id: str
    recovery_codes: list[str]
    session_secret: str
    landing: str
    device: str


def choose_password(work: Work, link: str, *, name: str, display: str, password_hash: str) -> None:
    """First step: remember name and password on the link, and make the secret for the authenticator.

    ``name`` and ``display`` count for the first administrator only; an invited account has them.
    """
    row = open_link(work, link)
    if row.user_id is None:
        clean = rules.user_name(name)
        if clean is None:
            raise Refusal("user_name", "Use letters a to z, digits, dot, dash or underscore.", field="name")
        if work.session.scalar(select(User.id).where(User.name == clean)):
            raise Refusal("user_name_taken", "Somebody else has this user name.", field="name")
        row.name, row.display = clean, display.strip()[:120] or clean
    row.password_hash = password_hash
    row.factor = totp.sealed(totp.new_secret())


def confirm_factor(work: Work, link: str, code: str, origin: Origin) -> Enrolled:
    """Second step: the code proves the authenticator. The account is ready and signed in; the link is used up."""
    row = open_link(work, link)
    if row.password_hash is None or row.factor is None:
        raise Refusal("password_first", "Choose a password first.", field="code")
    step = _proved(work, row.factor, code)
    user = _account(work, row)
    user.password_hash, user.factor, user.factor_step = row.password_hash, row.factor, step
    user.password_at = row.used_at = work.now
    row.password_hash = row.factor = None
    work.record("people:user:enrolled", subject=user.id, data={"name": user.name, "purpose": row.purpose})
    codes = fresh_recovery_codes(work, user.id)
    secret = start_session(work, user, origin)
    work.session.flush()
    landing = rules.landing(queries.roles(), queries.role_names(work.session, user.id))
    return Enrolled(user.id, codes, secret, landing, failures.new_device(user.name))


def _proved(work: Work, factor: bytes, code: str) -> int:
    digits = rules.totp_code(code)
    step = totp.matching_step(totp.opened(factor), digits, rules.open_steps(work.now, None)) if digits else None
    if step is None:
        raise Refusal(
            "code", "This is not the code that the authenticator shows now.", field="code",
            remedy="Check that the clock of the phone is set automatically.",
        )  # fmt: skip
    return step


def _account(work: Work, row: OneTimeLink) -> User:
    if row.user_id is not None:
        user = work.session.get(User, row.user_id, with_for_update=True)
        if user is None or not user.active:
            raise Conflict("disabled", "This account has been switched off.", remedy="Ask your administrator.")
        return user
    if queries.enrolled_administrators(work.session):
        raise Conflict("administrator_exists", "This site already has an administrator.")
    user = add_user(work, row.name or "", row.display or "", [ADMINISTRATOR])
    row.user_id = user.id
    return user
