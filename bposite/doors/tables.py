"""Rows of the doors feature: the plan, the entry log, presence, devices and what goes wrong with them.

The entry log refers to doors, people and passes by their ids without foreign keys: it must outlive the plan, and an
event of an unknown door is stored all the same. Which indexes it has, and why so few, is in docs/adr.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from bposite.doors.rules.policy import ZONE_KINDS
from bposite.plumbing.db import Json, Model, UtcDateTime

RowNumber = BigInteger().with_variant(Integer, "sqlite")
Flag = Boolean(create_constraint=False)
CLASSES = ("access", "door", "reader", "alarm", "system")
STATUSES = ("active", "not_yet", "disabled", "lost", "stolen", "damaged", "destroyed", "expired", "unassigned")


def _partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """An index over some of the rows; the same condition on both databases."""
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


# --- the plan --------------------------------------------------------------------------------------------------------


class Zone(Model):
    """An area of the site. ``ordinal`` is the order of the plan."""

    __tablename__ = "zone"
    __table_args__ = (
        CheckConstraint(f"kind IN {ZONE_KINDS}", name="kind"),
        CheckConstraint("capacity >= 0 AND reopen_at >= 0", name="capacity"),
    )
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(20))
    client: Mapped[str] = mapped_column(String(80), default="")
    capacity: Mapped[int] = mapped_column(Integer, default=0)
    reopen_at: Mapped[int] = mapped_column(Integer, default=0)
    no_device: Mapped[bool] = mapped_column(Flag, default=False)
    escort: Mapped[bool] = mapped_column(Flag, default=False)
    two_person: Mapped[bool] = mapped_column(Flag, default=False)
    supervisors: Mapped[list[str]] = mapped_column(Json, default=list)
    ordinal: Mapped[int] = mapped_column(Integer, default=0)


class Schedule(Model):
    """When something applies, in the site's own time; windows as ``mon-fri 07:30-20:00``."""

    __tablename__ = "schedule"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    windows: Mapped[list[str]] = mapped_column(Json)
    holidays_open: Mapped[bool] = mapped_column(Flag, default=True)


class Holiday(Model):
    """A special day of the site (local date) and what windows call it."""

    __tablename__ = "holiday"
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    name: Mapped[str] = mapped_column(String(40), default="holiday")


class Device(Model):
    """A controller. Its id is its MQTT user name, client id and certificate name."""

    __tablename__ = "device"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(40), default="native")
    model: Mapped[str] = mapped_column(String(120), default="")
    zone_name: Mapped[str] = mapped_column(String(64), default="")
    options: Mapped[dict[str, str]] = mapped_column(Json, default=dict)
    planned: Mapped[bool] = mapped_column(Flag, default=True)
    enrolled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    certificate_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Door(Model):
    """One opening between two zones. ``retired``: gone from the plan, kept for its log."""

    __tablename__ = "door"
    __table_args__ = (
        CheckConstraint("anti_passback IN ('none', 'soft', 'hard', 'timed')", name="anti_passback"),
        CheckConstraint("degraded IN ('list', 'closed')", name="degraded"),
        CheckConstraint("open_ms > 0 AND held_s > 0", name="times"),
    )
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    device_id: Mapped[str] = mapped_column(ForeignKey("device.id", name="fk_door_device_id"))
    from_zone: Mapped[str] = mapped_column(ForeignKey("zone.id", name="fk_door_from_zone"))
    to_zone: Mapped[str] = mapped_column(ForeignKey("zone.id", name="fk_door_to_zone"))
    open_ms: Mapped[int] = mapped_column(Integer, default=4000)
    held_s: Mapped[int] = mapped_column(Integer, default=30)
    anti_passback: Mapped[str] = mapped_column(String(10), default="none")
    passback_minutes: Mapped[int] = mapped_column(Integer, default=5)
    degraded: Mapped[str] = mapped_column(String(10), default="list")
    unlocked: Mapped[str | None] = mapped_column(ForeignKey("schedule.id", name="fk_door_unlocked"))
    interlock: Mapped[str] = mapped_column(String(40), default="")
    senses_passage: Mapped[bool] = mapped_column(Flag, default=True)
    out_of_service: Mapped[bool] = mapped_column(Flag, default=False)
    max_failures: Mapped[int] = mapped_column(Integer, default=5)
    lockout_s: Mapped[int] = mapped_column(Integer, default=60)
    retired: Mapped[bool] = mapped_column(Flag, default=False)
    ordinal: Mapped[int] = mapped_column(Integer, default=0)


