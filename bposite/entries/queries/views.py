"""The views that people saved."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from bposite.entries.tables import SavedView


@dataclass(frozen=True, slots=True)
class View:
    """A saved view of one account."""

    id: str
    name: str
    query: str


def saved_views(session: Session, owner: str) -> list[View]:
    """The views of an account, by name."""
    rows = session.scalars(select(SavedView).where(SavedView.owner == owner).order_by(SavedView.name))
    return [View(row.id, row.name, row.query) for row in rows]
