"""Rows of visits, and what stands around one. Nothing that happened is edited: corrections are further rows."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bposite.plumbing.db import Json, Model, UtcDateTime
from bposite.visits.rules.machine import Evidence, VisitState
from bposite.visits.rules.requirements import WaiverKind
from bposite.visits.rules.standing import DocumentKind, HoldKind

NAME_LETTERS = 120
REASON_LETTERS = 300


def one_of(column: str, values: type[StrEnum]) -> str:
    """The SQL of a CHECK that ``column`` holds one of ``values``."""
    return f"{column} IN ({', '.join(repr(str(value)) for value in values)})"


def flag() -> Boolean:
    """A yes-or-no column; its CHECK would have no name that migrations can find, so it has none."""
    return Boolean(create_constraint=False)


class Visitor(Model):
    """A guest, known by the contact he gave; the same e-mail address is the same guest."""

    __tablename__ = "visitor"
    __table_args__ = (UniqueConstraint("email_key", name="uq_visitor_email_key"),)
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    name: Mapped[str] = mapped_column(String(NAME_LETTERS))
    company: Mapped[str] = mapped_column(String(NAME_LETTERS), default="")
    email: Mapped[str] = mapped_column(String(254), default="")
    email_key: Mapped[str | None] = mapped_column(String(254))  # lower case; empty addresses are not equal
    phone: Mapped[str] = mapped_column(String(40), default="")
    photo: Mapped[str | None] = mapped_column(String(64))  # SHA-256 of the re-encoded picture file
    photo_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class VisitorWord(Model):
    """A folded word of a guest's name or company: makes search by the start of a word quick among millions."""

    __tablename__ = "visitor_word"
    __table_args__ = (Index("ix_visitor_word_visitor_id", "visitor_id"),)
    word: Mapped[str] = mapped_column(
        String(60).with_variant(String(60, collation="C"), "postgresql"), primary_key=True
    )
    visitor_id: Mapped[str] = mapped_column(
        ForeignKey("visitor.id", name="fk_visitor_word_visitor_id"), primary_key=True
    )


class ZoneRule(Model):
    """What a zone asks of visitors. Comes from the site's plan; doors keep their own facts about zones."""

    __tablename__ = "visit_zone"
    __table_args__ = (CheckConstraint("approval IN ('never', 'walk_in', 'always')", name="approval"),)
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(NAME_LETTERS))
    kind: Mapped[str] = mapped_column(String(20))
    position: Mapped[int] = mapped_column(Integer)
    capacity: Mapped[int] = mapped_column(Integer, default=0)  # people; 0 = no limit
    approval: Mapped[str] = mapped_column(String(10), default="never")
    escort: Mapped[bool] = mapped_column(flag(), default=False)
    deposit: Mapped[bool] = mapped_column(flag(), default=False)
    active: Mapped[bool] = mapped_column(flag(), default=True)


class Visit(Model):
    """One visit of one guest to one host, in the half-open window [window_from, window_until)."""

    __tablename__ = "visit"
    __table_args__ = (
        UniqueConstraint("batch_key", name="uq_visit_batch_key"),
        Index("ix_visit_state_window", "state", "window_from"),
        Index("ix_visit_window_from", "window_from", "id"),
        Index("ix_visit_departed_at", "departed_at"),
        Index("ix_visit_visitor_id", "visitor_id"),
        Index("ix_visit_host", "host", "window_from"),
        CheckConstraint(one_of("state", VisitState), name="state"),
        CheckConstraint("window_from < window_until", name="window"),
        CheckConstraint(one_of("departure", Evidence), name="departure"),
        # The promise of the whole product: nobody has departed without evidence.
        CheckConstraint("state <> 'departed' OR departure IS NOT NULL", name="departed_by_evidence"),
    )
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    visitor_id: Mapped[str] = mapped_column(ForeignKey("visitor.id", name="fk_visit_visitor_id"))
    state: Mapped[str] = mapped_column(String(16))
    host: Mapped[str] = mapped_column(String(40))  # number of the person
    host_name: Mapped[str] = mapped_column(String(NAME_LETTERS))
    purpose: Mapped[str] = mapped_column(String(200), default="")
    window_from: Mapped[datetime] = mapped_column(UtcDateTime)
    window_until: Mapped[datetime] = mapped_column(UtcDateTime)
    zones: Mapped[list[str]] = mapped_column(Json)
    walk_in: Mapped[bool] = mapped_column(flag(), default=False)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str] = mapped_column(String(60))
    created_by_name: Mapped[str] = mapped_column(String(NAME_LETTERS))
    batch_key: Mapped[str | None] = mapped_column(String(64))  # one row of an uploaded list
    identity: Mapped[str | None] = mapped_column(String(20))  # kind of document looked at; never its number
    identity_by: Mapped[str | None] = mapped_column(String(NAME_LETTERS))
    identity_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    acknowledged_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    acknowledged_how: Mapped[str] = mapped_column(String(REASON_LETTERS), default="")
    escort: Mapped[str | None] = mapped_column(String(40))  # number of the person
    escort_name: Mapped[str | None] = mapped_column(String(NAME_LETTERS))
    deposit_token: Mapped[str | None] = mapped_column(String(40))
    arrived_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    admitted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    departed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    departure: Mapped[str | None] = mapped_column(String(20))


