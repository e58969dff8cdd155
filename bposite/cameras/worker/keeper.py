"""Watches over the cameras: one keyframe each every few seconds, the numbers of the streams, failures and stills."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import structlog
from av.video.frame import VideoFrame

from bposite.cameras import queries
from bposite.cameras.actions.health import close_failure, open_failure, write_states
from bposite.cameras.capture.decode import UndecodableError, jpeg, pixels_of_jpeg, rough_frame, small_pixels
from bposite.cameras.capture.mask import masked
from bposite.cameras.capture.measure import Reference, grey_of, grey_of_pixels, measure, reference_of
from bposite.cameras.capture.recorder import Recorder
from bposite.cameras.capture.source import wall_us
from bposite.cameras.capture.store import EvidenceStore
from bposite.cameras.capture.units import Stretch
from bposite.cameras.places import still_path
from bposite.cameras.rules.clock import Clock, ClockPolicy, judge, steady_parts
from bposite.cameras.rules.health import (
    FAILURES,
    HealthPolicy,
    Measures,
    Standing,
    Stream,
    Verdict,
    next_standing,
    verdicts,
)
from bposite.cameras.rules.reading import Reading
from bposite.cameras.worker.fleet import Fleet, Manned
from bposite.journal.work import Actor, unit_of_work
from bposite.plumbing.clock import from_micros, now
from bposite.plumbing.db import reading, transaction

log = structlog.get_logger(__name__)
SECOND = 1_000_000
QUICKEST_US, SLOWEST_US, SHARE_US = 5 * SECOND, 10 * SECOND, SECOND // 2
WRITE_US = 5 * SECOND
SETTLING_US = 8 * SECOND
RATE_WINDOW_US = 10 * SECOND
STILL_WIDTH = 640
ACTOR = Actor.system("cameras")


class Watch(msgspec.Struct):
    """What is remembered of one camera between samples. Times in microseconds."""

    began_us: int
    sampled_us: int = 0
    standing: Standing = Standing()
    since: datetime | None = None
    also: tuple[Verdict, ...] = ()
    seen: Measures | None = None
    digest: str = ""
    repeats: int = 0
    key_us: int = 0
    still_at: datetime | None = None
    reported: Verdict | None = None


class Keeper:
    """One thread calls `step` about once a second."""

    def __init__(
        self,
        fleet: Fleet,
        store: EvidenceStore,
        policy: HealthPolicy | None = None,
        still: Callable[[str], Path] = still_path,
    ) -> None:
        """`still` tells where the newest picture of a camera is put for the wall."""
        self._fleet, self._store, self._still = fleet, store, still
        self._policy = policy or HealthPolicy()
        self._clock = ClockPolicy()
        self._watches: dict[str, Watch] = {}
        self._references: dict[str, list[Reference]] = {}
        self._written_us = 0

    def load(self) -> None:
        """Read confirmed views and open failures: after a start, and when the plan has changed."""
        with reading() as session:
            rows, failing = queries.references(session), queries.open_failures(session)
        self._references = {}
        for row in rows:
            if (found := self._reference(row.path)) is not None:
                self._references.setdefault(row.camera, []).append(found)
        for failure in failing:
            watch = self._watch(failure.camera, wall_us())
            if watch.reported is None:
                watch.reported, watch.since = failure.verdict, failure.opened_at
                watch.standing = Standing(failure.verdict)

    def _reference(self, path: str) -> Reference | None:
        try:
            return reference_of(grey_of_pixels(pixels_of_jpeg(self._store.path(path).read_bytes())))
        except (OSError, ValueError, UndecodableError) as error:
            log.warning("cameras:reference:unreadable", path=path, error=type(error).__name__)
            return None

    def _watch(self, camera_id: str, at_us: int) -> Watch:
        return self._watches.setdefault(camera_id, Watch(at_us))

    def step(self) -> None:
        """Look at the cameras whose turn it is, report what changed, write the states when they are due."""
        at_us = wall_us()
        self.look(at_us)
        self._report()
        if at_us - self._written_us >= WRITE_US:
            self._written_us = at_us
            self._write(at_us)

    def look(self, at_us: int) -> None:
        """Measure every camera whose turn it is; nothing is written but stills."""
        for manned in self._fleet.all():
            if manned.recorder is not None:
                self._look(manned, manned.recorder, at_us)

    def _look(self, manned: Manned, recorder: Recorder, at_us: int) -> None:
        """Silence is checked every time, the picture every few seconds."""
        watch = self._watch(manned.row.id, at_us)
        span = recorder.memory.span
        silent = at_us - span[1] if span else None
        lost = silent is None or silent > self._policy.silent_us
        if lost and at_us - watch.began_us < SETTLING_US:
            return  # just started: give it time to connect
        if not lost and at_us - watch.sampled_us < self._interval():
            return
        watch.sampled_us = at_us
        if not lost:
            self._sample(manned, recorder, watch)
        self._judge(manned, recorder, watch, silent)

    def _interval(self) -> int:
        """Time between two samples of a camera: 5 s for a few cameras, up to 10 s for many."""
        return min(SLOWEST_US, max(QUICKEST_US, SHARE_US * len(self._watches)))

    def _sample(self, manned: Manned, recorder: Recorder, watch: Watch) -> None:
        """Measure the newest keyframe and put it on the wall."""
        key = recorder.memory.last_key()
        if key is None or key.units[0].unit.arrival_us == watch.key_us:
            return
        watch.key_us = key.units[0].unit.arrival_us
        try:
            frame = rough_frame(key.codec, key.units[0])
        except UndecodableError:
            return
        watch.seen = measure(grey_of(frame), self._references.get(manned.row.id, ()))
        watch.repeats = watch.repeats + 1 if watch.seen.digest == watch.digest else 0
        watch.digest = watch.seen.digest
        write_still(self._still(manned.row.id), _still(frame, manned.row.masks))
        watch.still_at = from_micros(watch.key_us)

    def _judge(self, manned: Manned, recorder: Recorder, watch: Watch, silent: int | None) -> None:
        clock = stream_clock(recorder, self._clock)
        rate, _ = stream_rate(recorder)
        expected = manned.row.expected_rate
        stream = Stream(silent, rate, expected, clock is not None and clock.bad, watch.repeats)
        found = verdicts(stream, watch.seen, self._policy)
        standing = next_standing(watch.standing, [one for one in found if one in FAILURES] or found[:1])
        if standing.verdict is not watch.standing.verdict or watch.since is None:
            watch.since = now()
        watch.standing, watch.also = standing, tuple(one for one in found if one is not standing.verdict)

    def _report(self) -> None:
        """Open and close failures where the standing has changed; one transaction for all of them."""
        news = [(name, watch) for name, watch in self._watches.items() if _is_news(watch)]
        if not news:
            return
        with unit_of_work(ACTOR) as work:
            for camera_id, watch in news:
                manned = self._fleet.get(camera_id)
                if watch.standing.verdict in FAILURES and manned is not None:
                    error = manned.recorder.tally.error if manned.recorder else ""
                    open_failure(work, camera_id, watch.standing.verdict, error)
                else:
                    close_failure(work, camera_id)
        for _, watch in news:
            watch.reported = watch.standing.verdict

    def _write(self, at_us: int) -> None:
        rows = [self._reading(manned, manned.recorder, at_us) for manned in self._fleet.all() if manned.recorder]
        with transaction() as session:
            write_states(session, rows)

    def _reading(self, manned: Manned, recorder: Recorder, at_us: int) -> Reading:
        watch = self._watch(manned.row.id, at_us)
        span, key, tally = recorder.memory.span, recorder.memory.last_key(), recorder.tally
        clock = stream_clock(recorder, self._clock)
        rate, kbits = stream_rate(recorder)
        oldest = recorder.oldest_us
        return Reading(
            camera_id=manned.row.id,
            verdict=watch.standing.verdict,
            since=watch.since,
            also=[str(one) for one in watch.also],
            measures=_told(watch.seen),
            connected=tally.connected,
            error=tally.error,
            **_shape(key),
            rate=rate,
            kbits=kbits,
            delay_ms=None if clock is None or clock.delay_us is None else clock.delay_us // 1000,
            time_source=None if clock is None else str(clock.source),
            clock_bad=clock is not None and clock.bad,
            connects=tally.connects,
            drops=tally.drops,
            disk_errors=tally.disk_errors,
            oldest_at=None if oldest is None else from_micros(oldest),
            last_unit_at=None if span is None else from_micros(span[1]),
            still_at=watch.still_at,
            ring_bytes=recorder.memory.size + (recorder.disk.size if recorder.disk else 0),
            updated_at=now(),
        )


def _is_news(watch: Watch) -> bool:
    was, is_now = watch.reported in FAILURES, watch.standing.verdict in FAILURES
    return was != is_now or (is_now and watch.reported is not watch.standing.verdict)


def _still(frame: VideoFrame, masks: list[list[list[float]]]) -> bytes:
    small = small_pixels(frame, STILL_WIDTH)
    return jpeg(masked(small, masks) if masks else small, 80)


def write_still(path: Path, content: bytes) -> None:
    """Replace a still in one step. A full disk costs the wall its picture and nothing else."""
    part = path.with_suffix(".part")
    try:
        path.parent.mkdir(exist_ok=True)
        part.write_bytes(content)
        os.replace(part, path)
    except OSError as error:
        log.warning("cameras:still:unwritable", error=error.strerror)


def stream_clock(recorder: Recorder, policy: ClockPolicy) -> Clock | None:
    """The verdict on the camera's clock over its newest units; None while there are none."""
    span = recorder.memory.span
    if span is None:
        return None
    times = recorder.memory.read(span[1] - RATE_WINDOW_US, span[1])[-1].times
    start, end = list(steady_parts(times, policy))[-1]
    return judge(times[start:end], policy)


def stream_rate(recorder: Recorder) -> tuple[float | None, int | None]:
    """Frames a second and kilobits a second over the newest seconds; None while it is too short to tell."""
    span = recorder.memory.span
    if span is None:
        return None, None
    horizon = span[1] - RATE_WINDOW_US
    units = [
        access.unit
        for part in recorder.memory.read(horizon, span[1])
        for access in part.units
        if access.unit.arrival_us > horizon
    ]
    seconds = (span[1] - units[0].arrival_us) / SECOND
    if seconds < 2 or len(units) < 3:
        return None, None
    return round((len(units) - 1) / seconds, 2), round(sum(unit.size for unit in units) / seconds / 125)


def _shape(key: Stretch | None) -> dict[str, Any]:
    if key is None:
        return {"codec": "", "width": 0, "height": 0}
    return {"codec": key.codec.name, "width": key.codec.width, "height": key.codec.height}


def _told(seen: Measures | None) -> dict[str, Any]:
    if seen is None:
        return {}
    values = msgspec.structs.asdict(seen)
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in values.items()}
