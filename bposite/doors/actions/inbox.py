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
    at = now()
    body = {
        "topic": push_topic(device, path),
        "at": to_micros(at),
        "sealed": base64.b64encode(seal(PURPOSE, payload)).decode("ascii"),
    }
    with transaction() as session:
        jobs.enqueue(session, KIND, f"{device}:{key or new_id()}", body)


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
