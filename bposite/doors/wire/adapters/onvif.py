"""ONVIF events as JSON over MQTT (``onvif-ej``, ONVIF Core "Event Broker").

Topic ``<prefix>/onvif-ej/<event topic>/&<source token>``, payload ``{UtcTime, Source, Key,
Data}``. Item values may be texts or bare; a zero-byte payload deletes a property; an
unknown reason means Other (AccessControl service specification). A grant and a passage
are two events: only AccessTaken moves a person. Property events (``Door/State/...``) are
retained: with the retain flag they are the current state and not news.
"""

from collections.abc import Callable, Mapping

from bposite.doors.events import (
    AccessEvent,
    AlarmEvent,
    Credential,
    CredentialType,
    Delivery,
    DeviceConfig,
    Facet,
    Ignored,
    Incoming,
    Translation,
)
from bposite.doors.wire import cards, fields
from bposite.doors.wire.fields import Doc
from bposite.doors.wire.foreign import DENIED_OTHER, Source, adapter, one, slug
from bposite.doors.wire.strict import MalformedError, parse
from bposite.doors.wire.times import Moment
from bposite.doors.wire.wiegand import from_data

NAME = "onvif-ej/1"

REASONS: Mapping[str, str] = {
    "CredentialNotEnabled": "deniedCredentialDisabled",
    "CredentialNotActive": "deniedCredentialNotYetActive",
    "CredentialExpired": "deniedCredentialExpired",
    "InvalidPIN": "deniedIncorrectAuthenticationFactor",
    "NotPermittedAtThisTime": "deniedOutOfTimeRange",
    "Unauthorized": "deniedNoAccessRights",
    "InvalidIdentifierValue": "deniedVerificationFailed",
    "AntipassbackViolation": "deniedPassback",
    "Other": DENIED_OTHER,
}
"""Values of the Reason item (with or without the prefix ``pt:``) -> BACnet names."""

_IDENTIFIERS: Mapping[str, CredentialType] = {
    "pt:Card": "card",
    "pt:PIN": "pin",
    "pt:Fingerprint": "finger",
    "pt:Face": "face",
    "pt:Iris": "iris",
    "pt:QRCode": "qr",
}
_MODES: Mapping[str, str] = {
    "Locked": "door-locked",
    "DoubleLocked": "door-locked",
    "Blocked": "door-locked",
    "Unlocked": "door-unlocked",
    "Accessed": "door-unlocked",
    "LockedDown": "lockDown",
    "LockedOpen": "freeAccess",
}
_ALARMS: Mapping[str, tuple[str, bool]] = {
    "DoorForcedOpen": ("forcedOpen", True),
    "DoorOpenTooLong": ("doorOpenTooLong", True),
    "DoorHeldOpen": ("doorOpenTooLong", True),
    "Normal": ("normal", False),
    "TamperDetected": ("tamper", True),
    "NotInTamper": ("tamper", False),
    "FaultDetected": ("doorFault", True),
    "Fault": ("doorFault", True),
    "LockFault": ("doorFault", True),
    "NotInFault": ("doorFault", False),
}
_MOVES: Mapping[str, str] = {
    "Open": "door-opened",
    "Closed": "door-closed",
    "Locked": "door-locked",
    "Unlocked": "door-unlocked",
}


@adapter
def translate(delivery: Delivery, config: DeviceConfig) -> Translation:
    """A message of an ONVIF event broker."""
    prefix, found, rest = delivery.topic.partition("/onvif-ej/")
    if not found:
        raise MalformedError("unknown-topic", "not an onvif-ej topic")
    topic, _, token = rest.partition("/&")
    device = slug(prefix)
    if not delivery.payload:
        facet = f"{slug(topic)}/{slug(token)}" if token else slug(topic)
        return one(Facet(device=config.device or device, facet=facet, value=None, retained=delivery.retain))
    doc = fields.mapping(parse(delivery.payload))
    moment = fields.instant(doc, "UtcTime")
    source = Source(delivery, config, NAME, device, Moment(moment) if moment else None)
    secret = {"IdentifierValue"} if "Identifier" in delivery.topic or "NotFound" in delivery.topic else ()
    evidence = fields.encoded(fields.redacted(doc, secret)) if secret else None
    return one(notification(source, topic, fields.child(doc, "Source"), fields.child(doc, "Data")), evidence)


def notification(source: Source, topic: str, keys: Doc, data: Doc) -> Incoming:
    """One ONVIF notification, whatever envelope it came in. ``topic`` has no namespace prefix
    on its first word (``AccessControl/Denied/Credential``)."""
    area, _, rest = topic.split(":")[-1].partition("/")
    known = _AREAS.get(area)
    if known is None:
        return Ignored(device=source.device, why="no-news")
    return known(source, rest, keys, data)


def _access_control(source: Source, topic: str, keys: Doc, data: Doc) -> Incoming:
    kind, _, what = topic.partition("/")
    point = fields.text(keys, "AccessPointToken")
    if kind == "Duress":
        return source.alarm("duress", door=point, credential=_token(data), holder=_holder(data))
    if kind == "Request" and what == "Timeout":
        return source.access("denied", "deniedVerificationTimeout", door=point, credential=_shown(source, data))
    decision, reason, word = _decided(kind, what, data)
    if decision is None:
        return source.system("otherEvent", word=f"AccessControl/{topic}"[:200])
    shown = _shown(source, data)
    return source.access(
        decision,
        reason,
        vendor_reason=word,
        door=point,
        credential=shown,
        factors=(shown.type,) if shown and shown.type != "token" else (),
        holder=_holder(data),
    )


