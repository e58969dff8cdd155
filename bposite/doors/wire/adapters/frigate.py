"""Frigate: hints that a camera saw a person; never an entry, only a pointer in time.

``frigate/available``, ``frigate/events`` and ``frigate/reviews`` (JSON ``type, before,
after``, epoch seconds). Only the beginning of a person's track is a hint.
"""

from bposite.doors.events import Delivery, DeviceConfig, Ignored, Incoming, Translation
from bposite.doors.wire import fields
from bposite.doors.wire.foreign import Source, adapter, one, online, plain_text, slug
from bposite.doors.wire.strict import MalformedError, parse
from bposite.doors.wire.times import epoch

NAME = "frigate/1"


@adapter
def translate(delivery: Delivery, config: DeviceConfig) -> Translation:
    """A message below Frigate's topic prefix."""
    prefix, _, word = delivery.topic.partition("/")
    if word == "available":
        return one(Source(delivery, config, NAME, slug(prefix)).link(online(plain_text(delivery))))
    if word in ("events", "reviews"):
        return one(_hint(delivery, config, prefix))
    if not word:
        raise MalformedError("unknown-topic", "not below Frigate's prefix")
    return one(Ignored(device=config.device, why="heartbeat" if word == "stats" else "no-news"))


def _hint(delivery: Delivery, config: DeviceConfig, prefix: str) -> Incoming:
    doc = fields.mapping(parse(delivery.payload))
    after = fields.child(doc, "after")
    objects = fields.child(after, "data").get("objects")
    is_person = after.get("label") == "person" or (isinstance(objects, list) and "person" in objects)
    if doc.get("type") != "new" or not is_person or after.get("false_positive") is True:
        return Ignored(device=config.device, why="no-news")
    start = after.get("start_time")
    if isinstance(start, bool) or not isinstance(start, int | float):
        raise MalformedError("bad-shape", "start_time is not a number")
    key = fields.required_text(after, "id", 120)
    source = Source(delivery, config, NAME, slug(prefix), epoch(start), key=key)
    return source.read("person-seen", reader=fields.text(after, "camera"))
