"""Rows of the clean desk. What was seen is never edited: corrections and steps are further rows.

Observations and findings keep zone, client, team and shift as they were at the moment: desks move, records do not.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from bposite.cleandesk.rules.catalogue import SEVERITIES
from bposite.cleandesk.rules.machines import Action, Finding, Round
from bposite.cleandesk.rules.outcome import ANSWERS
from bposite.cleandesk.rules.posture import KINDS
from bposite.plumbing.db import Json, Model, UtcDateTime

Flag = Boolean(create_constraint=False)
PURPOSES = ("random", "targeted", "self_check")
SEATS = ("first", "second")
NOTE_LETTERS = 1000


def _one_of(column: str, values: type[StrEnum] | tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(str(value)) for value in values)})"


def _where(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """An index over some of the rows; the same condition on both databases."""
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


# --- the roster ------------------------------------------------------------------------------------------------------


class Place(Model):
    """A desk, room, printer, bin, whiteboard, or a zone seen as a whole. `x`, `y` in metres on the plan.

    `tag` is what the QR sticker says: random, so that a sticker cannot be guessed from a desk's name.
    """

    __tablename__ = "place"
    __table_args__ = (UniqueConstraint("tag", name="uq_place_tag"), Index("ix_place_zone", "zone"))
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    label: Mapped[str] = mapped_column(String(80))
    zone: Mapped[str] = mapped_column(String(40))
    zone_type: Mapped[str] = mapped_column(String(20))
    row: Mapped[str] = mapped_column(String(20), default="")
    client: Mapped[str] = mapped_column(String(80), default="")
    x: Mapped[float | None] = mapped_column(Float)
    y: Mapped[float | None] = mapped_column(Float)
    tag: Mapped[str] = mapped_column(String(16))
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)
    removed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Occupancy(Model):
    """Which team has a place in which shift, and since when: the history of moves. `until_at` None: now."""

    __tablename__ = "place_occupancy"
    __table_args__ = (
        _where("uq_place_occupancy_now", "place_id", "shift", where="until_at IS NULL", unique=True),
        Index("ix_place_occupancy_place_id", "place_id"),
    )
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    place_id: Mapped[str] = mapped_column(ForeignKey("place.id", name="fk_place_occupancy_place_id"))
    shift: Mapped[str] = mapped_column(String(20))
    team: Mapped[str] = mapped_column(String(80), default="")
    vacant: Mapped[bool] = mapped_column(Flag, default=False)
    from_at: Mapped[datetime] = mapped_column(UtcDateTime)
    until_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reason: Mapped[str] = mapped_column(String(200), default="")


class FloorPicture(Model):
    """The picture below the plan: the newest row counts. `metres`: how wide the picture is in the building."""

    __tablename__ = "floor_picture"
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64))
    path: Mapped[str] = mapped_column(String(200))
    width: Mapped[int] = mapped_column(Integer)
    height: Mapped[int] = mapped_column(Integer)
    metres: Mapped[float] = mapped_column(Float)
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)


# --- plans and rounds ------------------------------------------------------------------------------------------------


class CatalogueVersion(Model):
    """A catalogue as it was in force: observations refer to it."""

    __tablename__ = "clean_desk_catalogue"
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    digest: Mapped[str] = mapped_column(String(64))
    loaded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    content: Mapped[dict[str, Any]] = mapped_column(Json)


class AuditPlan(Model):
    """One line of the programme: where, when, how often, and what shall be claimed at the end."""

    __tablename__ = "audit_plan"
    __table_args__ = (
        CheckConstraint("target > 0 AND target < 1", name="target"),
        CheckConstraint("confidence > 0 AND confidence < 1", name="confidence"),
        CheckConstraint("fails_allowed >= 0", name="fails_allowed"),
    )
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    zones: Mapped[list[str]] = mapped_column(Json)
    kinds: Mapped[list[str]] = mapped_column(Json)
    shifts: Mapped[list[str]] = mapped_column(Json)
    moments: Mapped[list[str]] = mapped_column(Json)
    frequency: Mapped[str] = mapped_column(String(20))
    target: Mapped[float] = mapped_column(Float)
    confidence: Mapped[float] = mapped_column(Float)
    fails_allowed: Mapped[int] = mapped_column(Integer, default=0)
    exercise: Mapped[bool] = mapped_column(Flag, default=False)
    created_by: Mapped[str] = mapped_column(String(26))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Counter(Model):
    """The next number of rounds and findings, for people: a row that is locked while one is taken."""

    __tablename__ = "audit_counter"
    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    value: Mapped[int] = mapped_column(Integer)


class AuditRound(Model):
    """One walk: some zones in one shift at one kind of moment. `period` is what the seed names, `month` what a claim
    pools. `nonce_sealed` stays shut until the round is published."""

    __tablename__ = "audit_round"
    __table_args__ = (
        CheckConstraint(_one_of("purpose", PURPOSES), name="purpose"),
        CheckConstraint(_one_of("state", Round), name="state"),
        UniqueConstraint("number", name="uq_audit_round_number"),
        Index("ix_audit_round_month", "month", "purpose"),
        Index("ix_audit_round_state", "state", "planned_for"),
    )
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    number: Mapped[int] = mapped_column(Integer)
    plan_id: Mapped[str | None] = mapped_column(ForeignKey("audit_plan.id", name="fk_audit_round_plan_id"))
    name: Mapped[str] = mapped_column(String(120))
    purpose: Mapped[str] = mapped_column(String(12))
    exercise: Mapped[bool] = mapped_column(Flag, default=False)
    period: Mapped[str] = mapped_column(String(10))
    month: Mapped[str] = mapped_column(String(7))
    zones: Mapped[list[str]] = mapped_column(Json)
    kinds: Mapped[list[str]] = mapped_column(Json)
    shift: Mapped[str] = mapped_column(String(20))
    moment: Mapped[str] = mapped_column(String(20))
    size: Mapped[int] = mapped_column(Integer)
    planned_for: Mapped[datetime] = mapped_column(UtcDateTime)
    reason: Mapped[str] = mapped_column(String(200), default="")
    auditor_id: Mapped[str] = mapped_column(String(40))
    auditor_name: Mapped[str] = mapped_column(String(120))
    auditor_person: Mapped[str] = mapped_column(String(40), default="")
    second_id: Mapped[str | None] = mapped_column(String(40))
    second_name: Mapped[str] = mapped_column(String(120), default="")
    catalogue_version: Mapped[int] = mapped_column(
        ForeignKey("clean_desk_catalogue.version", name="fk_audit_round_catalogue_version")
    )
    state: Mapped[str] = mapped_column(String(12), default=Round.PLANNED)
    commitment: Mapped[str] = mapped_column(String(64))
    nonce_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    nonce: Mapped[str] = mapped_column(String(64), default="")
    checkpoint: Mapped[str] = mapped_column(String(100), default="")
    frame_digest: Mapped[str] = mapped_column(String(64), default="")
    planned_by: Mapped[str] = mapped_column(String(120))
    planned_at: Mapped[datetime] = mapped_column(UtcDateTime)
    drawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    submitted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reviewed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reviewed_by: Mapped[str] = mapped_column(String(120), default="")
    review_note: Mapped[str] = mapped_column(String(NOTE_LETTERS), default="")
    published_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class RoundPlace(Model):
    """One place of a round's frame, as it was at the draw. `taken`: to be looked at; `ordinal`: walking order;
    `replaces`: the place that could not be reached."""

    __tablename__ = "audit_round_place"
    __table_args__ = (Index("ix_audit_round_place_place_id", "place_id"),)
    round_id: Mapped[str] = mapped_column(
        ForeignKey("audit_round.id", name="fk_audit_round_place_round_id"), primary_key=True
    )
    place_id: Mapped[str] = mapped_column(
        ForeignKey("place.id", name="fk_audit_round_place_place_id"), primary_key=True
    )
    stratum: Mapped[str] = mapped_column(String(100))
    rank: Mapped[int] = mapped_column(Integer)
    taken: Mapped[bool] = mapped_column(Flag)
    double: Mapped[bool] = mapped_column(Flag)
    ordinal: Mapped[int] = mapped_column(Integer, default=0)
    replaces: Mapped[str | None] = mapped_column(String(40))
    team: Mapped[str] = mapped_column(String(80), default="")
    client: Mapped[str] = mapped_column(String(80), default="")
    zone: Mapped[str] = mapped_column(String(40))
    zone_type: Mapped[str] = mapped_column(String(20))
    kind: Mapped[str] = mapped_column(String(20))
    vacant: Mapped[bool] = mapped_column(Flag, default=False)


class Observation(Model):
    """One look at one place by one auditor. The id is made by the phone, so that sending twice changes nothing;
    `digest` tells the same look from another one under the same id."""

    __tablename__ = "observation"
    __table_args__ = (
        CheckConstraint(_one_of("answer", ANSWERS), name="answer"),
        CheckConstraint(_one_of("seat", SEATS), name="seat"),
        _where("uq_observation_now", "round_id", "place_id", "seat", where="NOT superseded", unique=True),
        Index("ix_observation_seen_at", "seen_at"),
        Index("ix_observation_place_id", "place_id"),
    )
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    round_id: Mapped[str] = mapped_column(ForeignKey("audit_round.id", name="fk_observation_round_id"))
    place_id: Mapped[str] = mapped_column(ForeignKey("place.id", name="fk_observation_place_id"))
    stratum: Mapped[str] = mapped_column(String(100))
    seat: Mapped[str] = mapped_column(String(6), default="first")
    auditor_id: Mapped[str] = mapped_column(String(40))
    auditor_name: Mapped[str] = mapped_column(String(120))
    answer: Mapped[str] = mapped_column(String(14))
    reason: Mapped[str] = mapped_column(String(30), default="")
    note: Mapped[str] = mapped_column(String(NOTE_LETTERS), default="")
    complies: Mapped[bool | None] = mapped_column(Flag)
    points: Mapped[int] = mapped_column(Integer, default=0)
    worst: Mapped[str | None] = mapped_column(String(2))
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    late: Mapped[bool] = mapped_column(Flag, default=False)
    digest: Mapped[str] = mapped_column(String(64))
    corrects: Mapped[str | None] = mapped_column(ForeignKey("observation.id", name="fk_observation_corrects"))
    superseded: Mapped[bool] = mapped_column(Flag, default=False)


class ObservedItem(Model):
    """One fault of a failed observation."""

    __tablename__ = "observed_item"
    observation_id: Mapped[str] = mapped_column(
        ForeignKey("observation.id", name="fk_observed_item_observation_id"), primary_key=True
    )
    item_id: Mapped[str] = mapped_column(String(8), primary_key=True)
    severity: Mapped[str] = mapped_column(String(2))


# --- findings --------------------------------------------------------------------------------------------------------


class FindingRow(Model):
    """One fault to be mended. `person` is a directory number and only set where the item allows it; only those who may
    verify see it. `secured`: made safe on the spot."""

    __tablename__ = "finding"
    __table_args__ = (
        CheckConstraint(_one_of("state", Finding), name="state"),
        CheckConstraint(_one_of("severity", SEVERITIES), name="severity"),
        CheckConstraint("incident IN ('none', 'proposed')", name="incident"),
        UniqueConstraint("number", name="uq_finding_number"),
        Index("ix_finding_state", "state", "due_at"),
        Index("ix_finding_item_id", "item_id", "seen_at"),
        Index("ix_finding_round_id", "round_id"),
        Index("ix_finding_zone", "zone", "seen_at"),
    )
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    number: Mapped[int] = mapped_column(Integer)
    observation_id: Mapped[str] = mapped_column(ForeignKey("observation.id", name="fk_finding_observation_id"))
    round_id: Mapped[str] = mapped_column(ForeignKey("audit_round.id", name="fk_finding_round_id"))
    place_id: Mapped[str] = mapped_column(ForeignKey("place.id", name="fk_finding_place_id"))
    item_id: Mapped[str] = mapped_column(String(8))
    catalogue_version: Mapped[int] = mapped_column(Integer)
    severity: Mapped[str] = mapped_column(String(2))
    fault: Mapped[str] = mapped_column(String(120))
    zone: Mapped[str] = mapped_column(String(40))
    client: Mapped[str] = mapped_column(String(80), default="")
    team: Mapped[str] = mapped_column(String(80), default="")
    shift: Mapped[str] = mapped_column(String(20))
    moment: Mapped[str] = mapped_column(String(20))
    exercise: Mapped[bool] = mapped_column(Flag, default=False)
    note: Mapped[str] = mapped_column(String(NOTE_LETTERS), default="")
    secured: Mapped[bool] = mapped_column(Flag, default=False)
    incident: Mapped[str] = mapped_column(String(10), default="none")
    person: Mapped[str | None] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(16), default=Finding.OPEN)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    raised_at: Mapped[datetime] = mapped_column(UtcDateTime)
    raised_by: Mapped[str] = mapped_column(String(40))
    raised_name: Mapped[str] = mapped_column(String(120))
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    owner: Mapped[str] = mapped_column(String(40), default="")
    owner_name: Mapped[str] = mapped_column(String(120), default="")
    done_by: Mapped[str] = mapped_column(String(40), default="")
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    disputed_by: Mapped[str] = mapped_column(String(40), default="")
    risk_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    repeat: Mapped[int] = mapped_column(Integer, default=1)
    escalated: Mapped[int] = mapped_column(Integer, default=0)
    next_step_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class FindingStep(Model):
    """What was done about a finding, by whom and why; the journal holds the same as a fact."""

    __tablename__ = "finding_step"
    __table_args__ = (Index("ix_finding_step_finding_id", "finding_id", "at"),)
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    finding_id: Mapped[str] = mapped_column(ForeignKey("finding.id", name="fk_finding_step_finding_id"))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    event: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(16))
    actor_id: Mapped[str] = mapped_column(String(40))
    actor_name: Mapped[str] = mapped_column(String(120))
    words: Mapped[str] = mapped_column(String(NOTE_LETTERS), default="")


class Photo(Model):
    """A picture kept with an observation (or as proof with a finding): masked and re-encoded before it got here."""

    __tablename__ = "audit_photo"
    __table_args__ = (
        Index("ix_audit_photo_observation_id", "observation_id"),
        Index("ix_audit_photo_finding_id", "finding_id"),
    )
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    observation_id: Mapped[str | None] = mapped_column(
        ForeignKey("observation.id", name="fk_audit_photo_observation_id")
    )
    finding_id: Mapped[str | None] = mapped_column(ForeignKey("finding.id", name="fk_audit_photo_finding_id"))
    item_id: Mapped[str] = mapped_column(String(8), default="")
    sha256: Mapped[str] = mapped_column(String(64))
    path: Mapped[str] = mapped_column(String(200))
    width: Mapped[int] = mapped_column(Integer)
    height: Mapped[int] = mapped_column(Integer)
    masks: Mapped[int] = mapped_column(Integer, default=0)
    taken_at: Mapped[datetime] = mapped_column(UtcDateTime)
    kept_by: Mapped[str] = mapped_column(String(120))


class CorrectiveAction(Model):
    """What is to be done, by whom and by when: for one finding, or for a fault of a whole team's process."""

    __tablename__ = "corrective_action"
    __table_args__ = (
        CheckConstraint(_one_of("state", Action), name="state"),
        CheckConstraint("(finding_id IS NULL) <> (fault_id IS NULL)", name="subject"),
        Index("ix_corrective_action_finding_id", "finding_id"),
        Index("ix_corrective_action_state", "state", "due_at"),
    )
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    finding_id: Mapped[str | None] = mapped_column(ForeignKey("finding.id", name="fk_corrective_action_finding_id"))
    fault_id: Mapped[str | None] = mapped_column(ForeignKey("team_fault.id", name="fk_corrective_action_fault_id"))
    what: Mapped[str] = mapped_column(Text)
    owner: Mapped[str] = mapped_column(String(40))
    owner_name: Mapped[str] = mapped_column(String(120))
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    state: Mapped[str] = mapped_column(String(12), default=Action.PROPOSED)
    proposed_by: Mapped[str] = mapped_column(String(120))
    proposed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    done_by: Mapped[str] = mapped_column(String(40), default="")
    proof: Mapped[str] = mapped_column(Text, default="")
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class TeamFault(Model):
    """Several people of one team with one item in a month: the process is at fault, not they."""

    __tablename__ = "team_fault"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'settled')", name="state"),
        _where("uq_team_fault_open", "item_id", "team", where="state = 'open'", unique=True),
    )
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    item_id: Mapped[str] = mapped_column(String(8))
    fault: Mapped[str] = mapped_column(String(120))
    team: Mapped[str] = mapped_column(String(80))
    client: Mapped[str] = mapped_column(String(80), default="")
    findings: Mapped[list[str]] = mapped_column(Json)
    state: Mapped[str] = mapped_column(String(8), default="open")
    found_at: Mapped[datetime] = mapped_column(UtcDateTime)
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


