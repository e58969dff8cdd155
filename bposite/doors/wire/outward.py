"""Our events for other systems: ONVIF (``onvif-ej``), Home Assistant, Microsoft 365 badging.

Pure: each function gives topic, payload and whether the broker is to keep it. Names of
people go out only where the receiving system needs them (badging), never over MQTT.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple

import msgspec
from msgspec import Struct

from bposite.doors.events import Direction
from bposite.doors.reasons import REASONS
from bposite.doors.wire.adapters import onvif
from bposite.doors.wire.encode import stamp


class Message(NamedTuple):
    """A message to publish at QoS 1."""

    topic: str
    payload: bytes
    retain: bool


class Outward(Struct, frozen=True, kw_only=True):
    """One stored event, as far as others may know it. ``token``: our reference of the credential."""

    cls: Literal["access", "door", "alarm"]
    reason: str
    door: str
    time: datetime
    decision: str | None = None
    direction: Direction | None = None
    token: str | None = None
    active: bool = True


_REASONS: Mapping[str, str] = {ours: theirs for theirs, ours in onvif.REASONS.items() if theirs != "Other"}
"""Our reason -> ONVIF's word; what ONVIF lacks is Other, by the BACnet name's relatives below."""
_RELATIVES: Mapping[str, str] = {
    "deniedPointNoAccessRights": "Unauthorized",
    "deniedZoneNoAccessRights": "Unauthorized",
    "deniedCredentialManualDisable": "CredentialNotEnabled",
    "deniedCredentialNotProvisioned": "CredentialNotEnabled",
}
_DECISIONS: Mapping[str, str] = {
    "granted": "AccessGranted/Credential",
    "taken": "AccessTaken/Credential",
    "not-taken": "AccessNotTaken/Credential",
    "denied": "Denied/Credential",
    "request": "Request/Credential",
}
_DOOR_STATES: Mapping[str, tuple[str, str]] = {
    "door-opened": ("DoorPhysicalState", "Open"),
    "door-closed": ("DoorPhysicalState", "Closed"),
    "door-locked": ("LockPhysicalState", "Locked"),
    "door-unlocked": ("LockPhysicalState", "Unlocked"),
    "lockDown": ("DoorMode", "LockedDown"),
    "freeAccess": ("DoorMode", "LockedOpen"),
    "forcedOpen": ("DoorAlarm", "DoorForcedOpen"),
    "doorOpenTooLong": ("DoorAlarm", "DoorOpenTooLong"),
    "normal": ("DoorAlarm", "Normal"),
    "tamper": ("DoorTamper", "TamperDetected"),
    "doorFault": ("DoorFault", "FaultDetected"),
}
_OVER: Mapping[str, str] = {"DoorAlarm": "Normal", "DoorTamper": "NotInTamper", "DoorFault": "NotInFault"}


def onvif_ej(prefix: str, event: Outward) -> Message | None:
    """One event as ONVIF's event broker writes it; None for what ONVIF has no word for."""
    if event.cls == "access":
        return _access(prefix, event)
    known = _DOOR_STATES.get(event.reason)
    if event.reason == "duress":
        return _message(
            f"{prefix}/onvif-ej/AccessControl/Duress/&{_point(event)}",
            event,
            {"AccessPointToken": _point(event)},
            _token(event),
        )
    if known is None:
        return None
    name, state = known
    state = state if event.active else _OVER.get(name, state)
    topic = f"{prefix}/onvif-ej/Door/State/{name}/&{event.door}"
    return _message(topic, event, {"DoorToken": event.door}, {"State": state}, retain=True)


def _access(prefix: str, event: Outward) -> Message | None:
    topic = _DECISIONS.get(event.decision or "")
    if topic is None:
        return None
    data = _token(event)
    if event.decision == "denied":
        data = {"External": "false", **data, "Reason": _onvif_reason(event.reason)}
    elif event.decision == "granted":
        data = {"External": "false", **data}
    point = _point(event)
    return _message(f"{prefix}/onvif-ej/AccessControl/{topic}/&{point}", event, {"AccessPointToken": point}, data)


