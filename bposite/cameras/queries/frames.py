"""Links between entries and pictures, as plain rows for screens and the API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from bposite.cameras.rules.clock import TimeSource
from bposite.cameras.rules.frames import LinkState, NoVideo
from bposite.cameras.rules.words import STATES, STATUS, how_sure, what_is_missing
from bposite.cameras.tables import Camera, FrameLink


@dataclass(frozen=True, slots=True)
class FrameInfo:
    """One link: what camera `camera` shows of entry `position`.

    `state`: pending | linked | linked_late | partial | no_video; `reason` says why there is no picture of the moment.
    `wanted_at` is the entry's time plus `offset_ms`; `frame_at` the picture's own time; `error_us` how far that can be
    off. `word`, `how_sure`, `missing` are sentences for people (the last two may be empty). Paths are in the store.
    """

    id: str
    position: int
    camera: str
    camera_name: str
    door: str
    offset_ms: int
    wanted_at: datetime
    state: LinkState
    reason: NoVideo | None
    gap_ms: int
    frame_at: datetime | None
    time_source: TimeSource | None
    error_us: int | None
    clock_bad: bool
    damaged: bool
    picture_path: str | None
    picture_sha256: str | None
    view_path: str | None
    view_sha256: str | None
    clip_path: str | None
    clip_sha256: str | None
    clip_codec: str | None
    clip_from: datetime | None
    clip_until: datetime | None
    settled_at: datetime | None
    purged_at: datetime | None

    @property
    def has_picture(self) -> bool:
        """Whether there is a picture to show."""
        return self.picture_path is not None and self.purged_at is None

    @property
    def has_clip(self) -> bool:
        """Whether there is a clip to show."""
        return self.clip_path is not None and self.purged_at is None

    @property
    def masked(self) -> bool:
        """Whether people see a masked copy and the original is sealed."""
        return self.view_path is not None

    @property
    def plays(self) -> bool:
        """Whether browsers play the clip itself (H.264 without masks); frame stepping works for every clip."""
        return self.has_clip and self.clip_codec == "h264" and not self.masked

    @property
    def word(self) -> str:
        """The state in a word or two."""
        if self.purged_at is not None:
            return "Picture deleted"
        return STATES[self.state]

    @property
    def status(self) -> str:
        """Status colour of the interface: good | attention | refused | unknown."""
        return "unknown" if self.purged_at is not None else STATUS[self.state]

    @property
    def how_sure(self) -> str:
        """Who told the time and how far it can be off, such as "the camera's own clock, within 34 ms"."""
        if self.time_source is None or self.error_us is None:
            return ""
        return how_sure(self.time_source, self.error_us, self.clock_bad)

    @property
    def beside(self) -> str:
        """How far the picture lies from the wanted moment, such as "23 ms after the moment"; empty without one."""
        if self.frame_at is None:
            return ""
        ms = round((self.frame_at - self.wanted_at).total_seconds() * 1000)
        return "at the moment" if ms == 0 else f"{abs(ms)} ms {'after' if ms > 0 else 'before'} the moment"

    @property
    def missing(self) -> str:
        """Why there is no picture or no whole clip; empty when there is."""
        if self.purged_at is not None:
            return "Deleted at the end of its retention time."
        return what_is_missing(self.state, self.reason, self.gap_ms)

    @property
    def error_bound_ms(self) -> float | None:
        """How far the picture's time can be off, in milliseconds."""
        return None if self.error_us is None else self.error_us / 1000

    @property
    def url(self) -> str:
        """Page of the link: picture, clip, stepping."""
        return f"/cameras/frames/{self.id}"

    @property
    def picture_url(self) -> str:
        """The whole picture (masked when the camera has masks)."""
        return f"{self.url}/picture.jpg"

    @property
    def thumb_url(self) -> str:
        """The picture at 384 pixels of width."""
        return f"{self.url}/thumb.jpg"

    @property
    def clip_url(self) -> str:
        """The clip as a file."""
        return f"{self.url}/clip"


