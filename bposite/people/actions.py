"""What people do with accounts and sign-ins. One public function = one step of a unit of work and its facts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update

from bposite.journal.work import Work
from bposite.people.rules import EndReason
from bposite.people.tables import ApiToken, UserSession
from bposite.plumbing.db import transaction


def end_session(work: Work, session_id: str, reason: EndReason) -> bool:
    """End one session everywhere, at once; False when it had ended before."""
    row = work.session.get(UserSession, session_id)
    if row is None or row.ended_at is not None:
        return False
    row.ended_at, row.end_reason = work.now, reason
    row.new_factor = None
    work.record("people:session:ended", subject=row.user_id, data={"session": row.id, "reason": reason})
    return True


def note_seen(session_id: str, at: datetime) -> None:
    """Remember when a session was last used. No fact: it happens every minute and proves nothing."""
    with transaction() as session:
        session.execute(update(UserSession).where(UserSession.id == session_id).values(last_seen=at))


def note_token_use(token_id: str, at: datetime) -> None:
    """Remember when a token was last used."""
    with transaction() as session:
        session.execute(update(ApiToken).where(ApiToken.id == token_id).values(last_used=at))
