"""What a controller knows by itself when the site does not answer: the access list and the pass manifest.

Both come over `cfg/{part}`: versioned, signed with the site's Ed25519 key, holding references and no numbers, and with
an end after which they count for nothing. An exit needs no list.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from contract import BadMessageError, instant
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

PARTS = ("access-list", "pass-manifest")


class RefusedError(Exception):
    """A list that is not taken: `signature` (not the site's), `older`, or `expired`."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One reference: whose it is, which doors it opens, from when to when (half open)."""

    ref: str
    holder: str | None
    doors: frozenset[str]
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class AccessList:
    """One part, by reference. Version 0 is what the device was installed with."""

    part: str = PARTS[0]
    version: int = 0
    expires: datetime | None = None
    entries: dict[str, Entry] = field(default_factory=dict)

    @staticmethod
    def of(rows: Iterable[dict[str, Any]]) -> AccessList:
        """The list that stands in a device's own configuration. Raises BadMessageError for a bad row."""
        return AccessList(entries={entry.ref: entry for entry in map(_entry, rows)})

    @staticmethod
    def read(body: dict[str, Any], key: bytes) -> AccessList:
        """A list as the site sent it. Raises RefusedError without its signature, BadMessageError for half a list."""
        if not signed(body, key):
            raise RefusedError("signature")
        version, rows, part = body.get("version"), body.get("entries"), body.get("part")
        if not isinstance(version, int) or not isinstance(rows, list) or part not in PARTS:
            raise BadMessageError("a list has a part, a version and entries")
        expires = instant(body, "expires_at") if body.get("expires_at") else None
        return AccessList(part, version, expires, {entry.ref: entry for entry in map(_entry, rows)})


def _entry(row: dict[str, Any]) -> Entry:
    try:
        doors = frozenset(str(door) for door in row["doors"])
        start = instant(row, "from") if row.get("from") else None
        end = instant(row, "until") if row.get("until") else None
        return Entry(str(row["ref"]), row.get("holder"), doors, start, end)
    except (KeyError, TypeError, AttributeError) as error:
        raise BadMessageError(f"an entry of the list: {type(error).__name__}: {error}") from None


@dataclass(slots=True)
class Lists:
    """All parts together."""

    parts: dict[str, AccessList] = field(default_factory=dict)

    def take(self, new: AccessList, now: datetime) -> bool:
        """Use a list in place of the one before; false when it is the one in use. Raises RefusedError."""
        held = self.parts.get(new.part)
        if new.expires is not None and now >= new.expires:
            raise RefusedError("expired")
        if held is not None and new.version < held.version:
            raise RefusedError("older")
        changed = held != new
        self.parts[new.part] = new
        return changed

    def find(self, ref: str, now: datetime) -> Entry | None:
        """What a reference is, in a list that has not run out."""
        for one in self.parts.values():
            if ref in one.entries and (one.expires is None or now < one.expires):
                return one.entries[ref]
        return None

    def same_holder(self, refs: Iterable[str], now: datetime) -> bool:
        """Whether references may belong to one holder: false only when two of them are known as different people's."""
        holders = {entry.holder for ref in refs if (entry := self.find(ref, now)) is not None and entry.holder}
        return len(holders) < 2

    def answer(self, door: str, refs: list[str], now: datetime) -> tuple[bool, str, str | None]:
        """Whether what was shown opens a door now: grant, reason (BACnet name), holder. The first reference leads."""
        entries = [self.find(ref, now) for ref in refs]
        first = entries[0] if entries else None
        if first is None:
            return False, "deniedUnknownCredential", None
        if any(one is None or one.holder != first.holder for one in entries):
            return False, "deniedIncorrectAuthenticationFactor", first.holder
        if first.start is not None and now < first.start:
            return False, "deniedCredentialNotYetActive", first.holder
        if first.end is not None and now >= first.end:
            return False, "deniedCredentialExpired", first.holder
        if door not in first.doors:
            return False, "deniedPointNoAccessRights", first.holder
        return True, "granted", first.holder


def canonical(body: dict[str, Any]) -> bytes:
    """What is signed: the message without its signature, keys sorted, no spaces, UTF-8."""
    plain = {name: value for name, value in body.items() if name != "signature"}
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def signed(body: dict[str, Any], key: bytes) -> bool:
    """Whether the site has signed this message; a device that was given no key believes nobody."""
    if not key:
        return False
    try:
        signature = base64.b64decode(str(body.get("signature")), validate=True)
        Ed25519PublicKey.from_public_bytes(key).verify(signature, canonical(body))
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True
