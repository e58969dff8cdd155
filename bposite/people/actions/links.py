"""One-time links: 256 random bits that let one person set password and factor once, within hours."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import select, update

from bposite.journal.work import Work
from bposite.people.queries import hash_of
from bposite.people.tables import OneTimeLink
from bposite.plumbing.errors import NotFound
from bposite.plumbing.ids import new_id

Purpose = Literal["first_administrator", "invitation", "reset"]


@dataclass(frozen=True, slots=True)
class Link:
    """A link to hand to one person: the ``path`` to put behind the site's address; it is shown only now."""

    path: str
    expires_at: datetime


def new_link(work: Work, purpose: Purpose, user_id: str | None, age: timedelta) -> Link:
    """Make a link and close the earlier ones for the same account."""
    work.session.execute(
        update(OneTimeLink)
        .where(OneTimeLink.user_id == user_id if user_id else OneTimeLink.user_id.is_(None))
        .where(OneTimeLink.used_at.is_(None))
        .values(used_at=work.now, password_hash=None, factor=None)
    )
    secret = secrets.token_urlsafe(32)
    row = OneTimeLink(
        id=new_id(), secret_hash=hash_of(secret), purpose=purpose, user_id=user_id,
        created_at=work.now, expires_at=work.now + age,
    )  # fmt: skip
    work.session.add(row)
    work.record("people:link:made", subject=user_id or "", data={"purpose": purpose, "expires_at": row.expires_at})
    return Link(f"/enrol/{secret}", row.expires_at)


def open_link(work: Work, secret: str) -> OneTimeLink:
    """The row of a link that still holds, locked; NotFound with the same words for every reason why it does not."""
    row = work.session.scalar(select(OneTimeLink).where(OneTimeLink.secret_hash == hash_of(secret)).with_for_update())
    if row is None or row.used_at is not None or work.now >= row.expires_at:
        raise NotFound("link", "This link has been used or is too old.", remedy="Ask your administrator for a new one.")
    return row
