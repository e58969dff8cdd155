"""Accounts and signed-in browsers for the tests of every feature.

``client_as("guard")`` (tests/conftest.py) is what most tests want; ``sign_in`` goes through the real forms.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import Any

import pyotp
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bposite.journal.work import Actor, unit_of_work
from bposite.people import actions, cookies, rules, totp
from bposite.people.actions.sessions import start_session
from bposite.people.rules import Origin
from bposite.people.tables import User
from bposite.plumbing.clock import now

PASSWORD = "a long and quiet sentence 41"
ORIGIN = Origin("127.0.0.1", "tests")


@dataclass(frozen=True, slots=True)
class Account:
    """An account whose secrets the test knows."""

    id: str
    name: str
    password: str
    totp_secret: str

    def code(self, step_from_now: int = 0) -> str:
        """What the authenticator shows in this 30 s step, or in one before or after it."""
        return totp.code_at(self.totp_secret, rules.step_of(now()) + step_from_now)


class Browser(FlaskClient):
    """A client whose every request has a context of its own: the fixture's would remember who asked last."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """One request."""
        with self.application.app_context():
            return super().open(*args, **kwargs)

    def send(self, path: str, page: str = "", **fields: Any) -> TestResponse:
        """Post ``fields`` with the form token of ``page`` (the same address when empty), as a person's browser does."""
        token = token_of(self.get(page or path))
        return self.post(path, data={"csrf_token": token} | fields)


def make_account(*roles: str, name: str = "") -> Account:
    """A new account with password and authenticator."""
    login, secret = name or f"{roles[0]}-{secrets.token_hex(3)}", pyotp.random_base32()
    with unit_of_work(Actor.system("tests")) as work:
        user_id = actions.create_enrolled_user(
            work, login, f"Test {roles[0]}", roles, password=PASSWORD, totp_secret=secret
        )
    return Account(user_id, login, PASSWORD, secret)


def session_of(account: Account) -> str:
    """The session value of a new sign-in, without the forms."""
    with unit_of_work(Actor.system("tests")) as work:
        user = work.session.get(User, account.id)
        assert user is not None
        return start_session(work, user, ORIGIN)


def nobody(app: Flask) -> Browser:
    """A browser that is not signed in."""
    return Browser(app, app.response_class, use_cookies=True)


def signed_in(app: Flask, *roles: str) -> Browser:
    """A browser signed in as a new account with ``roles``."""
    client = nobody(app)
    client.set_cookie(cookies.SESSION, session_of(make_account(*roles)))
    return client


def sign_in(client: Browser, account: Account, code: str = "") -> TestResponse:
    """Sign in through both forms; the answer to the second one."""
    first = client.send("/sign-in", name=account.name, password=account.password)
    assert first.status_code == 302, first.get_data(as_text=True)
    return client.send("/sign-in/code", code=code or account.code())


def token_of(response: TestResponse) -> str:
    """The form token in a page."""
    found = re.search(r'name="csrf[-_]token" (?:value|content)="([^"]+)"', response.get_data(as_text=True))
    assert found, f"no form token in {response.status} {response.request.path}"
    return found.group(1)
