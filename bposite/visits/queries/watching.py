"""The watchlist as its keepers see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bposite.visits.tables import Hold, WatchEntry

MOST = 500


@dataclass(frozen=True, slots=True)
class WatchRow:
    """One entry; `holds` counts the visits it has stopped so far."""

    id: str
    name: str
    company: str
    contact: str
    reason: str
    owner_name: str
    made_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    ended_by_name: str | None
    ended_why: str | None
    holds: int

    @property
    def last_moment(self) -> datetime:
        """The last moment in force: an entry expires with the midnight after its last day."""
        return self.expires_at - timedelta(microseconds=1)


def watch_rows(session: Session, at: datetime, *, past: bool = False) -> list[WatchRow]:
    """Entries in force at `at`, or with `past` those that ended or expired; the newest first."""
    in_force = WatchEntry.ended_at.is_(None) & (WatchEntry.expires_at > at)
    which = ~in_force if past else in_force
    rows = session.scalars(select(WatchEntry).where(which).order_by(WatchEntry.made_at.desc()).limit(MOST)).all()
    counted = (
        select(Hold.watch_id, func.count()).where(Hold.watch_id.in_([row.id for row in rows])).group_by(Hold.watch_id)
    )
    holds = {entry: count for entry, count in session.execute(counted).tuples() if entry}
    return [_row(row, holds.get(row.id, 0)) for row in rows]


def _row(row: WatchEntry, holds: int) -> WatchRow:
    return WatchRow(
        row.id, row.name, row.company, row.contact, row.reason, row.owner_name, row.made_at, row.expires_at,
        row.ended_at, row.ended_by_name, row.ended_why, holds,
    )  # fmt: skip
