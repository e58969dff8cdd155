"""Rows of the roll call: the frozen list, and every tick that a marshal made. Nothing is ever overwritten."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Boolean, CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bposite.live.rules import MEMBER_KINDS, TICK_STATES
from bposite.plumbing.db import Model, UtcDateTime


class RollCall(Model):
    """One evacuation or drill, open until somebody closes it."""

    __tablename__ = "roll_call"
    __table_args__ = (
        Index("ix_roll_call_started_at", "started_at"),
        CheckConstraint("(closed_at IS NULL) = (closed_by = '')", name="closed"),
    )
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    drill: Mapped[bool] = mapped_column(Boolean(create_constraint=False))
    reason: Mapped[str] = mapped_column(String(200), default="")
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_by: Mapped[str] = mapped_column(String(120))
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_by: Mapped[str] = mapped_column(String(120), default="")


class RollCallMember(Model):
    """Somebody on the list, with all words copied: the list stays readable whatever happens to the rows behind it."""

    __tablename__ = "roll_call_member"
    __table_args__ = (
        UniqueConstraint("call_id", "subject", name="uq_roll_call_member_subject"),
        CheckConstraint(f"kind IN {MEMBER_KINDS}", name="kind"),
    )
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    call_id: Mapped[str] = mapped_column(ForeignKey("roll_call.id", name="fk_roll_call_member_call_id"))
    subject: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(8))
    name: Mapped[str] = mapped_column(String(120))
    detail: Mapped[str] = mapped_column(String(200), default="")
    zone: Mapped[str] = mapped_column(String(120))
    door: Mapped[str] = mapped_column(String(120), default="")
    seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    confidence: Mapped[str] = mapped_column(String(10), default="seen")
    entry: Mapped[int | None] = mapped_column(BigInteger)


class RollCallTick(Model):
    """One mark by one marshal. The id comes from the phone, so that sending it again changes nothing."""

    __tablename__ = "roll_call_tick"
    __table_args__ = (
        Index("ix_roll_call_tick_member_id", "member_id"),
        Index("ix_roll_call_tick_call_id", "call_id"),
        CheckConstraint(f"state IN {TICK_STATES}", name="state"),
    )
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    call_id: Mapped[str] = mapped_column(ForeignKey("roll_call.id", name="fk_roll_call_tick_call_id"))
    member_id: Mapped[str] = mapped_column(ForeignKey("roll_call_member.id", name="fk_roll_call_tick_member_id"))
    state: Mapped[str] = mapped_column(String(8))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    by: Mapped[str] = mapped_column(String(120))
