"""The still of each entry: what a list shows, and why there is nothing to show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from bposite.cameras.queries import FrameInfo, frames_for
from bposite.cameras.rules.frames import LinkState


@dataclass(frozen=True, slots=True)
class Still:
    """A small picture for lists. ``url`` empty: there is none, and ``why`` says so in a word or two."""

    url: str
    why: str


NO_STILL = Still("", "")
_WHY = {LinkState.PENDING: "waiting", LinkState.PARTIAL: "no picture", LinkState.NO_VIDEO: "no video"}


def stills_of(session: Session, positions: Sequence[int]) -> dict[int, Still]:
    """The still of each entry that has a link to a camera, by position."""
    return {position: still(frames) for position, frames in frames_for(session, positions).items()}


def still(frames: Sequence[FrameInfo]) -> Still:
    """The best of the links of one entry; pictures come first in it."""
    if not frames:
        return NO_STILL
    first = frames[0]
    if first.has_picture:
        return Still(first.thumb_url, "")
    return Still("", "deleted" if first.purged_at is not None else _WHY.get(first.state, "no video"))
