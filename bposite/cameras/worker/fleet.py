"""The recorders of all cameras, kept in line with the plan."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import structlog
from sqlalchemy.orm import Session

from bposite.cameras import queries
from bposite.cameras.capture.disk import DiskRing
from bposite.cameras.capture.memory import MemoryRing
from bposite.cameras.capture.recorder import Recorder
from bposite.cameras.capture.source import CameraSource, SourceSpec, source_for
from bposite.cameras.places import ring_folder
from bposite.cameras.queries import CameraRow
from bposite.plumbing.errors import Refusal
from bposite.plumbing.settings import current

log = structlog.get_logger(__name__)
SECOND = 1_000_000
MEGABYTE = 1_000_000


class Manned(msgspec.Struct, frozen=True):
    """A camera of the plan with its recorder; None when it is switched off."""

    row: CameraRow
    recorder: Recorder | None


class Fleet:
    """Starts, restarts and stops recorders. Used by one thread; `get` may be called by others."""

    def __init__(self, make_source: Callable[[SourceSpec], CameraSource] = source_for) -> None:
        self._make_source = make_source
        self._manned: dict[str, Manned] = {}

    def get(self, camera_id: str) -> Manned | None:
        """The camera, or None when the plan has none of that name."""
        return self._manned.get(camera_id)

    def all(self) -> list[Manned]:
        """Every camera of the plan, in its order."""
        return list(self._manned.values())

    def sync(self, session: Session) -> bool:
        """Follow the plan: a changed camera starts anew, one that is gone is stopped. Whether anything changed."""
        before = [(one.row.id, one.row.revision) for one in self.all()]
        rows = {row.id: row for row in queries.cameras(session)}
        for camera_id in [name for name in self._manned if name not in rows]:
            self._halt(self._manned.pop(camera_id))
        fresh: dict[str, Manned] = {}
        for camera_id, row in rows.items():
            known = self._manned.get(camera_id)
            if known is not None and _same_stream(known.row, row):
                fresh[camera_id] = Manned(row, known.recorder)
                continue
            if known is not None:
                self._halt(known)
            fresh[camera_id] = Manned(row, self._start(session, row) if row.enabled else None)
        self._manned = fresh
        return before != [(one.row.id, one.row.revision) for one in self.all()]

    def _start(self, session: Session, row: CameraRow) -> Recorder | None:
        try:
            address = queries.address_of(session, row.id)
        except Refusal as error:
            log.error("cameras:credentials:unreadable", camera=row.id, error=error.message)
            return None
        if address is None:
            return None
        settings = current().cameras
        budget = (row.ring_mb or settings.disk_ring_mb) * MEGABYTE
        recorder = Recorder(
            row.id,
            self._make_source(SourceSpec(address, row.transport)),
            MemoryRing(settings.ring_seconds * SECOND),
            DiskRing(ring_folder(row.id), budget),
        )
        recorder.start()
        return recorder

    def make_room(self) -> bool:
        """A full disk: the rings drop their oldest file each, for evidence to be written. False: nothing left."""
        disks = [manned.recorder.disk for manned in self.all() if manned.recorder is not None]
        return sum(disk.drop_oldest() for disk in disks if disk is not None) > 0

    def stop(self) -> None:
        """End all recorders; what is still in memory of the last second goes to disk."""
        for manned in self.all():
            if manned.recorder is not None:
                manned.recorder.ask_to_stop()
        for manned in self.all():
            self._halt(manned, 2.0)
        self._manned = {}

    @staticmethod
    def _halt(manned: Manned, timeout_s: float = 6.0) -> None:
        if manned.recorder is not None:
            manned.recorder.stop(timeout_s)


def _same_stream(old: CameraRow, new: CameraRow) -> bool:
    """Whether only names, masks or the like changed: then recording goes on."""
    names = ("url", "credentials", "transport", "enabled", "ring_mb")
    return all(getattr(old, name) == getattr(new, name) for name in names)
