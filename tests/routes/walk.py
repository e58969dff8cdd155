"""Every route, asked by everybody: the table behind test_routes_matrix.py.

    .venv/bin/python -m tests.routes.walk --write

writes what the routes answer now into matrix.csv. Read the difference line by line before committing it: each cell is
a promise about who may do what. ``ok`` stands for any answer but 401, 403 and a crash (what a form says to nothing at
all is its own matter); ``sign-in`` and ``confirm`` for the redirects to those pages.
"""

from __future__ import annotations

import csv
import os
import secrets
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flask import Flask
from sqlalchemy import update
from werkzeug.routing import AnyConverter, Rule
from werkzeug.test import TestResponse

from bposite.journal.work import Actor, unit_of_work
from bposite.people import actions, cookies, queries, rules
from bposite.people.access import API, Access, access_of
from bposite.people.tables import UserSession
from bposite.plumbing.clock import now
from tests.people.signing import Browser, make_account, nobody, session_of, token_of

MATRIX = Path(__file__).with_name("matrix.csv")
ROLES = ("reception", "guard", "facilities", "auditor", "administrator")
ACTORS = ("nobody", "expired", *ROLES, "stale", "token", "other_token")
HEADER = ("method", "route", "needs", *ACTORS)
REFUSED = (401, 403)


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one route and what it asks for."""

    method: str
    rule: str
    path: str
    access: Access | None

    @property
    def needs(self) -> str:
        """``public``, the permission, or the permission and ``fresh``; ``nobody said`` is a fault."""
        if self.access is None:
            return "nobody said"
        return (self.access.permission or "public") + (" fresh" if self.access.fresh else "")

    @property
    def key(self) -> tuple[str, str]:
        """What names a row."""
        return self.method, self.rule


def routes(app: Flask) -> list[Route]:
    """Every method of every route, by address."""
    found = [
        Route(method, rule.rule, _path(rule), access_of(app.view_functions[rule.endpoint]))
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]
    return sorted(found, key=lambda route: (route.method != "GET", route.rule, route.method))


def _path(rule: Rule) -> str:
    values = {name: _value(converter) for name, converter in rule._converters.items()}
    built = rule.build(values, append_unknown=False)
    assert built is not None, rule
    return built[1]


def _value(converter: object) -> str:
    kind = type(converter).__name__
    if isinstance(converter, AnyConverter):
        return min(converter.items)
    return {"Position": "1", "FloatConverter": "1.0", "PathConverter": "css/base.css"}.get(kind, "none")


class Crowd:
    """Everybody who may ask, on one site. Each has a browser of their own, kept from one question to the next."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self._browsers: dict[str, tuple[Browser, str]] = {}
        self._tokens: dict[tuple[str, str], dict[str, str]] = {}

    def ask(self, actor: str, route: Route) -> TestResponse:
        """The answer to ``actor``; a form is sent empty, but with its token."""
        browser, token = self._browser(actor)
        form = {"csrf_token": token} if route.method != "GET" and not route.rule.startswith(API) else None
        answer = browser.open(route.path, method=route.method, headers=self._bearer(actor, route), data=form)
        if route.rule == "/sign-out":
            del self._browsers[actor]
        return answer

    def browser(self, actor: str) -> Browser:
        """A new browser of a new account."""
        client = nobody(self.app)
        if actor in ROLES:
            client.set_cookie(cookies.SESSION, session_of(make_account(actor)))
        elif actor in ("expired", "stale"):
            client.set_cookie(cookies.SESSION, _aged(actor))
        return client

    def _browser(self, actor: str) -> tuple[Browser, str]:
        if actor not in self._browsers:
            browser = self.browser(actor)
            self._browsers[actor] = (browser, form_token(browser))
        return self._browsers[actor]

    def _bearer(self, actor: str, route: Route) -> dict[str, str]:
        if actor not in ("token", "other_token"):
            return {}
        asked = route.access.permission if route.access and route.access.permission else ""
        if (actor, asked) not in self._tokens:
            possible = sorted(set(rules.PERMISSIONS) - rules.NEVER_FOR_TOKENS)
            other = next(name for name in possible if name != asked)
            with unit_of_work(Actor.system("tests")) as work:
                scope = asked if actor == "token" and asked in possible else other
                made = actions.create_token(work, secrets.token_hex(4), [scope])
            self._tokens[actor, asked] = {"Authorization": f"Bearer {made.secret}"}
        return self._tokens[actor, asked]


def _aged(actor: str) -> str:
    """An administrator's session that is idle for too long, or whose last code is too old for sensitive actions."""
    secret = session_of(make_account("administrator"))
    aged = {"last_seen": now() - rules.IDLE} if actor == "expired" else {"confirmed_at": now() - rules.FRESH}
    with unit_of_work(Actor.system("tests")) as work:
        row = UserSession.secret_hash == queries.hash_of(secret)
        work.session.execute(update(UserSession).where(row).values(**aged))
    return secret


def form_token(client: Browser) -> str:
    """A form token for this browser: from the sign-in page, or from the account page once signed in."""
    page = client.get("/sign-in")
    return token_of(page if page.status_code == 200 else client.get("/account/"))


def cell(route: Route, answer: TestResponse) -> str:
    """What the table says about an answer."""
    status, target = answer.status_code, answer.headers.get("Location", "")
    answer.close()  # a live stream would go on for ever
    if status == 302 and target.startswith("/sign-in") and "public" not in route.needs:
        return "sign-in"
    if status == 302 and target.startswith("/account/confirm"):
        return "confirm"
    if route.method == "GET" or status in REFUSED or status >= 500:
        return str(status)
    return "ok"


def rows(app: Flask) -> Iterator[dict[str, str]]:
    """The table as the routes answer now; all GETs first, because forms change things."""
    crowd = Crowd(app)
    for route in routes(app):
        answers = {actor: cell(route, crowd.ask(actor, route)) for actor in ACTORS}
        yield {"method": route.method, "route": route.rule, "needs": route.needs} | answers


def read() -> dict[tuple[str, str], dict[str, str]]:
    """The committed table: (method, route) -> row."""
    with MATRIX.open(newline="") as file:
        return {(row["method"], row["route"]): row for row in csv.DictReader(file)}


def write() -> None:
    """Put what the routes answer now into the table."""
    from tests.conftest import build_site, new_settings  # the site of the tests; conftest imports nothing from here

    app = build_site(new_settings(Path(tempfile.mkdtemp())))
    with app.app_context():
        answers = list(rows(app))  # first all of it: a walk that breaks off must not leave half a table behind
    part = MATRIX.with_name(f"{MATRIX.name}.{os.getpid()}.part")
    with part.open("w", newline="") as file:
        table = csv.DictWriter(file, HEADER, lineterminator="\n")
        table.writeheader()
        table.writerows(answers)
    part.replace(MATRIX)


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit(__doc__)
    write()
