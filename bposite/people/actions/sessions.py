"""Sessions: a row each, started by a code, ended once, for a reason."""

from __future__ import annotations

import secrets
from datetime import datetime

from sqlalchemy import select, update

from bposite.journal.work import Work
from bposite.people.queries import hash_of
from bposite.people.rules import EndReason, Origin
from bposite.people.tables import ApiToken, User, UserSession
from bposite.plumbing.db import transaction
from bposite.plumbing.ids import new_id

SECRET_BYTES = 32


def start_session(work: Work, user: User, origin: Origin) -> str:
    """Start a session of ``user`` and return the random value that the browser keeps (256 bits)."""
    secret = secrets.token_urlsafe(SECRET_BYTES)
    row = UserSession(
        id=new_id(), secret_hash=hash_of(secret), user_id=user.id, created_at=work.now, last_seen=work.now,
        confirmed_at=work.now, address=origin.address[:45], agent=origin.agent[:200],
    )  # fmt: skip
    work.session.add(row)
    user.signed_in_at = work.now
    work.record("people:session:started", subject=user.id, data={"session": row.id, "address": row.address})
    return secret


def end_session(work: Work, session_id: str, reason: EndReason, *, of_user: str | None = None) -> bool:
    """End one session everywhere, at once; False when it had ended before or is not one ``of_user``."""
    row = work.session.get(UserSession, session_id, with_for_update=True)
    if row is None or row.ended_at is not None or of_user not in (None, row.user_id):
        return False
    row.ended_at, row.end_reason, row.new_factor = work.now, reason, None
    work.record("people:session:ended", subject=row.user_id, data={"session": row.id, "reason": reason})
    return True


def end_sessions(work: Work, user_id: str, reason: EndReason, *, but: str = "") -> int:
    """End every session of a user except ``but``; returns how many."""
    open_ones = select(UserSession.id).where(UserSession.user_id == user_id, UserSession.ended_at.is_(None))
    return sum(end_session(work, found, reason) for found in list(work.session.scalars(open_ones)) if found != but)


def note_seen(session_id: str, at: datetime) -> None:
    """Remember when a session was last used. No fact: it happens every minute and proves nothing."""
    with transaction() as session:
        session.execute(update(UserSession).where(UserSession.id == session_id).values(last_seen=at))


def note_token_use(token_id: str, at: datetime) -> None:
    """Remember when a token was last used."""
    with transaction() as session:
        session.execute(update(ApiToken).where(ApiToken.id == token_id).values(last_used=at))
