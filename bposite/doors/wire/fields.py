"""Reading single values out of a message that may say them in several ways.

Each reader answers None for an absent or empty value and raises MalformedError for one of
a wrong kind. Digits are ASCII digits only: ``int("٣")`` is 3 in Python.
"""

import hashlib
import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from bposite.doors.events import MAX_SEQ
from bposite.doors.wire.strict import MalformedError

Doc = Mapping[str, Any]
TEXT_LIMIT = 200
_INTEGER = re.compile(r"-?[0-9]{1,19}")
_WORDS = {"true": True, "false": False, "1": True, "0": False}
_TIME = msgspec.json.Decoder(datetime)


def mapping(value: Any, what: str = "the message") -> dict[str, Any]:
    """The value as a JSON object."""
    if not isinstance(value, dict):
        raise MalformedError("bad-shape", f"{what} is not an object")
    return value


def child(doc: Doc, key: str) -> dict[str, Any]:
    """An inner object; an absent or null one is empty."""
    value = doc.get(key)
    return {} if value is None else mapping(value, key)


def text(doc: Doc, key: str, limit: int = TEXT_LIMIT) -> str | None:
    """A text; bare numbers and booleans are taken as what they look like."""
    value = doc.get(key)
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        value = str(value)
    if not isinstance(value, str):
        raise MalformedError("bad-shape", f"{key} is not a text")
    if len(value) > limit:
        raise MalformedError("bad-value", f"{key} is longer than {limit} characters")
    return value


def required_text(doc: Doc, key: str, limit: int = TEXT_LIMIT) -> str:
    """A text that has to be there."""
    value = text(doc, key, limit)
    if value is None:
        raise MalformedError("bad-shape", f"{key} is missing")
    return value


def integer(doc: Doc, key: str) -> int | None:
    """A whole number, also as a text of ASCII digits; within a signed 64-bit column."""
    value = doc.get(key)
    if value is None or value == "":
        return None
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise MalformedError("bad-shape", f"{key} is not a whole number")
    if not -MAX_SEQ <= value <= MAX_SEQ:
        raise MalformedError("bad-value", f"{key} is beyond 63 bits")
    return value


def sequence(doc: Doc, key: str) -> int | None:
    """A whole number from 0 up."""
    value = integer(doc, key)
    if value is not None and value < 0:
        raise MalformedError("bad-value", f"{key} is negative")
    return value


def boolean(doc: Doc, key: str) -> bool | None:
    """A truth value: true, "true", "True", 1, "1" and their opposites."""
    value = doc.get(key)
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return value
    known = _WORDS.get(str(value).lower()) if isinstance(value, str | int) else None
    if known is None:
        raise MalformedError("bad-shape", f"{key} is not true or false")
    return known


def instant(doc: Doc, key: str) -> datetime | None:
    """An RFC 3339 time with a zone, as aware UTC. (``fromisoformat`` would take week dates.)"""
    value = doc.get(key)
    if value is None or value == "":
        return None
    return to_utc(value, key)


def to_utc(value: Any, what: str = "the time") -> datetime:
    """An RFC 3339 text with a zone as aware UTC."""
    try:
        moment = _TIME.decode(msgspec.json.encode(value)) if isinstance(value, str) else None
        if moment is None or moment.tzinfo is None:
            raise MalformedError("bad-value", f"{what} is not an RFC 3339 time with a zone")
        return moment.astimezone(UTC)
    except (msgspec.ValidationError, OverflowError):
        raise MalformedError("bad-value", f"{what} is not an RFC 3339 time with a zone") from None


def texts(doc: Doc, key: str, limit: int = 8, length: int = 40) -> tuple[str, ...]:
    """A list of at most ``limit`` texts of at most ``length`` characters."""
    value = doc.get(key)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise MalformedError("bad-shape", f"{key} is not a list of texts")
    if len(value) > limit or any(len(item) > length for item in value):
        raise MalformedError("bad-value", f"{key} is too long")
    return tuple(value)


def redacted(doc: Any, secrets: Collection[str], mark: str = "[redacted]") -> Any:
    """A copy of a JSON value in which every value under one of these keys is replaced."""
    if isinstance(doc, dict):
        return {
            key: mark if key in secrets and inner not in (None, "") else redacted(inner, secrets, mark)
            for key, inner in doc.items()
        }
    if isinstance(doc, list):
        return [redacted(inner, secrets, mark) for inner in doc]
    return doc


def encoded(doc: Any) -> bytes:
    """Compact JSON."""
    return msgspec.json.encode(doc)


def short_hash(*parts: object) -> str:
    """32 hexadecimal digits that name these parts; for keys of sources that do not count."""
    text = "\x1f".join("" if part is None else str(part) for part in parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
