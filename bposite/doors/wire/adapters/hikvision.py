"""Hikvision ISAPI: access events pushed over HTTP (JSON, multipart, XML) or pulled by search.

Traps: ``currentVerifyMode`` is the configured mode, the factor used is in ``subEventType``;
``frontSerialNo`` is the serial number before (a gap detector); ``currentEvent`` false marks
an upload from the device's own log; ``QRCodeInfo`` holds the text of a scanned code, which
may be a visitor's pass. A search names the same fields ``major``, ``minor``, ``time``.
Canonical key: (device, serialNo). Pictures in a multipart message are not read at all.
"""

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from typing import Any

from bposite.doors.events import MAX_PAYLOAD, Credential, Delivery, DeviceConfig, Ignored, Incoming, Translation
from bposite.doors.wire import cards, fields
from bposite.doors.wire.adapters.hikvision_codes import CODES, FALLBACK, Code
from bposite.doors.wire.fields import Doc
from bposite.doors.wire.foreign import Source, adapter, one, outcome, rejection, slug
from bposite.doors.wire.strict import MalformedError, parse
from bposite.doors.wire.times import Moment, local

NAME = "hikvision/1"
SECRETS = frozenset({"cardNo", "QRCodeInfo", "password", "FaceRect", "pictureURL", "visibleLightURL", "thermalURL"})
MAX_PARTS = 32
_BOUNDARY = re.compile(rb"(?:\r?\n)*--([!-~]{1,70})\r?\n")
_MARKUP = 64 * 1024


@adapter
def translate(delivery: Delivery, config: DeviceConfig) -> Translation:
    """A pushed notification, or the answer to a search of the device's log."""
    items: list[Incoming] = []
    rejections = []
    kept: list[Any] = []
    for body in _bodies(delivery.payload):
        try:
            doc = _document(body)
            items.extend(_items(delivery, config, doc))
            kept.append(fields.redacted(doc, SECRETS))
        except MalformedError as fault:
            rejections.append(rejection(fault, config.device))
    if not items and not rejections:
        return one(Ignored(device=config.device, why="no-news"))
    return Translation(tuple(items), tuple(rejections), fields.encoded(kept[0] if len(kept) == 1 else kept))


def without_pictures(payload: bytes) -> bytes:
    """A pushed message with its text parts only; one that has none keeps its beginning, for the quarantine."""
    try:
        bodies = _bodies(payload)
    except MalformedError:
        return payload[:_MARKUP]
    if len(bodies) == 1:
        return bodies[0][: MAX_PAYLOAD + 1]
    return b"".join(b"--part\r\nContent-Type: text/plain\r\n\r\n" + body + b"\r\n" for body in bodies) + b"--part--\r\n"


def _bodies(payload: bytes) -> list[bytes]:
    """The payload itself, or the text parts of a multipart message."""
    boundary = _BOUNDARY.match(payload)
    if boundary is None:
        return [payload]
    parts = payload.split(b"--" + boundary.group(1), MAX_PARTS + 1)[1:]
    bodies = [body for part in parts if (body := _part(part)) is not None]
    if not bodies:
        raise MalformedError("bad-shape", "no text part in a multipart message")
    return bodies


def _part(part: bytes) -> bytes | None:
    head, found, body = part.partition(b"\r\n\r\n")
    if not found:
        head, found, body = part.partition(b"\n\n")
    body = body.strip()
    is_text = body[:1] in (b"{", b"<") and b"image/" not in head.lower()
    return body if found and is_text else None


def _document(body: bytes) -> dict[str, Any]:
    if body.lstrip()[:1] != b"<":
        return fields.mapping(parse(body))
    if len(body) > _MARKUP:
        raise MalformedError("too-large", f"{len(body)} bytes, at most {_MARKUP}")
    if b"<!" in body:  # no document types, hence no entities that grow
        raise MalformedError("bad-shape", "XML with a declaration inside")
    try:
        root = ElementTree.fromstring(body)  # noqa: S314  # declarations are refused above
    except (ElementTree.ParseError, ValueError, LookupError):
        raise MalformedError("bad-shape", "not XML") from None
    value = _element(root, 0)
    return value if isinstance(value, dict) else {}


def _element(element: ElementTree.Element, depth: int) -> Any:
    """An element as text, or as an object of its children (of equal names the last counts)."""
    if depth > 16:
        raise MalformedError("too-deep", "XML nested deeper than 16")
    if len(element) == 0:
        return (element.text or "").strip()
    return {child.tag.rpartition("}")[2]: _element(child, depth + 1) for child in element}


def _items(delivery: Delivery, config: DeviceConfig, doc: Doc) -> Iterator[Incoming]:
    inner = doc.get("EventNotificationAlert", doc)
    doc = fields.mapping(inner, "EventNotificationAlert")
    if "AcsEvent" in doc:
        yield from _search(delivery, config, fields.child(doc, "AcsEvent"))
    elif "AccessControllerEvent" in doc:
        event = doc["AccessControllerEvent"]
        if isinstance(event, str):  # some firmware puts the object into the form as a text
            event = parse(event.encode("utf-8", "surrogatepass"))
        yield _event(delivery, config, doc, fields.mapping(event, "AccessControllerEvent"))
    elif (fields.text(doc, "eventType") or "").lower() == "heartbeat":
        yield Source(delivery, config, NAME, _device(doc)).link(True, "heartbeat")