class DoorAlias(Model):
    """What a foreign device calls a door (and side): filled by claiming a door from the list of unknown ones."""

    __tablename__ = "door_alias"
    device_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    ref: Mapped[str] = mapped_column(String(80), primary_key=True)
    door_id: Mapped[str] = mapped_column(ForeignKey("door.id", name="fk_door_alias_door_id"))
    direction: Mapped[str | None] = mapped_column(String(3))


class Reader(Model):
    """A reader at one side of a door. ``factors``: rows {factors, schedule} of which the first that runs counts."""

    __tablename__ = "reader"
    __table_args__ = (CheckConstraint("direction IN ('in', 'out')", name="direction"),)
    id: Mapped[str] = mapped_column(String(60), primary_key=True)
    door_id: Mapped[str] = mapped_column(ForeignKey("door.id", name="fk_reader_door_id"))
    direction: Mapped[str] = mapped_column(String(3))
    kinds: Mapped[list[str]] = mapped_column(Json)
    factors: Mapped[list[dict[str, Any]]] = mapped_column(Json)


class AccessLevel(Model):
    """(people or groups) x (door sides or zones) x schedule; ``sides`` are ``door`` or ``door:in``."""

    __tablename__ = "access_level"
    __table_args__ = (CheckConstraint("effect IN ('grant', 'deny')", name="effect"),)
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    effect: Mapped[str] = mapped_column(String(5), default="grant")
    schedule_id: Mapped[str | None] = mapped_column(ForeignKey("schedule.id", name="fk_access_level_schedule_id"))
    sides: Mapped[list[str]] = mapped_column(Json, default=list)
    zones: Mapped[list[str]] = mapped_column(Json, default=list)
    members: Mapped[list[str]] = mapped_column(Json, default=list)
    groups: Mapped[list[str]] = mapped_column(Json, default=list)
    since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    until: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Credential(Model):
    """A card, finger or face reference of one person. ``ref`` is a keyed hash; the number is never stored."""

    __tablename__ = "credential"
    __table_args__ = (
        UniqueConstraint("type", "ref", name="uq_credential_type_ref"),
        Index("ix_credential_person", "person"),
        CheckConstraint(f"status IN {STATUSES}", name="status"),
    )
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    type: Mapped[str] = mapped_column(String(10))
    ref: Mapped[str] = mapped_column(String(80))
    format: Mapped[str] = mapped_column(String(40), default="")
    person: Mapped[str | None] = mapped_column(String(40))
    status: Mapped[str] = mapped_column(String(12), default="active")
    valid_from: Mapped[datetime | None] = mapped_column(UtcDateTime)
    valid_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    idle_days: Mapped[int] = mapped_column(Integer, default=0)
    max_uses: Mapped[int] = mapped_column(Integer, default=0)
    uses: Mapped[int] = mapped_column(Integer, default=0)
    last_used: Mapped[datetime | None] = mapped_column(UtcDateTime)


# --- the entry log ---------------------------------------------------------------------------------------------------


