"""Pictures and clips of entries: the viewer, the files themselves, and frame stepping. Every look is written down."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response, jsonify, render_template, request, send_file
from flask.typing import ResponseReturnValue

from bposite.cameras import queries
from bposite.cameras.capture.decode import Pixels, UndecodableError, jpeg, pixels_of_jpeg, shrunk
from bposite.cameras.capture.mask import masked
from bposite.cameras.capture.stepper import Stepper
from bposite.cameras.capture.store import EvidenceStore
from bposite.cameras.places import evidence_store, thumb_path
from bposite.cameras.queries import FrameInfo
from bposite.cameras.seen import note_seen, thumbnails
from bposite.doors.queries import entry
from bposite.doors.queries.names import door_names
from bposite.people.access import requires
from bposite.plumbing.clock import to_micros
from bposite.plumbing.db import reading
from bposite.plumbing.errors import NotFound

blueprint = Blueprint("frames", __name__, url_prefix="/cameras/frames")
stepper = Stepper()
THUMB_WIDTH = 384
CLIP_TYPES = {".mp4": "video/mp4", ".mkv": "video/x-matroska"}


@blueprint.get("/<link_id>")
@requires("frames:view")
def viewer(link_id: str) -> ResponseReturnValue:
    """What a camera shows of an entry, frame by frame."""
    with reading() as session:
        info = found_frame(queries.frame(session, link_id))
        others = queries.frames_for(session, [info.position]).get(info.position, [])
        row = entry(session, info.position)
        doors = door_names(session)
    door = doors[info.door].name if info.door in doors else info.door
    return render_template("cameras/viewer.html", frame=info, others=others, entry=row, door=door)


@blueprint.get("/<link_id>/picture.jpg")
@requires("frames:view")
def picture(link_id: str) -> Response:
    """The picture of the moment, masked when its camera has masks."""
    info = _with_picture(link_id)
    note_seen(info, "picture")
    return _file(evidence_store(), info.view_path or info.picture_path, "image/jpeg")


@blueprint.get("/<link_id>/thumb.jpg")
@requires("frames:view")
def thumb(link_id: str) -> Response:
    """The picture, small, for lists."""
    info = _with_picture(link_id)
    thumbnails.note(info)
    path = _thumb(info)
    response = send_file(path, mimetype="image/jpeg", conditional=True)
    response.headers["Cache-Control"] = "private, max-age=300"
    return response


def _thumb(info: FrameInfo) -> Path:
    """A small copy, made when it is first wanted and kept; it can be deleted at any time."""
    sha256 = info.view_sha256 or info.picture_sha256 or ""
    path = thumb_path(sha256)
    if not path.is_file():
        source = evidence_store().path(info.view_path or info.picture_path or "")
        content = jpeg(shrunk(_pixels(source), THUMB_WIDTH), 78)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.{info.id}")
        part.write_bytes(content)
        part.replace(path)
    return path


def _pixels(path: Path) -> Pixels:
    try:
        return pixels_of_jpeg(path.read_bytes())
    except (OSError, UndecodableError) as error:
        raise NotFound("picture", "The file of this picture is missing or damaged.", remedy=REMEDY) from error


@blueprint.get("/<link_id>/clip")
@requires("frames:view")
def clip(link_id: str) -> Response:
    """The clip as its camera sent it, in parts when a player asks for parts; only where nothing is masked."""
    info = _with_clip(link_id)
    if info.masked:
        raise NotFound("clip_sealed", "This camera has masks: its clip is sealed.", remedy="Step through its frames.")
    if "Range" not in request.headers or request.headers["Range"].startswith("bytes=0-"):
        note_seen(info, "clip")
    path = info.clip_path or ""
    name = f"entry-{info.position}-{info.camera}{Path(path).suffix}" if request.args.get("download") else None
    return _file(evidence_store(), path, CLIP_TYPES[Path(path).suffix], name)


@blueprint.get("/<link_id>/steps.json")
@requires("frames:view")
def steps(link_id: str) -> ResponseReturnValue:
    """The frames of the clip: milliseconds before or after the wanted moment, and which frame is the picture."""
    info = _with_clip(link_id)
    found = _guarded_steps(info)
    note_seen(info, "clip")
    start = to_micros(info.clip_from) if info.clip_from else 0
    wanted = to_micros(info.wanted_at)
    moments = [start + offset for offset in found]
    exact = to_micros(info.frame_at) if info.frame_at else wanted
    nearest = min(range(len(moments)), key=lambda i: abs(moments[i] - exact), default=0)
    return jsonify(
        frames=[round((at - wanted) / 1000, 1) for at in moments],
        moment=nearest,
        exact=info.frame_at is not None,
        start=start // 1000,
    )


def _guarded_steps(info: FrameInfo) -> tuple[int, ...]:
    try:
        return stepper.steps(evidence_store().path(info.clip_path or "")).offsets_us
    except (OSError, UndecodableError) as error:
        raise NotFound("clip", "The file of this clip is missing or damaged.", remedy=REMEDY) from error


@blueprint.get("/<link_id>/step/<int:step>.jpg")
@requires("frames:view")
def step_picture(link_id: str, step: int) -> Response:
    """Frame `step` of the clip in order of time, masks applied."""
    with reading() as session:
        info = _clip_of(queries.frame(session, link_id))
        row = queries.camera(session, info.camera)
    masks = row.masks if row is not None and info.masked else []
    try:
        content = stepper.frame(
            evidence_store().path(info.clip_path or ""),
            step,
            (lambda pixels: masked(pixels, masks)) if masks else None,
            f"masked-{row.revision}" if row is not None and masks else "",
        )
    except IndexError as error:
        raise NotFound("frame", "The clip has no such frame.") from error
    except (OSError, UndecodableError) as error:
        raise NotFound("frame", "This frame is missing or damaged.", remedy=REMEDY) from error
    response = Response(content, mimetype="image/jpeg")
    response.headers["Cache-Control"] = "private, max-age=300"
    return response


REMEDY = "Ask an administrator to run bposite verify."


def found_frame(info: FrameInfo | None) -> FrameInfo:
    """The link, or the page that says that there is none."""
    if info is None:
        raise NotFound("frame", "There is no such picture.", remedy="Open the entry and choose its picture there.")
    return info


def _with_picture(link_id: str) -> FrameInfo:
    with reading() as session:
        info = found_frame(queries.frame(session, link_id))
    if not info.has_picture:
        raise NotFound("picture", info.missing or "There is no picture yet.")
    return info


def _with_clip(link_id: str) -> FrameInfo:
    with reading() as session:
        return _clip_of(queries.frame(session, link_id))


def _clip_of(info: FrameInfo | None) -> FrameInfo:
    found = found_frame(info)
    if not found.has_clip:
        raise NotFound("clip", found.missing or "There is no clip yet.")
    return found


def _file(store: EvidenceStore, relative: str | None, mimetype: str, download: str | None = None) -> Response:
    path = store.path(relative or "")
    if not path.is_file():
        raise NotFound("file", "The file of this picture is missing.", remedy=REMEDY)
    return send_file(
        path, mimetype=mimetype, conditional=True, as_attachment=download is not None, download_name=download, max_age=0
    )
