"""Rows of the cameras feature: cameras, what they cover, their state, failures, and the links to entries.

Doors, zones and entries are named by their ids without foreign keys: evidence must outlive the plan.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
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

from bposite.cameras.rules.clock import TimeSource
from bposite.cameras.rules.frames import LinkState, NoVideo
from bposite.cameras.rules.health import Verdict
from bposite.plumbing.db import Json, Model, UtcDateTime

Flag = Boolean(create_constraint=False)
RowNumber = BigInteger().with_variant(Integer, "sqlite")


def _one_of(column: str, values: type[LinkState] | type[NoVideo] | type[TimeSource] | type[Verdict]) -> str:
    return f"{column} IN ({', '.join(repr(str(value)) for value in values)})"


class Camera(Model):
    """A camera of the plan. `url` has no credentials; they are in `secret`, sealed with the site's key.

    `masks` are in shares of the picture's width and height; `line` is kept for counting who goes in, which no version
    does yet. `retired`: gone from the plan, its links stay.
    """

    __tablename__ = "camera"
    __table_args__ = (
        CheckConstraint("transport IN ('tcp', 'udp')", name="transport"),
        CheckConstraint("ring_mb IS NULL OR ring_mb >= 16", name="ring_mb"),
    )
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    url: Mapped[str] = mapped_column(String(500))
    secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    transport: Mapped[str] = mapped_column(String(3), default="tcp")
    enabled: Mapped[bool] = mapped_column(Flag, default=True)
    zones: Mapped[list[str]] = mapped_column(Json, default=list)
    expected_rate: Mapped[float | None] = mapped_column(Float)
    ring_mb: Mapped[int | None] = mapped_column(Integer)
    masks: Mapped[list[list[list[float]]]] = mapped_column(Json, default=list)
    line: Mapped[list[list[float]]] = mapped_column(Json, default=list)
    retired: Mapped[bool] = mapped_column(Flag, default=False)
    ordinal: Mapped[int] = mapped_column(Integer, default=0)
    revision: Mapped[int] = mapped_column(Integer, default=1)


class CameraCover(Model):
    """This camera shows that door; `offset_ms` after an event the person is in the middle of the picture."""

    __tablename__ = "camera_cover"
    __table_args__ = (Index("ix_camera_cover_door", "door"),)
    camera_id: Mapped[str] = mapped_column(ForeignKey("camera.id", name="fk_camera_cover_camera_id"), primary_key=True)
    door: Mapped[str] = mapped_column(String(40), primary_key=True)
    offset_ms: Mapped[int] = mapped_column(Integer, primary_key=True, default=0)


class CameraState(Model):
    """What the cameras process last wrote about a camera, every few seconds."""

    __tablename__ = "camera_state"
    __table_args__ = (CheckConstraint(_one_of("verdict", Verdict), name="verdict"),)
    camera_id: Mapped[str] = mapped_column(ForeignKey("camera.id", name="fk_camera_state_camera_id"), primary_key=True)
    verdict: Mapped[str] = mapped_column(String(16), default=Verdict.OK)
    since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    also: Mapped[list[str]] = mapped_column(Json, default=list)
    measures: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    connected: Mapped[bool] = mapped_column(Flag, default=False)
    error: Mapped[str] = mapped_column(Text, default="")
    codec: Mapped[str] = mapped_column(String(10), default="")
    width: Mapped[int] = mapped_column(Integer, default=0)
    height: Mapped[int] = mapped_column(Integer, default=0)
    rate: Mapped[float | None] = mapped_column(Float)
    kbits: Mapped[int | None] = mapped_column(Integer)
    delay_ms: Mapped[int | None] = mapped_column(BigInteger)
    time_source: Mapped[str | None] = mapped_column(String(10))
    clock_bad: Mapped[bool] = mapped_column(Flag, default=False)
    connects: Mapped[int] = mapped_column(BigInteger, default=0)
    drops: Mapped[int] = mapped_column(BigInteger, default=0)
    disk_errors: Mapped[int] = mapped_column(BigInteger, default=0)
    oldest_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_unit_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    still_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ring_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class CameraFailure(Model):
    """One time in which a camera gave no usable picture: opened and closed by the health check (PCI DSS 10.7)."""

    __tablename__ = "camera_failure"
    __table_args__ = (
        Index(
            "ix_camera_failure_open",
            "camera_id",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index("ix_camera_failure_opened", "opened_at"),
        CheckConstraint(_one_of("verdict", Verdict), name="verdict"),
    )
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    camera_id: Mapped[str] = mapped_column(ForeignKey("camera.id", name="fk_camera_failure_camera_id"))
    verdict: Mapped[str] = mapped_column(String(16))
    error: Mapped[str] = mapped_column(Text, default="")
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class CameraReference(Model):
    """The view of a camera that a person confirmed to be right; health compares with it. Its file is evidence."""

    __tablename__ = "camera_reference"
    camera_id: Mapped[str] = mapped_column(
        ForeignKey("camera.id", name="fk_camera_reference_camera_id"), primary_key=True
    )
    label: Mapped[str] = mapped_column(String(10), primary_key=True)
    path: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64))
    confirmed_by: Mapped[str] = mapped_column(String(120))
    confirmed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class FrameLink(Model):
    """What camera `camera_id` shows of entry `position` at `offset_ms` after it.

    `state` pending: the clip is still being waited for; the picture may be there already. Paths are relative to the
    evidence store; the hashes are also in the journal. `view_*` is the masked picture of a camera with masks.
    """

    __tablename__ = "frame_link"
    __table_args__ = (
        UniqueConstraint("position", "camera_id", "offset_ms", name="uq_frame_link_target"),
        Index("ix_frame_link_wanted", "camera_id", "wanted_at"),
        CheckConstraint(_one_of("state", LinkState), name="state"),
        CheckConstraint(_one_of("reason", NoVideo), name="reason"),
        CheckConstraint(_one_of("time_source", TimeSource), name="time_source"),
        CheckConstraint("(picture_path IS NULL) = (picture_sha256 IS NULL)", name="picture"),
        CheckConstraint("(clip_path IS NULL) = (clip_sha256 IS NULL)", name="clip"),
    )
    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger)
    camera_id: Mapped[str] = mapped_column(ForeignKey("camera.id", name="fk_frame_link_camera_id"))
    door: Mapped[str] = mapped_column(String(40))
    offset_ms: Mapped[int] = mapped_column(Integer)
    wanted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    state: Mapped[str] = mapped_column(String(12))
    reason: Mapped[str | None] = mapped_column(String(16))
    gap_ms: Mapped[int] = mapped_column(BigInteger, default=0)
    frame_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    time_source: Mapped[str | None] = mapped_column(String(10))
    error_us: Mapped[int | None] = mapped_column(BigInteger)
    clock_bad: Mapped[bool] = mapped_column(Flag, default=False)
    damaged: Mapped[bool] = mapped_column(Flag, default=False)
    picture_path: Mapped[str | None] = mapped_column(String(200))
    picture_sha256: Mapped[str | None] = mapped_column(String(64))
    picture_bytes: Mapped[int | None] = mapped_column(BigInteger)
    view_path: Mapped[str | None] = mapped_column(String(200))
    view_sha256: Mapped[str | None] = mapped_column(String(64))
    clip_path: Mapped[str | None] = mapped_column(String(200))
    clip_sha256: Mapped[str | None] = mapped_column(String(64))
    clip_bytes: Mapped[int | None] = mapped_column(BigInteger)
    clip_codec: Mapped[str | None] = mapped_column(String(10))
    clip_from: Mapped[datetime | None] = mapped_column(UtcDateTime)
    clip_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    pictured_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    purged_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