class Entry(Model):
    """One event of a door, ever. ``position`` is the journal number of its fact: the order of insertion.

    Raw message and decision trace are in that fact's payload, once. ``key`` is the event's canonical key within the
    device: its uniqueness is what makes redelivery harmless. ``time_used`` is the best known time of the event.
    """

    __tablename__ = "entry"
    __table_args__ = (
        UniqueConstraint("device", "key", name="uq_entry_device_key"),
        Index("ix_entry_time_used", "time_used"),
        Index("ix_entry_door_time", "door", "time_used"),
        _partial("ix_entry_person_time", "person", "time_used", where="person IS NOT NULL"),
        _partial("ix_entry_visit_time", "visit", "time_used", where="visit IS NOT NULL"),
        _partial("ix_entry_notable", "time_used", where="notable"),
        CheckConstraint(f"cls IN {CLASSES}", name="cls"),
        CheckConstraint("time_source IN ('device', 'corrected', 'received')", name="time_source"),
    )
    position: Mapped[int] = mapped_column(RowNumber, primary_key=True, autoincrement=False)
    time_used: Mapped[datetime] = mapped_column(UtcDateTime)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    time_told: Mapped[datetime | None] = mapped_column(UtcDateTime)
    time_source: Mapped[str] = mapped_column(String(10))
    skew_ms: Mapped[int | None] = mapped_column(BigInteger)
    late: Mapped[bool] = mapped_column(Flag)
    device: Mapped[str] = mapped_column(String(40))
    key: Mapped[str] = mapped_column(String(200))
    boot: Mapped[str | None] = mapped_column(String(64))
    seq: Mapped[int | None] = mapped_column(BigInteger)
    cls: Mapped[str] = mapped_column(String(6))
    decision: Mapped[str | None] = mapped_column(String(10))
    reason: Mapped[str] = mapped_column(String(40))
    vendor_reason: Mapped[str | None] = mapped_column(String(200))
    notable: Mapped[bool] = mapped_column(Flag)  # refused, forced, held, an alarm: what the partial index serves
    door: Mapped[str | None] = mapped_column(String(40))
    door_ref: Mapped[str | None] = mapped_column(String(80))
    direction: Mapped[str | None] = mapped_column(String(3))
    zone: Mapped[str | None] = mapped_column(String(40))
    reader: Mapped[str | None] = mapped_column(String(60))
    person: Mapped[str | None] = mapped_column(String(40))
    visit: Mapped[str | None] = mapped_column(String(26))
    pass_id: Mapped[str | None] = mapped_column(String(26))
    credential_type: Mapped[str | None] = mapped_column(String(10))
    credential_ref: Mapped[str | None] = mapped_column(String(200))
    factors: Mapped[str] = mapped_column(String(120), default="")
    decided_by: Mapped[str] = mapped_column(String(10))  # site | device | operator
    taken: Mapped[bool | None] = mapped_column(Flag)
    duress: Mapped[bool] = mapped_column(Flag, default=False)
    raised: Mapped[str] = mapped_column(String(200), default="")
    shadow: Mapped[str | None] = mapped_column(String(40))  # our own reason where a device decided
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))  # SHA-256 of the raw message
    adapter: Mapped[str] = mapped_column(String(40))


class Presence(Model):
    """Where one person or visitor is. Subject: a person's number, or ``visit:<id>``; zone NULL = unknown."""

    __tablename__ = "presence"
    __table_args__ = (
        Index("ix_presence_zone", "zone"),
        CheckConstraint("confidence IN ('seen', 'inferred', 'stale')", name="confidence"),
    )
    subject: Mapped[str] = mapped_column(String(40), primary_key=True)
    zone: Mapped[str | None] = mapped_column(String(40))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    door: Mapped[str | None] = mapped_column(String(40))
    direction: Mapped[str | None] = mapped_column(String(3))
    confidence: Mapped[str] = mapped_column(String(10), default="seen")
    position: Mapped[int] = mapped_column(BigInteger, default=-1)


