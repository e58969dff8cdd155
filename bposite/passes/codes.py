"""Codes between people and rows: what is stored of them, and the short time in which one can be shown again."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from bposite.plumbing.secrets import keyed_hash, seal, unseal

# The reference a door reports for a credential, a QR pass included, is made the same way
# from its type and its number, so that a door can hold a list of passes it cannot read back.
REFERENCE_PURPOSE = "credential-reference"
_SHORT_PURPOSE = "pass-short-code"
_SEAL_PURPOSE = "pass-code"


@dataclass(frozen=True, slots=True)
class Codes:
    """The 36-letter code of the QR symbol and the 8-letter code to be spoken."""

    code: str
    short: str


def code_hash(code: str) -> str:
    """The reference under which a code is stored and which a door reports: `h:` and 32 hexadecimal digits."""
    return "h:" + keyed_hash(REFERENCE_PURPOSE, f"qr:{code}")[:32]


def short_hash(short: str) -> str:
    """The keyed hash of a short code: 64 hexadecimal digits."""
    return keyed_hash(_SHORT_PURPOSE, short)


def sealed(codes: Codes) -> bytes:
    """Both codes, encrypted under the site's key, to be wiped minutes later."""
    return seal(_SEAL_PURPOSE, msgspec.json.encode([codes.code, codes.short]))


def opened(value: bytes) -> Codes:
    """What `sealed` took; Refusal when the site's key is another one."""
    code, short = msgspec.json.decode(unseal(_SEAL_PURPOSE, value), type=tuple[str, str])
    return Codes(code, short)
