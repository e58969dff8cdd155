"""Writes down who looked at which picture. Whole pictures at once; the thumbnails of a list together, seconds later."""

from __future__ import annotations

import atexit
import threading
from collections import defaultdict

import structlog

from bposite.cameras.actions import Viewing, record_views
from bposite.cameras.actions.views import How
from bposite.cameras.queries import FrameInfo
from bposite.journal.work import Actor, unit_of_work
from bposite.people.access import current_actor

log = structlog.get_logger(__name__)
FLUSH_S = 2.0
FORGET = 4096


def note_seen(info: FrameInfo, how: How, why: str = "") -> None:
    """A fact before the picture leaves the house."""
    with unit_of_work(current_actor()) as work:
        record_views(work, [Viewing(info.id, info.position, how)], why)


class ThumbnailLog:
    """Collects the thumbnails that people's lists load and writes one fact a person every two seconds.

    The same thumbnail for the same person counts once an hour's worth of looking (until it is forgotten).
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[Actor, list[Viewing]] = defaultdict(list)
        self._known: dict[tuple[str, str], None] = {}
        self._timer: threading.Timer | None = None

    def note(self, info: FrameInfo) -> None:
        """Somebody's list shows this thumbnail."""
        actor = current_actor()
        key = (actor.id, info.id)
        with self._lock:
            if key in self._known:
                return
            self._known[key] = None
            if len(self._known) > FORGET:
                del self._known[next(iter(self._known))]
            self._waiting[actor].append(Viewing(info.id, info.position, "thumbnail"))
            if self._timer is None:
                self._timer = threading.Timer(FLUSH_S, self.flush)
                self._timer.daemon = True
                self._timer.start()

    def flush(self) -> None:
        """Write what has been collected."""
        with self._lock:
            waiting, self._waiting, self._timer = self._waiting, defaultdict(list), None
        for actor, seen in waiting.items():
            try:
                with unit_of_work(actor) as work:
                    record_views(work, seen, "list")
            except Exception as error:  # the edge of a timer thread: there is nobody above it
                log.error("cameras:views:unwritten", count=len(seen), exc_info=error)


thumbnails = ThumbnailLog()
atexit.register(thumbnails.flush)