class RequestAnswer(Model):
    """What was answered to ``req/access``: the same request again gets the same bytes, another body is a conflict."""

    __tablename__ = "request_answer"
    __table_args__ = (Index("ix_request_answer_at", "at"),)
    device: Mapped[str] = mapped_column(String(40), primary_key=True)
    request: Mapped[str] = mapped_column(String(80), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    answer: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


# --- devices ---------------------------------------------------------------------------------------------------------


class DeviceState(Model):
    """What is known of a device now, planned or not."""

    __tablename__ = "device_state"
    device: Mapped[str] = mapped_column(String(40), primary_key=True)
    online: Mapped[bool] = mapped_column(Flag, default=False)
    heard_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    link_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    boot: Mapped[str | None] = mapped_column(String(64))
    model: Mapped[str] = mapped_column(String(200), default="")
    fw: Mapped[str] = mapped_column(String(200), default="")
    clock: Mapped[str] = mapped_column(String(5), default="unset")
    skew_ms: Mapped[int | None] = mapped_column(BigInteger)
    buffered: Mapped[int | None] = mapped_column(BigInteger)
    buffer_max: Mapped[int | None] = mapped_column(BigInteger)
    lag_ms: Mapped[int | None] = mapped_column(BigInteger)
    list_version: Mapped[str | None] = mapped_column(String(80))
    stored: Mapped[int] = mapped_column(BigInteger, default=0)
    duplicates: Mapped[int] = mapped_column(BigInteger, default=0)
    retained: Mapped[int] = mapped_column(BigInteger, default=0)
    rejected: Mapped[int] = mapped_column(BigInteger, default=0)
    foreign_codes: Mapped[int] = mapped_column(BigInteger, default=0)
    facets: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)


class SequenceRow(Model):
    """The watermark of one boot of a device: all up to ``upto`` are stored or given up, and the ranges in ``ahead``."""

    __tablename__ = "device_sequence"
    device: Mapped[str] = mapped_column(String(40), primary_key=True)
    boot: Mapped[str] = mapped_column(String(64), primary_key=True)
    upto: Mapped[int] = mapped_column(BigInteger)
    ahead: Mapped[list[list[int]]] = mapped_column(Json)
    oldest_held: Mapped[int | None] = mapped_column(BigInteger)
    first_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Gap(Model):
    """Numbers of a device that did not come. ``lost``: it has them no more; ``signed_off``: a person said so."""

    __tablename__ = "gap"
    __table_args__ = (
        UniqueConstraint("device", "boot", "first", name="uq_gap_device_boot_first"),
        Index("ix_gap_state", "state", "found_at"),
        CheckConstraint("state IN ('open', 'filled', 'lost', 'before_contact', 'signed_off')", name="state"),
        CheckConstraint("first <= last", name="order"),
    )
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    device: Mapped[str] = mapped_column(String(40))
    boot: Mapped[str] = mapped_column(String(64))
    first: Mapped[int] = mapped_column(BigInteger)
    last: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(15), default="open")
    found_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_by: Mapped[str] = mapped_column(String(120), default="")
    reason: Mapped[str] = mapped_column(String(400), default="")


class Quarantine(Model):
    """A message nobody could read, once per content: raw bytes (capped), why, how often it came."""

    __tablename__ = "quarantine"
    __table_args__ = (
        UniqueConstraint("topic", "digest", name="uq_quarantine_topic_digest"),
        Index("ix_quarantine_state", "state", "last_at"),
        CheckConstraint("state IN ('open', 'replayed', 'discarded')", name="state"),
    )
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    topic: Mapped[str] = mapped_column(String(400))
    device: Mapped[str | None] = mapped_column(String(40))
    digest: Mapped[str] = mapped_column(String(64))
    code: Mapped[str] = mapped_column(String(20))
    detail: Mapped[str] = mapped_column(String(400))
    raw: Mapped[bytes] = mapped_column(LargeBinary)
    size: Mapped[int] = mapped_column(Integer)
    first_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_at: Mapped[datetime] = mapped_column(UtcDateTime)
    count: Mapped[int] = mapped_column(Integer, default=1)
    state: Mapped[str] = mapped_column(String(10), default="open")
    handled_by: Mapped[str] = mapped_column(String(120), default="")
    note: Mapped[str] = mapped_column(String(400), default="")


class Claim(Model):
    """Something that speaks and is not in the plan: a device, or a door that a device names."""

    __tablename__ = "claim"
    __table_args__ = (CheckConstraint("state IN ('open', 'claimed', 'dismissed')", name="state"),)
    device: Mapped[str] = mapped_column(String(40), primary_key=True)
    ref: Mapped[str] = mapped_column(String(80), primary_key=True)  # empty: the device itself
    first_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_at: Mapped[datetime] = mapped_column(UtcDateTime)
    count: Mapped[int] = mapped_column(BigInteger, default=1)
    state: Mapped[str] = mapped_column(String(10), default="open")


# --- doors, now ------------------------------------------------------------------------------------------------------


