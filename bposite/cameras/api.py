"""REST: cameras with their health, and the snapshots of entries with their times, hashes and files."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, Response, send_file
from pydantic import BaseModel, ConfigDict, Field

from bposite.cameras import queries
from bposite.cameras.places import evidence_store
from bposite.cameras.queries import CameraRow, FrameInfo
from bposite.cameras.rules.frames import LinkState
from bposite.cameras.seen import note_seen
from bposite.people.access import requires
from bposite.plumbing.api import endpoint
from bposite.plumbing.db import reading
from bposite.plumbing.errors import NotFound

blueprint = Blueprint("cameras_api", __name__, url_prefix="/api/v1")
blueprints = (blueprint,)
MOST = 1000


class Model(BaseModel):
    """Base: closed and immutable."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class CoveredDoor(Model):
    """A door in the view of a camera."""

    door: str
    offset_ms: int = Field(description="how long after an event there the person is in the middle of the picture")


class CameraOut(Model):
    """A camera and how it is. The address has no credentials."""

    id: str
    name: str
    url: str
    enabled: bool
    doors: list[CoveredDoor]
    zones: list[str]
    health: str | None = Field(description="ok, or what is wrong; null while nothing is known")
    failed: bool = Field(description="whether it gives no usable picture")
    warnings: list[str]
    since: datetime | None
    connected: bool | None
    frames_per_second: float | None
    kilobits_per_second: int | None
    clock_delay_ms: int | None = Field(description="least delay of arrival against the camera's own clock")
    camera_clock_bad: bool | None
    oldest_at: datetime | None = Field(description="oldest picture that can be retrieved from the ring")
    newest_at: datetime | None


class CameraList(Model):
    """All cameras of the plan."""

    items: list[CameraOut]


class Snapshot(Model):
    """What one camera shows of one entry."""

    id: str
    position: int = Field(description="insert position of the entry")
    camera: str
    door: str
    offset_ms: int
    event_time: datetime = Field(description="time of the event plus the offset")
    state: str = Field(description="pending, linked, linked_late, partial or no_video")
    reason: str | None = Field(description="why there is no picture of the moment")
    gap_ms: int
    frame_time: datetime | None
    time_source: str | None = Field(description="camera: its own clock; arrival: least-delayed arrival here")
    error_bound_ms: float | None
    camera_clock_bad: bool
    sha256: str | None = Field(description="of the original picture, as in the journal")
    url: str | None = Field(description="the picture as JPEG")
    clip_sha256: str | None
    clip_url: str | None


class SnapshotQuery(Model):
    """Which snapshots: after an insert position, in that order."""

    after: int | None = Field(None, ge=-1, lt=2**62)
    limit: int = Field(100, ge=1, le=MOST)
    entry: int | None = Field(None, ge=0, lt=2**62)
    camera: str | None = Field(None, max_length=40)
    door: str | None = Field(None, max_length=40)
    state: LinkState | None = None


class SnapshotPage(Model):
    """One page; `next_after` goes into the next request, null at the end.

    An entry can have several snapshots; a page never ends in the middle of an entry.
    """

    items: list[Snapshot]
    next_after: int | None


@blueprint.get("/cameras")
@requires("cameras:read")
@endpoint(summary="Cameras and their health", returns=CameraList)
def list_cameras() -> CameraList:
    """Every camera of the plan."""
    with reading() as session:
        return CameraList(items=[_camera(row) for row in queries.cameras(session)])


def _camera(row: CameraRow) -> CameraOut:
    state = row.state
    return CameraOut(
        id=row.id,
        name=row.name,
        url=row.url,
        enabled=row.enabled,
        doors=[CoveredDoor(door=door, offset_ms=offset) for door, offset in row.doors],
        zones=list(row.zones),
        health=row.verdict,
        failed=row.failed,
        warnings=list(state.also) if state else [],
        since=state.since if state else None,
        connected=state.connected if state else None,
        frames_per_second=state.rate if state else None,
        kilobits_per_second=state.kbits if state else None,
        clock_delay_ms=state.delay_ms if state else None,
        camera_clock_bad=state.clock_bad if state else None,
        oldest_at=state.oldest_at if state else None,
        newest_at=state.last_unit_at if state else None,
    )


@blueprint.get("/snapshots")
@requires("frames:view")
@endpoint(summary="Pictures of entries, by insert position", query=SnapshotQuery, returns=SnapshotPage)
def list_snapshots(query: SnapshotQuery) -> SnapshotPage:
    """A page of links between entries and cameras."""
    wanted = queries.FrameFilter(query.after, query.camera, query.door, query.state, query.entry)
    with reading() as session:
        infos = queries.frames_page(session, wanted, query.limit + 1)
        whole = queries.whole_entries(session, wanted, infos, query.limit)
    more = len(infos) > query.limit
    return SnapshotPage(
        items=[_snapshot(info) for info in whole], next_after=whole[-1].position if more and whole else None
    )


def _snapshot(info: FrameInfo) -> Snapshot:
    base = f"/api/v1/snapshots/{info.id}"
    return Snapshot(
        id=info.id,
        position=info.position,
        camera=info.camera,
        door=info.door,
        offset_ms=info.offset_ms,
        event_time=info.wanted_at,
        state=info.state,
        reason=info.reason,
        gap_ms=info.gap_ms,
        frame_time=info.frame_at,
        time_source=info.time_source,
        error_bound_ms=info.error_bound_ms,
        camera_clock_bad=info.clock_bad,
        sha256=info.picture_sha256,
        url=f"{base}/picture.jpg" if info.has_picture else None,
        clip_sha256=info.clip_sha256,
        clip_url=f"{base}/clip" if info.has_clip and not info.masked else None,
    )


@blueprint.get("/snapshots/<link_id>")
@requires("frames:view")
@endpoint(summary="One snapshot", returns=Snapshot)
def one_snapshot(link_id: str) -> Snapshot:
    """One link between an entry and a camera."""
    return _snapshot(_found(link_id))


@blueprint.get("/snapshots/<link_id>/picture.jpg")
@requires("frames:view")
@endpoint(summary="The picture of the moment (masked where the camera has masks)", media="image/jpeg")
def snapshot_picture(link_id: str) -> Response:
    """The JPEG file."""
    info = _found(link_id)
    if not info.has_picture:
        raise NotFound("picture", info.missing or "There is no picture yet.")
    note_seen(info, "picture", "api")
    return _send(info.view_path or info.picture_path or "", "image/jpeg")


@blueprint.get("/snapshots/<link_id>/clip")
@requires("frames:view")
@endpoint(summary="The clip around the moment, as the camera sent it", media="video/mp4")
def snapshot_clip(link_id: str) -> Response:
    """The clip file (MP4, or Matroska for MJPEG cameras); sealed for cameras with masks."""
    info = _found(link_id)
    if not info.has_clip or info.masked:
        raise NotFound("clip", "The clip is sealed." if info.masked else info.missing or "There is no clip yet.")
    note_seen(info, "clip", "api")
    path = info.clip_path or ""
    return _send(path, "video/mp4" if path.endswith(".mp4") else "video/x-matroska")


def _found(link_id: str) -> FrameInfo:
    with reading() as session:
        info = queries.frame(session, link_id)
    if info is None:
        raise NotFound("snapshot", "There is no such snapshot.")
    return info


def _send(relative: str, mimetype: str) -> Response:
    path = evidence_store().path(relative)
    if not path.is_file():
        raise NotFound("file", "The file of this snapshot is missing.")
    return send_file(path, mimetype=mimetype, conditional=True, max_age=0)
