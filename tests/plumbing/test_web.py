"""The web shell: headers, error pages, problem+json, and that a crash shows a number instead of a traceback."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from bposite.people.access import public
from bposite.plumbing.errors import Refusal


@pytest.fixture
def broken(site: Flask) -> FlaskClient:
    @public
    def crash() -> str:
        raise ZeroDivisionError("secret detail")

    @public
    def refuse() -> str:
        raise Refusal("too_late", "It is too late.", field="when", remedy="Come tomorrow.")

    for prefix in ("", "/api/v1"):
        site.add_url_rule(f"{prefix}/crash", f"{prefix}crash", crash)
        site.add_url_rule(f"{prefix}/refuse", f"{prefix}refuse", refuse)
    site.config["PROPAGATE_EXCEPTIONS"] = False
    return site.test_client()


def test_a_crash_is_a_number_and_no_traceback(broken: FlaskClient) -> None:
    answer = broken.get("/crash")
    assert answer.status_code == 500
    assert "secret detail" not in answer.text
    assert "Something broke on our side" in answer.text


def test_problems_are_rfc_9457(broken: FlaskClient) -> None:
    answer = broken.get("/api/v1/refuse")
    assert answer.content_type == "application/problem+json"
    assert answer.get_json() == {
        "type": "urn:bposite:problem:too_late", "title": "It is too late.", "status": 422, "code": "too_late",
        "field": "when", "remedy": "Come tomorrow.",
    }  # fmt: skip
    assert broken.get("/api/v1/crash").get_json()["code"] == "internal"


def test_every_answer_has_the_strict_headers(broken: FlaskClient) -> None:
    for path in ("/refuse", "/nowhere", "/static/css/base.css"):
        answer = broken.get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert "unsafe-inline" not in policy
        assert "unsafe-eval" not in policy.replace("wasm-unsafe-eval", "")
        assert "default-src 'none'" in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
