"""Turns link jobs into files: the picture as soon as the ring has the moment, the clip after its post-roll.

A job is durable and every step idempotent, so a kill at any point costs at most a second run: files are named by
their content, rows are unique by (position, camera, offset), and a row is written after its file is on the disk.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec
import structlog

from bposite.cameras import queries
from bposite.cameras.actions.links import (
    LINK_JOB,
    PictureMade,
    Settled,
    Target,
    add_targets,
    record_pictures,
    record_settled,
)
from bposite.cameras.capture.clip import ending, write_clip
from bposite.cameras.capture.decode import UndecodableError, jpeg, pixels_of_jpeg
from bposite.cameras.capture.mask import masked
from bposite.cameras.capture.moment import MARGIN_US, Clip, Picture, View, clip_at, missing_in, picture_at, view_of
from bposite.cameras.capture.recorder import Recorder
from bposite.cameras.capture.store import EvidenceStore
from bposite.cameras.rules.clock import ClockPolicy
from bposite.cameras.rules.frames import (
    Hole,
    LinkPolicy,
    LinkState,
    NoVideo,
    Outcome,
    Readiness,
    readiness,
    settle,
    why_missing,
)
from bposite.cameras.worker.fleet import Fleet, Manned
from bposite.doors.queries import entry
from bposite.journal.work import Actor, unit_of_work
from bposite.plumbing import jobs
from bposite.plumbing.clock import now, to_micros
from bposite.plumbing.db import reading

log = structlog.get_logger(__name__)
LEASE_S = 120.0
AT_ONCE = 24
BATCH = 8
RETRY_US = 2_000_000
MOST_FAILURES = 3
ACTOR = Actor.system("cameras")
Result = TypeVar("Result", PictureMade, Settled)


class Pending(msgspec.Struct):
    """One target that is being worked on. Times in microseconds; `not_before_us` after a failed attempt."""

    target: Target
    link_id: str
    job_id: int
    wanted_us: int
    late: bool
    pictured: bool
    not_before_us: int = 0
    missed: NoVideo | None = None
    failures: int = 0


class Linker:
    """One thread calls `step` again and again."""

    def __init__(
        self,
        fleet: Fleet,
        store: EvidenceStore,
        policy: LinkPolicy,
        clock: ClockPolicy | None = None,
        after_file: Callable[[], None] = lambda: None,
    ) -> None:
        """`after_file` is called between a file and its row: tests kill the process there."""
        self._fleet, self._store, self._policy = fleet, store, policy
        self._clock = clock or ClockPolicy()
        self._after_file = after_file
        self._pending: dict[str, Pending] = {}
        self._open: dict[int, int] = {}
        self.failed_writes = 0

    @property
    def waiting(self) -> int:
        """Targets that are not settled yet."""
        return len(self._pending)

    def step(self) -> bool:
        """Take new jobs, make the pictures and clips that are ready; whether anything was done."""
        taken = self._take()
        at_us = to_micros(now())
        made = self._make(self._picture, [one for one in self._pending.values() if not _decided(one)], at_us)
        if made:
            with unit_of_work(ACTOR) as work:
                record_pictures(work, [picture for _, picture in made])
            for one, _ in made:
                one.pictured = True
        settled = self._make(self._settle, [one for one in self._pending.values() if _decided(one)], at_us)
        if settled:
            self._close([result for _, result in settled], [one for one, _ in settled])
        return bool(taken or made or settled)

    # taking jobs

    def _take(self) -> int:
        with reading() as session:
            if not jobs.any_due(session, (LINK_JOB,)):
                return 0
        claimed = jobs.claim((LINK_JOB,), lease_s=LEASE_S, limit=AT_ONCE)
        for job in claimed:
            self._begin(job)
        return len(claimed)

    def _begin(self, job: jobs.Job) -> None:
        """Make the targets of a job and their pending rows; a job without a target is done."""
        position = int(job.payload["position"])
        with reading() as session:
            row = entry(session, position)
            door = row.door if row is not None else None
            covers = queries.covers_of_door(session, door) if door else []
        if row is None or door is None or not covers:
            with unit_of_work(ACTOR) as work:
                jobs.finish(work.session, job.id)
            return
        targets = [_target(position, camera, door, offset, row.time_used) for camera, offset in covers]
        with unit_of_work(ACTOR) as work:
            found = add_targets(work, targets)
            unsettled = [one for one in found if one[2] is LinkState.PENDING]
            if not unsettled:
                jobs.finish(work.session, job.id)
        self._open[job.id] = len(unsettled)
        for target, link_id, _, pictured in unsettled:
            wanted_us = to_micros(target.wanted_at)
            self._pending[link_id] = Pending(target, link_id, job.id, wanted_us, row.late, pictured)

    # making files

    def _make(
        self, make: Callable[[Pending, int], Result | None], ones: Sequence[Pending], at_us: int
    ) -> list[tuple[Pending, Result]]:
        """What is ready, up to a batch. A disk that is full costs the rings their oldest file and a later try."""
        results: list[tuple[Pending, Result]] = []
        for one in ones:
            if one.not_before_us > at_us or len(results) == BATCH:
                continue
            try:
                result = make(one, at_us)
            except OSError as error:
                self._write_failed(one, at_us, error)
                continue
            except Exception as error:  # the worker's edge: one bad stream must not stop the others
                log.error("cameras:link:failed", camera=one.target.camera_id, exc_info=error)
                one.not_before_us, one.failures = at_us + RETRY_US, one.failures + 1
                if one.failures >= MOST_FAILURES and not one.pictured:
                    one.missed = NoVideo.UNDECODABLE
                continue
            if result is not None:
                results.append((one, result))
        if results:
            self._after_file()
        return results

    def _write_failed(self, one: Pending, at_us: int, error: OSError) -> None:
        self.failed_writes += 1
        room = self._fleet.make_room()
        one.not_before_us = at_us + (0 if room else RETRY_US)
        log.warning("cameras:evidence:unwritable", error=error.strerror, ring_gave_room=room)

    def _picture(self, one: Pending, at_us: int) -> PictureMade | None:
        """The picture of a target, None while the ring cannot tell yet. Sets `missed` when there is none."""
        if one.wanted_us > at_us + self._policy.ahead_us:
            one.missed = NoVideo.CLOCK_AHEAD
            return None
        manned = self._fleet.get(one.target.camera_id)
        if manned is None or manned.recorder is None:
            one.missed = NoVideo.DISABLED
            return None
        view = self._view(one, manned.recorder, one.wanted_us, at_us)
        return None if view is None else self._keep_picture(one, manned, manned.recorder, view)

    def _view(self, one: Pending, recorder: Recorder, until_us: int, at_us: int) -> View | None:
        """What the rings know around the target, once they know it up to `until_us` or the deadline is over."""
        deadline = one.wanted_us + self._policy.after_us + self._policy.deadline_us
        span = recorder.memory.span
        if at_us < deadline and (span is None or span[1] < until_us):
            return None  # nothing arrived after the moment yet: no need to look closer
        stretches = recorder.window(one.wanted_us - MARGIN_US, one.wanted_us + MARGIN_US)
        view = view_of(stretches, self._clock)
        ready = readiness(view.newest_us, until_us, at_us, deadline)
        if ready is Readiness.WAIT or (at_us < deadline and not recorder.secured(view.arrival_after(until_us))):
            return None
        return view

    def _keep_picture(self, one: Pending, manned: Manned, recorder: Recorder, view: View) -> PictureMade | None:
        try:
            found = picture_at(view, one.wanted_us)
        except UndecodableError:
            one.missed = NoVideo.UNDECODABLE
            return None
        if isinstance(found, Hole):
            one.missed = why_missing(found, one.wanted_us, recorder.oldest_us, recorder.began_us)
            return None
        return self._stored(one, found, manned.row.masks)

    def _stored(self, one: Pending, picture: Picture, masks: list[list[list[float]]]) -> PictureMade:
        original = self._store.put(picture.jpeg, ".jpg")
        view = None
        if masks:
            view = self._store.put(jpeg(masked(pixels_of_jpeg(picture.jpeg), masks)), ".jpg")
        return PictureMade(
            one.link_id,
            picture.at_us,
            picture.time_source,
            picture.error_us,
            picture.clock_bad,
            picture.damaged,
            original,
            view,
        )

    def _settle(self, one: Pending, at_us: int) -> Settled | None:
        """The final word on a target with its clip, None while its post-roll is still being recorded."""
        manned = self._fleet.get(one.target.camera_id)
        if one.missed in (NoVideo.CLOCK_AHEAD, NoVideo.DISABLED) or manned is None or manned.recorder is None:
            return Settled(one.link_id, Outcome(LinkState.NO_VIDEO, one.missed or NoVideo.DISABLED, 0))
        if one.failures >= MOST_FAILURES:
            return Settled(one.link_id, settle(one.pictured, 0, False, NoVideo.UNDECODABLE, one.late))
        start, end = one.wanted_us - self._policy.before_us, one.wanted_us + self._policy.after_us
        view = self._view(one, manned.recorder, end, at_us)
        if view is None:
            return None
        late = one.late or at_us - one.wanted_us > self._policy.late_us
        clip = clip_at(view, start, end, one.wanted_us)
        missing = missing_in(view, start, end)
        outcome = settle(one.pictured, missing, clip is not None, one.missed or NoVideo.HOLE, late)
        return self._with_clip(one, outcome, clip)

    def _with_clip(self, one: Pending, outcome: Outcome, clip: Clip | None) -> Settled:
        if clip is None:
            return Settled(one.link_id, outcome)
        stored = self._store.put_file(
            lambda path: write_clip(path, clip.codec, clip.units, clip.moments), ending(clip.codec)
        )
        return Settled(one.link_id, outcome, stored, clip.codec.name, min(clip.moments), max(clip.moments))

    def _close(self, settled: Sequence[Settled], ones: Sequence[Pending]) -> None:
        left = dict(self._open)
        for one in ones:
            left[one.job_id] -= 1
        done = sorted({one.job_id for one in ones if left[one.job_id] == 0})
        with unit_of_work(ACTOR) as work:
            record_settled(work, settled, done)
        for one in ones:
            del self._pending[one.link_id]
        self._open = {job: count for job, count in left.items() if count}


def _decided(one: Pending) -> bool:
    """Whether the picture stage is over: there is one, or there never will be."""
    return one.pictured or one.missed is not None


def _target(position: int, camera: str, door: str, offset_ms: int, at: datetime) -> Target:
    return Target(position, camera, door, offset_ms, at + timedelta(milliseconds=offset_ms))


def policy_from(pre_roll_s: float, post_roll_s: float) -> LinkPolicy:
    """The site's clip window in the rules' unit."""
    return LinkPolicy(before_us=round(pre_roll_s * 1e6), after_us=round(post_roll_s * 1e6))
