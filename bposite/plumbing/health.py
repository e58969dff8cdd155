"""Which parts of the system are alive: every process and link writes its beat, and an old beat is a red one.

A part is never green by default: what has not been heard of is ``unknown``, what went silent is ``down``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import CheckConstraint, Integer, String, Text, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from bposite.plumbing.clock import now
from bposite.plumbing.db import Model, UtcDateTime, transaction

State = Literal["up", "degraded", "down"]


class PartRow(Model):
    """The last beat of one part."""

    __tablename__ = "part"
    __table_args__ = (CheckConstraint("state IN ('up', 'degraded', 'down')", name="state"),)
    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    state: Mapped[str] = mapped_column(String(10))
    detail: Mapped[str] = mapped_column(Text, default="")
    beat_at: Mapped[datetime] = mapped_column(UtcDateTime)
    every_s: Mapped[int] = mapped_column(Integer)


@dataclass(frozen=True, slots=True)
class Part:
    """How one part stands now. ``state``: up | degraded | down; silence for three beats is ``down``."""

    name: str
    state: str
    detail: str
    beat_at: datetime


def beat(name: str, state: State = "up", detail: str = "", *, every_s: int = 10) -> None:
    """Say that part ``name`` is alive; it promises the next beat within ``every_s`` seconds."""
    values = {"state": state, "detail": detail, "beat_at": now(), "every_s": every_s}
    with transaction() as session:
        insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
        statement = insert(PartRow).values(name=name, **values)
        session.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))


def parts(session: Session) -> list[Part]:
    """Every part ever heard of, by name, with silence told as ``down``."""
    moment = now()
    return [_judged(row, moment) for row in session.scalars(select(PartRow).order_by(PartRow.name))]


def _judged(row: PartRow, moment: datetime) -> Part:
    silent = moment - row.beat_at
    if silent > timedelta(seconds=3 * row.every_s):
        return Part(row.name, "down", f"silent for {int(silent.total_seconds())} s", row.beat_at)
    return Part(row.name, row.state, row.detail, row.beat_at)
