"""Shelly Gen2 and later: JSON-RPC notifications on ``<id>/events/rpc`` and plain status topics.

A dry contact of such a device is a door sensor or an exit button; ``DeviceConfig.inputs``
says which (``input:0`` -> ``contact:DOOR`` | ``rex:DOOR``). NotifyStatus is an overlay: keys
that are absent have not changed. ``ts`` is epoch seconds in UTC, a few seconds right after a
start without time.
"""

from collections.abc import Iterator

from bposite.doors.events import Credential, Delivery, DeviceConfig, Ignored, Incoming, Translation
from bposite.doors.wire import fields
from bposite.doors.wire.fields import Doc
from bposite.doors.wire.foreign import Source, adapter, one, online, plain_text, slug
from bposite.doors.wire.strict import MalformedError, parse
from bposite.doors.wire.times import Moment, epoch

NAME = "shelly/1"
_PRESSED = ("btn_down", "single_push", "double_push", "triple_push", "long_push")


@adapter
def translate(delivery: Delivery, config: DeviceConfig) -> Translation:
    """A message of a Shelly device."""
    prefix, _, word = delivery.topic.rpartition("/")
    if word == "online" and prefix:
        return one(Source(delivery, config, NAME, slug(prefix)).link(online(plain_text(delivery))))
    prefix, found, component = delivery.topic.partition("/status/")
    if found:
        doc = fields.mapping(parse(delivery.payload))
        source = Source(delivery, config, NAME, slug(prefix), repeats=True)
        return _all(source, _component(source, component, doc))
    if not delivery.topic.endswith("/events/rpc"):
        raise MalformedError("unknown-topic", "not a topic of the device's notifications")
    return _notification(delivery, config, delivery.topic.removesuffix("/events/rpc"))


def _notification(delivery: Delivery, config: DeviceConfig, prefix: str) -> Translation:
    doc = fields.mapping(parse(delivery.payload))
    sender = fields.text(doc, "src") or prefix
    params = fields.child(doc, "params")
    source = Source(delivery, config, NAME, slug(sender), _stamp(params), repeats=True)
    method = fields.text(doc, "method", 40) or ""
    if method == "NotifyEvent":
        return _all(source, _events(source, params))
    if method == "NotifyFullStatus":
        return _all(source, _full(source, params))
    if method == "NotifyStatus":
        return _all(source, _status(source, params))
    return one(Ignored(device=source.device, why="no-news"))


def _all(source: Source, items: Iterator[Incoming]) -> Translation:
    found = tuple(items)
    return Translation(found) if found else one(Ignored(device=source.device, why="no-news"))


def _stamp(params: Doc) -> Moment | None:
    stamp = params.get("ts")
    return epoch(stamp) if isinstance(stamp, int | float) and not isinstance(stamp, bool) else None


def _full(source: Source, params: Doc) -> Iterator[Incoming]:
    """After a start: whether the clock runs, then every component."""
    system = fields.child(params, "sys")
    yield source.facet("status", {"time": fields.text(system, "time"), "uptime": fields.sequence(system, "uptime")})
    yield from _status(source, params)


def _status(source: Source, params: Doc) -> Iterator[Incoming]:
    for name, value in params.items():
        if isinstance(value, dict) and ":" in name:
            yield from _component(source, name, value)


def _component(source: Source, name: str, doc: Doc) -> Iterator[Incoming]:
    kind = name.partition(":")[0]
    if kind == "input" and isinstance(doc.get("state"), bool):
        yield from source.input(name, doc["state"])
    elif kind == "switch" and isinstance(doc.get("output"), bool):
        yield source.facet(name.replace(":", "/"), {"output": doc["output"], "source": fields.text(doc, "source", 40)})


def _events(source: Source, params: Doc) -> Iterator[Incoming]:
    """Presses of a button input; those of a mapped exit button are requests to exit."""
    events = params.get("events")
    if not isinstance(events, list):
        raise MalformedError("bad-shape", "events is not a list")
    for event in events[:64]:
        doc = fields.mapping(event, "an event")
        name, word = fields.text(doc, "component", 40) or "", fields.text(doc, "event", 40)
        meaning, _, door = source.config.inputs.get(name, "").partition(":")
        if meaning == "rex" and word in _PRESSED:
            rex = Credential(type="rex")
            yield source.access(
                "granted", "request-to-exit", door=door, direction="out", credential=rex, vendor_reason=word
            )
        elif name.startswith("input:"):
            yield source.facet(name.replace(":", "/"), {"event": word})