def _search(delivery: Delivery, config: DeviceConfig, doc: Doc) -> Iterator[Incoming]:
    found = doc.get("InfoList")
    if found is None:
        return
    if not isinstance(found, list):
        raise MalformedError("bad-shape", "InfoList is not a list")
    for info in found:
        yield _event(delivery, config, {}, fields.mapping(info, "an event"), replayed=True)


def _device(doc: Doc) -> str:
    """The device by what every push names; a site that knows the device configures its id."""
    mac = (fields.text(doc, "macAddress", 40) or "").replace(":", "").lower()
    return slug(f"hikvision-{mac or fields.text(doc, 'ipAddress', 64) or 'device'}")


def _event(delivery: Delivery, config: DeviceConfig, outer: Doc, doc: Doc, replayed: bool = False) -> Incoming:
    major = fields.sequence(doc, "majorEventType" if "majorEventType" in doc else "major")
    minor = fields.sequence(doc, "subEventType" if "subEventType" in doc else "minor")
    if major is None or minor is None:
        raise MalformedError("bad-shape", "majorEventType and subEventType are needed")
    replayed = replayed or fields.boolean(doc, "currentEvent") is False
    seq, before = fields.sequence(doc, "serialNo"), fields.sequence(doc, "frontSerialNo")
    source = Source(
        delivery,
        config,
        NAME,
        _device(outer),
        _moment(delivery, config, outer, doc, replayed),
        seq=seq,
        prev_seq=before,
        counts=before is not None,
        key=None if seq is None else str(seq),
        replayed=replayed,
    )
    known = CODES.get(major, {}).get(minor)
    word = f"{major}/{minor}"
    scanned = fields.text(doc, "QRCodeInfo", 512)
    if scanned and (known is None or known.kind in ("access", "request")):
        return source.read(
            "credential-read",
            credential=cards.from_code(config, scanned),
            reader=_ref(doc, "cardReaderNo"),
            door=_ref(doc, "doorNo"),
            word=word,
        )
    return _classified(source, doc, known or FALLBACK.get(major, Code("system", "otherEvent")), word)


def _moment(delivery: Delivery, config: DeviceConfig, outer: Doc, doc: Doc, replayed: bool) -> Moment | None:
    text = fields.text(outer, "dateTime", 40) or fields.text(doc, "time", 40) or fields.text(doc, "dateTime", 40)
    if text is None:
        return None
    if text.endswith("Z") or re.search(r"[+-][0-9]{2}:[0-9]{2}$", text):
        return Moment(fields.to_utc(text, "dateTime"))
    return local(text, config.zone, None if replayed else delivery.received_at)


def _ref(doc: Doc, key: str) -> str | None:
    number = fields.sequence(doc, key)
    return str(number) if number else None


def _classified(source: Source, doc: Doc, code: Code, word: str) -> Incoming:
    door, reader = _ref(doc, "doorNo"), _ref(doc, "cardReaderNo")
    if code.kind in ("access", "request", "not-taken"):
        return _access(source, doc, code, word, door)
    if code.kind == "door":
        return source.door(code.reason, door=door, word=word)
    if code.kind in ("alarm", "end"):
        active, shown = code.kind == "alarm", _credential(source.config, doc, code)
        holder = _holder(doc)
        return source.alarm(
            code.reason, door=door, word=word, active=active, credential=shown, reader=reader, holder=holder
        )
    if code.kind == "reader":
        return source.read(code.reason, reader=reader, door=door, word=word)
    if code.kind == "system":
        return source.system(code.reason, word=word)
    return Ignored(device=source.device, why="no-news")


def _access(source: Source, doc: Doc, code: Code, word: str, door: str | None) -> Incoming:
    decision = {"request": "request", "not-taken": "not-taken"}.get(code.kind) or outcome(code.reason)
    return source.access(
        decision,
        code.reason,
        vendor_reason=word,
        door=door,
        credential=_credential(source.config, doc, code),
        factors=code.factors,
        holder=_holder(doc),
        reader=_ref(doc, "cardReaderNo"),
    )


def _holder(doc: Doc) -> str | None:
    return fields.text(doc, "employeeNoString", 64) or fields.text(doc, "employeeNo", 64)


def _credential(config: DeviceConfig, doc: Doc, code: Code) -> Credential | None:
    """The card when one was shown, else the first factor that the code names."""
    if code.reason == "request-to-exit":
        return Credential(type="rex")
    if code.reason == "operator-unlock":
        return Credential(type="operator")
    number = fields.text(doc, "cardNo", 64)
    if number and number.strip("0") and (not code.factors or "card" in code.factors):
        return cards.from_number(config, number)
    return Credential(type=code.factors[0]) if code.factors else None  # type: ignore[arg-type]  # the table's own words
