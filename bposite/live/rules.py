"""What the live stream carries: topics, who may hear them, and the few fields of a fact that go out. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from bposite.people.rules import Permission


@dataclass(frozen=True, slots=True)
class Topic:
    """``prefixes``: kinds of facts that belong to it; ``fields``: what of their data goes out, nothing else does."""

    name: str
    permission: Permission
    prefixes: tuple[str, ...]
    fields: tuple[str, ...] = ()


_ALL = (
    Topic(
        "entries",
        "entries:read",
        ("doors:entry:",),
        ("cls", "decision", "door", "direction", "zone", "reason", "late", "time", "time_used", "notable"),
    ),
    Topic("alarms", "doors:read", ("doors:alarm:",), ("severity", "kind", "door", "device", "state", "live")),
    Topic(
        "doors",
        "doors:read",
        ("doors:door:", "doors:device:", "doors:command:", "doors:lockdown:", "doors:plan:"),
        ("door", "device", "state", "mode"),
    ),
    Topic("visits", "visits:read", ("visits:", "passes:"), ("visit", "state", "event", "target")),
    Topic(
        "cameras",
        "cameras:read",
        # not "cameras:pictures:", the record of each look at a picture: looking would then tell of itself for ever
        ("cameras:camera:", "cameras:frame:", "cameras:link:"),
        ("camera", "state", "door", "entry", "event", "position", "status", "health"),
    ),
    Topic("cleandesk", "cleandesk:read", ("cleandesk:",), ("round", "finding", "state")),
    Topic("rollcall", "rollcall:run", ("live:rollcall:",), ("rollcall", "safe", "missing", "total")),
)
TOPICS = {topic.name: topic for topic in _ALL}
RECHECK_PREFIXES = ("people:session:", "people:user:", "people:token:")
"""After such a fact every open stream asks again whether its listener may still listen."""


def topic_of(kind: str) -> Topic | None:
    """The topic a fact of ``kind`` is told under; None when nobody is told."""
    for topic in _ALL:
        if kind.startswith(topic.prefixes):
            return topic
    return None


def prefixes_of(names: Iterable[str]) -> tuple[str, ...]:
    """The kinds to read from the journal for some topics."""
    return tuple(prefix for name in names for prefix in TOPICS[name].prefixes)


def frame(seq: int, topic: Topic, kind: str, subject: str | None, data: Any) -> bytes:
    """One server-sent event: id is the journal number, event the topic, data a small JSON object.

    A fact whose content was erased still goes out, without fields.
    """
    told: dict[str, Any] = {"kind": kind, "subject": subject}
    if isinstance(data, dict):
        told |= {name: data[name] for name in topic.fields if isinstance(data.get(name), str | int | bool)}
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (seq, topic.name.encode(), msgspec.json.encode(told))


def signal(name: str, data: dict[str, Any], seq: int | None = None) -> bytes:
    """An event of the stream itself (``resync``, ``beat``, ``end``); ``seq`` moves the place to resume from."""
    head = b"" if seq is None else b"id: %d\n" % seq
    return head + b"event: %b\ndata: %b\n\n" % (name.encode(), msgspec.json.encode(data))


def last_event_id(text: str | None) -> int | None:
    """The journal number a browser wants to go on after; None when it sends none, or nonsense."""
    if text is None or not 0 < len(text) <= 18 or not (text.isascii() and text.isdigit()):
        return None
    return int(text)


# --- the roll call ---------------------------------------------------------------------------------------------------

TICK_STATES = ("safe", "missing", "unknown")
MEMBER_KINDS = ("staff", "visitor", "stranger")
STALE_AFTER = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark for one person: ``unknown`` takes an earlier mark back. ``at``: when the marshal pressed."""

    state: str
    at: datetime
    by: str


def standing(ticks: Iterable[Tick]) -> Tick | None:
    """What is known of one person from all marshals' marks: the latest pressed counts, and of two at once "safe".

    Phones send when they can, so the order of arrival means nothing. None: nobody has marked this person.
    """
    order = {state: rank for rank, state in enumerate(("unknown", "missing", "safe"))}
    return max(ticks, key=lambda tick: (tick.at, order[tick.state]), default=None)


def pressed_at(told: datetime | None, received: datetime, started: datetime) -> datetime:
    """When a mark was made: what the phone says, within the time that it can have been."""
    return received if told is None else min(max(told, started), received)
