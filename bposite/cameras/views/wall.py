"""The wall of last keyframes, one camera's page, coverage and failures."""

from __future__ import annotations

from flask import Blueprint, Response, render_template, send_file
from flask.typing import ResponseReturnValue

from bposite.cameras import queries
from bposite.cameras.places import still_path
from bposite.cameras.queries import CameraRow
from bposite.cameras.rules.coverage import coverage_of
from bposite.doors.queries.names import door_names, zone_names
from bposite.people.access import may, requires
from bposite.plumbing.clock import now
from bposite.plumbing.db import reading
from bposite.plumbing.errors import NotFound
from bposite.plumbing.web import wants_fragment

blueprint = Blueprint("cameras", __name__, url_prefix="/cameras")


@blueprint.get("/")
@requires("cameras:read")
def overview() -> ResponseReturnValue:
    """Every camera with its newest still and how it is; the fragment is what the page reloads."""
    with reading() as session:
        rows = queries.cameras(session)
        failures = queries.open_failures(session)
        doors = door_names(session)
    names = {door.id: door.name for door in doors.values()}
    template = "cameras/wall_cards.html" if wants_fragment() else "cameras/wall.html"
    return render_template(template, cameras=rows, failures=failures, doors=names, sees=may("frames:view"), now=now())


@blueprint.get("/<camera_id>")
@requires("cameras:read")
def camera(camera_id: str) -> ResponseReturnValue:
    """One camera: picture, stream, health, what it covers, its last entries and failures."""
    with reading() as session:
        row = found_camera(queries.camera(session, camera_id))
        failures = queries.failures(session, camera_id, 20)
        latest = queries.latest_frames(session, camera_id, 12) if may("frames:view") else []
        references = [one for one in queries.references(session) if one.camera == camera_id]
        doors, zones = door_names(session), zone_names(session)
    return render_template(
        "cameras/camera.html",
        camera=row,
        failures=failures,
        latest=latest,
        references=references,
        doors=doors,
        zones=zones,
        sees=may("frames:view"),
        now=now(),
    )


@blueprint.get("/<camera_id>/still.jpg")
@requires("frames:view")
def still(camera_id: str) -> Response:
    """The newest still, masks applied; at most some seconds old while the camera works."""
    with reading() as session:
        found_camera(queries.camera(session, camera_id))
    path = still_path(camera_id)
    if not path.is_file():
        raise NotFound("still", "This camera has not given a picture yet.")
    return send_file(path, mimetype="image/jpeg", max_age=0, conditional=True)


@blueprint.get("/coverage")
@requires("cameras:read")
def coverage() -> ResponseReturnValue:
    """Doors and zones against cameras: what no working camera shows is red."""
    with reading() as session:
        rows = queries.cameras(session)
        doors, zones = door_names(session), zone_names(session)
    table = coverage_of(
        {door.id: (door.name, door.to_zone) for door in doors.values() if not door.retired},
        {zone.id: zone.name for zone in zones.values() if zone.kind != "outside"},
        rows,
    )
    by_id = {row.id: row for row in rows}
    page = {"coverage": table, "cameras": rows, "by_id": by_id, "sees": may("frames:view"), "now": now()}
    return render_template("cameras/coverage.html", **page)


def found_camera(row: CameraRow | None) -> CameraRow:
    """The camera, or the page that says that there is none."""
    if row is None:
        raise NotFound("camera", "There is no such camera.", remedy="Look for it on the list of cameras.")
    return row
