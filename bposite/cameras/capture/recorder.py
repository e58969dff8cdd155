"""One thread a camera: connect, keep what comes in both rings, connect again. A dead camera blocks only its thread."""

import random
import threading
import time
from collections.abc import Sequence

import msgspec
import structlog

from bposite.cameras.capture.disk import RECORD_US, DiskRing
from bposite.cameras.capture.memory import MemoryRing
from bposite.cameras.capture.source import CameraSource, Connection, SourceError, wall_us
from bposite.cameras.capture.units import AccessUnit, Stretch, joined

log = structlog.get_logger(__name__)

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
STABLE_US = 20_000_000
CLOCK_STEP_US = 50_000


class Tally(msgspec.Struct):
    """Counters of one recorder since it started; read by other threads, written by its own."""

    units: int = 0
    connects: int = 0
    drops: int = 0
    disk_errors: int = 0
    connected: bool = False
    error: str = ""


class Recorder:
    """Records one camera until stopped. `disk` None keeps it in memory only."""

    def __init__(self, camera: str, source: CameraSource, memory: MemoryRing, disk: DiskRing | None) -> None:
        self.camera, self.memory, self.disk = camera, memory, disk
        self.tally = Tally()
        self._source = source
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"camera-{camera}", daemon=True)
        self._waiting: list[AccessUnit] = []
        self._begun = False
        self._secure: set[int] = set()
        self._on_disk_us = 0

    def start(self) -> None:
        """Begin recording."""
        self._thread.start()

    def stop(self, timeout_s: float = 6.0) -> None:
        """End recording; a thread that hangs in the network is left to its own timeout."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        if self.disk is not None and not self._thread.is_alive():
            self.disk.close()

    def ask_to_stop(self) -> None:
        """Tell the thread to end without waiting for it."""
        self._stopped.set()

    def secured(self, moment_us: int) -> bool:
        """Whether what arrived up to `moment_us` would survive a kill; if not, it is written with the next unit.

        A picture is made only of what the disk ring has too: after a kill the same picture can be made again.
        """
        span = self.memory.span
        if self.disk is None or self._on_disk_us >= moment_us or (span is not None and span[0] > moment_us):
            return True
        self._secure.add(moment_us)
        return False

    def window(self, start_us: int, end_us: int) -> list[Stretch]:
        """Units that arrived around [start, end] from whole groups of pictures on, from memory and, for older
        moments, from disk; one stretch a connection, in order."""
        span = self.memory.span
        recent = self.memory.read(start_us, end_us)
        if self.disk is None or (span is not None and span[0] <= start_us):
            return recent
        return merged(self.disk.read(start_us, end_us), recent)

    @property
    def oldest_us(self) -> int | None:
        """Arrival of the oldest unit that can still be had."""
        return self._earliest(self.disk.oldest_us if self.disk else None)

    @property
    def began_us(self) -> int | None:
        """Arrival of the first unit ever recorded of this camera, also by earlier processes."""
        return self._earliest(self.disk.began_us if self.disk else None)

    def _earliest(self, on_disk: int | None) -> int | None:
        span = self.memory.span
        return min((at for at in (on_disk, span[0] if span else None) if at is not None), default=None)

    def _run(self) -> None:
        pause = FIRST_PAUSE_S
        while not self._stopped.is_set():
            started = wall_us()
            self._connect_once()
            pause = FIRST_PAUSE_S if wall_us() - started > STABLE_US else min(pause * 2, LONGEST_PAUSE_S)
            self._stopped.wait(pause * random.uniform(0.5, 1.0))  # spread: all cameras return with the power

    def _connect_once(self) -> None:
        try:
            connection = self._source.connect()
        except SourceError as error:
            self._failed(str(error))
            return
        except Exception as error:  # the camera worker's edge: a stranger's bytes must not end the thread
            self._failed(type(error).__name__)
            log.exception("cameras:connection:broken", camera=self.camera)
            return
        self.tally.connects += 1
        self.tally.connected, self.tally.error = True, ""
        try:
            self._record(connection)
        except SourceError as error:
            self._failed(str(error))
        except Exception as error:  # as above
            self._failed(type(error).__name__)
            log.exception("cameras:stream:broken", camera=self.camera)
        finally:
            self.tally.connected = False
            self.tally.drops += not self._stopped.is_set()
            connection.close()

    def _failed(self, error: str) -> None:
        if error != self.tally.error:
            log.warning("cameras:stream:lost", camera=self.camera, error=error)
        self.tally.error = error

    def _record(self, connection: Connection) -> None:
        session, step = wall_us(), _clock_offset()
        self._begun = False
        try:
            for access in connection.units():
                self._keep(session, connection, access)
                if self._stopped.is_set():
                    return
                if abs(_clock_offset() - step) > CLOCK_STEP_US:
                    raise SourceError("the clock of this machine was set: recording starts again")
            raise SourceError("the camera ended the stream")
        finally:
            self._flush(session, connection)

    def _keep(self, session: int, connection: Connection, access: AccessUnit) -> None:
        self.memory.add(session, connection.codec, access)
        self.tally.units += 1
        if self.disk is None:
            return
        waiting = self._waiting
        if waiting and (access.unit.key or access.unit.arrival_us - waiting[0].unit.arrival_us >= RECORD_US):
            self._flush(session, connection)
        self._begun = self._begun or access.unit.key  # before the first keyframe nothing decodes
        if self._begun:
            self._waiting.append(access)
        if self._secure and min(self._secure) <= access.unit.arrival_us:
            self._flush(session, connection)

    def _flush(self, session: int, connection: Connection) -> None:
        """Write what waits; a failure costs this record and is counted, recording goes on."""
        waiting, self._waiting = self._waiting, []
        if self.disk is None or not waiting:
            return
        try:
            self.disk.append(session, connection.codec, waiting)
        except OSError as error:
            self.tally.disk_errors += 1
            log.warning("cameras:ring:full", camera=self.camera, error=error.strerror)
        self._on_disk_us = waiting[-1].unit.arrival_us  # or it never will be: nobody shall wait for it
        self._secure = {moment for moment in set(self._secure) if moment > self._on_disk_us}


def _clock_offset() -> int:
    """Wall clock minus monotonic clock, microseconds: jumps when somebody sets the clock of this machine."""
    return wall_us() - time.monotonic_ns() // 1000


def merged(older: Sequence[Stretch], newer: Sequence[Stretch]) -> list[Stretch]:
    """Stretches from disk followed by what only memory has; a unit that is in both is taken once.

    Arrivals rise strictly within a connection, so they tell what the disk has already.
    """
    known = {part.session: part.units[-1].unit.arrival_us for part in older if part.units}
    fresh = [_later(part, known.get(part.session, 0)) for part in newer]
    return sorted(joined([*older, *fresh]), key=lambda part: part.session)


def _later(part: Stretch, arrival_us: int) -> Stretch:
    return Stretch(part.session, part.codec, tuple(a for a in part.units if a.unit.arrival_us > arrival_us))