# --- endpoint posture ------------------------------------------------------------------------------------------------


class Workstation(Model):
    """A computer that reports about itself. `place_id` and `person` (directory number) are said by people; a
    workstation that nobody has claimed stands on a list and is not lost."""

    __tablename__ = "workstation"
    __table_args__ = (Index("ix_workstation_place_id", "place_id"),)
    host: Mapped[str] = mapped_column(String(120), primary_key=True)
    place_id: Mapped[str | None] = mapped_column(ForeignKey("place.id", name="fk_workstation_place_id"))
    person: Mapped[str] = mapped_column(String(40), default="")
    first_at: Mapped[datetime] = mapped_column(UtcDateTime)
    heard_at: Mapped[datetime] = mapped_column(UtcDateTime)


class EndpointReading(Model):
    """One thing a workstation reported; the same one sent again is the same row."""

    __tablename__ = "endpoint_reading"
    __table_args__ = (
        CheckConstraint(_one_of("kind", KINDS), name="kind"),
        UniqueConstraint("host", "kind", "at", "words", name="uq_endpoint_reading_host"),
    )
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    host: Mapped[str] = mapped_column(ForeignKey("workstation.host", name="fk_endpoint_reading_host"))
    kind: Mapped[str] = mapped_column(String(12))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    good: Mapped[bool] = mapped_column(Flag)
    words: Mapped[str] = mapped_column(String(160))
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Exemption(Model):
    """A device that a person may have in a no-device zone, until a day; it always ends."""

    __tablename__ = "device_exemption"
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    tag: Mapped[str] = mapped_column(String(40))
    what: Mapped[str] = mapped_column(String(120))
    person: Mapped[str] = mapped_column(String(40))
    person_name: Mapped[str] = mapped_column(String(120))
    reason: Mapped[str] = mapped_column(String(200))
    until: Mapped[datetime] = mapped_column(UtcDateTime)
    given_by: Mapped[str] = mapped_column(String(120))
    given_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Locker(Model):
    """A locker and who has it now; `person` None: free."""

    __tablename__ = "locker"
    id: Mapped[str] = mapped_column(String(20), primary_key=True)
    zone: Mapped[str] = mapped_column(String(40))
    person: Mapped[str | None] = mapped_column(String(40))
    person_name: Mapped[str] = mapped_column(String(120), default="")
    since: Mapped[datetime] = mapped_column(UtcDateTime)
