"""Rows of passes and their media. A code is never here: its keyed hash is, and for some minutes a sealed copy."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from bposite.passes.rules import Ending, MediumState, PassState, Suspension
from bposite.plumbing.db import Model, UtcDateTime


def _one_of(column: str, values: type[PassState | MediumState | Suspension | Ending]) -> str:
    return f"{column} IN ({', '.join(repr(str(value)) for value in values)})"


class Pass(Model):
    """One pass of one visit. `number` counts the passes of a visit; at most one of them is not ended."""

    __tablename__ = "visitor_pass"
    __table_args__ = (
        UniqueConstraint("visit_id", "number", name="uq_visitor_pass_number"),
        UniqueConstraint("code_hash", name="uq_visitor_pass_code"),
        UniqueConstraint("short_hash", name="uq_visitor_pass_short"),
        Index(
            "uq_visitor_pass_live",
            "visit_id",
            unique=True,
            sqlite_where=text("state <> 'ended'"),
            postgresql_where=text("state <> 'ended'"),
        ),
        Index("ix_visitor_pass_sealed_until", "sealed_until"),
        CheckConstraint(_one_of("state", PassState), name="state"),
        CheckConstraint(_one_of("suspension", Suspension), name="suspension"),
        CheckConstraint(_one_of("ending", Ending), name="ending"),
        CheckConstraint("(state = 'suspended') = (suspension IS NOT NULL)", name="suspended_why"),
        CheckConstraint("(state = 'ended') = (ending IS NOT NULL)", name="ended_why"),
    )
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    visit_id: Mapped[str] = mapped_column(String(26))
    number: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(10))
    suspension: Mapped[str | None] = mapped_column(String(12))
    ending: Mapped[str | None] = mapped_column(String(12))
    code_hash: Mapped[str] = mapped_column(String(64))
    short_hash: Mapped[str] = mapped_column(String(64))
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)  # both codes, until the label is printed or time is up
    sealed_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Medium(Model):
    """One printed label or card: it carries the number of its pass, so an old print is an old pass."""

    __tablename__ = "medium"
    __table_args__ = (
        UniqueConstraint("pass_id", "serial", name="uq_medium_serial"),
        Index("ix_medium_visit_id", "visit_id"),
        Index("ix_medium_state", "state"),
        CheckConstraint(_one_of("state", MediumState), name="state"),
        CheckConstraint("kind IN ('label', 'card')", name="kind"),
    )
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    pass_id: Mapped[str] = mapped_column(ForeignKey("visitor_pass.id", name="fk_medium_pass_id"))
    visit_id: Mapped[str] = mapped_column(String(26))
    serial: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(10))
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
