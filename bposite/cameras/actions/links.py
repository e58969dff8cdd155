"""Links between entries and what a camera saw: every step idempotent by (position, camera, offset)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import select

from bposite.cameras.capture.store import Stored
from bposite.cameras.rules.clock import TimeSource
from bposite.cameras.rules.frames import LinkState, NoVideo, Outcome
from bposite.cameras.tables import FrameLink
from bposite.journal.work import Work
from bposite.plumbing.clock import from_micros
from bposite.plumbing.ids import new_id
from bposite.plumbing.jobs import enqueue_many, finish

LINK_JOB = "cameras:link"


class Target(msgspec.Struct, frozen=True):
    """One picture to find: camera `camera_id` at `wanted_at`, which is `offset_ms` after the entry's time."""

    position: int
    camera_id: str
    door: str
    offset_ms: int
    wanted_at: datetime


class PictureMade(msgspec.Struct, frozen=True):
    """The picture of a link, stored. Times in microseconds; `view` is the masked copy of a camera with masks."""

    link_id: str
    at_us: int
    time_source: TimeSource
    error_us: int
    clock_bad: bool
    damaged: bool
    original: Stored
    view: Stored | None = None


class Settled(msgspec.Struct, frozen=True):
    """The final word on a link, with its clip when there is one. Clip times in microseconds."""

    link_id: str
    outcome: Outcome
    clip: Stored | None = None
    codec: str | None = None
    from_us: int = 0
    until_us: int = 0


def add_targets(work: Work, targets: Sequence[Target]) -> list[tuple[Target, str, LinkState, bool]]:
    """A pending link for every target that has none yet: (target, link id, state, has a picture) of all of them."""
    found = []
    for target in targets:
        row = _link_of(work, target)
        if row is None:
            row = FrameLink(id=new_id(), state=LinkState.PENDING, created_at=work.now, **msgspec.structs.asdict(target))
            work.session.add(row)
        found.append((target, row.id, LinkState(row.state), row.picture_path is not None))
    return found


def _link_of(work: Work, target: Target) -> FrameLink | None:
    return work.session.scalar(
        select(FrameLink).where(
            FrameLink.position == target.position,
            FrameLink.camera_id == target.camera_id,
            FrameLink.offset_ms == target.offset_ms,
        )
    )


def record_pictures(work: Work, made: Sequence[PictureMade]) -> None:
    """Keep the pictures of links: the row and the fact that binds the file by its hash."""
    for one in made:
        row = work.session.get(FrameLink, one.link_id)
        if row is None or row.picture_path is not None:
            continue  # another run has kept it already: the same frame gives the same file
        row.frame_at, row.time_source, row.error_us = from_micros(one.at_us), one.time_source, one.error_us
        row.clock_bad, row.damaged, row.pictured_at = one.clock_bad, one.damaged, work.now
        row.picture_path, row.picture_sha256 = one.original.path, one.original.sha256
        row.picture_bytes = one.original.size
        if one.view is not None:
            row.view_path, row.view_sha256 = one.view.path, one.view.sha256
        work.record("cameras:frame:linked", subject=row.id, data=_picture_fact(row, one))


def _picture_fact(row: FrameLink, made: PictureMade) -> dict[str, Any]:
    files = [msgspec.structs.asdict(file) for file in (made.original, made.view) if file is not None]
    return _about(row) | {
        "frame_at": made.at_us,
        "time_source": made.time_source,
        "error_us": made.error_us,
        "clock_bad": made.clock_bad,
        "damaged": made.damaged,
        "files": files,
    }


def _about(row: FrameLink) -> dict[str, Any]:
    return {
        "position": row.position,
        "camera": row.camera_id,
        "door": row.door,
        "offset_ms": row.offset_ms,
        "state": row.state,
    }


def record_settled(work: Work, settled: Sequence[Settled], finished_jobs: Sequence[int] = ()) -> None:
    """The final state of links, and the end of the jobs that asked for them."""
    for one in settled:
        row = work.session.get(FrameLink, one.link_id)
        if row is None or row.state != LinkState.PENDING:
            continue
        _settle(work, row, one)
    for job_id in finished_jobs:
        finish(work.session, job_id)


def _settle(work: Work, row: FrameLink, one: Settled) -> None:
    row.state, row.reason, row.gap_ms = one.outcome.state, one.outcome.reason, one.outcome.gap_ms
    row.settled_at = work.now
    if one.clip is not None:
        row.clip_path, row.clip_sha256, row.clip_bytes = one.clip.path, one.clip.sha256, one.clip.size
        row.clip_codec, row.clip_from, row.clip_until = one.codec, from_micros(one.from_us), from_micros(one.until_us)
    data = _about(row) | {
        "reason": row.reason,
        "gap_ms": row.gap_ms,
        "files": [msgspec.structs.asdict(one.clip)] if one.clip else [],
    }
    work.record("cameras:link:settled", subject=row.id, data=data)


def relink(work: Work, positions: Sequence[int]) -> int:
    """Look again for what was incomplete at these entries (a camera is back, a disk ring was restored).

    Complete links stay as they are. Returns how many links are looked for again.
    """
    unfinished = (LinkState.PARTIAL, LinkState.NO_VIDEO)
    again = FrameLink.state.in_(unfinished), FrameLink.purged_at.is_(None)
    rows = list(work.session.scalars(select(FrameLink).where(FrameLink.position.in_(positions), *again)))
    for row in rows:
        _forget_clip(row)
    found = sorted({row.position for row in rows})
    enqueue_many(work.session, LINK_JOB, [(str(position), {"position": position}) for position in found])
    if rows:
        work.record("cameras:links:asked-again", subject="links", data={"positions": found})
    return len(rows)


def _forget_clip(row: FrameLink) -> None:
    row.state, row.reason, row.gap_ms, row.settled_at = LinkState.PENDING, None, 0, None
    row.clip_path = row.clip_sha256 = row.clip_bytes = row.clip_codec = row.clip_from = row.clip_until = None


def wrong_reason(reason: NoVideo) -> Outcome:
    """An outcome without anything to show, for a known reason."""
    return Outcome(LinkState.NO_VIDEO, reason, 0)
