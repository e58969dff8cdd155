"""Accounts as an administrator sees them: create, give roles, switch off, reset; always leaving one administrator."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from bposite.journal.work import Work
from bposite.people import passwords, queries, rules, totp
from bposite.people.actions.links import Link, new_link
from bposite.people.actions.sessions import end_sessions
from bposite.people.actions.tokens import revoke_tokens_of
from bposite.people.tables import OneTimeLink, Person, RecoveryCode, User, UserRole
from bposite.plumbing.errors import Conflict, NotFound, Refusal
from bposite.plumbing.ids import new_id
from bposite.plumbing.secrets import keyed_hash

ADMINISTRATOR = "administrator"


def make_admin_link(work: Work) -> Link:
    """The one-time link for the first administrator; Conflict when the site has an enrolled one already."""
    if queries.enrolled_administrators(work.session):
        raise Conflict(
            "administrator_exists", "this site already has an administrator",
            remedy="Use `bposite user reset NAME` on this machine when nobody can sign in any more.",
        )  # fmt: skip
    return new_link(work, "first_administrator", None, rules.FIRST_LINK_AGE)


def create_user(
    work: Work, name: str, display: str, roles: Iterable[str], *, email: str = "", person_id: str | None = None
) -> Link:
    """A new account without password or factor, and the link by which its person sets both."""
    user = add_user(work, name, display, roles, email=email, person_id=person_id)
    return new_link(work, "invitation", user.id, rules.LINK_AGE)


def create_enrolled_user(
    work: Work, name: str, display: str, roles: Iterable[str], *, password: str, totp_secret: str
) -> str:
    """A new account with password and authenticator set, for demonstrations and tests; returns its id."""
    if found := passwords.problem(password, name):
        raise Refusal("password", found, field="password")
    user = add_user(work, name, display, roles)
    user.password_hash, user.factor = passwords.hashed(password), totp.sealed(totp_secret)
    user.password_at = work.now
    return user.id


def add_user(
    work: Work, name: str, display: str, roles: Iterable[str], *, email: str = "", person_id: str | None = None
) -> User:
    """The row of a new account; Refusal beside the field that is wrong."""
    clean = rules.user_name(name)
    if clean is None:
        raise Refusal(
            "user_name", "Use letters a to z, digits, dot, dash, underscore or an email address.", field="name"
        )
    if work.session.scalar(select(User.id).where(User.name == clean)):
        raise Refusal("user_name_taken", "Somebody else has this user name.", field="name")
    if person_id and work.session.get(Person, person_id) is None:
        raise Refusal("person", "This person is not in the directory.", field="person_id")
    user = User(
        id=new_id(), name=clean, display=display.strip()[:120] or clean, email=email.strip()[:254],
        person_id=person_id or None, created_at=work.now, active=True,
    )  # fmt: skip
    held = _known(roles)
    work.session.add(user)
    work.session.flush()
    work.session.add_all(UserRole(user_id=user.id, role=role) for role in held)
    work.session.flush()
    work.record("people:user:created", subject=user.id, data={"name": clean, "roles": held})
    return user


def set_roles(work: Work, user_id: str, roles: Iterable[str]) -> None:
    """Give an account exactly ``roles``; they hold with its next request. Conflict for the last administrator."""
    held, user = _known(roles), _user_among_administrators(work, user_id)
    before = list(queries.role_names(work.session, user_id))
    if before == held:
        return
    if ADMINISTRATOR in before and ADMINISTRATOR not in held:
        _not_the_last(work, user.id)
    work.session.execute(delete(UserRole).where(UserRole.user_id == user_id))
    work.session.add_all(UserRole(user_id=user_id, role=role) for role in held)
    work.record("people:user:roles", subject=user_id, data={"before": before, "after": held})


def change_user(work: Work, user_id: str, *, display: str, email: str, person_id: str | None) -> None:
    """Change who an account is said to belong to; the user name stays, because facts and authenticators carry it."""
    user = _user(work, user_id)
    if not display.strip():
        raise Refusal("display", "Type the name of the person.", field="display")
    if person_id and work.session.get(Person, person_id) is None:
        raise Refusal("person", "This person is not in the directory.", field="number")
    values = {"display": display.strip()[:120], "email": email.strip()[:254], "person_id": person_id}
    changed = {name: value for name, value in values.items() if getattr(user, name) != value}
    for name, value in changed.items():
        setattr(user, name, value)
    if changed:
        work.record("people:user:changed", subject=user_id, data=changed)


def set_active(work: Work, user_id: str, active: bool) -> None:
    """Switch an account on or off. Off ends its sessions, links and tokens at once."""
    user = _user_among_administrators(work, user_id)
    if user.active == active:
        return
    if not active:
        _not_the_last(work, user_id)
        end_sessions(work, user_id, "ended_by_administrator")
        revoke_tokens_of(work, user_id)
        _close_links(work.session, user_id)
    user.active = active
    work.record(f"people:user:{'enabled' if active else 'disabled'}", subject=user_id, data={"name": user.name})


def reset_user(work: Work, user_id: str) -> Link:
    """Take password, factor and recovery codes away, end all sessions, and make a link to set them anew."""
    user = _user(work, user_id)
    user.password_hash = user.factor = user.factor_step = user.password_at = None
    work.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    end_sessions(work, user_id, "credentials_changed")
    work.record("people:user:reset", subject=user_id, data={"name": user.name})
    return new_link(work, "reset", user_id, rules.LINK_AGE)


def invite_again(work: Work, user_id: str) -> Link:
    """A new link for an account that has not been set up yet; the earlier one stops working."""
    user = _user(work, user_id)
    if user.password_hash is not None:
        raise Conflict("enrolled", "This account is set up already.", remedy="Reset it to make a new link.")
    return new_link(work, "invitation", user_id, rules.LINK_AGE)


def fresh_recovery_codes(work: Work, user_id: str) -> list[str]:
    """Ten new recovery codes such as ``7KQ4M-2XWTP``; the earlier ones stop working."""
    work.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    codes = ["".join(secrets.choice(rules.RECOVERY_ALPHABET) for _ in range(10)) for _ in range(rules.RECOVERY_CODES)]
    work.session.add_all(RecoveryCode(hash=recovery_hash(user_id, code), user_id=user_id) for code in codes)
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def recovery_hash(user_id: str, code: str) -> str:
    """How a recovery code is kept: 49 random bits need the site's key, which is not in the database."""
    return keyed_hash("people:recovery", f"{user_id}:{code}")


