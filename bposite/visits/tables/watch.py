"""Rows of the watchlist: who is to be held, why, until when, and who answers for it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from bposite.plumbing.db import Model, UtcDateTime
from bposite.visits.tables.visit import NAME_LETTERS, REASON_LETTERS


class WatchEntry(Model):
    """Somebody who is to be held at the desk. An entry has an owner, a reason and an end."""

    __tablename__ = "watch_entry"
    __table_args__ = (
        Index("ix_watch_entry_expires_at", "expires_at"),
        CheckConstraint("name <> '' OR company <> '' OR contact <> ''", name="says_something"),
        CheckConstraint("(ended_at IS NULL) = (ended_by_name IS NULL)", name="ended"),
    )
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    name: Mapped[str] = mapped_column(String(NAME_LETTERS))
    company: Mapped[str] = mapped_column(String(NAME_LETTERS))
    contact: Mapped[str] = mapped_column(String(254))  # e-mail address or telephone number
    reason: Mapped[str] = mapped_column(String(REASON_LETTERS))
    owner: Mapped[str] = mapped_column(String(60))
    owner_name: Mapped[str] = mapped_column(String(NAME_LETTERS))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_by_name: Mapped[str | None] = mapped_column(String(NAME_LETTERS))
    ended_why: Mapped[str | None] = mapped_column(String(REASON_LETTERS))