class DoorState(Model):
    """How a door stands: contact, lock and mode as last reported, and its last entry."""

    __tablename__ = "door_state"
    door: Mapped[str] = mapped_column(String(40), primary_key=True)
    contact: Mapped[str] = mapped_column(String(10), default="unknown")  # open | closed | unknown
    lock: Mapped[str] = mapped_column(String(10), default="unknown")  # locked | unlocked | unknown
    mode: Mapped[str] = mapped_column(String(20), default="normal")  # normal | locked | unlocked | lockdown
    alarm: Mapped[str] = mapped_column(String(40), default="")
    changed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    entry: Mapped[int | None] = mapped_column(BigInteger)
    entry_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class LockdownRow(Model):
    """A lockdown in force; released ones are in the journal. Scope: a zone, or ``*`` for the site."""

    __tablename__ = "lockdown"
    scope: Mapped[str] = mapped_column(String(40), primary_key=True)
    rank: Mapped[int] = mapped_column(SmallInteger)
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    by: Mapped[str] = mapped_column(String(120))
    reason: Mapped[str] = mapped_column(String(400))


class Alarm(Model):
    """Something that wants a person. One open alarm per ``fingerprint``; repeats count up."""

    __tablename__ = "alarm"
    __table_args__ = (
        Index("ix_alarm_state", "state", "raised_at"),
        _partial("uq_alarm_open", "fingerprint", where="state <> 'closed'", unique=True),
        CheckConstraint("state IN ('open', 'acknowledged', 'closed')", name="state"),
        CheckConstraint("severity IN ('alarm', 'warning')", name="severity"),
    )
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    severity: Mapped[str] = mapped_column(String(10))
    fingerprint: Mapped[str] = mapped_column(String(160))
    summary: Mapped[str] = mapped_column(String(300))
    door: Mapped[str | None] = mapped_column(String(40))
    device: Mapped[str | None] = mapped_column(String(40))
    zone: Mapped[str | None] = mapped_column(String(40))
    camera: Mapped[str | None] = mapped_column(String(40))
    person: Mapped[str | None] = mapped_column(String(40))
    visit: Mapped[str | None] = mapped_column(String(26))
    entry: Mapped[int | None] = mapped_column(BigInteger)
    live: Mapped[bool] = mapped_column(Flag, default=True)
    condition_over: Mapped[bool] = mapped_column(Flag, default=False)
    count: Mapped[int] = mapped_column(Integer, default=1)
    state: Mapped[str] = mapped_column(String(12), default="open")
    raised_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_at: Mapped[datetime] = mapped_column(UtcDateTime)
    acknowledged_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    acknowledged_by: Mapped[str] = mapped_column(String(120), default="")
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_by: Mapped[str] = mapped_column(String(120), default="")
    closed_reason: Mapped[str] = mapped_column(String(400), default="")


class CommandRow(Model):
    """A command to a device: queued by a person, sent by the listener, answered by the device or expired."""

    __tablename__ = "command"
    __table_args__ = (
        Index("ix_command_state", "state", "queued_at"),
        Index("ix_command_door", "door", "queued_at"),
        CheckConstraint("state IN ('queued', 'sent', 'done', 'failed', 'expired')", name="state"),
    )
    nonce: Mapped[str] = mapped_column(String(26), primary_key=True)
    name: Mapped[str] = mapped_column(String(10))
    device: Mapped[str] = mapped_column(String(40))
    door: Mapped[str | None] = mapped_column(String(40))
    body: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    operator: Mapped[str] = mapped_column(String(120))
    reason: Mapped[str] = mapped_column(String(400))
    state: Mapped[str] = mapped_column(String(10), default="queued")
    queued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    result_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    detail: Mapped[str] = mapped_column(String(200), default="")


class Note(Model):
    """A change that a running listener must take into its memory: policy, presence, lockdown, mode."""

    __tablename__ = "door_note"
    id: Mapped[int] = mapped_column(RowNumber, primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(String(20))
    subject: Mapped[str] = mapped_column(String(40), default="")
    at: Mapped[datetime] = mapped_column(UtcDateTime)
