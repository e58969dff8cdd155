"""ESPHome over MQTT: topics and payloads are whatever the author of the YAML wrote.

Understood: ``<node>/status`` (online, offline), the default state topics
``<node>/<component>/<name>/state``, JSON with ``uid`` or ``tag``, and, for everything else, a
bare tag number or serial number (``on_tag: mqtt.publish`` of rdm6300, pn532, rc522, wiegand).
Options: ``card_format`` (see ``wire.cards``).
"""

import re

from bposite.doors.events import Credential, Delivery, DeviceConfig, Incoming, Translation
from bposite.doors.wire import cards, fields
from bposite.doors.wire.foreign import Source, adapter, one, online, plain_text, slug
from bposite.doors.wire.strict import MalformedError, parse

NAME = "esphome/1"
_DECIMAL = re.compile(r"[0-9]{1,20}")
_SERIAL = re.compile(r"[0-9A-Fa-f]{2}([-: ]?[0-9A-Fa-f]{2}){3,9}")
_LOCKS = {"LOCKED": "door-locked", "UNLOCKED": "door-unlocked"}


@adapter
def translate(delivery: Delivery, config: DeviceConfig) -> Translation:
    """A message of an ESPHome node."""
    parts = delivery.topic.strip("/").split("/")
    source = Source(delivery, config, NAME, slug(parts[0]), repeats=True)
    text = plain_text(delivery)
    if parts[-1] == "status":
        return one(source.link(online(text)))
    if len(parts) >= 4 and parts[-1] == "state":
        return Translation(_state(source, parts[-3], parts[-2], text))
    if text.startswith("{"):
        doc = fields.mapping(parse(delivery.payload))
        number = fields.text(doc, "uid") or fields.text(doc, "tag") or ""
        safe = fields.encoded(fields.redacted(doc, {"uid", "tag"}))
        return one(source.read("credential-read", credential=_tag(config, number)), safe)
    return one(source.read("credential-read", credential=_tag(config, text)), b"[redacted]")


def _state(source: Source, component: str, name: str, text: str) -> tuple[Incoming, ...]:
    if component == "binary_sensor" and text in ("ON", "OFF"):
        return tuple(source.input(f"binary_sensor:{name}", text == "ON"))
    if component == "lock" and text in _LOCKS:
        return (source.door(_LOCKS[text], door=None),)
    if component == "lock" and text == "JAMMED":
        return (source.alarm("door-jammed"),)
    return (source.facet(f"{slug(component)}/{slug(name)}", {"state": text[:200]}),)


def _tag(config: DeviceConfig, text: str) -> Credential:
    if _DECIMAL.fullmatch(text):
        return cards.from_number(config, text)
    if _SERIAL.fullmatch(text):
        return cards.from_uid(config, text)
    raise MalformedError("bad-value", "neither a tag number nor a serial number")
