"""The native topics: ``bposite/v1/{site}/{device}/...`` read and written."""

import re
from functools import lru_cache
from typing import Literal

from msgspec import Struct

from bposite.doors.events import COMMANDS
from bposite.doors.reasons import CLASSES
from bposite.doors.wire.strict import MalformedError

ROOT = "bposite/v1"
SLUG = re.compile(r"[a-z0-9-]{1,40}")
_FACET = re.compile(r"[a-z0-9-]{1,40}(/[a-z0-9-]{1,40})?")
Kind = Literal["evt", "state", "req", "res", "ours"]

OURS = ("rsp", "ack", "cmd", "cfg")
"""The first word of topics that only the site publishes."""


class Topic(Struct, frozen=True, gc=False):
    """A native topic. ``name``: the class, facet, request or command.
    ``source`` and ``type`` are what a CloudEvents envelope on it has to say."""

    site: str
    device: str
    kind: Kind
    name: str
    source: str
    type: str


@lru_cache(maxsize=4096)
def is_slug(text: str) -> bool:
    """Whether a text is an id of the contract: 1 to 40 of ``a-z 0-9 -`` (ASCII only)."""
    return SLUG.fullmatch(text) is not None


@lru_cache(maxsize=8192)
def parse_topic(topic: str) -> Topic:
    """A native topic in parts; raises MalformedError for one the contract does not know."""
    parts = topic.split("/", 5)
    if len(parts) != 6 and not (len(parts) == 5 and parts[4] == "ack"):
        raise MalformedError("unknown-topic", "not a topic of the contract")
    site, device, word = parts[2], parts[3], parts[4]
    if f"{parts[0]}/{parts[1]}" != ROOT or not is_slug(site) or not is_slug(device):
        raise MalformedError("unknown-topic", "not a topic of the contract")
    kind, name = _kind(word, parts[5] if len(parts) == 6 else "")
    return Topic(site, device, kind, name, f"/{site}/{device}", f"in.bposite.{name}.v1")


def _kind(word: str, name: str) -> tuple[Kind, str]:
    if word == "evt":
        if name not in CLASSES:
            raise MalformedError("unknown-class", "no such class of events")
        return "evt", name
    if word == "state" and _FACET.fullmatch(name):
        return "state", name
    if word == "req" and name == "access":
        return "req", name
    if word == "res" and name in COMMANDS:
        return "res", name
    if word in OURS:
        return "ours", word
    raise MalformedError("unknown-topic", "not a topic of the contract")


def device_topic(site: str, device: str, *words: str) -> str:
    """A topic of one device: ``device_topic("pune-1", "ctl-a", "cmd", "unlock")``."""
    return "/".join((ROOT, site, device, *words))


def subscriptions(site: str) -> tuple[str, ...]:
    """The filters a listener of a site subscribes to (QoS 1)."""
    return tuple(f"{ROOT}/{site}/+/{word}/#" for word in ("evt", "state", "req", "res"))
