"""The live stream: every fact once and in order, resume, caps, permissions, and an end at sign-out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from bposite.journal.queries import size
from bposite.journal.work import Actor, unit_of_work
from bposite.live import stream
from bposite.live.rules import frame, last_event_id, topic_of
from bposite.live.stream import Hub, Listener, TooManyStreamsError
from bposite.people import access
from bposite.people.actions import end_session
from bposite.people.queries import identity_of_session
from bposite.plumbing.clock import now
from bposite.plumbing.db import reading
from tests.people.signing import make_account, nobody, session_of, signed_in

CAPS = (10, 5)


def record(kind: str, **data: object) -> None:
    """One fact in the journal."""
    with unit_of_work(Actor.system("tests")) as work:
        work.record(kind, subject="it", data=data)


def yes() -> bool:
    """Allowed, for ever."""
    return True


def no() -> bool:
    """Not gone."""
    return False


@pytest.fixture
def hub() -> Iterator[Hub]:
    """A hub of its own, closed at the end."""
    one = Hub()
    yield one
    one.close()


def join(hub: Hub, *topics: str, owner: str = "u", allowed: Callable[[], bool] = yes) -> Listener:
    """A listener."""
    return hub.join(owner, frozenset(topics), caps=CAPS, allowed=allowed, gone=no)


def read(chunks: Iterator[bytes], until: bytes) -> list[bytes]:
    """What comes, up to the chunk that holds ``until``."""
    got = []
    for chunk in chunks:
        got.append(chunk)
        if until in chunk:
            return got
    raise AssertionError(f"{until!r} never came: {got}")


def test_facts_arrive_in_order_and_only_of_the_topics(site: Flask, hub: Hub) -> None:
    listener = join(hub, "entries")
    chunks = listener.chunks(None)
    next(chunks)
    record("doors:entry:recorded", door="floor-a", decision="granted", secret={"deep": 1})
    record("cameras:camera:failed", camera="c1")
    record("doors:entry:recorded", door="floor-b", decision="denied")
    got = read(chunks, b"floor-b")
    assert [b"floor-a" in chunk for chunk in got] == [True, False]
    assert got[0].startswith(b"id: 0\nevent: entries\ndata: {")
    assert b"secret" not in got[0]
    chunks.close()  # type: ignore[attr-defined]  # a generator
    assert hub.count() == 0


def test_resume_gives_what_was_missed_and_nothing_twice(site: Flask, hub: Hub) -> None:
    for number in range(5):
        record("doors:entry:recorded", door=f"d{number}")
    listener = join(hub, "entries")
    chunks = listener.chunks(2)
    next(chunks)
    record("doors:entry:recorded", door="d5")
    got = read(chunks, b"d5")
    assert [chunk.split(b"\n")[0] for chunk in got] == [b"id: 3", b"id: 4", b"id: 5"]
    chunks.close()  # type: ignore[attr-defined]


def test_who_was_away_too_long_is_told_to_fetch_again(site: Flask, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "BACKLOG", 3)
    for number in range(6):
        record("doors:entry:recorded", door=f"d{number}")
    chunks = join(hub, "entries").chunks(0)
    next(chunks)
    assert b"event: resync" in next(chunks)
    chunks.close()  # type: ignore[attr-defined]


def test_a_slow_listener_loses_its_queue_not_the_others(site: Flask, hub: Hub) -> None:
    slow = join(hub, "entries")
    for number in range(stream.QUEUE + 1):
        slow.offer(b"x", number)
    assert slow.queue.qsize() == 1
    item = slow.queue.get_nowait()
    assert item is not None
    assert b"event: resync" in item


def test_caps_hold_and_a_place_given_back_is_free(site: Flask, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "NUDGE", 0.05)
    mine = [join(hub, "entries") for _ in range(CAPS[1])]
    with pytest.raises(TooManyStreamsError) as caught:
        join(hub, "entries")
    assert caught.value.whose == "person"
    mine[0].close()
    mine[0].close()
    join(hub, "entries")
    for number in range(CAPS[0] - CAPS[1]):
        join(hub, "entries", owner=f"o{number}")
    with pytest.raises(TooManyStreamsError) as caught:
        join(hub, "entries", owner="another")
    assert caught.value.whose == "site"


def test_a_dead_stream_is_noticed_when_the_place_is_needed(site: Flask, hub: Hub) -> None:
    streams = [join(hub, "entries") for _ in range(CAPS[1])]
    dead = streams[0].chunks(None)
    next(dead)

    def serve() -> None:
        next(dead)  # the nudge arrives; writing it to a closed socket raises, and the server closes the answer
        dead.close()  # type: ignore[attr-defined]

    thread = threading.Thread(target=serve)
    thread.start()
    join(hub, "entries")
    thread.join()


def test_the_reader_stops_when_nobody_listens(site: Flask, hub: Hub) -> None:
    listener = join(hub, "entries")
    thread = hub._thread
    assert thread is not None
    listener.close()
    thread.join(5)
    assert not thread.is_alive()
    again = join(hub, "entries")
    assert hub._thread is not None
    again.close()


def test_sign_out_ends_the_stream_at_once(site: Flask, hub: Hub) -> None:
    secret = session_of(make_account("guard"))
    with reading() as session:
        identity = identity_of_session(session, secret, now())
    assert identity is not None
    listener = join(hub, "entries", allowed=lambda: access.still_holds(identity, "entries:read"))
    chunks = listener.chunks(None)
    next(chunks)
    began = time.monotonic()
    with unit_of_work(Actor.system("tests")) as work:
        end_session(work, identity.session_id, "signed_out")
    read(chunks, b"event: end")
    assert time.monotonic() - began < stream.KEEP_ALIVE / 3
    assert list(chunks) == []


def test_silence_is_broken_by_a_keep_alive(site: Flask, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "KEEP_ALIVE", 0.05)
    monkeypatch.setattr(stream, "WAKE", 0.02)
    chunks = join(hub, "entries").chunks(None)
    next(chunks)
    assert next(chunks).startswith(b": keep-alive\n")
    chunks.close()  # type: ignore[attr-defined]


def test_each_topic_asks_for_its_own_permission(site: Flask) -> None:
    desk = signed_in(site, "reception")
    assert desk.get("/live/stream?topics=entries").status_code == 403
    assert desk.get("/live/stream?topics=visits,entries").status_code == 403
    assert desk.get("/live/stream?topics=nonsense").status_code == 422
    assert desk.get("/live/stream").status_code == 422
    assert nobody(site).get("/live/stream?topics=visits", headers={"Accept": "text/event-stream"}).status_code == 401


def test_over_http_the_answer_is_an_event_stream(site: Flask) -> None:
    desk = signed_in(site, "reception")
    answer = desk.get("/live/stream?topics=visits", buffered=False)
    assert answer.mimetype == "text/event-stream"
    assert answer.headers["Cache-Control"] == "no-store"
    first = next(iter(answer.response))
    assert b"event: beat" in first
    answer.close()
    assert stream.hub.count() == 0


def test_too_many_streams_are_refused_with_a_time_to_come_back(site: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "NUDGE", 0.01)
    desk = signed_in(site, "reception")
    held = [desk.get("/live/stream?topics=visits", buffered=False) for _ in range(6)]
    answer = desk.get("/live/stream?topics=visits")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    for one in held:
        one.close()


@pytest.mark.parametrize("text", ["", "x", "-1", "²", "١", "9" * 40, "1 "])
def test_a_wrong_last_event_id_is_no_id(text: str) -> None:
    assert last_event_id(text) is None


def test_an_erased_fact_goes_out_without_fields() -> None:
    topic = topic_of("doors:entry:recorded")
    assert topic is not None
    assert frame(7, topic, "doors:entry:recorded", None, None).startswith(b"id: 7\nevent: entries\n")


def test_the_journal_is_empty_at_first(site: Flask) -> None:
    with reading() as session:
        assert size(session) == 0
