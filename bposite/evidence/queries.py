"""Verifications as plain rows, and how the journal stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bposite.evidence.tables import Verification


@dataclass(frozen=True, slots=True)
class VerificationRow:
    """One verification. ``share`` is 0 to 100; ``problems`` are (record, what)."""

    id: str
    asked_at: datetime
    asked_by: str
    state: str
    share: int
    facts: int
    ended_at: datetime | None
    problems: list[tuple[str, str]]

    @property
    def open(self) -> bool:
        """Whether it is still to be finished."""
        return self.state in ("waiting", "running")


def verifications(session: Session, *, limit: int = 5) -> list[VerificationRow]:
    """The newest verifications."""
    rows = session.scalars(select(Verification).order_by(Verification.asked_at.desc()).limit(limit))
    return [_row(row) for row in rows]


def _row(row: Verification) -> VerificationRow:
    share = 100 if row.ended_at else min(99, 100 * row.done // max(row.total, 1))
    problems = [(str(record), str(what)) for record, what in row.problems]
    return VerificationRow(row.id, row.asked_at, row.asked_by, row.state, share, row.total, row.ended_at, problems)
