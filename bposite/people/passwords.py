"""Passwords at the rim: hashing by argon2id, and how easily one is guessed."""

from __future__ import annotations

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn import zxcvbn

from bposite.people import rules

# OWASP password storage: argon2id with 19 MiB, two passes, one lane. About 25 ms; a flood of tries is met by the
# rate limit and the lock-out before it gets here.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_GUESSED = 3  # zxcvbn's "safely unguessable: moderate protection from offline attack" is 3 of 4
_LOOKED_AT = 72  # letters; beyond it the estimate is slow and says nothing new


def hashed(password: str) -> str:
    """The argon2id hash of ``password`` in its normal form."""
    return _HASHER.hash(rules.normal_password(password).encode("utf-8", "surrogatepass"))


def matches(stored: str | None, password: str) -> bool:
    """Whether ``password`` is the one behind ``stored``. Takes as long when there is no such account (None)."""
    given = rules.normal_password(password[: rules.MAX_PASSWORD * 4]).encode("utf-8", "surrogatepass")
    try:
        return _HASHER.verify(stored or _nobody(), given) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(stored: str) -> bool:
    """Whether ``stored`` was made with weaker parameters than today's."""
    return _HASHER.check_needs_rehash(stored)


def problem(password: str, name: str, known: tuple[str, ...] = ()) -> str | None:
    """Why ``password`` cannot be the password of ``name``, for that person; ``known`` are words others would try."""
    if found := rules.password_problem(password, name):
        return found
    text = rules.normal_password(password)
    verdict = zxcvbn(text[:_LOOKED_AT], user_inputs=[name, "bposite", *known])
    if verdict["score"] >= _GUESSED:
        return None
    why = verdict["feedback"]["warning"] or "This is easy to guess."
    return f"{why.rstrip('.')}. Three or four unrelated words work well."


@cache
def _nobody() -> str:
    return hashed("nobody has this password")
