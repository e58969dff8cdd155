"""Axis: ONVIF events in the envelope of the device's own MQTT event bridge.

``axis/<serial>/event/tns:onvif/<event topic>/$source/...`` with ``{timestamp (milliseconds),
topic ("onvif:..." or "axis:..."), serial, message: {source, key, data}}``. The serial in the
topic and in the payload have to agree. On Axis CredentialHolderName is a token, not a name.
"""

from bposite.doors.events import Delivery, DeviceConfig, Ignored, Translation
from bposite.doors.wire import fields
from bposite.doors.wire.adapters.onvif import notification
from bposite.doors.wire.foreign import Source, adapter, one, online, plain_text, slug
from bposite.doors.wire.strict import MalformedError, parse
from bposite.doors.wire.times import Moment, epoch

NAME = "axis/1"


@adapter
def translate(delivery: Delivery, config: DeviceConfig) -> Translation:
    """A message of the MQTT event bridge."""
    parts = delivery.topic.split("/")
    if len(parts) < 3 or "event" not in parts:
        return _connection(delivery, config, parts)
    serial = parts[parts.index("event") - 1]
    doc = fields.mapping(parse(delivery.payload))
    told = fields.text(doc, "serial")
    if told is not None and told.upper() != serial.upper():
        raise MalformedError("spoofing", "topic and payload name different devices")
    source = Source(delivery, config, NAME, slug(f"axis-{serial}"), _moment(doc))
    namespace, _, topic = fields.required_text(doc, "topic").partition(":")
    message = fields.child(doc, "message")
    if namespace not in ("onvif", "tns1"):
        return one(Ignored(device=source.device, why="no-news"))
    keys, data = fields.child(message, "source"), fields.child(message, "data")
    secret = {"IdentifierValue"}
    evidence = fields.encoded(fields.redacted(doc, secret)) if secret & set(data) else None
    return one(notification(source, topic, keys, data), evidence)


def _moment(doc: fields.Doc) -> Moment | None:
    stamp = fields.integer(doc, "timestamp")
    return epoch(stamp / 1000) if stamp is not None else None


def _connection(delivery: Delivery, config: DeviceConfig, parts: list[str]) -> Translation:
    """The connect and disconnect messages that an administrator may switch on."""
    if parts[-1] not in ("connection", "connect", "disconnect", "status", "lwt"):
        raise MalformedError("unknown-topic", "not a topic of the event bridge")
    text = plain_text(delivery)
    if text.startswith("{"):
        doc = fields.mapping(parse(delivery.payload))
        text = fields.text(doc, "connected") or fields.text(doc, "status") or ""
    source = Source(delivery, config, NAME, slug(f"axis-{parts[-2]}" if len(parts) > 1 else "axis"))
    return one(source.link(online(text)))
