"""Rows of visits that come again, and of the kiosks at which guests check themselves in."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bposite.plumbing.db import Json, Model, UtcDateTime
from bposite.visits.tables.visit import NAME_LETTERS


class Series(Model):
    """A guest who comes on certain weekdays, such as a contractor. Days and times are of the site's wall clock."""

    __tablename__ = "visit_series"
    __table_args__ = (
        Index("ix_visit_series_last_day", "last_day"),
        CheckConstraint("first_day <= last_day", name="days"),
    )
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    name: Mapped[str] = mapped_column(String(NAME_LETTERS))
    company: Mapped[str] = mapped_column(String(NAME_LETTERS))
    email: Mapped[str] = mapped_column(String(254))
    host: Mapped[str] = mapped_column(String(40))
    host_name: Mapped[str] = mapped_column(String(NAME_LETTERS))
    purpose: Mapped[str] = mapped_column(String(200))
    zones: Mapped[list[str]] = mapped_column(Json)
    weekdays: Mapped[list[int]] = mapped_column(Json)  # 0 = Monday
    start: Mapped[str] = mapped_column(String(5))
    until: Mapped[str] = mapped_column(String(5))
    first_day: Mapped[str] = mapped_column(String(10))
    last_day: Mapped[str] = mapped_column(String(10))
    made_until: Mapped[str] = mapped_column(String(10))  # the last day whose visit was entered
    induction_until: Mapped[str | None] = mapped_column(String(10))  # last day in force
    insurance_until: Mapped[str | None] = mapped_column(String(10))
    created_by: Mapped[str] = mapped_column(String(60))
    created_by_name: Mapped[str] = mapped_column(String(NAME_LETTERS))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Kiosk(Model):
    """A tablet in the lobby, known by a cookie of its own; it can do what its pages offer and nothing else."""

    __tablename__ = "kiosk"
    __table_args__ = (UniqueConstraint("secret_hash", name="uq_kiosk_secret"),)
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    name: Mapped[str] = mapped_column(String(NAME_LETTERS))
    secret_hash: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    made_by_name: Mapped[str] = mapped_column(String(NAME_LETTERS))
    seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
