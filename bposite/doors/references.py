"""How a credential is named on the wire and in the database: by a keyed hash, never by its number."""

from __future__ import annotations

from bposite.passes.codes import REFERENCE_PURPOSE
from bposite.plumbing.secrets import key, keyed_hash

DIGITS = 32


def reference(kind: str, number: str) -> str:
    """``h:`` and 32 hexadecimal digits of HMAC-SHA256(site key, kind + ":" + number).

    The same as a pass gets for its code, so that a door can hold one list of both and read neither back.
    """
    return "h:" + keyed_hash(REFERENCE_PURPOSE, f"{kind}:{number}")[:DIGITS]


def reference_key() -> bytes:
    """The key that devices of this site are given to make references (32 bytes)."""
    return key(REFERENCE_PURPOSE)
