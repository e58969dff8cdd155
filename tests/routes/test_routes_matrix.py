"""Who may do what: every route for every role and for nobody, against the committed table."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from bposite.people import queries, rules
from tests.routes import walk

HOW = (
    "\nRun  .venv/bin/python -m tests.routes.walk --write  , read the difference in tests/routes/matrix.csv line by "
    "line (each cell says who may), and commit it with the route."
)


@pytest.fixture
def found(site: Flask) -> dict[tuple[str, str], dict[str, str]]:
    """What the routes answer now."""
    return {(row["method"], row["route"]): row for row in walk.rows(site)}


def test_every_route_answers_everybody_as_the_table_says(found: dict[tuple[str, str], dict[str, str]]) -> None:
    table = walk.read()
    new, gone = sorted(found.keys() - table.keys()), sorted(table.keys() - found.keys())
    assert not new, f"routes without a row: {new}{HOW}"
    assert not gone, f"rows without a route: {gone}{HOW}"
    wrong = [
        f"{method} {route}: {actor} gets {found[method, route][actor]}, the table says {row[actor]}"
        for (method, route), row in table.items()
        for actor in ("needs", *walk.ACTORS)
        if found[method, route][actor] != row[actor]
    ]
    assert not wrong, "\n".join(wrong) + HOW


def test_the_table_itself_says_what_the_roles_say() -> None:
    """Whoever writes the table anew by the command above cannot write a hole into it: this reads roles.toml."""
    wrong = [
        f"{method} {route}: {role} gets {row[role]}"
        for (method, route), row in walk.read().items()
        for role in walk.ROLES
        if not _agrees(row, role)
    ]
    assert not wrong, "\n".join(wrong)


def _agrees(row: dict[str, str], role: str) -> bool:
    permission = row["needs"].removesuffix(" fresh")
    if row["route"].startswith("/api/") and row["method"] not in ("GET", "HEAD"):
        return row[role] == "401"  # a browser's cookie reads the API and never changes anything through it
    may = permission == "public" or permission in queries.roles()[role].permissions
    return (row[role] not in ("401", "403", "sign-in", "confirm")) if may else row[role] == "403"


def test_nobody_gets_in_anywhere_that_is_not_public() -> None:
    for key, row in walk.read().items():
        if row["needs"] == "public":
            continue
        for actor in ("nobody", "expired"):
            assert row[actor] in ("sign-in", "401"), (key, actor)
        assert row["other_token"] in ("sign-in", "401", "403"), key
        assert row["token"] in ("sign-in", "401", "403") or walk.API in row["route"] or row["route"] == "/metrics", key
        assert (row["stale"] in ("confirm", "403")) == row["needs"].endswith(" fresh"), key


def test_every_route_says_who_may_and_nothing_crashes() -> None:
    for key, row in walk.read().items():
        assert row["needs"] != "nobody said", key
        assert row["needs"] == "public" or row["needs"].removesuffix(" fresh") in rules.PERMISSIONS, key
        assert not any(row[actor].startswith("5") for actor in walk.ACTORS), key


def test_what_is_public_is_a_short_list() -> None:
    public = {route for (_, route), row in walk.read().items() if row["needs"] == "public"}
    assert public == PUBLIC, "a route open to everybody needs a good reason: add it here by hand, with the reason"


PUBLIC = {
    "/static/<path:filename>",  # style, scripts, icons: no data
    "/sign-in", "/sign-in/code", "/sign-out",
    "/enrol/<secret>", "/enrol/<secret>/authenticator", "/enrol/<secret>/qr.svg",  # 256 random bits are the key
    "/push/<device_id>/<secret>", "/push/<device_id>/<secret>/<path:rest>",  # terminals: 160 bits of the device's own
    "/iclock/<word>",  # terminals that can be given no secret: by serial number, from a network the plan names
    "/healthz",  # whether parts are alive, for load balancers and watchers; no names, no counts of people
    "/api/v1/openapi.json",  # the description of the API; it is the same for every site
}  # fmt: skip


def test_no_form_is_taken_without_its_token(site: Flask) -> None:
    browser = walk.Crowd(site).browser("administrator")
    taken = [
        (route.method, route.rule, status)
        for route in walk.routes(site)
        if route.method != "GET" and not route.rule.startswith(DEVICES)
        for status in [browser.open(route.path, method=route.method, data={}).status_code]
        if status not in (400, 401)  # 401: the API takes no change by cookie at all
    ]
    assert not taken


DEVICES = ("/push/", "/iclock/")  # terminals post here; no browser is signed in to them, so there is nothing to forge
INLINE = re.compile(rb"<script(?![^>]* src=)[^>]*>|<style|\sstyle=|\son[a-z]+=|javascript:", re.IGNORECASE)


def test_pages_have_a_strict_policy_and_nothing_inline(site: Flask) -> None:
    browser, wrong = walk.Crowd(site).browser("administrator"), []
    for route in walk.routes(site):
        if route.method != "GET" or route.rule.endswith("/stream"):
            continue
        answer = browser.get(route.path)
        policy = answer.headers["Content-Security-Policy"]
        inline = INLINE.search(answer.data) if answer.mimetype == "text/html" else None
        if (
            inline
            or "unsafe-inline" in policy
            or "'unsafe-eval'" in policy
            or answer.headers["X-Content-Type-Options"] != "nosniff"
        ):
            wrong.append((route.rule, inline.group(0) if inline else policy))
    assert not wrong
