"""Who may walk an audit: active accounts whose roles include it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from bposite.people import queries as people
from bposite.people.queries import UserRow
from bposite.people.rules import granted

MAY_WALK = "cleandesk:walk"


@dataclass(frozen=True, slots=True)
class Auditor:
    """An account that may walk. `person` is a directory number; with `team` empty when the account has none there."""

    id: str
    name: str
    person: str
    team: str


def auditors(session: Session) -> list[Auditor]:
    """All who may walk, by name."""
    rows = [_auditor(session, user) for user in people.users(session) if may_walk(user)]
    return sorted(rows, key=lambda row: row.name)


def auditor(session: Session, user_id: str) -> Auditor | None:
    """The account as an auditor; None when it does not exist, is not active or may not walk."""
    user = next(iter(people.users(session, user_id)), None)
    return _auditor(session, user) if user is not None and may_walk(user) else None


def may_walk(user: UserRow) -> bool:
    """Whether an account is active and one of its roles includes walking."""
    return user.state == "active" and MAY_WALK in granted(people.roles(), user.roles)


def _auditor(session: Session, user: UserRow) -> Auditor:
    person = people.person(session, user.person_id) if user.person_id else None
    return Auditor(user.id, user.display, person.number if person else "", person.team if person else "")