def _decided(kind: str, what: str, data: Doc) -> tuple[str | None, str, str | None]:
    if kind == "AccessGranted":
        return "granted", "granted", None
    if kind == "AccessTaken":
        return "taken", "passed", None
    if kind == "AccessNotTaken":
        return "not-taken", "noEntryAfterGranted", None
    if kind == "Request":
        return "request", "authenticationFactorRead", None
    if kind == "Denied":
        word = fields.text(data, "Reason")
        if what.startswith("CredentialNotFound"):
            return "denied", "deniedUnknownCredential", word
        return "denied", REASONS.get((word or "Other").removeprefix("pt:"), DENIED_OTHER), word
    return None, "otherEvent", None


def _shown(source: Source, data: Doc) -> Credential | None:
    return _token(data) or _identifier(source, data)


def _token(data: Doc) -> Credential | None:
    token = fields.text(data, "CredentialToken")
    return Credential(type="token", token=token) if token else None


def _holder(data: Doc) -> str | None:
    return fields.text(data, "CredentialHolderName")


def _identifier(source: Source, data: Doc) -> Credential | None:
    kind = fields.text(data, "IdentifierType", 40)
    if kind is None:
        return None
    known = _IDENTIFIERS.get(kind, "other")
    value = fields.text(data, "IdentifierValue", 512)
    if known != "card" or value is None:
        return Credential(type=known)
    return _card(source.config, fields.text(data, "FormatType", 40) or "", value)


def _card(config: DeviceConfig, form: str, value: str) -> Credential:
    """IdentifierValue is xs:hexBinary; a WIEGAND26 value holds the 24 data bits."""
    if form.upper() == "WIEGAND26":
        try:
            number = int(value, 16) if value.isascii() and value.isalnum() else -1
        except ValueError:
            number = -1
        if 0 <= number < 1 << 24:
            return cards.from_read(config, from_data(number, 26))
    return cards.from_uid(config, value, form.lower() or "uid")


def _door(source: Source, topic: str, keys: Doc, data: Doc) -> Incoming:
    door = fields.text(keys, "DoorToken")
    state = fields.text(data, "State") or ""
    kind = topic.removeprefix("State/")
    if kind == "DoorMode":
        return source.door(_MODES.get(state, "door-mode"), door=door, mode=state)
    if state in _ALARMS and kind in ("DoorAlarm", "DoorTamper", "DoorFault"):
        reason, active = _ALARMS[state]
        return source.alarm(reason, door=door, active=active, word=fields.text(data, "Reason"))
    if kind in ("DoorPhysicalState", "LockPhysicalState", "DoubleLockPhysicalState"):
        if state in ("Fault", "LockFault"):
            return source.alarm("doorFault", door=door, word=kind)
        return source.door(_MOVES.get(state, "otherEvent"), door=door, mode=state, word=kind)
    if kind == "DoorAlarm":
        return source.alarm("alarm", door=door, word=state)
    if kind in ("DoorTamper", "DoorFault"):
        return source.facet(f"{slug(kind)}/{slug(door or 'door')}", {"state": state})
    return source.system("configuration-changed", word=f"Door/{topic}"[:200])


def _credential(source: Source, topic: str, keys: Doc, data: Doc) -> Incoming:
    token = fields.text(keys, "CredentialToken")
    shown = Credential(type="token", token=token) if token else None
    if topic == "State/ApbViolation":
        return _violation(source, shown, data)
    return source.system("list-changed", word=f"Credential/{topic}"[:200], detail=token)


def _violation(source: Source, shown: Credential | None, data: Doc) -> AccessEvent | AlarmEvent:
    """The passback state of a credential: raised by use, cleared by use or by a client."""
    if fields.boolean(data, "ApbViolation"):
        return source.access(None, "passbackDetected", credential=shown)
    word = "reset by a client" if fields.boolean(data, "ClientUpdated") else None
    return source.alarm("passbackDetected", active=False, credential=shown, word=word)


def _access_point(source: Source, topic: str, keys: Doc, data: Doc) -> Incoming:
    point = fields.text(keys, "AccessPointToken") or "point"
    if topic == "State/Enabled":
        return source.facet(f"access-point/{slug(point)}", {"enabled": fields.boolean(data, "State")})
    return source.system("configuration-changed", word=f"AccessPoint/{topic}"[:200], detail=point)


def _configuration(source: Source, topic: str, keys: Doc, data: Doc) -> Incoming:
    return source.system("configuration-changed", word=topic[:200] or None)


def _input(source: Source, topic: str, keys: Doc, data: Doc) -> Incoming:
    name = fields.text(keys, "InputToken") or "0"
    if topic != "Trigger/DigitalInput":
        return Ignored(device=source.device, why="no-news")
    return source.facet(f"input/{slug(name)}", {"state": fields.boolean(data, "LogicalState")})


_AREAS: Mapping[str, Callable[[Source, str, Doc, Doc], Incoming]] = {
    "AccessControl": _access_control,
    "AccessPoint": _access_point,
    "Area": _configuration,
    "Configuration": _configuration,
    "Credential": _credential,
    "Device": _input,
    "Door": _door,
    "Schedule": _configuration,
}
