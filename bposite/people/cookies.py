"""The three cookies of signing in: the session, the step between password and code, and the known browser.

Each is HttpOnly and SameSite=Lax. With https they are Secure and carry the ``__Host-`` prefix: no other host or path
can set them. The values are random; what they mean is in the database.
"""

from __future__ import annotations

from flask import Request, Response

from bposite.people import rules
from bposite.people.rules import Origin
from bposite.plumbing.settings import current

SESSION = "bposite"
STEP = "bposite-step"
DEVICE = "bposite-device"
LONGEST = 200
DEVICE_AGE = 365 * 24 * 3600


def read(request: Request, which: str) -> str:
    """The value the browser sent, empty when there is none or it cannot be one of ours."""
    value = request.cookies.get(named(which), "")
    return value if len(value) <= LONGEST and value.isascii() else ""


def start(response: Response, session_secret: str, device: str) -> None:
    """Give the browser its session, and the mark by which failures are counted for it alone."""
    _set(response, SESSION, session_secret, None)
    _set(response, DEVICE, device, DEVICE_AGE)
    clear(response, STEP)


def set_step(response: Response, secret: str) -> None:
    """Remember that the password was right, until the code is given."""
    _set(response, STEP, secret, int(rules.PENDING.total_seconds()))


def clear(response: Response, which: str) -> None:
    """Take a cookie back; the row behind it is what counts."""
    response.delete_cookie(named(which), path="/", secure=https(), httponly=True, samesite="Lax")


def origin(request: Request) -> Origin:
    """Where a try comes from; the address as far as the trusted proxies tell it."""
    return Origin((request.remote_addr or "")[:45], request.user_agent.string[:200], read(request, DEVICE))


def https() -> bool:
    """Whether people reach this site by https."""
    return current().web.address.startswith("https:")


def _set(response: Response, which: str, value: str, age: int | None) -> None:
    response.set_cookie(
        named(which), value, max_age=age, path="/", secure=https(), httponly=True, samesite="Lax"
    )  # fmt: skip


def named(which: str) -> str:
    """The full name of a cookie: with https it carries the ``__Host-`` prefix."""
    return f"__Host-{which}" if https() else which
