"""UHPPOTE controllers, by the MQTT gateway uhppoted-mqtt and in process.

Recorded truths: a granted swipe comes as event type 2 ("door") and a refused one as type 1,
so the reason and ``access-granted`` decide; ``card-number`` holds pseudo numbers for events
without a card (8 opened, 9 closed, 1 and 6 button, 10 supervisor); the gateway stamps the
name of its own zone on the controller's naive times; every event comes live and again in the
feed, the last live one retained; replies carry PINs in clear text. Canonical key: the event
number of the controller. Options: ``card_format`` (default ``wiegand26-decimal``).
"""

import re
from collections.abc import Mapping
from typing import Any

from bposite.doors.events import (
    CommandResult,
    Credential,
    Delivery,
    DeviceConfig,
    Direction,
    EntryEvent,
    Ignored,
    Incoming,
    Translation,
)
from bposite.doors.wire import cards, fields
from bposite.doors.wire.fields import Doc
from bposite.doors.wire.foreign import DENIED_OTHER, Source, adapter, one
from bposite.doors.wire.strict import MalformedError, parse
from bposite.doors.wire.times import Moment, local

NAME = "uhppoted/1"
SECRETS = frozenset({"card-number", "card", "card_number", "event_card", "PIN", "pin", "hmac"})

_SWIPES: Mapping[int, str] = {
    1: DENIED_OTHER,
    2: DENIED_OTHER,
    3: DENIED_OTHER,
    5: DENIED_OTHER,
    6: "deniedPointNoAccessRights",
    7: "deniedIncorrectAuthenticationFactor",
    8: "deniedPassback",
    9: "two_person",
    10: "supervisor_first",
    11: "deniedLockout",
    12: "interlock",
    13: "deniedOutOfTimeRange",
    15: "deniedOutOfTimeRange",
    18: "deniedNoAccessRights",
}
"""Reasons that come with a card -> why it was refused, when it was."""

_BUTTONS: Mapping[int, str] = {
    20: DENIED_OTHER,
    31: "deniedLockout",
    32: "deniedAuthenticationUnavailable",
    33: "interlock",
    34: "deniedThreatLevel",
}
_DOORS: Mapping[int, str] = {23: "door-opened", 24: "door-closed"}
_ALARMS: Mapping[int, str] = {
    37: "doorOpenTooLong",
    38: "forcedOpen",
    39: "fire",
    40: "alarm",
    41: "alarm",
    42: "alarm",
    43: "alarm",
}
_SYSTEM: Mapping[int, str] = {28: "device-restarted", 29: "device-restarted"}
_SUPERVISOR, _REMOTE = 25, (44, 45)
_DIRECTIONS: Mapping[int, Direction] = {1: "in", 2: "out"}
_OVERWRITTEN = 255
_DRIFT = re.compile(r"not synchronized.*\((?:(\d{1,4})h)?(?:(\d{1,2})m)?(?:(\d{1,2})(?:\.\d+)?s)?\)", re.ASCII)
_CONTROLLER = re.compile(r"\b([1-9][0-9]{8})\b")
_NUMBER = re.compile(r"[0-9]{6,}")


@adapter
def translate(delivery: Delivery, config: DeviceConfig) -> Translation:
    """A message of the gateway: an event, a reply, an error, an alert."""
    doc = fields.mapping(parse(delivery.payload))
    message = fields.child(doc, "message")
    safe = fields.encoded(fields.redacted(doc, SECRETS))
    if "event" in message:
        outer = fields.child(message, "event")
        inner = outer.get("event", outer)
        return one(_event(delivery, config, fields.mapping(inner, "event")), safe)
    if "reply" in message:
        return one(_reply(delivery, config, fields.child(message, "reply")), safe)
    if "error" in message:
        return one(_error(config, fields.child(message, "error")), safe)
    if "system" in message:
        return one(_alert(delivery, config, fields.child(message, "system")))
    if "request" in message:
        return one(Ignored(device=config.device, why="own-message"), safe)
    raise MalformedError("bad-shape", "neither event, reply, error nor system message")