class Transition(Model):
    """One step of a visit: who, in which role, where, when by both clocks, why, on which evidence."""

    __tablename__ = "visit_transition"
    __table_args__ = (Index("ix_visit_transition_visit_id", "visit_id", "id"),)
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)  # in the order of the steps
    visit_id: Mapped[str] = mapped_column(ForeignKey("visit.id", name="fk_visit_transition_visit_id"))
    event: Mapped[str] = mapped_column(String(20))
    source: Mapped[str] = mapped_column(String(16))
    target: Mapped[str] = mapped_column(String(16))
    actor: Mapped[str] = mapped_column(String(60))
    actor_name: Mapped[str] = mapped_column(String(NAME_LETTERS))
    role: Mapped[str] = mapped_column(String(80))
    device: Mapped[str] = mapped_column(String(60))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    device_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reason: Mapped[str] = mapped_column(String(REASON_LETTERS))
    evidence: Mapped[list[str]] = mapped_column(Json)


class Hold(Model):
    """A reason why a visit may not go on, until somebody who did not raise it clears it."""

    __tablename__ = "visit_hold"
    __table_args__ = (
        Index("ix_visit_hold_visit_id", "visit_id"),
        CheckConstraint(one_of("kind", HoldKind), name="kind"),
        CheckConstraint("(cleared_at IS NULL) = (cleared_by IS NULL)", name="cleared"),
        CheckConstraint("cleared_by IS NULL OR cleared_by <> raised_by", name="not_by_the_same"),
    )
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    visit_id: Mapped[str] = mapped_column(ForeignKey("visit.id", name="fk_visit_hold_visit_id"))
    kind: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(String(REASON_LETTERS))
    raised_by: Mapped[str] = mapped_column(String(60))
    raised_by_name: Mapped[str] = mapped_column(String(NAME_LETTERS))
    raised_at: Mapped[datetime] = mapped_column(UtcDateTime)
    cleared_by: Mapped[str | None] = mapped_column(String(60))
    cleared_by_name: Mapped[str | None] = mapped_column(String(NAME_LETTERS))
    cleared_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cleared_why: Mapped[str | None] = mapped_column(String(REASON_LETTERS))
    # For those who keep the watchlist only: which entry matched, how well (0 to 100) and in what.
    watch_id: Mapped[str | None] = mapped_column(String(26))
    score: Mapped[int | None] = mapped_column(Integer)
    matched: Mapped[str | None] = mapped_column(String(REASON_LETTERS))


class Waiver(Model):
    """A condition that somebody set aside, with a name and a reason."""

    __tablename__ = "visit_waiver"
    __table_args__ = (
        Index("ix_visit_waiver_visit_id", "visit_id"),
        CheckConstraint(one_of("kind", WaiverKind), name="kind"),
    )
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    visit_id: Mapped[str] = mapped_column(ForeignKey("visit.id", name="fk_visit_waiver_visit_id"))
    kind: Mapped[str] = mapped_column(String(20))
    what: Mapped[str] = mapped_column(String(20))  # which document; empty otherwise
    reason: Mapped[str] = mapped_column(String(REASON_LETTERS))
    by: Mapped[str] = mapped_column(String(60))
    by_name: Mapped[str] = mapped_column(String(NAME_LETTERS))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class Approval(Model):
    """One zone of one visit that needs somebody's yes. `until` is when that yes lapses."""

    __tablename__ = "visit_approval"
    __table_args__ = (
        UniqueConstraint("visit_id", "zone", name="uq_visit_approval_zone"),
        CheckConstraint("decision IN ('pending', 'approved', 'rejected')", name="decision"),
        CheckConstraint("(decision = 'pending') = (decided_by IS NULL)", name="decided"),
    )
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    visit_id: Mapped[str] = mapped_column(ForeignKey("visit.id", name="fk_visit_approval_visit_id"))
    zone: Mapped[str] = mapped_column(String(40))
    decision: Mapped[str] = mapped_column(String(10))
    requested_by: Mapped[str] = mapped_column(String(60))
    decided_by: Mapped[str | None] = mapped_column(String(60))
    decided_by_name: Mapped[str | None] = mapped_column(String(NAME_LETTERS))
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reason: Mapped[str] = mapped_column(String(REASON_LETTERS), default="")
    until: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Document(Model):
    """A document that a visit demands: missing while `until` is empty."""

    __tablename__ = "visit_document"
    __table_args__ = (
        UniqueConstraint("visit_id", "kind", name="uq_visit_document_kind"),
        CheckConstraint(one_of("kind", DocumentKind), name="kind"),
    )
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    visit_id: Mapped[str] = mapped_column(ForeignKey("visit.id", name="fk_visit_document_visit_id"))
    kind: Mapped[str] = mapped_column(String(20))
    until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    seen_by_name: Mapped[str | None] = mapped_column(String(NAME_LETTERS))
    seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ScanAnswer(Model):
    """The stored answer to one scan: the same request gets the same bytes again, whatever happened since."""

    __tablename__ = "scan_answer"
    __table_args__ = (Index("ix_scan_answer_at", "at"),)
    key: Mapped[str] = mapped_column(String(80), primary_key=True)
    device: Mapped[str] = mapped_column(String(60))
    digest: Mapped[str] = mapped_column(String(64))
    answer: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class ShortCodeMiss(Model):
    """A wrong short code at one desk: five in a minute lock the search by short code there."""

    __tablename__ = "short_code_miss"
    __table_args__ = (Index("ix_short_code_miss_device", "device", "at"),)
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    device: Mapped[str] = mapped_column(String(60))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class DayClose(Model):
    """A day that somebody signed: the media added up, and who was not accounted for."""

    __tablename__ = "day_close"
    day: Mapped[str] = mapped_column(String(10), primary_key=True)  # the site's calendar day, YYYY-MM-DD
    signed_by: Mapped[str] = mapped_column(String(60))
    signed_by_name: Mapped[str] = mapped_column(String(NAME_LETTERS))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    figures: Mapped[dict[str, Any]] = mapped_column(Json)
