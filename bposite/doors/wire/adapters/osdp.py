"""OSDP readers in process: events of ``libosdp`` as JSON (bytes in hexadecimal), and raw replies.

Events by number: 1 card, 2 keys, 4 status, 5 notification (PD status, secure channel). Raw
replies by code (SIA OSDP 2.2): 0x50 RAW, 0x51 FMT, 0x53 KEYPAD, 0x48 LSTATR, 0x49 ISTATR.
Card data is packed, first bit in the highest place. Keys typed are a PIN: only that somebody
typed is kept. Inputs: ``config.inputs`` names what ``input:0`` ... mean.
"""

from collections.abc import Callable, Mapping
from typing import Any

from bposite.doors.events import Credential, Delivery, DeviceConfig, Ignored, Incoming, Translation
from bposite.doors.wire import cards, fields
from bposite.doors.wire.fields import Doc
from bposite.doors.wire.foreign import Source, adapter
from bposite.doors.wire.strict import MalformedError, parse
from bposite.doors.wire.wiegand import MAX_BITS, packed

NAME = "osdp/1"
SECRETS = frozenset({"data_hex", "data", "payload_hex"})
_ASCII_CARD = 2


@adapter
def translate(delivery: Delivery, config: DeviceConfig) -> Translation:
    """An event of the control panel side of libosdp, or the payload of one raw reply."""
    doc = fields.mapping(parse(delivery.payload))
    address = fields.sequence(doc, "pd")
    source = Source(delivery, config, NAME, f"pd-{address}" if address is not None else "pd")
    items = _reply(source, doc) if "reply" in doc else _event(source, doc)
    safe = fields.redacted(doc, SECRETS)
    if "fields" in safe:
        safe["fields"] = fields.redacted(safe["fields"], SECRETS)
    return Translation(items, (), fields.encoded(safe) if safe != doc else None)


def _event(source: Source, doc: Doc) -> tuple[Incoming, ...]:
    read = _EVENTS.get(fields.sequence(doc, "event") or 0)
    if read is None:
        return (Ignored(device=source.device, why="no-news"),)
    return read(source, doc)


def _card(source: Source, doc: Doc) -> tuple[Incoming, ...]:
    data, bits = _bytes(doc, "data_hex"), fields.sequence(doc, "length") or 0
    return (_card_event(source, data, bits, fields.sequence(doc, "format") or 0, fields.text(doc, "reader_no", 10)),)


def _card_event(source: Source, data: bytes, bits: int, form: int, reader: str | None) -> Incoming:
    if form == _ASCII_CARD:
        shown = cards.from_uid(source.config, data.hex(), "ascii")
    else:
        shown = cards.from_read(source.config, packed(data, bits))
    if shown.parity_ok is False:
        return source.read("read-error", credential=shown, error="parity", reader=reader)
    return source.read("credential-read", credential=shown, reader=reader)


def _keys(source: Source, doc: Doc) -> tuple[Incoming, ...]:
    return (source.read("keypad", credential=Credential(type="pin"), reader=fields.text(doc, "reader_no", 10)),)


def _status(source: Source, doc: Doc) -> tuple[Incoming, ...]:
    """Types: 0 inputs, 1 outputs, 2 the reader itself (tamper, power), 3 readers attached to it."""
    report = list(_bytes(doc, "report_hex"))
    kind = fields.sequence(doc, "type") or 0
    if kind == 0:
        return _inputs(source, report)
    if kind == 2 and len(report) >= 2:
        return _local(source, report)
    return (source.facet("outputs" if kind == 1 else "remote", {"states": report}),)


def _inputs(source: Source, report: list[int]) -> tuple[Incoming, ...]:
    mapped: list[Incoming] = [source.facet("inputs", {"inputs": report})]
    for number, state in enumerate(report):
        if f"input:{number}" in source.config.inputs:
            mapped.extend(source.input(f"input:{number}", state != 0)[1:])
    return tuple(mapped)


def _local(source: Source, report: list[int]) -> tuple[Incoming, ...]:
    power = source.system("power-lost" if report[1] else "power-restored")
    return source.alarm("tamper", active=report[0] != 0), power


def _notification(source: Source, doc: Doc) -> tuple[Incoming, ...]:
    kind, lost = fields.sequence(doc, "type"), fields.integer(doc, "arg0") == 0
    if kind == 2:
        return (source.link(not lost, "pd-status"),)
    if kind == 1:
        return (source.facet("secure-channel", {"active": not lost}),)
    return (Ignored(device=source.device, why="no-news"),)


_EVENTS: Mapping[int, Callable[[Source, Doc], tuple[Incoming, ...]]] = {
    1: _card,
    2: _keys,
    4: _status,
    5: _notification,
}


def _reply(source: Source, doc: Doc) -> tuple[Incoming, ...]:
    try:
        code = int(fields.required_text(doc, "reply", 10), 16)
    except ValueError:
        raise MalformedError("bad-value", "reply is not a hexadecimal code") from None
    data = _bytes(doc, "payload_hex")
    if code in (0x50, 0x51):
        return (_raw_card(source, data, code),)
    if code == 0x53:
        reader = str(data[0]) if data else None
        return (source.read("keypad", credential=Credential(type="pin"), reader=reader),)
    if code == 0x49:
        return _inputs(source, list(data))
    if code == 0x48 and len(data) >= 2:
        return _local(source, list(data))
    return (Ignored(device=source.device, why="no-news"),)


def _raw_card(source: Source, data: bytes, code: int) -> Incoming:
    """RAW: reader, format, number of bits (little-endian), data. FMT: reader, direction, length, characters."""
    if len(data) < 4:
        raise MalformedError("bad-shape", "a card reply of less than four bytes")
    if code == 0x51:
        return _card_event(source, data[3 : 3 + data[2]], 0, _ASCII_CARD, str(data[0]))
    bits = int.from_bytes(data[2:4], "little")
    if bits > MAX_BITS:
        raise MalformedError("bad-value", "a card of too many bits")
    return _card_event(source, data[4:], bits, data[1], str(data[0]))


def _bytes(doc: Doc, key: str) -> bytes:
    text: Any = doc.get(key)
    if not isinstance(text, str) or len(text) > 4096 or not text.isascii():
        raise MalformedError("bad-shape", f"{key} is not a short hexadecimal text")
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise MalformedError("bad-shape", f"{key} is not hexadecimal") from None