@adapter
def translate_direct(delivery: Delivery, config: DeviceConfig) -> Translation:
    """What the package ``uhppoted`` gave in process, as JSON with its own field names (an event:
    ``controller, index, event_type, access_granted, door, direction, card, timestamp, reason``;
    those of its listener have ``event_`` before them). Topics: ``.../replay`` marks back-fill,
    ``.../link`` has ``online``, ``.../status`` the clock and the doors, ``.../reset`` says that
    the controller counts from 1 again; ``generation`` keeps such numbers apart.
    """
    doc = fields.mapping(parse(delivery.payload))
    word = delivery.topic.rpartition("/")[2]
    number = fields.sequence(doc, "controller")
    if word in ("link", "status", "reset"):
        source = Source(delivery, config, NAME, f"uhppote-{number}", Moment(delivery.received_at))
        return one(_condition(source, word, doc))
    flat = {key.removeprefix("event_"): value for key, value in doc.items()}
    inner = {
        "device-id": number,
        "event-id": flat.get("index"),
        "event-type": flat.get("type"),
        "event-reason": flat.get("reason"),
        "access-granted": flat.get("access_granted"),
        "door-id": flat.get("door"),
        "direction": flat.get("direction"),
        "card-number": flat.get("card"),
        "timestamp": flat.get("timestamp"),
        "generation": doc.get("generation"),
    }
    return one(_event(delivery, config, inner, word == "replay"), fields.encoded(fields.redacted(doc, SECRETS)))


def _condition(source: Source, word: str, doc: Doc) -> Incoming:
    if word == "link":
        return source.link(bool(fields.boolean(doc, "online")), "asked")
    if word == "reset":
        return source.system("events-lost", detail="the controller counts its events from 1 again")
    value = {key: doc[key] for key in ("clock", "skew_s", "doors_open", "last_event", "system_error") if key in doc}
    return source.facet("status", value)


def _event(delivery: Delivery, config: DeviceConfig, doc: Doc, replayed: bool = False) -> EntryEvent:
    number, index = fields.sequence(doc, "device-id"), fields.sequence(doc, "event-id")
    if number is None or index is None:
        raise MalformedError("bad-shape", "device-id and event-id are needed")
    generation = fields.sequence(doc, "generation")
    source = Source(
        delivery,
        config,
        NAME,
        f"uhppote-{number}",
        _moment(delivery, config, doc, replayed),
        seq=index,
        key=f"{generation}:{index}" if generation else str(index),
        counts=True,
        generation=generation or 0,
        replayed=replayed,
    )
    return _classified(source, doc)


def _moment(delivery: Delivery, config: DeviceConfig, doc: Doc, replayed: bool) -> Moment | None:
    text = fields.text(doc, "timestamp", 60)
    if text is None:
        return None
    return local(text, config.zone, None if replayed else delivery.received_at)


def _classified(source: Source, doc: Doc) -> EntryEvent:
    code, kind = fields.sequence(doc, "event-reason") or 0, fields.sequence(doc, "event-type")
    word = fields.text(doc, "event-reason-text") or str(code)
    door = _door(doc)
    if kind == _OVERWRITTEN:
        return source.system("events-lost", word=word)
    if code in _SWIPES:
        return _swipe(source, doc, _SWIPES[code], word)
    if code in _BUTTONS:
        return _button(source, doc, _BUTTONS[code], word)
    if code in _DOORS:
        return source.door(_DOORS[code], door=door, word=word)
    if code in _ALARMS:
        return source.alarm(_ALARMS[code], door=door, word=word)
    if code in _SYSTEM:
        return source.system(_SYSTEM[code], word=word)
    if code == _SUPERVISOR:
        shown = Credential(type="pin")
        return source.access("granted", "granted", door=door, credential=shown, factors=("pin",), vendor_reason=word)
    if code in _REMOTE:
        operator = Credential(type="operator")
        return source.access("granted", "operator-unlock", door=door, credential=operator, vendor_reason=word)
    return source.unmapped(word, {1: "access", 2: "door", 3: "alarm"}.get(kind or 0, "system"), door=door)  # type: ignore[arg-type]


def _door(doc: Doc) -> str | None:
    """Door 0 is none, and not an unknown one."""
    return str(fields.sequence(doc, "door-id") or "") or None


