"""Signing in: a password, then a code of the authenticator or a recovery code. Failures are counted, never raised.

Names that do not exist fail, count and lock exactly like names that do, so that nothing tells them apart.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, select, update

from bposite.journal.work import Work
from bposite.people import failures, passwords, queries, rules, totp
from bposite.people.actions.accounts import recovery_hash
from bposite.people.actions.sessions import start_session
from bposite.people.queries import hash_of
from bposite.people.rules import Origin
from bposite.people.tables import RecoveryCode, SignInStep, User

ZERO = timedelta(0)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one try: a ``secret`` for the browser when it was right, else how long to ``wait``.

    ``over`` means that the sign-in must begin again: the step between password and code is gone.
    """

    secret: str | None = None
    wait: timedelta = ZERO
    over: bool = False
    landing: str = "/"
    device: str = ""


def password_given(work: Work, name: str, origin: Origin, password: str, checked: str | None) -> Answer:
    """A password was tried for ``name``; ``checked`` is the stored hash that it matched, None when it did not.

    The hash is compared again here: an account that was disabled or changed meanwhile does not get in.
    """
    if (still := failures.wait(work.session, work.now, name, origin, lock=True)) > ZERO:
        return Answer(wait=still)
    user = work.session.scalar(select(User).where(User.name == name, User.active.is_(True))) if checked else None
    if user is None or checked is None or user.password_hash != checked:
        return Answer(wait=_failed(work, name, origin, "password"))
    if passwords.is_outdated(checked):
        user.password_hash = passwords.hashed(password)
    work.session.execute(delete(SignInStep).where(SignInStep.created_at < work.now - rules.PENDING))
    secret = secrets.token_urlsafe(32)
    work.session.add(SignInStep(secret_hash=hash_of(secret), user_id=user.id, created_at=work.now))
    return Answer(secret)


def code_given(work: Work, step_secret: str, code: str, origin: Origin) -> Answer:
    """A code was tried after the password: a session begins when it is right and newer than the last one."""
    row = work.session.get(SignInStep, hash_of(step_secret), with_for_update=True)
    user = work.session.get(User, row.user_id, with_for_update=True) if row else None
    if row is None or user is None or not user.active or work.now - row.created_at >= rules.PENDING:
        return Answer(over=True)
    if (still := failures.wait(work.session, work.now, user.name, origin, lock=True)) > ZERO:
        return Answer(wait=still)
    if not accept_code(work, user, code):
        return Answer(wait=_failed(work, user.name, origin, "code"))
    work.session.delete(row)
    failures.forget(work.session, user.name, origin)
    landing = rules.landing(queries.roles(), queries.role_names(work.session, user.id))
    return Answer(start_session(work, user, origin), landing=landing, device=failures.new_device(user.name))


def accept_code(work: Work, user: User, code: str) -> bool:
    """Whether ``code`` is a new code of the authenticator or an unused recovery code; it is used up by this.

    The row of ``user`` must be locked by the caller, so that one code cannot win twice at the same moment.
    """
    if user.factor is None:
        return False
    if digits := rules.totp_code(code):
        step = totp.matching_step(totp.opened(user.factor), digits, rules.open_steps(work.now, user.factor_step))
        user.factor_step = step if step is not None else user.factor_step
        return step is not None
    return (typed := rules.recovery_code(code)) is not None and _use_recovery_code(work, user, typed)


def _use_recovery_code(work: Work, user: User, code: str) -> bool:
    used = work.session.execute(
        update(RecoveryCode)
        .where(RecoveryCode.hash == recovery_hash(user.id, code), RecoveryCode.used_at.is_(None))
        .values(used_at=work.now)
        .returning(RecoveryCode.user_id)
    ).one_or_none()
    if used is not None:
        work.record("people:recovery:used", subject=user.id)
    return used is not None


def _failed(work: Work, name: str, origin: Origin, what: str) -> timedelta:
    # The name as typed stays out of the journal: people type passwords into it (ASVS 16.2.5).
    user_id = work.session.scalar(select(User.id).where(User.name == name))
    work.record("people:signin:refused", subject=user_id or "", data={"what": what, "address": origin.address})
    return failures.add(work.session, work.now, name, origin)
