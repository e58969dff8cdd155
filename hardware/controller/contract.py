"""The words of the message contract, from the device's side (see hardware/contract): topics, events, references."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

ROOT = "bposite/v1"
CLOCK_FLOOR = datetime(2020, 1, 1, tzinfo=UTC)  # an earlier system time means that nobody has set it
REFERENCE_DIGITS = 32


@dataclass(frozen=True, slots=True)
class Names:
    """A device's place in the topic tree."""

    site: str
    device: str

    def topic(self, *words: str) -> str:
        """One of this device's topics, such as `topic("evt", "access")`."""
        return "/".join((ROOT, self.site, self.device, *words))

    @property
    def source(self) -> str:
        """CloudEvents `source` of every event of this device."""
        return f"/{self.site}/{self.device}"


@dataclass(frozen=True, slots=True)
class Credential:
    """What a reader reads. `number` stays in memory: on the wire and in the store there is only its reference."""

    type: str
    number: str
    format: str = ""
    bits: int = 0

    def wire(self, key: bytes) -> dict[str, Any]:
        """The credential as messages carry it."""
        shown: dict[str, Any] = {"type": self.type}
        if self.format:
            shown["format"] = self.format
        if self.bits:
            shown["bits"] = self.bits
        if self.number:
            shown["ref"] = reference(key, self.type, self.number)
        return shown

    def __repr__(self) -> str:
        return f"Credential({self.type}, ***)"  # numbers do not belong into logs


def reference(key: bytes, kind: str, number: str) -> str:
    """The keyed hash by which site and device name a credential without knowing its number from it."""
    digest = hmac.new(key, f"{kind}:{number}".encode(), hashlib.sha256).hexdigest()
    return f"h:{digest[:REFERENCE_DIGITS]}"


def stamp(moment: datetime) -> str:
    """An aware time as RFC 3339 in UTC with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def event(names: Names, kind: str, boot: str, seq: int, at: datetime, clock: str, data: dict[str, Any]) -> bytes:
    """One event as CloudEvents 1.0 in structured mode; `kind` is its class (access, door, reader, alarm, system)."""
    body = {
        "specversion": "1.0",
        "id": f"{boot}-{seq:09}",
        "source": names.source,
        "type": f"in.bposite.{kind}.v1",
        "time": stamp(at),
        "datacontenttype": "application/json",
        "seq": seq,
        "boot": boot,
        "clock": clock,
        "data": data,
    }
    return encode(body)


def encode(body: Any) -> bytes:
    """Compact JSON as UTF-8."""
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()


class BadMessageError(ValueError):
    """A message from the site that cannot be acted on."""


def decode(payload: bytes) -> dict[str, Any]:
    """A JSON object from the site. Raises BadMessageError for anything else, NaN and depth included."""
    try:
        body = json.loads(payload, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise BadMessageError(f"not JSON: {type(error).__name__}") from None
    if not isinstance(body, dict):
        raise BadMessageError("not a JSON object")
    return body


def _no_constant(word: str) -> None:
    raise ValueError(word)


def instant(body: dict[str, Any], name: str) -> datetime:
    """An aware time of a message. Raises BadMessageError when it is missing or has no offset."""
    try:
        moment = datetime.fromisoformat(str(body.get(name)))
    except ValueError:
        raise BadMessageError(f"{name} is not a time") from None
    if moment.tzinfo is None:
        raise BadMessageError(f"{name} has no offset")
    return moment
