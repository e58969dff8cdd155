"""Messages that do not come through the broker, on their way to the listener: stored before the sender hears "OK".

One process decides (the listener), so a message pushed over HTTP or fetched from a controller waits in the job table,
sealed, because it may hold card numbers, and is deleted in the transaction that holds its events.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from bposite.doors.events import Delivery
from bposite.doors.tables import DeviceState
from bposite.doors.wire.routes import push_topic
from bposite.plumbing import jobs
from bposite.plumbing.clock import from_micros, now, to_micros
from bposite.plumbing.db import reading, transaction
from bposite.plumbing.errors import Refusal
from bposite.plumbing.ids import new_id
from bposite.plumbing.secrets import seal, unseal

KIND = "doors.message"
PURPOSE = "doors.message"
LEASE_S = 60.0
AGAIN = timedelta(seconds=30)
MOST_ATTEMPTS = 10
CURSOR = "asked"


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last event number fetched from a controller; ``generation`` counts how often it began again at 1."""

    upto: int
    generation: int = 0


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that waits, and the job that holds it."""

    job: int
    attempts: int
    delivery: Delivery


def receive(device: str, path: str, payload: bytes, *, key: str = "") -> None:
    """Store one message of ``device``; returns when it is durable. The same ``key`` waits only once.

    ``path``: what the message came on, with its query; it becomes part of the topic (see ``wire.routes``).
    """
    with transaction() as session:
        jobs.enqueue(session, KIND, f"{device}:{key or new_id()}", _body(device, path, payload))


def receive_asked(device: str, messages: Sequence[tuple[str, bytes]], cursor: Cursor) -> None:
    """Store what a controller answered, (path, payload) each, together with how far it has been asked."""
    with transaction() as session:
        rows = [(f"{device}:{new_id()}", _body(device, path, payload)) for path, payload in messages]
        jobs.enqueue_many(session, KIND, rows)
        state = session.get(DeviceState, device, with_for_update=True)
        if state is None:
            state = DeviceState(device=device, online=False, facets={})
            session.add(state)
        state.facets = dict(state.facets or {}) | {CURSOR: {"upto": cursor.upto, "generation": cursor.generation}}


def cursor_of(device: str) -> Cursor | None:
    """How far a controller has been asked; None before the first time."""
    with reading() as session:
        state = session.get(DeviceState, device)
        found = (state.facets or {}).get(CURSOR) if state is not None else None
    return None if found is None else Cursor(int(found["upto"]), int(found["generation"]))


def _body(device: str, path: str, payload: bytes) -> dict[str, object]:
    sealed = base64.b64encode(seal(PURPOSE, payload)).decode("ascii")
    return {"topic": push_topic(device, path), "at": to_micros(now()), "sealed": sealed}


def waiting(limit: int = 200) -> list[Waiting]:
    """Claim what waits, oldest first; empty without a write lock when nothing does."""
    with reading() as session:
        if not jobs.any_due(session, (KIND,)):
            return []
    found = []
    for job in jobs.claim((KIND,), lease_s=LEASE_S, limit=limit):
        try:
            found.append(Waiting(job.id, job.attempts, _delivery(job.payload)))
        except (Refusal, KeyError, ValueError):
            _give_up(job.id, "a stored message does not open with this site's key")
    return found


def _delivery(body: dict[str, object]) -> Delivery:
    payload = unseal(PURPOSE, base64.b64decode(str(body["sealed"]), validate=True))
    return Delivery(topic=str(body["topic"]), payload=payload, received_at=from_micros(int(str(body["at"]))))


def done(session: Session, taken: Sequence[Waiting]) -> None:
    """These are stored: in the same transaction as what they say."""
    for one in taken:
        jobs.finish(session, one.job)


def put_back(one: Waiting, error: str, at: datetime) -> None:
    """It could not be stored; it comes again, and after many tries it stays as the record of its failure."""
    if one.attempts >= MOST_ATTEMPTS:
        _give_up(one.job, error)
        return
    with transaction() as session:
        jobs.retry(session, one.job, error, at + AGAIN)


def _give_up(job: int, error: str) -> None:
    with transaction() as session:
        jobs.give_up(session, job, error)
