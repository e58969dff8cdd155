"""API tokens: shown once, kept as a hash, with a fixed scope and an end."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from bposite.journal.work import Work
from bposite.people import rules
from bposite.people.queries import hash_of
from bposite.people.rules import Permission
from bposite.people.tables import ApiToken
from bposite.plumbing.errors import NotFound, Refusal
from bposite.plumbing.ids import new_id

EVERYTHING = frozenset(rules.PERMISSIONS)


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token just made; ``secret`` is what the program sends, shown only now."""

    id: str
    secret: str
    expires_at: datetime


def create_token(
    work: Work, name: str, permissions: Iterable[str], *, days: int = 90, maker: frozenset[Permission] = EVERYTHING
) -> NewToken:
    """A token with the scope ``permissions`` for ``days`` days; Refusal when ``maker`` does not hold them all."""
    if not name.strip():
        raise Refusal("name", "Say what the token is for.", field="name")
    if not 1 <= days <= rules.MAX_TOKEN_DAYS:
        raise Refusal("days", f"A token lives 1 to {rules.MAX_TOKEN_DAYS} days.", field="days")
    try:
        scope = rules.token_scope(permissions, maker)
    except ValueError as error:
        raise Refusal("scope", str(error).capitalize() + ".", field="permissions") from error
    secret = "bpo_" + secrets.token_urlsafe(32)
    row = ApiToken(
        id=new_id(), secret_hash=hash_of(secret), name=name.strip()[:80], permissions=sorted(scope),
        maker_id=work.actor.id if work.actor.kind == "user" else None, maker=work.actor.name[:120],
        created_at=work.now, expires_at=work.now + timedelta(days=days),
    )  # fmt: skip
    work.session.add(row)
    work.record("people:token:created", subject=row.id, data={"name": row.name, "permissions": row.permissions})
    return NewToken(row.id, secret, row.expires_at)


def revoke_token(work: Work, token_id: str) -> None:
    """Stop a token at once; NotFound when there is none."""
    row = work.session.get(ApiToken, token_id)
    if row is None:
        raise NotFound("token", "There is no such token.")
    if row.revoked_at is None:
        row.revoked_at = work.now
        work.record("people:token:revoked", subject=row.id, data={"name": row.name})


def revoke_tokens_of(work: Work, user_id: str) -> None:
    """Stop every token that a user has made."""
    mine = select(ApiToken.id).where(ApiToken.maker_id == user_id, ApiToken.revoked_at.is_(None))
    for token_id in list(work.session.scalars(mine)):
        revoke_token(work, token_id)
