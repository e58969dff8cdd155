"""The unit of work: one transaction, the rows of one action and the facts it appends to the journal.

Facts of ``record`` take their numbers at the end, so that the lock on the journal's head is short. ``record_many``
(door events) takes them at once, because an entry's number is its insert position.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import Table, update
from sqlalchemy.orm import Session

from bposite.journal.rules import SALT_BYTES, commitment
from bposite.journal.tables import Head, Leaf
from bposite.plumbing.bulk import insert_rows
from bposite.plumbing.clock import now, to_micros
from bposite.plumbing.db import transaction

_LEAF: Table = Leaf.__table__  # type: ignore[assignment]
_COLUMNS = ("seq", "at", "kind", "commit", "salt", "payload")
_encode = msgspec.json.Encoder(order="sorted").encode


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a signed-in user, a device, a kiosk, or a part of the system itself."""

    kind: Literal["user", "token", "device", "kiosk", "system", "link"]
    id: str
    name: str
    role: str | None = None
    place: str | None = None

    @classmethod
    def system(cls, part: str) -> Actor:
        """A part of bposite that acts by itself, such as ``cameras``."""
        return cls("system", part, part)

    @classmethod
    def device(cls, device_id: str) -> Actor:
        """A device, by the identity the broker has checked."""
        return cls("device", device_id, device_id)


@dataclass(slots=True)
class Work:
    """One unit of work. ``now`` is the same moment for everything in it."""

    session: Session
    actor: Actor
    now: datetime
    _pending: list[tuple[str, str, Any]] = field(default_factory=list)

    def record(self, kind: str, *, subject: str = "", data: Any = None) -> None:
        """Append the fact ``kind`` (``feature:subject:action``) about ``subject``; ``data`` as JSON can hold."""
        self._pending.append((kind, subject, data))

    def record_many(self, facts: Sequence[tuple[str, str, Any]]) -> range:
        """Append facts (kind, subject, data) at once and return their numbers, in order."""
        return _append(self, facts)


@contextmanager
def unit_of_work(actor: Actor) -> Iterator[Work]:
    """Open a unit of work for ``actor``: committed at the end with its facts, or nothing at all."""
    with transaction() as session:
        work = Work(session, actor, now())
        yield work
        session.flush()
        if work._pending:
            _append(work, work._pending)


def _append(work: Work, facts: Sequence[tuple[str, str, Any]]) -> range:
    if not facts:
        return range(0)
    count = len(facts)
    end = work.session.scalar(update(Head).where(Head.id == 1).values(size=Head.size + count).returning(Head.size))
    if end is None:
        raise RuntimeError("the journal has no head: run bposite init")
    start = end - count
    at, actor = to_micros(work.now), _actor_part(work.actor)
    salts = os.urandom(SALT_BYTES * count)
    rows = []
    for offset, (kind, subject, data) in enumerate(facts):
        salt = salts[offset * SALT_BYTES : (offset + 1) * SALT_BYTES]
        payload = _encode({"actor": actor, "data": data, "subject": subject})
        commit = commitment(salt, payload)
        rows.append((start + offset, at, kind, commit, salt, payload))
    insert_rows(work.session, _LEAF, _COLUMNS, rows)
    return range(start, end)


def _actor_part(actor: Actor) -> dict[str, str]:
    part = {"kind": actor.kind, "id": actor.id, "name": actor.name}
    if actor.role:
        part["role"] = actor.role
    if actor.place:
        part["place"] = actor.place
    return part
