"""Accounts, sessions, tokens and links as screens show them; hashes and secrets only where the edge needs them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bposite.people import failures, totp
from bposite.people.queries.identity import hash_of, roles
from bposite.people.rules import Origin
from bposite.people.tables import ApiToken, OneTimeLink, Person, RecoveryCode, User, UserSession
from bposite.people.tables import UserRole as RoleOfUser


@dataclass(frozen=True, slots=True)
class UserRow:
    """An account. ``state``: active | invited (not set up yet) | disabled."""

    id: str
    name: str
    display: str
    email: str
    person_id: str | None
    person: str
    roles: tuple[str, ...]
    state: str
    created_at: datetime
    signed_in_at: datetime | None
    password_at: datetime | None
    sessions: int


@dataclass(frozen=True, slots=True)
class SessionRow:
    """An open sign-in of one account."""

    id: str
    created_at: datetime
    last_seen: datetime
    address: str
    agent: str


@dataclass(frozen=True, slots=True)
class TokenRow:
    """An API token. ``state``: active | expired | revoked."""

    id: str
    name: str
    permissions: tuple[str, ...]
    maker: str
    created_at: datetime
    expires_at: datetime
    last_used: datetime | None
    state: str


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A one-time link that holds. ``secret`` is the authenticator's, once a password has been chosen."""

    purpose: str
    name: str
    display: str
    names_account: bool
    secret: str | None


def users(session: Session, user_id: str | None = None) -> list[UserRow]:
    """All accounts by name, or the one called ``user_id``."""
    open_sessions = (
        select(func.count())
        .where(UserSession.user_id == User.id, UserSession.ended_at.is_(None))
        .correlate(User)
        .scalar_subquery()
    )
    statement = select(User, Person.name, open_sessions).outerjoin(Person, Person.id == User.person_id)
    if user_id is not None:
        statement = statement.where(User.id == user_id)
    held = _roles_by_user(session)
    rows = session.execute(statement.order_by(User.name))
    return [_user(row, person or "", held.get(row.id, set()), count) for row, person, count in rows]


def user(session: Session, user_id: str) -> UserRow | None:
    """One account by id."""
    return next(iter(users(session, user_id)), None)


def user_by_name(session: Session, name: str) -> UserRow | None:
    """One account by its user name."""
    found = session.scalar(select(User.id).where(User.name == name))
    return user(session, found) if found else None


def display_names(session: Session, ids: Iterable[str]) -> dict[str, str]:
    """Account id -> the name shown to people."""
    rows = session.execute(select(User.id, User.display).where(User.id.in_(set(ids))))
    return dict(rows.tuples().all())


def enrolled_administrators(session: Session, *, lock: bool = False) -> set[str]:
    """Ids of the active administrators who can sign in; ``lock`` keeps others from changing them meanwhile."""
    statement = (
        select(User.id)
        .join(RoleOfUser, RoleOfUser.user_id == User.id)
        .where(RoleOfUser.role == "administrator", User.active.is_(True), User.password_hash.is_not(None))
        .order_by(User.id)
    )
    return set(session.scalars(statement.with_for_update(of=User) if lock else statement))


def sessions_of(session: Session, user_id: str) -> list[SessionRow]:
    """The open sessions of an account, the latest used first."""
    found = session.scalars(
        select(UserSession)
        .where(UserSession.user_id == user_id, UserSession.ended_at.is_(None))
        .order_by(UserSession.last_seen.desc())
    )
    return [SessionRow(row.id, row.created_at, row.last_seen, row.address, row.agent) for row in found]


def tokens(session: Session, at: datetime) -> list[TokenRow]:
    """All tokens, the newest first."""
    found = session.scalars(select(ApiToken).order_by(ApiToken.id.desc()))
    return [_token(row, at) for row in found]


def link(session: Session, secret: str, at: datetime) -> LinkRow | None:
    """What a one-time link is for; None when it is unknown, used or too old."""
    row = session.scalar(select(OneTimeLink).where(OneTimeLink.secret_hash == hash_of(secret)))
    if row is None or row.used_at is not None or at >= row.expires_at:
        return None
    account = session.get(User, row.user_id) if row.user_id else None
    secret_shown = totp.opened(row.factor) if row.factor else None
    if account is None:
        return LinkRow(row.purpose, row.name or "", row.display or "", True, secret_shown)
    return LinkRow(row.purpose, account.name, account.display, False, secret_shown)


def wait_before(session: Session, name: str, origin: Origin, at: datetime) -> timedelta:
    """How long a sign-in for ``name`` from ``origin`` has to wait: asked before the costly look at the password."""
    return failures.wait(session, at, name, origin)


def password_hash(session: Session, *, name: str | None = None, user_id: str | None = None) -> str | None:
    """The stored hash of an active account, for the edge to check a password against outside a transaction."""
    column = User.name == name if user_id is None else User.id == user_id
    return session.scalar(select(User.password_hash).where(column, User.active.is_(True)))


def new_factor(session: Session, session_id: str) -> str | None:
    """The secret of the authenticator that is being set up in a session, for its QR code; None when none is."""
    sealed = session.scalar(select(UserSession.new_factor).where(UserSession.id == session_id))
    return totp.opened(sealed) if sealed else None


def recovery_codes_left(session: Session, user_id: str) -> int:
    """How many recovery codes are unused."""
    unused = select(func.count()).where(RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
    return session.scalar(unused.select_from(RecoveryCode)) or 0


def _roles_by_user(session: Session) -> dict[str, set[str]]:
    held: dict[str, set[str]] = {}
    for user_id, role in session.execute(select(RoleOfUser.user_id, RoleOfUser.role)):
        held.setdefault(user_id, set()).add(role)
    return held


def _user(row: User, person: str, held: set[str], sessions: int) -> UserRow:
    state = "disabled" if not row.active else "active" if row.password_hash else "invited"
    return UserRow(
        row.id, row.name, row.display, row.email, row.person_id, person,
        tuple(name for name in roles() if name in held), state,
        row.created_at, row.signed_in_at, row.password_at, sessions,
    )  # fmt: skip


def _token(row: ApiToken, at: datetime) -> TokenRow:
    state = "revoked" if row.revoked_at else "expired" if at >= row.expires_at else "active"
    return TokenRow(
        row.id, row.name, tuple(row.permissions), row.maker, row.created_at, row.expires_at, row.last_used, state
    )
