"""Fan-out of the journal's tail to open browsers: one reader thread a process, one bounded queue a listener.

The reader runs while somebody listens. It looks at the journal's head every ``POLL`` seconds and reads only when the
head moved, so forty open screens cost the database no more than one. A listener that cannot follow loses its queue and
is told to fetch its page again (``resync``): nobody slows the others down.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from queue import Empty, Full, Queue
from time import monotonic

import structlog

from bposite.journal import queries as journal
from bposite.live.rules import RECHECK_PREFIXES, frame, prefixes_of, signal, topic_of
from bposite.plumbing.clock import now
from bposite.plumbing.db import reading
from bposite.plumbing.web import iso

POLL = 0.25
KEEP_ALIVE = 15.0
WAKE = 1.0  # how soon a closed browser is noticed
QUEUE = 1000
BACKLOG = 500
FAILED_PAUSE = 2.0
NUDGE = 1.5  # seconds that a new stream waits for dead ones of the same person to be noticed
log = structlog.get_logger(__name__)


class TooManyStreamsError(Exception):
    """The caps of the settings are reached; ``whose``: person | site."""

    def __init__(self, whose: str) -> None:
        super().__init__(whose)
        self.whose = whose


@dataclass(slots=True, eq=False)
class Listener:
    """One open stream. Items of ``queue``: frames to send, or None to look again whether all is still well."""

    hub: Hub
    owner: str
    topics: frozenset[str]
    allowed: Callable[[], bool]
    gone: Callable[[], bool]
    queue: Queue[bytes | None] = field(default_factory=lambda: Queue(QUEUE))
    position: int = -1

    def offer(self, item: bytes | None, seq: int) -> None:
        """Hand over one item; when the listener cannot follow, everything waiting becomes one ``resync``."""
        try:
            self.queue.put_nowait(item)
        except Full:
            self._drop_all()
            self.queue.put_nowait(signal("resync", {"why": "too much at once"}, seq))

    def _drop_all(self) -> None:
        try:
            while True:
                self.queue.get_nowait()
        except Empty:
            return

    def close(self) -> None:
        """Give the place back; closing twice is fine."""
        self.hub.leave(self)

    def chunks(self, after: int | None) -> Iterator[bytes]:
        """What the browser reads: first what it missed after number ``after``, then what comes, while it may."""
        try:
            yield b"retry: 2000\n" + signal("beat", {"at": iso(now())}, self.position if after is None else None)
            if after is not None:
                yield from self._missed(after)
            yield from self._coming()
        finally:
            self.close()

    def _missed(self, after: int) -> Iterator[bytes]:
        with reading() as session:
            facts = journal.tail(session, after, prefixes_of(self.topics), limit=BACKLOG + 1)
        facts = [fact for fact in facts if fact.seq <= self.position]
        if len(facts) > BACKLOG or after > self.position:
            yield signal("resync", {"why": "away too long"}, self.position)
            return
        for fact in facts:
            topic = topic_of(fact.kind)
            if topic is not None:
                yield frame(fact.seq, topic, fact.kind, fact.subject, fact.data)

    def _coming(self) -> Iterator[bytes]:
        spoke = monotonic()
        while not self.hub.closing:
            try:
                item = self.queue.get(timeout=WAKE)
            except Empty:
                if self.gone():
                    return
                if monotonic() - spoke < KEEP_ALIVE:
                    continue
                item = None
            if item is None:
                if not self.allowed():
                    yield signal("end", {"why": "signed out"})
                    return
                item = b": keep-alive\n" + signal("beat", {"at": iso(now())})
            yield item
            spoke = monotonic()


class Hub:
    """All listeners of this process and the one thread that reads for them."""

    def __init__(self) -> None:
        self.closing = False
        self._change = threading.Condition()
        self._listeners: list[Listener] = []
        self._thread: threading.Thread | None = None
        self._position = -1

    def join(
        self,
        owner: str,
        topics: frozenset[str],
        *,
        caps: tuple[int, int],
        allowed: Callable[[], bool],
        gone: Callable[[], bool],
    ) -> Listener:
        """A new listener for ``owner``. ``caps``: streams at most (overall, of one owner).

        ``allowed`` says whether the listener may still listen, ``gone`` whether the browser has left.
        TooManyStreamsError when a cap is reached and no dead stream frees a place in time.
        """
        with self._change:
            for listener in self._listeners:
                if listener.owner == owner and len(self._of(owner)) >= caps[1]:
                    listener.offer(None, self._position)
            if not self._change.wait_for(lambda: len(self._of(owner)) < caps[1], NUDGE):
                raise TooManyStreamsError("person")
            if len(self._listeners) >= caps[0]:
                raise TooManyStreamsError("site")
            if self._thread is None:
                self._begin()
            listener = Listener(self, owner, topics, allowed, gone, position=self._position)
            self._listeners.append(listener)
            return listener

    def _of(self, owner: str) -> list[Listener]:
        return [listener for listener in self._listeners if listener.owner == owner]

    def leave(self, listener: Listener) -> None:
        """Forget a listener; the reader stops by itself when it was the last."""
        with self._change:
            if listener in self._listeners:
                self._listeners.remove(listener)
            self._change.notify_all()

    def count(self) -> int:
        """How many streams are open."""
        with self._change:
            return len(self._listeners)

    def close(self) -> None:
        """End all streams, at the end of the process."""
        self.closing = True
        with self._change:
            thread = self._thread
            self._change.notify_all()
        if thread is not None:
            thread.join(FAILED_PAUSE + 1)

    def _begin(self) -> None:
        with reading() as session:
            self._position = journal.size(session) - 1
        self._thread = threading.Thread(target=self._run, name="live-stream", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        pause = POLL
        while True:
            with self._change:
                self._change.wait_for(lambda: self.closing or not self._listeners, pause)
                if self.closing or not self._listeners:
                    self._thread = None
                    return
            try:
                self._read()
                pause = POLL
            except Exception as error:  # the edge of a thread that must outlive whatever a read throws
                log.error("live:stream:failed", exc_info=error)
                pause = FAILED_PAUSE

    def _read(self) -> None:
        with reading() as session:
            if journal.size(session) - 1 <= self._position:
                return
            facts = journal.tail(session, self._position)
        for fact in facts:
            topic = topic_of(fact.kind)
            sent = None if topic is None else frame(fact.seq, topic, fact.kind, fact.subject, fact.data)
            self._tell(fact.seq, topic.name if topic else "", sent, fact.kind.startswith(RECHECK_PREFIXES))

    def _tell(self, seq: int, topic: str, sent: bytes | None, recheck: bool) -> None:
        with self._change:
            self._position = seq
            for listener in self._listeners:
                if recheck or (sent is not None and topic in listener.topics):
                    listener.offer(None if recheck else sent, seq)


hub = Hub()