def _swipe(source: Source, doc: Doc, refusal: str, word: str) -> EntryEvent:
    granted = bool(fields.boolean(doc, "access-granted"))
    number = fields.sequence(doc, "card-number")
    shown = cards.from_number(source.config, str(number), "wiegand26-decimal") if number else None
    return source.access(
        "granted" if granted else "denied",
        "granted" if granted else refusal,
        vendor_reason=word,
        door=_door(doc),
        direction=_DIRECTIONS.get(fields.sequence(doc, "direction") or 0),
        credential=shown,
        factors=("card",) if shown else (),
    )


def _button(source: Source, doc: Doc, refusal: str, word: str) -> EntryEvent:
    granted = bool(fields.boolean(doc, "access-granted"))
    decision, reason = ("granted", "request-to-exit") if granted else ("denied", refusal)
    rex = Credential(type="rex")
    return source.access(decision, reason, vendor_reason=word, door=_door(doc), credential=rex)


def _reply(delivery: Delivery, config: DeviceConfig, doc: Doc) -> Incoming:
    method = fields.text(doc, "method", 40) or "reply"
    response = fields.child(doc, "response")
    if method == "get-event" and isinstance(response.get("event"), dict):
        return _event(delivery, config, {"device-id": response.get("device-id"), **response["event"]}, replayed=True)
    if method == "get-status" and isinstance(response.get("status"), dict):
        return _status(delivery, config, response)
    return CommandResult(device=_device(config, response), name=method, nonce=_nonce(doc), ok=True)


def _status(delivery: Delivery, config: DeviceConfig, response: Doc) -> Incoming:
    """The controller's clock and doors. The event inside has no controller number (0), so it
    is not an event; its number tells how far the controller is."""
    status = fields.child(response, "status")
    states, event = fields.child(status, "door-states"), fields.child(status, "event")
    clock = fields.text(status, "system-datetime", 60)
    value: dict[str, Any] = {
        "clock": "T".join(clock.split(" ")[:2]) if clock else None,
        "doors_open": sorted(door for door, is_open in states.items() if is_open is True),
        "last_event": fields.sequence(event, "event-id"),
        "system_error": fields.integer(status, "system-error"),
    }
    moment = local(clock, config.zone, delivery.received_at) if clock else None
    return Source(delivery, config, NAME, _device(config, response), moment).facet("status", value)


def _error(config: DeviceConfig, doc: Doc) -> CommandResult:
    error = fields.child(doc, "error")
    detail = fields.text(error, "message", 400)
    return CommandResult(
        device=_device(config, doc),
        name=fields.text(doc, "method", 40) or "request",
        nonce=_nonce(doc),
        ok=False,
        code=fields.integer(error, "code"),
        detail=_NUMBER.sub("[number]", detail) if detail else None,
    )


def _nonce(doc: Doc) -> str:
    return fields.text(doc, "request-id", 80) or fields.text(doc, "nonce", 80) or ""


def _device(config: DeviceConfig, doc: Doc) -> str:
    number = fields.sequence(doc, "device-id")
    return config.device or (f"uhppote-{number}" if number else "uhppoted")


def _alert(delivery: Delivery, config: DeviceConfig, doc: Doc) -> Incoming:
    """Free text of the gateway's health check: all it gives is read out of the words."""
    text = fields.text(fields.child(doc, "alert"), "message", 400) or fields.text(doc, "message", 400) or ""
    number = _CONTROLLER.search(text)
    device = f"uhppote-{number.group(1)}" if number else "uhppoted"
    source = Source(delivery, config, NAME, device, repeats=True)
    drift = _DRIFT.search(text)
    if drift:
        hours, minutes, seconds = (int(part or 0) for part in drift.groups())
        return source.system("clock-drift", skew_s=hours * 3600 + minutes * 60 + seconds, detail=text[:200])
    lowered = text.lower()
    if any(word in lowered for word in ("no response", "not respond", "not found", "offline", "unreachable")):
        return source.system("device-offline", detail=text[:200])
    if any(word in lowered for word in ("synchronized", "restored", "online", "resolved")):
        return source.system("device-online", detail=text[:200])
    return source.system("otherEvent", detail=text[:200])
