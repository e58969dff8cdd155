"""Signed-in browsers for tests: an account with a role, its session, and a client that holds the cookie."""

from __future__ import annotations

import secrets
from typing import Any

import pyotp
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bposite.journal.work import Actor, unit_of_work
from bposite.people import cookies
from bposite.people.actions import create_enrolled_user
from bposite.people.actions.sessions import start_session
from bposite.people.rules import Origin
from bposite.people.tables import User

PASSWORD = "a long and quiet sentence 41"


def session_of(role: str, name: str = "") -> str:
    """The session value of a new account with ``role``."""
    login = name or f"{role}-{secrets.token_hex(3)}"
    with unit_of_work(Actor.system("tests")) as work:
        user_id = create_enrolled_user(
            work, login, f"Test {role}", [role], password=PASSWORD, totp_secret=pyotp.random_base32()
        )
        user = work.session.get(User, user_id)
        assert user is not None
        return start_session(work, user, Origin("127.0.0.1", "tests"))


class Browser(FlaskClient):
    """A client whose every request has a context of its own: the fixture's would remember who asked last."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """One request."""
        with self.application.app_context():
            return super().open(*args, **kwargs)


def nobody(app: Flask) -> Browser:
    """A client that is not signed in."""
    return Browser(app, app.response_class, use_cookies=True)


def signed_in(app: Flask, role: str) -> Browser:
    """A client signed in as a new account with ``role``."""
    client = nobody(app)
    client.set_cookie(cookies.SESSION, session_of(role))
    return client
