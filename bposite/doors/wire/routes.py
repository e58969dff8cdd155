"""Which adapter reads which message: the plan's foreign devices, by topic.

A row of the plan names an adapter (``kind``) and its options. ``topic`` is the MQTT filter
that its messages come on. A device that pushes over HTTP or is asked in process has none: its
messages come under ``push/<device>/...``, which is no topic of the broker. A bridge that
speaks for many devices has the option ``names: own``: the messages name them.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from ipaddress import ip_network
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from bposite.doors.events import Delivery, DeviceConfig, Rejection, Translation
from bposite.doors.wire import native
from bposite.doors.wire.adapters.registry import ADAPTERS, translate
from bposite.doors.wire.topics import ROOT, is_slug

NATIVE = "native"
OUTWARD = ("onvif-out", "home-assistant")
"""Kinds of the plan that send nothing: systems that are told what happens at the doors."""
PUSH = "push"
_INPUT = re.compile(r"(input|switch|binary_sensor):[A-Za-z0-9_-]{1,40}")
_PREFIX = re.compile(r"[A-Za-z0-9_-]{1,40}(/[A-Za-z0-9_-]{1,40}){0,4}")
_MEANING = re.compile(r"(contact|contact-inverted|rex):[a-z0-9-]{1,40}")
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "names": ("own", "plan"),
    "direction": ("in", "out"),
    "card_format": ("number", "wiegand26", "wiegand26-decimal", "uid"),
}
_FREE = ("topic", "base", "door", "serial", "network", "address", "push_generation", "prefix", "discovery")
"""Options with any text: ``base`` of Zigbee2MQTT; ``serial``, ``network`` and ``push_generation`` of
devices that push over HTTP; ``address`` of controllers that are asked over the network; ``prefix``
and ``discovery`` of systems that are told (see ``OUTWARD``)."""

OPTIONS = (*_CHOICES, *_FREE)
"""Every option but the inputs."""


class OptionError(ValueError):
    """An option of a device that nobody can follow. The text says which and why."""


class Route(Struct, frozen=True):
    """One way to an adapter; ``subscribe`` False: not by the broker."""

    filter: str
    config: DeviceConfig
    subscribe: bool = True


def routes_of(device: str, config: DeviceConfig) -> tuple[Route, ...]:
    """The ways to a planned device: what it pushes, and its topic on the broker when it has one."""
    pushed = Route(f"{PUSH}/{device}/#", config, subscribe=False)
    topic = config.options.get("topic")
    return (pushed, Route(topic, config)) if topic else (pushed,)


def push_topic(device: str, path: str) -> str:
    """Where a message of a device that pushes is filed; ``path`` may end in a query."""
    return f"{PUSH}/{device}/{path.lstrip('/')}"


def configuration(
    site: str,
    device: str,
    kind: str,
    card_ref: Callable[[str], str],
    zone: str = "",
    options: Mapping[str, str] | None = None,
) -> DeviceConfig:
    """The configuration of a planned device; OptionError for one that makes no sense."""
    if kind not in ADAPTERS and kind not in OUTWARD:
        raise OptionError(f"there is no kind {kind!r}; there are {', '.join(sorted((*ADAPTERS, *OUTWARD)))}")
    given = dict(options or {})
    inputs = {name: given.pop(name) for name in list(given) if _INPUT.fullmatch(name)}
    for name, meaning in inputs.items():
        if not _MEANING.fullmatch(meaning):
            raise OptionError(f"{name} has to be contact:DOOR, contact-inverted:DOOR or rex:DOOR")
    _check(given)
    return DeviceConfig(
        adapter=kind,
        site=site,
        card_ref=card_ref,
        device=None if given.get("names") == "own" else device,
        zone=_zone(zone),
        door=given.get("door"),
        direction=given.get("direction"),  # type: ignore[arg-type]  # one of its two choices
        inputs=inputs,
        options=given,
    )


def _check(options: Mapping[str, str]) -> None:
    for name, value in options.items():
        if name in _CHOICES and value not in _CHOICES[name]:
            raise OptionError(f"{name} has to be one of {', '.join(_CHOICES[name])}")
        if name not in _CHOICES and name not in _FREE:
            raise OptionError(f"there is no option {name!r}")
    if "network" in options:
        _check_network(options["network"])
    for name in ("prefix", "discovery"):
        if name in options and not _PREFIX.fullmatch(options[name]):
            raise OptionError(f"{name} is not the beginning of a topic")
    if "door" in options and not is_slug(options["door"]):
        raise OptionError("door is not an id")
    if "topic" in options:
        _check_filter(options["topic"])


def _check_filter(text: str) -> None:
    levels = text.split("/")
    bad = any(("+" in level or "#" in level) and len(level) > 1 for level in levels) or "#" in levels[:-1]
    if not text or bad or len(text) > 400 or text.startswith("$"):
        raise OptionError("topic is not an MQTT filter")
    if levels[0] in ("+", "#", ROOT.partition("/")[0], PUSH):
        raise OptionError(f"topic may not cover {ROOT}, where native devices speak, nor begin with {PUSH}")


def _check_network(text: str) -> None:
    try:
        ip_network(text, strict=False)
    except ValueError:
        raise OptionError("network is not one such as 192.0.2.0/24") from None


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise OptionError(f"there is no time zone {name!r}") from None


def matches(filter_: str, topic: str) -> bool:
    """Whether an MQTT filter covers a topic (MQTT 3.1.1, 4.7)."""
    wanted, levels = filter_.split("/"), topic.split("/")
    if topic.startswith("$") and wanted[0] in ("+", "#"):
        return False
    for at, level in enumerate(wanted):
        if level == "#":
            return True
        if at >= len(levels) or level not in ("+", levels[at]):
            return False
    return len(wanted) == len(levels)


class Routes:
    """The way of every topic to its adapter; immutable, made anew when the plan changes."""

    def __init__(self, native_config: DeviceConfig, routes: Iterable[Route] = ()) -> None:
        self._native = native_config
        self._routes = tuple(routes)

    @property
    def filters(self) -> tuple[str, ...]:
        """The topic filters of foreign sources, to subscribe to."""
        return tuple(dict.fromkeys(route.filter for route in self._routes if route.subscribe))

    def translate(self, delivery: Delivery) -> Translation:
        """A message by the adapter of its topic; of overlapping filters the first counts."""
        if delivery.topic.startswith(ROOT):
            return native.translate(delivery, self._native)
        for route in self._routes:
            if matches(route.filter, delivery.topic):
                return translate(delivery, route.config)
        return Translation(rejections=(Rejection("unknown-topic", "no device of the plan speaks here"),))
