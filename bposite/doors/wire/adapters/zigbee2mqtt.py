"""Locks behind Zigbee2MQTT (actions of the Zigbee door-lock cluster, as its converters name them).

``zigbee2mqtt/<friendly name>``, names may hold slashes. No time and no sequence number
(``last_seen`` only when configured). About 0.1 s after an action the same state comes with
an empty one: that is not an event. Options: ``base`` (default ``zigbee2mqtt``).
"""

from collections.abc import Mapping
from typing import Any

from bposite.doors.events import Credential, CredentialType, Delivery, DeviceConfig, Ignored, Incoming, Translation
from bposite.doors.wire import fields
from bposite.doors.wire.fields import Doc
from bposite.doors.wire.foreign import DENIED_OTHER, Source, adapter, one, online, plain_text, slug
from bposite.doors.wire.strict import MalformedError, parse
from bposite.doors.wire.times import Moment, epoch

NAME = "zigbee2mqtt/1"
SECRETS = frozenset({"pin_code", "pin", "rfid_code", "users"})

_DENIED: Mapping[str, str] = {
    "unlock_failure_invalid_pin_or_id": "deniedIncorrectAuthenticationFactor",
    "lock_failure_invalid_pin_or_id": "deniedIncorrectAuthenticationFactor",
    "unlock_failure_invalid_schedule": "deniedOutOfTimeRange",
    "lock_failure_invalid_schedule": "deniedOutOfTimeRange",
    "non_access_user_operational_event": "deniedNoAccessRights",
}
_DOORS: Mapping[str, str] = {
    "lock": "door-locked",
    "one_touch_lock": "door-locked",
    "key_lock": "door-locked",
    "auto_lock": "door-locked",
    "manual_lock": "door-locked",
    "schedule_lock": "schedule-lock",
    "key_unlock": "door-unlocked",
    "manual_unlock": "door-unlocked",
    "schedule_unlock": "schedule-unlock",
}
_LISTS = frozenset(
    {
        "master_code_changed",
        "pin_code_added",
        "pin_code_deleted",
        "pin_code_changed",
        "rfid_code_added",
        "rfid_code_deleted",
    }
)
_BY_NAME: Mapping[str, CredentialType] = {
    "keypad": "pin",
    "rfid": "card",
    "rf": "operator",
    "remote": "operator",
    "fingerprint": "finger",
    "biometric": "finger",
}
_BY_NUMBER: Mapping[int, CredentialType] = {0: "pin", 1: "operator", 3: "card"}
_STATE_KEYS = ("lock_state", "state", "door_state", "battery", "battery_low", "tamper", "linkquality", "voltage")


@adapter
def translate(delivery: Delivery, config: DeviceConfig) -> Translation:
    """A message below Zigbee2MQTT's base topic."""
    base = config.options.get("base", "zigbee2mqtt")
    name = delivery.topic.removeprefix(f"{base}/")
    if name == delivery.topic or not name:
        raise MalformedError("unknown-topic", "not below the base topic")
    if name == "bridge/state":
        return one(Source(delivery, config, NAME, "zigbee2mqtt").link(_state_word(delivery)))
    if name.startswith("bridge/") or name.endswith(("/set", "/get")):
        return one(Ignored(device=config.device, why="no-news"))
    if name.endswith("/availability"):
        source = Source(delivery, config, NAME, slug(name.removesuffix("/availability")))
        return one(source.link(_state_word(delivery)))
    doc = fields.mapping(parse(delivery.payload))
    source = Source(delivery, config, NAME, slug(name), _last_seen(doc), repeats=True)
    safe = fields.redacted(doc, SECRETS)
    return one(_message(source, doc), fields.encoded(safe) if safe != doc else None)


def _state_word(delivery: Delivery) -> bool:
    text = plain_text(delivery)
    if text.startswith("{"):
        text = fields.required_text(fields.mapping(parse(delivery.payload)), "state")
    return online(text)


def _last_seen(doc: Doc) -> Moment | None:
    value = doc.get("last_seen")
    if isinstance(value, int | float) and not isinstance(value, bool):
        return epoch(value)
    return Moment(fields.to_utc(value, "last_seen")) if isinstance(value, str) and value else None


def _message(source: Source, doc: Doc) -> Incoming:
    if "action" not in doc:
        return _state(source, doc)
    action = fields.text(doc, "action", 80)
    if action is None:
        return Ignored(device=source.device, why="empty-action")
    if action in _LISTS:
        return source.system("list-changed", word=action)
    if action in _DOORS:
        return source.door(_DOORS[action], door=None, word=action)
    shown = _credential(doc)
    factors = (shown.type,) if shown and shown.type != "operator" else ()
    if action == "unlock":
        reason = "operator-unlock" if shown and shown.type == "operator" else "granted"
        return source.access("granted", reason, credential=shown, factors=factors, vendor_reason=action)
    if action in _DENIED or "failure" in action:
        reason = _DENIED.get(action, DENIED_OTHER)
        return source.access("denied", reason, credential=shown, factors=factors, vendor_reason=action)
    return source.door("otherEvent", door=None, word=action)


def _credential(doc: Doc) -> Credential | None:
    name, number = fields.text(doc, "action_source_name", 40), fields.integer(doc, "action_source")
    kind = _BY_NAME.get(name) if name else _BY_NUMBER.get(number) if number is not None else None
    if kind is None:
        return None
    user = fields.integer(doc, "action_user")
    return Credential(type=kind, slot=user if user is not None and 0 < user < 0xFFFF else None)


def _state(source: Source, doc: Doc) -> Incoming:
    if fields.boolean(doc, "tamper"):
        return source.alarm("tamper")
    if fields.boolean(doc, "battery_low"):
        return source.system("battery-low")
    if doc.get("lock_state") == "not_fully_locked":
        return source.alarm("door-jammed")
    value: dict[str, Any] = {key: doc[key] for key in _STATE_KEYS if isinstance(doc.get(key), str | int | float)}
    if not value:
        return Ignored(device=source.device, why="no-news")
    return source.facet("lock", value)
