"""Failed sign-ins, counted under keyed hashes: by name (known or not) or known browser, and by address.

A browser that has signed in before carries a device cookie and is counted by itself, so that neither a stranger who
keeps a name locked nor a guesser behind the same address locks its owner out (OWASP: device cookies).
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from bposite.people import rules
from bposite.people.rules import Failures, LockPolicy, Origin
from bposite.people.tables import SignInFailure
from bposite.plumbing.secrets import keyed_hash, same

_KEPT = max(rules.LOCK_BY_NAME.forget, rules.LOCK_BY_ADDRESS.forget)


def new_device(name: str) -> str:
    """The value of a device cookie for ``name``. It opens nothing: it only says where failures are counted."""
    nonce = secrets.token_hex(16)
    return f"{nonce}{_signature(name, nonce)}"


def wait(session: Session, at: datetime, name: str, origin: Origin, *, lock: bool = False) -> timedelta:
    """How long from ``at`` until a further try is looked at; ``lock`` holds the counters for this transaction."""
    return max(rules.wait(_read(session, key, lock), at, policy) for key, policy in _keys(name, origin))


def add(session: Session, at: datetime, name: str, origin: Origin) -> timedelta:
    """Count one more failure; returns how long the next try has to wait."""
    session.execute(delete(SignInFailure).where(SignInFailure.last_at < at - _KEPT))
    waits = []
    for key, policy in _keys(name, origin):
        after = rules.after_failure(_read(session, key, True), at, policy)
        _write(session, key, after)
        waits.append(rules.wait(after, at, policy))
    return max(waits)


def forget(session: Session, name: str, origin: Origin) -> None:
    """After a success the name (or browser) starts anew.

    The address does not, or one good account would free it for guessing at the others.
    """
    session.execute(delete(SignInFailure).where(SignInFailure.key == _keys(name, origin)[0][0]))


def _keys(name: str, origin: Origin) -> list[tuple[str, LockPolicy]]:
    nonce, signature = origin.device[:32], origin.device[32:]
    known = bool(nonce) and same(signature, _signature(name, nonce))
    if known:
        return [(keyed_hash("people:failures", f"device:{nonce}"), rules.LOCK_BY_NAME)]
    return [
        (keyed_hash("people:failures", f"name:{name}"), rules.LOCK_BY_NAME),
        (keyed_hash("people:failures", f"address:{origin.address}"), rules.LOCK_BY_ADDRESS),
    ]


def _signature(name: str, nonce: str) -> str:
    return keyed_hash("people:device", f"{name}:{nonce}")


def _read(session: Session, key: str, lock: bool) -> Failures | None:
    row = session.get(SignInFailure, key, with_for_update=lock or None, populate_existing=True)
    return None if row is None else Failures(row.count, row.last_at)


def _write(session: Session, key: str, failures: Failures) -> None:
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    values = {"count": failures.count, "last_at": failures.last}
    statement = insert(SignInFailure).values(key=key, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["key"], set_=values))
