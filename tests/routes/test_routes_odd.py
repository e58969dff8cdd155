"""Odd input on every route, by somebody who may do everything: a message, a page, never a crash.

What is sent: strange values in every part of an address that is a parameter, in every query parameter and in every
form field whose name occurs anywhere in the source, on both databases. Traps 8 of the design page "trust".
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from urllib.parse import quote

import pytest
import yaml
from flask import Flask

from bposite import wiring
from bposite.journal.work import Actor, unit_of_work
from bposite.plumbing.resources import root
from tests.people.signing import Browser
from tests.routes import walk

SOURCE = Path(__file__).resolve().parents[2]
ODD = {
    "nul": "a\x00b",
    "long": "x" * 10_000,
    "html": "<img src=x onerror=alert(1)>\"'",
    "digits": "²٣" * 3,
    "huge": "9" * 30,
    "bidi": "\u202e\u200b\ufeff é 🗝",
    "json": "[" * 1500,
    "lines": "a\r\nSet-Cookie: x=y",
    "mixed": "",  # another one in each field, see ``filled``
}
MIXED = (
    "-1",
    "2026-W01-1",
    "%_\\%00%s{}${7*7}{{7*7}}",
    "NaN",
    "1e999",
    "2026-02-30T25:61",
    "0x10",
    "true",
    "' OR 1=1 --",
)
NAMES = re.compile(
    r"""(?:args|form|files|values)\.get(?:list)?\(\s*["']([a-z_]+)["']   # request.args.get("q")
    |^\s{4}([a-z_]+)\s*=\s*\w*(?:Field|Ticks)\(                          # name = StringField(
    |\bname="([a-z_]+)"                                                  # <input name="q">
    |^\s{4}([a-z_]+):\s.*=\s*Field\(                                     # after: int = Field(""",
    re.MULTILINE | re.VERBOSE,
)


@cache
def field_names() -> tuple[str, ...]:
    """Every name of a parameter or field that the source knows."""
    files = [*SOURCE.glob("bposite/**/*.py"), *SOURCE.glob("templates/**/*.html")]
    found = {name for file in files for groups in NAMES.findall(file.read_text("utf-8")) for name in groups if name}
    return tuple(sorted(found - {"csrf_token"}))


def filled(what: str, longest: int | None = None) -> dict[str, str]:
    """Every field with the odd value of that name."""
    if what == "mixed":
        return {name: MIXED[at % len(MIXED)] for at, name in enumerate(field_names())}
    return dict.fromkeys(field_names(), ODD[what][:longest])


def test_the_names_are_really_found() -> None:
    assert {"q", "password", "display", "permissions", "after"} <= set(field_names())


@pytest.fixture
def crowd(any_site: Flask) -> walk.Crowd:
    """A site with its plan, and everybody who may ask."""
    text = (root("hardware") / "simulator" / "site.yaml").read_text("utf-8")
    plan = yaml.safe_load(text.replace("{rtsp_port}", "9"))
    with unit_of_work(Actor.system("tests")) as work:
        wiring.apply_plan(work, plan)
    return walk.Crowd(any_site)


def ways(crowd: walk.Crowd, *, forms: bool) -> list[walk.Route]:
    """Every route but those that never end and the one that ends the session."""
    found = [route for route in walk.routes(crowd.app) if not route.rule.endswith("/stream")]
    return [route for route in found if (route.method != "GET") == forms and route.rule != "/sign-out"]


def odd_for(crowd: walk.Crowd) -> dict[str, str]:
    """All of it on SQLite; on PostgreSQL only what its columns could refuse."""
    postgresql = "postgresql" in crowd.app.config["SQLALCHEMY_DATABASE_URI"]
    return {what: odd for what, odd in ODD.items() if not postgresql or what in ("nul", "huge", "bidi", "long")}


def test_odd_addresses_and_parameters(crowd: walk.Crowd) -> None:
    browser, crashed = crowd.browser("administrator"), []
    for what, odd in odd_for(crowd).items():
        everything = filled(what, 300)
        for route in ways(crowd, forms=False):
            crashed += asked(browser, "GET", route.path, (route.rule, what), query=everything)
            if "<" in route.rule:
                strange = re.sub(r"<[^>]+>", quote(odd[:500] or MIXED[2], safe=""), route.rule)
                crashed += asked(browser, "GET", strange, (route.rule, what))
    assert not crashed


def test_odd_forms(crowd: walk.Crowd) -> None:
    browser, crashed = crowd.browser("administrator"), []
    token = walk.form_token(browser)
    for what in odd_for(crowd):
        form = {"csrf_token": token} | filled(what)
        for route in ways(crowd, forms=True):
            crashed += asked(browser, route.method, route.path, (route.rule, what), form=form)
    assert browser.get("/account/").status_code == 200, "the browser was signed out on the way: nothing was tested"
    assert not crashed


BODIES: dict[str, str | bytes] = {
    "deep": "[" * 100_000,
    "nested": '{"a":' * 5000 + "1" + "}" * 5000,
    "nan": '{"value": NaN, "seq": Infinity}',
    "twice": '{"id": "a", "id": "b"}',
    "surrogate": '{"id": "\\ud800", "text": "\\u0000"}',
    "huge": '{"seq": 99999999999999999999999999}',
    "list": '[1, "a", null]',
    "not utf-8": b"\xff\xfe\x00{",
    "empty": "",
}


def test_odd_bodies(site: Flask) -> None:
    crowd, crashed = walk.Crowd(site), []
    browser = crowd.browser("administrator")
    token = walk.form_token(browser)
    for route in ways(crowd, forms=True):
        for what, body in BODIES.items():
            kind = "multipart/form-data; boundary=x" if what in ("not utf-8", "empty") else "application/json"
            headers = {"Content-Type": kind, "X-CSRFToken": token}
            status = browser.open(route.path, method=route.method, data=body, headers=headers).status_code
            if status >= 500 and status != 503:
                crashed.append((route.rule, what, status))
    assert not crashed


def asked(browser: Browser, method: str, path: str, what: tuple[str, str], **sent: dict[str, str]) -> list[object]:
    """Empty, or what crashed."""
    long = "form" in sent and what[1] in ("json", "long")  # which a test client would percent-encode for a minute
    kind = "multipart/form-data" if long else None
    answer = browser.open(path, method=method, query_string=sent.get("query"), data=sent.get("form"), content_type=kind)
    status = answer.status_code
    answer.close()
    return [(method, *what, status)] if status >= 500 and status != 503 else []
