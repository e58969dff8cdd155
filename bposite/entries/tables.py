"""Rows of the entry log's own: views that people saved. The log itself belongs to doors."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bposite.plumbing.db import Model, UtcDateTime


class SavedView(Model):
    """A filter under a name, of one account. ``query`` is the query string of the log."""

    __tablename__ = "saved_view"
    __table_args__ = (
        UniqueConstraint("owner", "name", name="uq_saved_view_owner_name"),
        Index("ix_saved_view_owner", "owner"),
    )
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    owner: Mapped[str] = mapped_column(String(26))
    name: Mapped[str] = mapped_column(String(60))
    query: Mapped[str] = mapped_column(String(2000))
    saved_at: Mapped[datetime] = mapped_column(UtcDateTime)
