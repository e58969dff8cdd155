"""Durable jobs in the transaction of the facts that ask for them; workers claim them by lease.

A job is claimed for ``lease_s`` seconds; a worker that dies loses the lease and another takes the job, so the work
itself must be idempotent. On PostgreSQL claims use SKIP LOCKED; on SQLite the write transaction is exclusive anyway.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import (
    CheckConstraint,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from bposite.plumbing.bulk import insert_rows
from bposite.plumbing.clock import now, to_micros
from bposite.plumbing.db import Json, Model, UtcDateTime, transaction

MAX_ERROR = 2000


class JobRow(Model):
    """One piece of work to do; done ones are deleted, given-up ones stay with their error."""

    __tablename__ = "job"
    __table_args__ = (
        UniqueConstraint("kind", "key"),
        CheckConstraint("state IN ('waiting', 'failed')", name="state"),
        Index("ix_job_claim", "state", "kind", "run_at"),
    )
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(String(60))
    key: Mapped[str] = mapped_column(String(200))
    payload: Mapped[dict[str, Any]] = mapped_column(Json)
    state: Mapped[str] = mapped_column(String(10), default="waiting")
    run_at: Mapped[datetime] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    error: Mapped[str | None] = mapped_column(Text)


_TABLE: Table = JobRow.__table__  # type: ignore[assignment]
_text = msgspec.json.Encoder(order="sorted").encode


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed job. ``attempts`` counts this one."""

    id: int
    kind: str
    key: str
    payload: dict[str, Any]
    attempts: int


def enqueue(session: Session, kind: str, key: str, payload: dict[str, Any], *, run_at: datetime | None = None) -> None:
    """Ask for a job once: the same (kind, key) again changes nothing."""
    enqueue_many(session, kind, [(key, payload)], run_at=run_at)


def enqueue_many(
    session: Session, kind: str, jobs: Sequence[tuple[str, dict[str, Any]]], *, run_at: datetime | None = None
) -> None:
    """Ask for several jobs of one kind with one statement."""
    if not jobs:
        return
    at = to_micros(run_at or now())
    rows = [(kind, key, _text(payload).decode(), "waiting", at, 0) for key, payload in jobs]
    insert_rows(session, _TABLE, ("kind", "key", "payload", "state", "run_at", "attempts"), rows, known=True)


def claim(kinds: Sequence[str], *, lease_s: float, limit: int) -> list[Job]:
    """Take up to ``limit`` due jobs of ``kinds``, oldest due first, for ``lease_s`` seconds."""
    moment = now()
    due = (
        select(JobRow.id)
        .where(JobRow.state == "waiting", JobRow.kind.in_(kinds), JobRow.run_at <= moment)
        .order_by(JobRow.run_at, JobRow.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    with transaction() as session:
        ids = list(session.scalars(due))
        if not ids:
            return []
        lease = moment + timedelta(seconds=lease_s)
        session.execute(
            update(JobRow)
            .where(JobRow.id.in_(ids))
            .values(run_at=lease, attempts=JobRow.attempts + 1)
            .execution_options(synchronize_session=False)
        )
        rows = session.scalars(select(JobRow).where(JobRow.id.in_(ids)).order_by(JobRow.id))
        return [Job(row.id, row.kind, row.key, row.payload, row.attempts) for row in rows]


def any_due(session: Session, kinds: Sequence[str]) -> bool:
    """Whether a claim would find something: a cheap look that needs no write lock."""
    due = select(JobRow.id).where(JobRow.state == "waiting", JobRow.kind.in_(kinds), JobRow.run_at <= now()).limit(1)
    return session.scalar(due) is not None


def finish(session: Session, job_id: int) -> None:
    """The job is done: in the same transaction as its result."""
    session.execute(delete(JobRow).where(JobRow.id == job_id))


def retry(session: Session, job_id: int, error: str, run_at: datetime) -> None:
    """Not yet: come back at ``run_at``; ``error`` says why."""
    session.execute(update(JobRow).where(JobRow.id == job_id).values(run_at=run_at, error=error[:MAX_ERROR]))


def give_up(session: Session, job_id: int, error: str) -> None:
    """Stop trying; the row stays as the record of it."""
    session.execute(update(JobRow).where(JobRow.id == job_id).values(state="failed", error=error[:MAX_ERROR]))


def counts(session: Session) -> dict[tuple[str, str], int]:
    """(kind, state) -> number of jobs, for health and metrics."""
    rows = session.execute(select(JobRow.kind, JobRow.state, func.count()).group_by(JobRow.kind, JobRow.state))
    return {(kind, state): count for kind, state, count in rows}


def release(session: Session, kinds: Sequence[str]) -> None:
    """Give back the leases of a predecessor that died: for a worker that knows that it is the only one of its kinds."""
    held = update(JobRow).where(JobRow.state == "waiting", JobRow.kind.in_(kinds), JobRow.attempts > 0)
    session.execute(held.values(run_at=now()))
