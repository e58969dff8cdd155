"""Rows of agreements: what guests sign, in which version and language, and what they answered to which text."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bposite.plumbing.db import Json, Model, UtcDateTime
from bposite.visits.tables.visit import NAME_LETTERS, REASON_LETTERS, flag


class Agreement(Model):
    """Something guests agree to. `zones` empty: every guest; `days` 0: at every visit, else once in so many days."""

    __tablename__ = "agreement"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(NAME_LETTERS))
    zones: Mapped[list[str]] = mapped_column(Json)
    days: Mapped[int] = mapped_column(Integer)
    active: Mapped[bool] = mapped_column(flag(), default=True)


class AgreementText(Model):
    """One version of an agreement in one language. Never changed: a correction is the next version."""

    __tablename__ = "agreement_text"
    __table_args__ = (UniqueConstraint("agreement_id", "version", "language", name="uq_agreement_text_version"),)
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    agreement_id: Mapped[str] = mapped_column(ForeignKey("agreement.id", name="fk_agreement_text_agreement_id"))
    version: Mapped[int] = mapped_column(Integer)
    language: Mapped[str] = mapped_column(String(10))
    text: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    published_at: Mapped[datetime] = mapped_column(UtcDateTime)
    published_by_name: Mapped[str] = mapped_column(String(NAME_LETTERS))


class Signature(Model):
    """What a guest answered to one exact text, with the strokes of the pen and the picture of them."""

    __tablename__ = "agreement_signature"
    __table_args__ = (
        Index("ix_agreement_signature_visit_id", "visit_id"),
        Index("ix_agreement_signature_visitor_id", "visitor_id", "at"),
        CheckConstraint("decision IN ('signed', 'declined')", name="decision"),
        CheckConstraint("decision = 'declined' OR strokes IS NOT NULL OR typed <> ''", name="signed_somehow"),
    )
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    visit_id: Mapped[str] = mapped_column(ForeignKey("visit.id", name="fk_agreement_signature_visit_id"))
    visitor_id: Mapped[str] = mapped_column(ForeignKey("visitor.id", name="fk_agreement_signature_visitor_id"))
    text_id: Mapped[str] = mapped_column(ForeignKey("agreement_text.id", name="fk_agreement_signature_text_id"))
    text_sha256: Mapped[str] = mapped_column(String(64))
    decision: Mapped[str] = mapped_column(String(10))
    typed: Mapped[str] = mapped_column(String(NAME_LETTERS))
    strokes: Mapped[list[list[list[int]]] | None] = mapped_column(Json)  # strokes of points [x, y, milliseconds]
    picture: Mapped[str | None] = mapped_column(String(64))  # SHA-256 of the PNG file
    reason: Mapped[str] = mapped_column(String(REASON_LETTERS))
    device: Mapped[str] = mapped_column(String(60))
    shown_ms: Mapped[int] = mapped_column(Integer)  # how long the text was before the guest's eyes
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    details: Mapped[dict[str, Any]] = mapped_column(Json)
