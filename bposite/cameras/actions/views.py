"""Every look at a picture is a fact: who saw which picture, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from bposite.journal.work import Work

How = Literal["thumbnail", "picture", "clip", "frame", "original", "download"]


class Viewing(msgspec.Struct, frozen=True):
    """One look: link `link_id` of entry `position`, seen as `how`."""

    link_id: str
    position: int
    how: How


def record_views(work: Work, seen: Sequence[Viewing], why: str = "") -> None:
    """One fact for everything that one person saw at once. `why`: the page, or the reason that was given."""
    if not seen:
        return
    data = {"why": why, "links": [[view.link_id, view.position, view.how] for view in seen]}
    subject = seen[0].link_id if len(seen) == 1 else f"{len(seen)} pictures"
    work.record("cameras:pictures:viewed", subject=subject, data=data)
