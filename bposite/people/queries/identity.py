"""Who is asking: the person behind a session, the program behind a token, and what they may do at this moment."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from bposite.people import rules
from bposite.people.rules import Permission, Role
from bposite.people.tables import ApiToken, User, UserRole, UserSession
from bposite.plumbing import resources


@cache
def roles() -> Mapping[str, Role]:
    """The roles of config/roles.toml; ValueError names the role that is wrong."""
    text = (resources.root("config") / "roles.toml").read_text("utf-8")
    return rules.roles_from(tomllib.loads(text))


def hash_of(secret: str) -> str:
    """How a random value that somebody else holds is kept: SHA-256, enough for 256 random bits."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Identity:
    """Who stands behind a request, with the permissions of this very moment. Flask-Login's user object."""

    kind: Literal["user", "token"]
    id: str
    name: str  # as people are shown it
    user_name: str
    roles: tuple[str, ...]
    permissions: frozenset[Permission]
    session_id: str = ""
    created_at: datetime | None = None
    last_seen: datetime | None = None
    confirmed_at: datetime | None = None
    over: rules.EndReason | None = None
    is_authenticated: bool = True
    is_active: bool = True
    is_anonymous: bool = False

    def get_id(self) -> str:
        """Flask-Login's name for it."""
        return self.id

    def may(self, permission: str) -> bool:
        """Whether the permission is held."""
        return permission in self.permissions


def identity_of_session(session: Session, secret: str, at: datetime) -> Identity | None:
    """The person whose browser holds ``secret``; None when no open session of an active account has it.

    A session that has only just become too old is returned with ``over`` set, so that the edge can end it.
    """
    row = session.execute(
        select(UserSession, User)
        .join(User, User.id == UserSession.user_id)
        .where(UserSession.secret_hash == hash_of(secret), UserSession.ended_at.is_(None), User.active.is_(True))
    ).one_or_none()
    if row is None:
        return None
    found, user = row
    held = role_names(session, user.id)
    return Identity(
        "user", user.id, user.display, user.name, held, rules.granted(roles(), held),
        found.id, found.created_at, found.last_seen, found.confirmed_at,
        rules.session_over(found.created_at, found.last_seen, at),
    )  # fmt: skip


def identity_of_token(session: Session, secret: str, at: datetime) -> Identity | None:
    """The program that holds the bearer token ``secret``; None when it is unknown, revoked or expired."""
    token = session.scalar(select(ApiToken).where(ApiToken.secret_hash == hash_of(secret)))
    if token is None or token.revoked_at is not None or at >= token.expires_at:
        return None
    scope = frozenset(known for known in rules.PERMISSIONS if known in token.permissions)
    return Identity(
        "token", token.id, token.name, "", (), scope - rules.NEVER_FOR_TOKENS,
        created_at=token.created_at, last_seen=token.last_used,
    )  # fmt: skip


def still_holds(session: Session, identity: Identity, permission: str, at: datetime) -> bool:
    """Whether ``identity`` could start again at ``at`` what it is doing: session or token open, permission held."""
    if identity.kind == "token":
        token = session.get(ApiToken, identity.id)
        return token is not None and token.revoked_at is None and at < token.expires_at
    row = session.get(UserSession, identity.session_id)
    if row is None or row.ended_at is not None or rules.session_over(row.created_at, row.last_seen, at):
        return False
    user = session.get(User, row.user_id)
    return user is not None and user.active and permission in rules.granted(roles(), role_names(session, user.id))


def role_names(session: Session, user_id: str) -> tuple[str, ...]:
    """The roles of a user, in the order of the file; roles that the file no longer knows are left out."""
    held = set(session.scalars(select(UserRole.role).where(UserRole.user_id == user_id)))
    return tuple(name for name in roles() if name in held)
