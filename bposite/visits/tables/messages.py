"""Rows of what is told to guests and hosts: the outbox, and who was asked to come for a guest."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bposite.plumbing.db import Model, UtcDateTime
from bposite.visits.tables.visit import NAME_LETTERS, REASON_LETTERS


class Message(Model):
    """A mail. Its content is sealed (it may carry a pass) and wiped when it was delivered or given up."""

    __tablename__ = "visit_message"
    __table_args__ = (
        UniqueConstraint("key", name="uq_visit_message_key"),
        Index("ix_visit_message_visit_id", "visit_id"),
        Index("ix_visit_message_state", "state", "made_at"),
        CheckConstraint("state IN ('waiting', 'delivered', 'failed', 'withdrawn')", name="state"),
    )
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    key: Mapped[str] = mapped_column(String(80))  # the same message is never entered twice
    visit_id: Mapped[str] = mapped_column(ForeignKey("visit.id", name="fk_visit_message_visit_id"))
    kind: Mapped[str] = mapped_column(String(20))
    address: Mapped[str] = mapped_column(String(254))
    subject: Mapped[str] = mapped_column(String(200))
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(String(10))
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    error: Mapped[str] = mapped_column(String(REASON_LETTERS), default="")
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class HostCall(Model):
    """A host (or who stands in) was told that a guest waits, by a link that answers without sign-in."""

    __tablename__ = "host_call"
    __table_args__ = (
        UniqueConstraint("secret_hash", name="uq_host_call_secret"),
        UniqueConstraint("visit_id", "rung", name="uq_host_call_rung"),
        Index("ix_host_call_open", "answered_at", "next_at"),
        CheckConstraint("answer IN ('coming', 'send_in', 'wait', 'unknown', 'left', 'staying')", name="answer"),
        CheckConstraint("(answer IS NULL) = (answered_at IS NULL)", name="answered"),
    )
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    visit_id: Mapped[str] = mapped_column(ForeignKey("visit.id", name="fk_host_call_visit_id"))
    rung: Mapped[int] = mapped_column(Integer)  # 0 the host, 1 reminded, 2 the desk has to call; 10 and on: overstay
    person: Mapped[str] = mapped_column(String(40))
    person_name: Mapped[str] = mapped_column(String(NAME_LETTERS))
    secret_hash: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    next_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # when the next rung is climbed without an answer
    answer: Mapped[str | None] = mapped_column(String(10))
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