def _onvif_reason(code: str) -> str:
    for name in (code, REASONS[code].bacnet if code in REASONS else code):
        found = _REASONS.get(name) or _RELATIVES.get(name)
        if found:
            return found
    return "Other"


def _point(event: Outward) -> str:
    return f"{event.door}-{event.direction}" if event.direction else event.door


def _token(event: Outward) -> dict[str, Any]:
    return {"CredentialToken": event.token} if event.token else {}


def _message(
    topic: str, event: Outward, source: dict[str, str], data: dict[str, Any], *, retain: bool = False
) -> Message:
    body = {"UtcTime": stamp(event.time), "Source": source, "Data": data}
    return Message(topic, msgspec.json.encode(body), retain)


def home_assistant_lock(door: str, prefix: str = "bposite/ha", discovery: str = "homeassistant") -> Message:
    """Discovery of a door as a lock. Its state has to be retained: without it Home Assistant
    shows the door as unlocked. ``name`` null: the entity is called as its device."""
    body = {
        "name": None,
        "unique_id": f"bposite_{door.replace('-', '_')}",
        "state_topic": f"{prefix}/{door}/lock",
        "command_topic": f"{prefix}/{door}/lock/set",
        "state_locked": "LOCKED",
        "state_unlocked": "UNLOCKED",
        "state_jammed": "JAMMED",
        "optimistic": False,
        "availability_topic": f"{prefix}/{door}/online",
        "device": {"identifiers": [door]},
    }
    return Message(f"{discovery}/lock/{door}/config", msgspec.json.encode(body), True)


def home_assistant_contact(
    door: str, name: str, prefix: str = "bposite/ha", discovery: str = "homeassistant"
) -> Message:
    """Discovery of a door's contact as a binary sensor."""
    body = {
        "name": f"{name} contact",
        "unique_id": f"bposite_{door.replace('-', '_')}_contact",
        "device_class": "door",
        "state_topic": f"{prefix}/{door}/contact",
        "payload_on": "OPEN",
        "payload_off": "CLOSED",
        "availability_topic": f"{prefix}/{door}/online",
        "device": {"identifiers": [door]},
    }
    return Message(f"{discovery}/binary_sensor/{door}/contact/config", msgspec.json.encode(body), True)


def home_assistant_tag(reader: str, name: str, prefix: str = "bposite/ha", discovery: str = "homeassistant") -> Message:
    """Discovery of a reader as a tag scanner (these exist through discovery only)."""
    body = {
        "topic": f"{prefix}/{reader}/tag",
        "value_template": "{{ value_json.uid }}",
        "device": {"identifiers": [reader], "name": name, "manufacturer": "bposite"},
    }
    return Message(f"{discovery}/tag/{reader}/tag/config", msgspec.json.encode(body), True)


def home_assistant_state(
    door: str, kind: Literal["lock", "contact", "online"], word: str, prefix: str = "bposite/ha"
) -> Message:
    """A state of a door (``LOCKED``, ``OPEN``, ``online``), retained."""
    return Message(f"{prefix}/{door}/{kind}", word.encode(), True)


def home_assistant_scan(reader: str, ref: str, prefix: str = "bposite/ha") -> Message:
    """A credential at a reader, by our reference of it: Home Assistant never learns a card's number."""
    return Message(f"{prefix}/{reader}/tag", msgspec.json.encode({"uid": ref}), False)


def m365_badging(user: str, door: str, door_name: str, time: datetime, *, granted: bool) -> dict[str, str]:
    """One record for Microsoft 365's physical badging connector; a client may ask for it."""
    return {
        "UserId": user,
        "AssetId": door,
        "AssetName": door_name,
        "EventTime": time.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "AccessStatus": "Success" if granted else "Failed",
    }
