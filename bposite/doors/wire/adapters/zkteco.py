"""ZKTeco: security PUSH (``rtlog``) and attendance PUSH (``ATTLOG``) over HTTP, pyzk in process.

``POST /iclock/cdata?SN=<serial>&table=<table>``; lines of tab-separated ``key=value`` (some
firmware sends them under ATTLOG too) or of columns (pin, time, status, verify, ...). Times are
local without zone. ``pin=0``/``cardno=0`` mean none; an empty body is a heartbeat. Canonical
key: (serial, index + time). Attendance firmware reports successes only. Tables that may carry
templates or photos (OPERLOG, BIODATA, ...) are not read and not kept.
Options: ``card_format`` (see ``wire.cards``).
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

from bposite.doors.events import (
    Credential,
    CredentialType,
    Delivery,
    DeviceConfig,
    Direction,
    Ignored,
    Incoming,
    Rejection,
    Translation,
)
from bposite.doors.wire import cards, fields
from bposite.doors.wire.adapters.zkteco_codes import CODES, Meaning, beyond
from bposite.doors.wire.fields import Doc
from bposite.doors.wire.foreign import Source, adapter, one, outcome, rejection, slug
from bposite.doors.wire.strict import MalformedError, parse
from bposite.doors.wire.times import Moment, local, resolve

NAME = "zkteco/1"
MAX_LINES = 5000
_EVENT_TABLES = frozenset({"rtlog", "attlog", ""})
_DIRECTIONS: Mapping[int, Direction] = {0: "in", 1: "out"}
_VERIFIED: Mapping[int, tuple[CredentialType, ...]] = {
    1: ("finger",),
    2: ("pin",),
    3: ("pin",),
    4: ("card",),
    10: ("card", "finger"),
    11: ("card", "pin"),
    15: ("face",),
}
"""``verifytype`` where it is one way; the others name a choice that the device was given."""
_ATTENDANCE_VERIFIED: Mapping[int, tuple[CredentialType, ...]] = {
    0: ("pin",),
    1: ("finger",),
    2: ("card",),
    3: ("pin",),
    4: ("card",),
    15: ("face",),
}
_CARD = re.compile(rb"((?:cardno|CardNo|Card)=)[^\t\r\n]+")


@adapter
def translate(delivery: Delivery, config: DeviceConfig) -> Translation:
    """A pushed body. ``Delivery.topic`` is the path with its query."""
    query = parse_qs(urlsplit(delivery.topic).query, max_num_fields=32)
    serial, table = query.get("SN", [""])[0][:64], query.get("table", [""])[0]
    device = slug(f"zkteco-{serial}") if serial else "zkteco"
    if not delivery.payload.strip():
        return one(Source(delivery, config, NAME, device).link(True, "heartbeat"))
    if table.lower() == "rtstate":
        return _states(delivery, config, device)
    if table.lower() not in _EVENT_TABLES:
        return one(Ignored(device=config.device or device, why="no-news"), b"[not kept]")
    return _lines(delivery, config, device)


@adapter
def translate_pyzk(delivery: Delivery, config: DeviceConfig) -> Translation:
    """An Attendance object of the package ``pyzk`` as JSON (user_id, timestamp, status, punch)."""
    doc = fields.mapping(parse(delivery.payload))
    time = fields.required_text(doc, "timestamp", 40)
    source = Source(delivery, config, "pyzk/1", "zkteco", local(time, config.zone, delivery.received_at))
    return one(source.access("granted", "granted", holder=fields.required_text(doc, "user_id", 64)))


def _text_lines(delivery: Delivery) -> list[str]:
    try:
        text = delivery.payload.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedError("not-utf8", "not UTF-8") from None
    if "\0" in text:
        raise MalformedError("bad-value", "a NUL character")
    lines = [line for line in re.split(r"\r?\n", text) if line.strip()]
    if len(lines) > MAX_LINES:
        raise MalformedError("too-large", f"{len(lines)} lines, at most {MAX_LINES}")
    return lines


def _lines(delivery: Delivery, config: DeviceConfig, device: str) -> Translation:
    items: list[Incoming] = []
    rejections: list[Rejection] = []
    before: datetime | None = None
    for line in _text_lines(delivery):
        try:
            doc = _pairs(line) if "time=" in line else _columns(line)
            moment = resolve(local(fields.required_text(doc, "time", 40), config.zone), before)
            if moment.other is not None and before is None:
                moment = local(doc["time"], config.zone, delivery.received_at)
            before = moment.time
            items.append(_event(delivery, config, device, doc, moment))
        except MalformedError as fault:
            rejections.append(rejection(fault, config.device or device))
    return Translation(tuple(items), tuple(rejections), _CARD.sub(rb"\1[redacted]", delivery.payload))


def _pairs(line: str) -> dict[str, str]:
    pairs = [cell.partition("=") for cell in line.split("\t") if cell.strip()]
    doc = {key.strip().lower(): value.strip() for key, _, value in pairs}
    if len(doc) != len(pairs):
        raise MalformedError("duplicate-key", "a line has the same key twice")
    return doc


def _columns(line: str) -> dict[str, str]:
    """Attendance columns: pin, time, status, verify; the rest differs by firmware."""
    cells = [cell.strip() for cell in line.split("\t")]
    if len(cells) < 2:
        raise MalformedError("bad-shape", "neither key=value nor columns")
    names = ("pin", "time", "inoutstatus", "attverify")
    return dict(zip(names, cells, strict=False))


def _event(delivery: Delivery, config: DeviceConfig, device: str, doc: Doc, moment: Moment) -> Incoming:
    index = fields.sequence(doc, "index") or None  # some firmware leaves it at 0: then it counts nothing
    key = f"{index}:{doc['time']}" if index else None
    source = Source(delivery, config, NAME, device, moment, seq=index, key=key, counts=True)
    code = fields.sequence(doc, "event")
    holder = fields.text(doc, "pin", 64)
    holder = None if holder == "0" else holder
    if code is None:
        return _attendance(source, doc, holder)
    return _classified(source, doc, CODES.get(code) or beyond(code), str(code), holder)


def _attendance(source: Source, doc: Doc, holder: str | None) -> Incoming:
    """Attendance firmware: who, when, and that it was a success."""
    if holder is None:
        raise MalformedError("bad-shape", "pin is missing")
    factors = _ATTENDANCE_VERIFIED.get(fields.integer(doc, "attverify") or 0, ())
    shown = Credential(type=factors[0]) if factors else None
    direction = _DIRECTIONS.get(fields.integer(doc, "inoutstatus") or 0) if "inoutstatus" in doc else None
    return source.access(
        "granted", "granted", holder=holder, credential=shown, factors=tuple(factors), direction=direction
    )


def _classified(source: Source, doc: Doc, meaning: Meaning, word: str, holder: str | None) -> Incoming:
    door = fields.text(doc, "eventaddr", 40)
    door = None if door == "0" else door
    shown, factors = _credential(source.config, doc, meaning)
    if meaning.kind == "door":
        return source.door(meaning.reason, door=door, word=word)
    if meaning.kind == "alarm":
        return source.alarm(meaning.reason, door=door, word=word, credential=shown, holder=holder)
    if meaning.kind == "system":
        return source.system(meaning.reason, word=word)
    return source.access(
        outcome(meaning.reason),
        meaning.reason,
        vendor_reason=word,
        door=door,
        direction=_DIRECTIONS.get(fields.integer(doc, "inoutstatus") or 0) if doc.get("inoutstatus") else None,
        credential=shown,
        factors=factors,
        holder=holder,
        duress=meaning.duress,
    )


def _credential(config: DeviceConfig, doc: Doc, meaning: Meaning) -> tuple[Credential | None, tuple[str, ...]]:
    if meaning.shown:
        return Credential(type=meaning.shown), ()
    verified = _VERIFIED.get(fields.integer(doc, "verifytype") or 0, ())
    factors = meaning.factors or verified
    number = fields.text(doc, "cardno", 64)
    if number and number.strip("0") and ("card" in factors or not factors):
        return cards.from_number(config, number), tuple(factors) or ("card",)
    return (Credential(type=factors[0]) if factors else None), tuple(factors)


def _states(delivery: Delivery, config: DeviceConfig, device: str) -> Translation:
    """``rtstate``: sensors, relays and alarms of the device's doors, as a state."""
    return Translation(tuple(_state_facets(delivery, config, device)))


def _state_facets(delivery: Delivery, config: DeviceConfig, device: str) -> Iterator[Incoming]:
    for line in _text_lines(delivery):
        doc = _pairs(line)
        moment = local(fields.required_text(doc, "time", 40), config.zone, delivery.received_at)
        value = {key: text[:64] for key, text in doc.items() if key in ("sensor", "relay", "alarm", "door")}
        yield Source(delivery, config, NAME, device, moment).facet("rtstate", value)
