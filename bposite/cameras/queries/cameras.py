"""Cameras with what they cover and how they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from bposite.cameras.rules.address import Address
from bposite.cameras.rules.health import FAILURES, WORDS, Verdict
from bposite.cameras.rules.reading import Reading
from bposite.cameras.tables import Camera, CameraCover, CameraFailure, CameraReference, CameraState
from bposite.plumbing.secrets import unseal

PURPOSE = "camera"


@dataclass(frozen=True, slots=True)
class CameraRow:
    """A camera: its plan, what it covers, and its last state (None: the cameras process has not written one yet).

    `url` never has credentials; `credentials` changes with them and is empty without. `doors` are (door id, offset in
    ms). `failed` means no usable picture.
    """

    id: str
    name: str
    url: str
    credentials: str
    transport: str
    enabled: bool
    zones: tuple[str, ...]
    expected_rate: float | None
    ring_mb: int | None
    masks: list[list[list[float]]]
    revision: int
    doors: tuple[tuple[str, int], ...]
    state: Reading | None = field(repr=False)

    @property
    def verdict(self) -> Verdict | None:
        """What is wrong (OK: nothing); None while it is unknown."""
        return self.state.verdict if self.state and self.enabled else None

    @property
    def failed(self) -> bool:
        """Whether the camera gives no usable picture now, as far as is known."""
        return self.enabled and self.verdict in FAILURES

    @property
    def word(self) -> str:
        """The state in a word or two."""
        if not self.enabled:
            return "Switched off"
        return "Not heard of yet" if self.verdict is None else WORDS[self.verdict]

    @property
    def warnings(self) -> list[str]:
        """What else is wrong, in words."""
        return [WORDS[Verdict(name)] for name in (self.state.also if self.state else ())]

    @property
    def status(self) -> str:
        """Status colour of the interface: good | attention | alarm | unknown."""
        if self.verdict is None:
            return "unknown"
        if self.failed:
            return "alarm"
        return "good" if self.verdict is Verdict.OK and not self.warnings else "attention"


def cameras(session: Session) -> list[CameraRow]:
    """All cameras of the plan, in its order."""
    covers: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for cover in session.scalars(select(CameraCover).order_by(CameraCover.door)):
        covers[cover.camera_id].append((cover.door, cover.offset_ms))
    states = {row.camera_id: _reading(row) for row in session.scalars(select(CameraState))}
    rows = session.scalars(select(Camera).where(~Camera.retired).order_by(Camera.ordinal, Camera.id))
    return [_row(row, tuple(covers[row.id]), states.get(row.id)) for row in rows]


def camera(session: Session, camera_id: str) -> CameraRow | None:
    """One camera of the plan."""
    return next((row for row in cameras(session) if row.id == camera_id), None)


def _row(row: Camera, doors: tuple[tuple[str, int], ...], state: Reading | None) -> CameraRow:
    names = ("id", "name", "url", "transport", "enabled", "expected_rate", "ring_mb", "masks", "revision")
    plan: dict[str, Any] = {name: getattr(row, name) for name in names}
    return CameraRow(**plan, credentials=_mark(row.secret), zones=tuple(row.zones), doors=doors, state=state)


def _mark(secret: bytes | None) -> str:
    return sha256(secret).hexdigest()[:16] if secret else ""


def _reading(row: CameraState) -> Reading:
    values = {name: getattr(row, name) for name in Reading.__struct_fields__}
    return Reading(**values | {"verdict": Verdict(row.verdict)})


def address_of(session: Session, camera_id: str) -> Address | None:
    """The camera's address with its credentials, for the cameras process alone."""
    row = session.get(Camera, camera_id)
    if row is None:
        return None
    username, password = msgspec.json.decode(unseal(PURPOSE, row.secret)) if row.secret else ("", "")
    return Address(row.url, username, password)


def covers_of_door(session: Session, door: str) -> list[tuple[str, int]]:
    """(camera id, offset in ms) of every camera of the plan that shows a door, also of those switched off."""
    statement = (
        select(CameraCover.camera_id, CameraCover.offset_ms)
        .join(Camera, Camera.id == CameraCover.camera_id)
        .where(CameraCover.door == door, ~Camera.retired)
        .order_by(Camera.ordinal, Camera.id, CameraCover.offset_ms)
    )
    return [(camera_id, offset) for camera_id, offset in session.execute(statement)]


def cameras_of_door(session: Session, door: str) -> list[CameraRow]:
    """The cameras that show a door."""
    wanted = {camera_id for camera_id, _ in covers_of_door(session, door)}
    return [row for row in cameras(session) if row.id in wanted]


def covered_doors(session: Session, doors: Sequence[str]) -> dict[str, bool]:
    """For each door whether a working camera shows it; a door without one is uncovered."""
    working: set[str] = set()
    for row in cameras(session):
        if row.enabled and not row.failed:
            working.update(door for door, _ in row.doors)
    return {door: door in working for door in doors}


@dataclass(frozen=True, slots=True)
class FailureRow:
    """One time in which a camera gave no usable picture; `closed_at` None: it still does not."""

    id: str
    camera: str
    verdict: Verdict
    error: str
    opened_at: datetime
    closed_at: datetime | None

    @property
    def word(self) -> str:
        """The cause in a word or two."""
        return WORDS[self.verdict]


def failures(session: Session, camera_id: str | None = None, limit: int = 50) -> list[FailureRow]:
    """Failures, newest first, of one camera or of all."""
    statement = select(CameraFailure).order_by(CameraFailure.opened_at.desc()).limit(limit)
    if camera_id is not None:
        statement = statement.where(CameraFailure.camera_id == camera_id)
    return [_failure(row) for row in session.scalars(statement)]


def open_failures(session: Session) -> list[FailureRow]:
    """Cameras that give no usable picture now, longest first."""
    statement = select(CameraFailure).where(CameraFailure.closed_at.is_(None)).order_by(CameraFailure.opened_at)
    return [_failure(row) for row in session.scalars(statement)]


def _failure(row: CameraFailure) -> FailureRow:
    return FailureRow(row.id, row.camera_id, Verdict(row.verdict), row.error, row.opened_at, row.closed_at)


@dataclass(frozen=True, slots=True)
class ReferenceRow:
    """A confirmed view: its picture in the store, who confirmed it and when."""

    camera: str
    label: str
    path: str
    confirmed_by: str
    confirmed_at: datetime


def references(session: Session) -> list[ReferenceRow]:
    """All confirmed views."""
    rows = session.scalars(select(CameraReference).order_by(CameraReference.camera_id, CameraReference.label))
    return [ReferenceRow(row.camera_id, row.label, row.path, row.confirmed_by, row.confirmed_at) for row in rows]
