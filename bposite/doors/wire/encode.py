"""What the site says to its doors, as topic and bytes (QoS 1, never retained)."""

import hashlib
from datetime import UTC, datetime
from typing import Any

import msgspec

from bposite.doors.events import AccessAnswer, Ack, Command, Rejection
from bposite.doors.wire.topics import device_topic

Message = tuple[str, bytes]


def ack(site: str, device: str, body: Ack) -> Message:
    """``ack``: what is committed, what is missing, and the site's time."""
    doc = {
        "boot": body.boot,
        "upto": body.upto,
        "missing": body.missing,
        "now": stamp(body.now),
    }
    return device_topic(site, device, "ack"), msgspec.json.encode(doc)


def access_answer(site: str, device: str, body: AccessAnswer) -> Message:
    """``rsp/access``: the decision for one request."""
    return device_topic(site, device, "rsp", "access"), msgspec.json.encode(_present(body))


def error(site: str, device: str, rejection: Rejection, payload: bytes) -> Message:
    """``rsp/error``: a message was quarantined; its SHA-256 tells the device which one."""
    doc = {
        "code": rejection.code,
        "detail": rejection.detail,
        "sha256": hashlib.sha256(payload).hexdigest(),
    }
    return device_topic(site, device, "rsp", "error"), msgspec.json.encode(doc)


def command(site: str, device: str, body: Command) -> Message:
    """``cmd/{name}``; the name travels in the topic, the rest in the body."""
    doc = _present(body)
    del doc["name"]
    return device_topic(site, device, "cmd", body.name), msgspec.json.encode(doc)


def stamp(moment: datetime) -> str:
    """An aware time as RFC 3339 in UTC with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _present(body: Any) -> dict[str, Any]:
    """The fields of a value without the empty ones; times as text."""
    fields = msgspec.structs.asdict(body)
    return {
        name: stamp(value) if isinstance(value, datetime) else value
        for name, value in fields.items()
        if value is not None and value != ()
    }
