"""State and failures of cameras. A failed camera is a compliance event: it opens and closes a record and an alarm."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from bposite.cameras.actions.plan import the_camera
from bposite.cameras.capture.store import Stored
from bposite.cameras.rules.health import WORDS, Verdict
from bposite.cameras.rules.reading import Reading
from bposite.cameras.tables import Camera, CameraCover, CameraFailure, CameraReference, CameraState
from bposite.doors.actions.alarms import end_condition, raise_alarm
from bposite.journal.work import Work
from bposite.plumbing.errors import Refusal
from bposite.plumbing.ids import new_id

ALARM = "cameraFailed"
LABELS = ("day", "night")


def write_states(session: Session, rows: Sequence[Reading]) -> None:
    """Replace what is known of the cameras. Not a fact: it is a reading, and failures are recorded by themselves."""
    if not rows:
        return
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = insert(CameraState)
    changes = {name: statement.excluded[name] for name in Reading.__struct_fields__ if name != "camera_id"}
    statement = statement.on_conflict_do_update(index_elements=["camera_id"], set_=changes)
    session.execute(statement, [msgspec.structs.asdict(row) for row in rows])


def open_failure(work: Work, camera_id: str, verdict: Verdict, error: str = "") -> None:
    """The camera gives no usable picture from now on. A change of the cause closes one record and opens another."""
    open_row = _open(work, camera_id)
    if open_row is not None and open_row.verdict == verdict:
        return
    if open_row is not None:
        open_row.closed_at = work.now
        work.session.flush()
    camera = work.session.get_one(Camera, camera_id)
    row = CameraFailure(id=new_id(), camera_id=camera_id, verdict=verdict, error=error[:500], opened_at=work.now)
    work.session.add(row)
    data = {"camera": camera_id, "health": verdict, "state": "failed", "failure": row.id, "error": row.error}
    work.record("cameras:camera:failed", subject=camera_id, data=data)
    doors = sorted(work.session.scalars(select(CameraCover.door).where(CameraCover.camera_id == camera_id)))
    summary = f"{camera.name}: {WORDS[verdict].lower()}"
    raise_alarm(
        work,
        ALARM,
        summary,
        severity="warning",
        about=camera_id,
        camera=camera_id,
        door=doors[0] if doors else None,
        zone=camera.zones[0] if camera.zones else None,
    )


def close_failure(work: Work, camera_id: str) -> None:
    """The camera works again. Nothing happens when nothing was open."""
    row = _open(work, camera_id)
    if row is None:
        return
    row.closed_at = work.now
    data = {"camera": camera_id, "health": Verdict.OK, "state": "recovered", "failure": row.id}
    work.record("cameras:camera:recovered", subject=camera_id, data=data)
    end_condition(work, ALARM, camera_id)


def _open(work: Work, camera_id: str) -> CameraFailure | None:
    return work.session.scalar(
        select(CameraFailure).where(CameraFailure.camera_id == camera_id, CameraFailure.closed_at.is_(None))
    )


def confirm_reference(work: Work, camera_id: str, label: str, still: Stored) -> None:
    """A person says that the view is right: health compares with it from now on. `label`: day or night."""
    if label not in LABELS:
        raise Refusal("reference_label", "A reference is for the day or for the night.", field="label")
    camera = the_camera(work, camera_id)
    row = work.session.get(CameraReference, (camera_id, label)) or CameraReference(camera_id=camera_id, label=label)
    row.path, row.sha256 = still.path, still.sha256
    row.confirmed_by, row.confirmed_at = work.actor.name, work.now
    work.session.add(row)
    camera.revision += 1
    data = {"camera": camera_id, "label": label, "files": [msgspec.structs.asdict(still)]}
    work.record("cameras:camera:reference-confirmed", subject=camera_id, data=data)
