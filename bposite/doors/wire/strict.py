"""Strict JSON: what ``json.loads`` lets through and a security log must not.

Refused: not UTF-8, NaN and infinities, duplicate keys, more than 64 KiB, nesting
deeper than 32, integers beyond 64 bits, NUL and lone surrogates (databases refuse
them later, and a message that only fails in the database stops the stream).

Two readers give the same answer. The quick one decodes in C and proves the absence
of duplicate keys by counting; whatever it cannot prove it leaves to the careful one.
"""

import json
import math
import re
from typing import Any, NoReturn

import msgspec

from bposite.doors.events import MAX_DEPTH, MAX_PAYLOAD, RejectionCode

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_BLANKS = ((b" ", b" :"), (b"\n", b"\n:"), (b"\t", b"\t:"), (b"\r", b"\r:"))
_decode = msgspec.json.Decoder().decode


class MalformedError(Exception):
    """Inside ``wire`` only: becomes a ``Rejection`` before it leaves."""

    def __init__(self, code: RejectionCode, detail: str, boot: str | None = None, seq: int | None = None) -> None:
        super().__init__(code, detail)
        self.code: RejectionCode = code
        self.detail = detail
        self.boot = boot
        self.seq = seq


def parse(payload: bytes) -> Any:
    """The JSON value of a payload; raises MalformedError with the code of the first fault found."""
    if not payload:
        raise MalformedError("empty", "no payload")
    if len(payload) > MAX_PAYLOAD:
        raise MalformedError("too-large", f"{len(payload)} bytes, at most {MAX_PAYLOAD}")
    if payload.count(b"{") + payload.count(b"[") > MAX_DEPTH:
        _check_depth(payload)
    expected = plain_pairs(payload)
    if expected >= 0:
        try:
            value = _decode(payload)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return _careful(payload)
        if _count_pairs(value) == expected:
            return value
    return _careful(payload)


def plain_pairs(payload: bytes) -> int:
    """How many key-value pairs the text writes down, or -1 when counting cannot tell.

    Without a backslash every quote delimits a string, so ``":`` stands only behind a key
    or at the head of a string that begins with a colon; without white space before a
    colon every key has one. Hence the count is >= the pairs written, which is >= the
    pairs that a decoder kept; equality of the ends proves that no key came twice.
    """
    if b"\\" in payload:
        return -1
    for blank, before in _BLANKS:
        if blank in payload and before in payload:  # looking for one byte costs a tenth of looking for two
            return -1
    return payload.count(b'":')


def _count_pairs(value: Any) -> int:
    """Pairs of all objects in a decoded value; refuses integers beyond 64 bits on the way."""
    kind = type(value)
    if kind is dict:
        return len(value) + sum(map(_count_pairs, value.values()))
    if kind is list:
        return sum(map(_count_pairs, value))
    if kind is int and not -(2**63) <= value < 2**64:
        raise MalformedError("bad-value", "an integer beyond 64 bits")
    return 0


def _check_depth(payload: bytes) -> None:
    depth = 0
    for byte in _STRING.sub(b"", payload):
        if byte in b"{[":
            depth += 1
            if depth > MAX_DEPTH:
                raise MalformedError("too-deep", f"nested deeper than {MAX_DEPTH}")
        elif byte in b"}]":
            depth -= 1


def _careful(payload: bytes) -> Any:
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedError("not-utf8", "not UTF-8") from None
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except RecursionError:
        raise MalformedError("too-deep", f"nested deeper than {MAX_DEPTH}") from None
    except ValueError:  # JSONDecodeError, and integers of more than 4300 digits
        raise MalformedError("bad-json", "not JSON") from None
    _check_scalars(value)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise MalformedError("duplicate-key", "an object has the same key twice")
    return value


def _no_constant(word: str) -> NoReturn:
    raise MalformedError("bad-json", "NaN and infinities are not JSON")


def _check_scalars(value: Any) -> None:
    """Refuse what JSON text can say and no store can keep."""
    if isinstance(value, dict):
        for key, inner in value.items():
            _check_text(key)
            _check_scalars(inner)
    elif isinstance(value, list):
        for inner in value:
            _check_scalars(inner)
    elif isinstance(value, str):
        _check_text(value)
    elif isinstance(value, float) and math.isinf(value):
        raise MalformedError("bad-value", "a number out of range")
    elif isinstance(value, int) and not -(2**63) <= value < 2**64:
        raise MalformedError("bad-value", "an integer beyond 64 bits")


def _check_text(text: str) -> None:
    if "\0" in text:
        raise MalformedError("bad-value", "a NUL character")
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise MalformedError("bad-json", "half of a surrogate pair")
