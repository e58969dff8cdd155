"""Tasmota readers (sources: xsns_82_wiegand, xsns_40_pn532, xsns_51_rdm6300, xsns_107_gm861).

``tele/<device>/SENSOR`` (or ``<device>/tele/SENSOR``) with a local ``Time`` without zone.
A tag lying on a PN532 repeats every two seconds. Wiegand: UID has the data bits without
parity, decimal or hexadecimal with an ``h`` behind it; 4 and 8 bits are keys of a keypad,
in clear text; **a parity error is published as UID 0**, so 0 is never looked up. The GM861
code is put into the JSON unescaped: a quote in it makes the message unreadable.
"""

from collections.abc import Callable, Mapping

from bposite.doors.events import Credential, Delivery, DeviceConfig, Ignored, Incoming, Translation
from bposite.doors.wire import cards, fields
from bposite.doors.wire.fields import Doc
from bposite.doors.wire.foreign import Source, adapter, one, online, plain_text, slug
from bposite.doors.wire.strict import MalformedError, parse
from bposite.doors.wire.times import local
from bposite.doors.wire.wiegand import from_data

NAME = "tasmota/1"
_ROLES = ("tele", "stat", "cmnd")
_SECRETS = frozenset({"UID", "Code", "DATA", "Data", "Key"})


@adapter
def translate(delivery: Delivery, config: DeviceConfig) -> Translation:
    """A message of a Tasmota device."""
    parts = delivery.topic.split("/")
    role = next((part for part in parts if part in _ROLES), None)
    if role is None or len(parts) < 3:
        raise MalformedError("unknown-topic", "not a Tasmota topic")
    parts.remove(role)
    device, word = slug("/".join(parts[:-1])), parts[-1]
    if role == "cmnd":
        return one(Ignored(device=config.device or device, why="own-message"))
    if word == "LWT":
        return one(Source(delivery, config, NAME, device).link(online(plain_text(delivery)), "lwt"))
    if word not in ("SENSOR", "STATE", "RESULT", "STATUS8", "STATUS10"):
        return one(Ignored(device=config.device or device, why="no-news"))
    doc = fields.mapping(parse(delivery.payload))
    time = fields.text(doc, "Time", 40)
    moment = local(time, config.zone, delivery.received_at) if time else None
    return _sensor(Source(delivery, config, NAME, device, moment, repeats=True), doc)


def _sensor(source: Source, doc: Doc) -> Translation:
    items: list[Incoming] = []
    for name, value in doc.items():
        read = _READERS.get(name)
        if read is not None:
            items.append(read(source, fields.mapping(value, name)))
        elif name.startswith("Switch") and isinstance(value, str):
            items.extend(source.input(f"switch:{name[6:] or '1'}", value.upper() == "ON"))
    if not items:
        return one(source.link(True, "heartbeat"))
    return Translation(tuple(items), (), fields.encoded(fields.redacted(doc, _SECRETS)))


def _wiegand(source: Source, doc: Doc) -> Incoming:
    size = fields.sequence(doc, "Size") or 0
    if size in (4, 8):
        return source.read("keypad", credential=Credential(type="pin", bits=size))
    uid = _uid(doc)
    if uid == 0:
        return source.read("read-error", error="read-error", credential=Credential(type="card", bits=size))
    return source.read("credential-read", credential=cards.from_read(source.config, from_data(uid, size)))


def _uid(doc: Doc) -> int:
    """Decimal as a number or a text, hexadecimal with an ``h`` behind it."""
    value = fields.required_text(doc, "UID", 40)
    digits, base = (value[:-1], 16) if value[-1] in "hH" else (value, 10)
    try:
        if not digits.isascii() or not digits.isalnum():
            raise ValueError
        return int(digits, base)
    except ValueError:
        raise MalformedError("bad-value", "UID is not a number") from None


def _serial_number(source: Source, doc: Doc) -> Incoming:
    uid = fields.required_text(doc, "UID", 64)
    if not uid.strip("0"):
        return source.read("read-error", error="read-error", credential=Credential(type="card"))
    return source.read("credential-read", credential=cards.from_uid(source.config, uid, "iso14443a"))


def _rdm6300(source: Source, doc: Doc) -> Incoming:
    uid = fields.required_text(doc, "UID", 64)
    if not uid.strip("0"):
        return source.read("read-error", error="read-error", credential=Credential(type="card"))
    return source.read("credential-read", credential=cards.from_uid(source.config, uid, "em4100"))


def _barcode(source: Source, doc: Doc) -> Incoming:
    code = fields.required_text(doc, "Code", 512)
    return source.read("credential-read", credential=cards.from_code(source.config, code))


_READERS: Mapping[str, Callable[[Source, Doc], Incoming]] = {
    "Wiegand": _wiegand,
    "PN532": _serial_number,
    "RC522": _serial_number,
    "MFRC522": _serial_number,
    "RDM6300": _rdm6300,
    "GWIOT": _rdm6300,
    "GM861": _barcode,
}