_STORED = tuple(name for name in FrameInfo.__dataclass_fields__ if name not in ("camera", "camera_name"))


def _info(row: FrameLink, camera_name: str) -> FrameInfo:
    values = {name: getattr(row, name) for name in _STORED}
    values["state"] = LinkState(row.state)
    values["reason"] = NoVideo(row.reason) if row.reason else None
    values["time_source"] = TimeSource(row.time_source) if row.time_source else None
    return FrameInfo(camera=row.camera_id, camera_name=camera_name, **values)


def _found(
    session: Session, *conditions: ColumnElement[bool], limit: int | None = None, newest: bool = False
) -> list[FrameInfo]:
    order = (FrameLink.position.desc(), FrameLink.id) if newest else (FrameLink.position, FrameLink.id)
    statement = (
        select(FrameLink, Camera.name)
        .join(Camera, Camera.id == FrameLink.camera_id)
        .where(*conditions)
        .order_by(*order)
        .limit(limit)
    )
    return [_info(row, name) for row, name in session.execute(statement)]


def frames_for(session: Session, positions: Sequence[int]) -> dict[int, list[FrameInfo]]:
    """The links of each of these entries, pictures first; an entry without a link is absent.

    An entry has no link for a few tenths of a second after its insertion, and for ever when no camera covers its door
    (see `covered_doors`).
    """
    found: dict[int, list[FrameInfo]] = {}
    for info in _found(session, FrameLink.position.in_(positions)):
        found.setdefault(info.position, []).append(info)
    return {position: sorted(infos, key=lambda info: not info.has_picture) for position, infos in found.items()}


def frame(session: Session, link_id: str) -> FrameInfo | None:
    """One link."""
    return next(iter(_found(session, FrameLink.id == link_id)), None)


@dataclass(frozen=True, slots=True)
class FrameFilter:
    """Which links; None means any. `after` is an insert position (exclusive)."""

    after: int | None = None
    camera: str | None = None
    door: str | None = None
    state: LinkState | None = None
    position: int | None = None


def frames_page(session: Session, wanted: FrameFilter, limit: int) -> list[FrameInfo]:
    """Links by entry position, oldest first, for programs that page through all of them."""
    columns = {"camera": FrameLink.camera_id, "door": FrameLink.door, "state": FrameLink.state}
    conditions = [
        column == getattr(wanted, name) for name, column in columns.items() if getattr(wanted, name) is not None
    ]
    if wanted.after is not None:
        conditions.append(FrameLink.position > wanted.after)
    if wanted.position is not None:
        conditions.append(FrameLink.position == wanted.position)
    return _found(session, *conditions, limit=limit)


def whole_entries(session: Session, wanted: FrameFilter, infos: Sequence[FrameInfo], limit: int) -> list[FrameInfo]:
    """The page of at most `limit` links that does not end in the middle of an entry.

    `infos` is the page with one link more. Where a single entry has more links than fit, all of them are given.
    """
    if len(infos) <= limit:
        return list(infos)
    cut = infos[limit].position
    page = [info for info in infos[:limit] if info.position != cut]
    return page or frames_page(session, replace(wanted, position=cut), 1000)


def latest_frames(session: Session, camera_id: str, limit: int = 12) -> list[FrameInfo]:
    """The newest links of a camera that have a picture."""
    return _found(
        session, FrameLink.camera_id == camera_id, FrameLink.picture_path.is_not(None), limit=limit, newest=True
    )


def unfinished_positions(session: Session, camera_id: str, since: datetime, limit: int = 5000) -> list[int]:
    """Entries since a moment whose link to this camera lacks its picture or a part of its clip."""
    statement = (
        select(FrameLink.position)
        .where(
            FrameLink.camera_id == camera_id,
            FrameLink.wanted_at >= since,
            FrameLink.state.in_((LinkState.PARTIAL, LinkState.NO_VIDEO)),
        )
        .order_by(FrameLink.wanted_at.desc())
        .limit(limit)
    )
    return list(session.scalars(statement))
