"""What people change in their own account: password, authenticator, recovery codes, and proving it is still them."""

from __future__ import annotations

from bposite.journal.work import Work
from bposite.people import failures, rules, totp
from bposite.people.actions.accounts import fresh_recovery_codes
from bposite.people.actions.sessions import end_sessions
from bposite.people.actions.signin import ZERO, Answer, accept_code
from bposite.people.rules import Origin
from bposite.people.tables import User, UserSession
from bposite.plumbing.errors import Conflict, NotFound, Refusal


def confirm_session(work: Work, session_id: str, code: str, origin: Origin) -> Answer:
    """Step-up: a new code makes the session fresh for ten minutes. Wrong codes count like wrong sign-ins."""
    row, user = _rows(work, session_id)
    answer = _checked(work, user, code, origin)
    if answer.secret is not None:
        row.confirmed_at = work.now
        work.record("people:session:confirmed", subject=user.id, data={"session": row.id})
    return answer


def change_password(work: Work, session_id: str, old_hash: str, new_hash: str) -> None:
    """Set a new password; the edge has checked the old one against ``old_hash``. All other sessions end."""
    _, user = _rows(work, session_id)
    if user.password_hash != old_hash:
        raise Conflict("changed", "The password was changed meanwhile.", remedy="Sign in again.")
    user.password_hash, user.password_at = new_hash, work.now
    ended = end_sessions(work, user.id, "credentials_changed", but=session_id)
    work.record("people:user:password_changed", subject=user.id, data={"sessions_ended": ended})


def offer_factor(work: Work, session_id: str, code: str, origin: Origin) -> Answer:
    """Begin to change the authenticator: only with a code of the old one (or a recovery code).

    A password alone must never enrol a new factor (design page "trust", trap 7).
    """
    row, user = _rows(work, session_id)
    answer = _checked(work, user, code, origin)
    if answer.secret is not None:
        row.new_factor = totp.sealed(totp.new_secret())
        row.confirmed_at = work.now
    return answer


def change_factor(work: Work, session_id: str, code: str) -> list[str]:
    """Take the new authenticator, proved by its first code; returns new recovery codes. All other sessions end."""
    row, user = _rows(work, session_id)
    if row.new_factor is None or not rules.is_fresh(row.confirmed_at, work.now):
        raise Conflict(
            "too_late", "This took longer than ten minutes.", remedy="Begin again with a code of the old one."
        )
    digits = rules.totp_code(code)
    steps = rules.open_steps(work.now, None)
    step = totp.matching_step(totp.opened(row.new_factor), digits, steps) if digits else None
    if step is None:
        raise Refusal("code", "This is not the code that the new authenticator shows now.", field="code")
    user.factor, user.factor_step, row.new_factor = row.new_factor, step, None
    end_sessions(work, user.id, "credentials_changed", but=session_id)
    work.record("people:user:factor_changed", subject=user.id)
    return fresh_recovery_codes(work, user.id)


def new_recovery_codes(work: Work, session_id: str) -> list[str]:
    """Ten new recovery codes; the earlier ones stop working."""
    _, user = _rows(work, session_id)
    work.record("people:recovery:made", subject=user.id)
    return fresh_recovery_codes(work, user.id)


def _checked(work: Work, user: User, code: str, origin: Origin) -> Answer:
    if (still := failures.wait(work.session, work.now, user.name, origin, lock=True)) > ZERO:
        return Answer(wait=still)
    if accept_code(work, user, code):
        failures.forget(work.session, user.name, origin)
        return Answer("confirmed")
    work.record("people:signin:refused", subject=user.id, data={"what": "confirmation", "address": origin.address})
    return Answer(wait=failures.add(work.session, work.now, user.name, origin))


def _rows(work: Work, session_id: str) -> tuple[UserSession, User]:
    row = work.session.get(UserSession, session_id, with_for_update=True)
    user = work.session.get(User, row.user_id, with_for_update=True) if row and row.ended_at is None else None
    if row is None or user is None:
        raise NotFound("session", "You are not signed in any more.", remedy="Sign in again.")
    return row, user
