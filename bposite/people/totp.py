"""Authenticator codes at the rim: RFC 6238 by pyotp, the secret sealed with the site's key."""

from __future__ import annotations

import pyotp

from bposite.people import rules
from bposite.plumbing.secrets import same, seal, unseal

PURPOSE = "people:totp"


def new_secret() -> str:
    """A new secret: 160 random bits as 32 base-32 letters."""
    return pyotp.random_base32(32)


def sealed(secret: str) -> bytes:
    """The secret as it is stored."""
    return seal(PURPOSE, secret.encode("ascii"))


def opened(stored: bytes) -> str:
    """The secret behind ``stored``; Refusal when it was sealed with another site's key."""
    return unseal(PURPOSE, stored).decode("ascii")


def code_at(secret: str, step: int) -> str:
    """The six digits of 30 s step number ``step``."""
    return pyotp.TOTP(secret, digits=rules.CODE_DIGITS, interval=rules.STEP_SECONDS).generate_otp(step)


def matching_step(secret: str, code: str, steps: range) -> int | None:
    """The step among ``steps`` whose code is ``code``. All are compared, so that time tells nothing."""
    found = None
    for step in steps:
        if same(code_at(secret, step), code):
            found = step
    return found


def address(secret: str, account: str, site_name: str) -> str:
    """The ``otpauth:`` address that authenticator apps read from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=site_name)


def grouped(secret: str) -> str:
    """The secret for typing: groups of four."""
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
