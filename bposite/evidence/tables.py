"""Rows of verifications: who asked for one, how far it is, what it found."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from bposite.plumbing.db import Json, Model, UtcDateTime


class Verification(Model):
    """One run over the whole journal. ``problems`` is a list of [record, what]."""

    __tablename__ = "verification"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'running', 'agrees', 'problems', 'failed')", name="state"),
        Index("ix_verification_asked", "asked_at"),
    )
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    asked_by: Mapped[str] = mapped_column(String(120))
    state: Mapped[str] = mapped_column(String(10))
    done: Mapped[int] = mapped_column(BigInteger)
    total: Mapped[int] = mapped_column(BigInteger)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    problems: Mapped[list[Any]] = mapped_column(Json)
