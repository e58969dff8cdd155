"""The gate by itself, before routes made for the purpose: default deny, who gets which answer, tokens and the API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Blueprint, Flask

from bposite.journal import actions as journal
from bposite.journal.work import Actor, unit_of_work
from bposite.people import access, actions, cookies, queries
from bposite.people.access import current_actor, public, requires
from bposite.people.views import blueprints
from bposite.plumbing import db
from bposite.plumbing.clock import now
from bposite.plumbing.secrets import make_master
from bposite.plumbing.settings import configure
from bposite.plumbing.web import limiter, make_app
from bposite.wiring import make_tables
from tests.conftest import new_settings
from tests.people.signing import Browser, make_account, nobody, session_of

screens = Blueprint("screens_of_test", __name__, url_prefix="/test")
api = Blueprint("api_of_test", __name__, url_prefix="/api/v1/test")


@screens.get("/forgotten")
def forgotten() -> str:
    """Nobody said who may."""
    return "secret"


@screens.route("/entries", methods=["GET", "POST"])
@requires("entries:read")
def entries() -> str:
    """Marked."""
    return repr(current_actor())


@screens.get("/open")
@public
def everybody() -> str:
    """Public."""
    return current_actor().kind


@api.route("/entries", methods=["GET", "POST"])
@requires("entries:read")
def api_entries() -> str:
    """Marked."""
    return current_actor().kind


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Flask]:
    """An application of the routes above behind the real gate."""
    settings = new_settings(tmp_path)
    configure(settings)
    make_master(settings.state_dir)
    app = make_app(settings)
    for blueprint in (screens, api, *blueprints):
        app.register_blueprint(blueprint)
    access.install(app)
    limiter.enabled = False
    make_tables()
    with db.transaction() as session:
        journal.found(session)
    with app.app_context():
        yield app
    db.close()


def holder(app: Flask, role: str) -> Browser:
    """A browser signed in with ``role``."""
    client = nobody(app)
    client.set_cookie(cookies.SESSION, session_of(make_account(role)))
    return client


def bearer(*permissions: str) -> dict[str, str]:
    """The header of a new token."""
    with unit_of_work(Actor.system("tests")) as work:
        return {"Authorization": "Bearer " + actions.create_token(work, "test", permissions).secret}


def test_a_route_that_says_nothing_is_for_nobody(gate: Flask) -> None:
    for client in (nobody(gate), holder(gate, "administrator")):
        answer = client.get("/test/forgotten")
        assert answer.status_code == 403
        assert b"secret" not in answer.data


def test_who_is_not_signed_in_is_sent_to_sign_in_or_told_so(gate: Flask) -> None:
    client = nobody(gate)
    assert client.get("/test/entries?door=a&b=1").headers["Location"] == "/sign-in?next=/test/entries?door%3Da%26b%3D1"
    for name, value in (("HX-Request", "true"), ("X-Fragment", "1"), ("Accept", "application/json")):
        assert client.get("/test/entries", headers={name: value}).status_code == 401
    assert client.get("/test/entries", headers={"Accept": "text/event-stream"}).status_code == 401
    answer = client.get("/api/v1/test/entries")
    assert (answer.status_code, answer.mimetype) == (401, "application/problem+json")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert client.get("/test/nothing-here").status_code == 404
    assert client.get("/test/open").text == "link"


def test_a_missing_permission_is_named_with_who_can_help(gate: Flask) -> None:
    answer = holder(gate, "reception").get("/test/entries")
    assert answer.status_code == 403
    assert "entries:read" in answer.text
    assert "administrator" in answer.text
    as_json = holder(gate, "reception").get("/api/v1/test/entries")
    assert as_json.json["code"] == "not_allowed"


def test_the_actor_of_a_request_is_the_person_with_role_and_place(gate: Flask) -> None:
    text = holder(gate, "guard").get("/test/entries").text
    assert "kind='user'" in text
    assert "role='guard'" in text
    assert "place='127.0.0.1'" in text


def test_a_cookie_reads_the_api_and_never_changes_through_it(gate: Flask) -> None:
    client = holder(gate, "guard")
    assert client.get("/api/v1/test/entries").text == "user"
    assert client.post("/api/v1/test/entries").status_code == 401
    page = client.get("/account/").text
    token = page.split('csrf-token" content="')[1].split('"')[0]
    assert client.post("/api/v1/test/entries", headers={"X-CSRFToken": token}).status_code == 401
    assert client.post("/test/entries", headers={"X-CSRFToken": token}).status_code == 200
    assert client.post("/test/entries").status_code == 400


def test_a_token_opens_its_scope_of_the_api_and_nothing_else(gate: Flask) -> None:
    client, good, other = nobody(gate), bearer("entries:read"), bearer("doors:read")
    assert client.get("/api/v1/test/entries", headers=good).text == "token"
    assert client.post("/api/v1/test/entries", headers=good).text == "token"
    assert client.get("/api/v1/test/entries", headers=other).status_code == 403
    assert client.get("/test/entries", headers=good).status_code == 302
    assert client.get("/account/", headers=good).status_code == 302


def test_a_wrong_token_is_not_helped_by_a_cookie(gate: Flask) -> None:
    client = holder(gate, "guard")
    for header in ("Bearer nonsense", "Bearer ", "Basic Z3VhcmQ6eA==", "bearer\tx", "Bearer " + "x" * 5000):
        assert client.get("/api/v1/test/entries", headers={"Authorization": header}).status_code == 401


def test_the_use_of_a_token_is_noted(gate: Flask) -> None:
    nobody(gate).get("/api/v1/test/entries", headers=bearer("entries:read"))
    with db.reading() as session:
        assert queries.tokens(session, now())[0].last_used is not None


def test_a_long_answer_learns_that_its_session_has_ended(gate: Flask) -> None:
    account = make_account("guard")
    secret = session_of(account)
    with db.reading() as session:
        identity = queries.identity_of_session(session, secret, now())
    assert identity is not None
    assert access.still_holds(identity, "entries:read")
    assert not access.still_holds(identity, "users:manage")
    with unit_of_work(Actor.system("tests")) as work:
        actions.end_session(work, identity.session_id, "signed_out")
    assert not access.still_holds(identity, "entries:read")


def test_a_misspelt_permission_or_two_marks_fail_before_anything_runs() -> None:
    with pytest.raises(ValueError, match="doors:open"):
        requires("doors:open")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="two of"):
        public(entries)


def test_cookies_are_closed_and_with_https_bound_to_this_host(gate: Flask, tmp_path: Path) -> None:
    from bposite.people.cookies import start
    from bposite.plumbing.settings import Web

    with gate.test_request_context():
        response = gate.make_response("")
        start(response, "s", "d")
        plain = response.headers.getlist("Set-Cookie")
        configure(new_settings(tmp_path).model_copy(update={"web": Web(url="https://site.example.com")}))
        response = gate.make_response("")
        start(response, "s", "d")
        secure = response.headers.getlist("Set-Cookie")
    assert all("HttpOnly" in line and "SameSite=Lax" in line and "Path=/" in line for line in plain + secure)
    assert all(line.startswith("__Host-") and "Secure" in line and "Domain" not in line for line in secure)
    assert not any("Secure" in line for line in plain)