def _known(roles: Iterable[str]) -> list[str]:
    wanted = set(roles)
    if not wanted:
        raise Refusal("roles", "Choose at least one role.", field="roles")
    if unknown := sorted(wanted - set(queries.roles())):
        raise Refusal("roles", f"There is no role {unknown[0]!r}.", field="roles")
    return [name for name in queries.roles() if name in wanted]


def _user(work: Work, user_id: str) -> User:
    user = work.session.get(User, user_id, with_for_update=True)
    if user is None:
        raise NotFound("user", "There is no such account.")
    return user


def _user_among_administrators(work: Work, user_id: str) -> User:
    """The account, locked after all administrators: two who change each other at once lock in one order."""
    queries.enrolled_administrators(work.session, lock=True)
    return _user(work, user_id)


def _not_the_last(work: Work, user_id: str) -> None:
    """Two administrators who demote each other at the same moment queue on their own rows here."""
    others = queries.enrolled_administrators(work.session, lock=True) - {user_id}
    if not others and user_id in queries.enrolled_administrators(work.session):
        raise Conflict(
            "last_administrator", "This is the last administrator. Nobody could manage the site.",
            remedy="Make somebody else administrator first.",
        )  # fmt: skip


def _close_links(session: Session, user_id: str) -> None:
    session.execute(delete(OneTimeLink).where(OneTimeLink.user_id == user_id, OneTimeLink.used_at.is_(None)))
