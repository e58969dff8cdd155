"""What a controller knows by itself when the site does not answer: the access list and the pass manifest.

Both hold references only, come signed and versioned over `cfg/...`, and tell their age. An exit needs no list.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from contract import BadMessageError, instant


@dataclass(frozen=True, slots=True)
class Holder:
    """One person or pass of a list: which references, which doors, from when to when."""

    name: str
    refs: frozenset[tuple[str, str]]
    doors: frozenset[str]
    start: datetime | None = None
    end: datetime | None = None


@dataclass(slots=True)
class AccessList:
    """Holders by reference. An empty list refuses everybody."""

    version: int = 0
    _by_ref: dict[tuple[str, str], Holder] = field(default_factory=dict)

    @staticmethod
    def of(rows: Iterable[dict[str, Any]], version: int = 0) -> AccessList:
        """A list from the rows of a document: {holder, refs: {type: [ref, ...]}, doors, from?, until?}.

        Raises BadMessageError when a row is not of this shape: half a list is worse than the old one.
        """
        found = AccessList(version)
        for row in rows:
            holder = _holder(row)
            found._by_ref |= dict.fromkeys(holder.refs, holder)
        return found

    def find(self, kind: str, ref: str) -> Holder | None:
        """Whose credential this is."""
        return self._by_ref.get((kind, ref))

    def answer(self, door: str, refs: dict[str, str], now: datetime) -> tuple[bool, str, str | None]:
        """Whether the credentials shown (reference by type) open a door now: grant, reason (BACnet name), holder."""
        holders = [self.find(kind, ref) for kind, ref in refs.items()]
        first = holders[0] if holders else None
        if first is None:
            return False, "deniedUnknownCredential", None
        if any(one is not first for one in holders[1:]):
            return False, "deniedIncorrectAuthenticationFactor", first.name
        if first.start is not None and now < first.start:
            return False, "deniedCredentialNotYetActive", first.name
        if first.end is not None and now >= first.end:
            return False, "deniedCredentialExpired", first.name
        if door not in first.doors:
            return False, "deniedPointNoAccessRights", first.name
        return True, "granted", first.name


def _holder(row: dict[str, Any]) -> Holder:
    try:
        refs = frozenset((kind, str(ref)) for kind, many in row["refs"].items() for ref in many)
        doors = frozenset(str(door) for door in row["doors"])
        start = instant(row, "from") if row.get("from") else None
        end = instant(row, "until") if row.get("until") else None
        return Holder(str(row["holder"]), refs, doors, start, end)
    except (KeyError, TypeError, AttributeError) as error:
        raise BadMessageError(f"a row of the list: {type(error).__name__}: {error}") from None
