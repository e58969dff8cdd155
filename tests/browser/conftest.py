"""A real Chromium against the real server (waitress), for tests that need a browser."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page
from waitress.server import create_server

from bposite.live.stream import hub
from bposite.people import cookies
from bposite.plumbing import db
from tests.browser.chromium import watch
from tests.conftest import build_site, new_settings
from tests.people.signing import make_account, session_of

PATIENCE_MS = 10_000


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Flask]:
    """A new site that really listens; its address is ``app.config["ADDRESS"]``."""
    settings = new_settings(tmp_path)
    app = build_site(settings)
    server = create_server(app, host=settings.web.host, port=settings.web.port, threads=8)
    thread = threading.Thread(target=server.run, name="served", daemon=True)
    thread.start()
    app.config["ADDRESS"] = settings.web.address
    with app.app_context():
        yield app
    hub.close()  # its reader would outlive the database, and the next site's facts would be behind its position
    hub.closing = False
    server.close()
    server.task_dispatcher.shutdown(cancel_pending=True, timeout=2)
    thread.join(5)
    db.close()


@pytest.fixture
def visitor(chromium: Browser, served: Flask) -> Iterator[Callable[..., BrowserContext]]:
    """``visitor(**options)``: a new browser profile that is not signed in; options are those of a context."""
    opened: list[BrowserContext] = []

    def new(**options: object) -> BrowserContext:
        context = chromium.new_context(base_url=served.config["ADDRESS"], **options)  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE_MS)
        opened.append(context)
        return context

    yield new
    for context in opened:
        context.close()


@pytest.fixture
def page(visitor: Callable[..., BrowserContext]) -> Iterator[Page]:
    """A page of somebody who is not signed in; the test fails on a script error or a breach of the content policy."""
    one = visitor().new_page()
    faults = watch(one)
    yield one
    assert not faults


@pytest.fixture
def page_as(visitor: Callable[..., BrowserContext], served: Flask) -> Iterator[Callable[..., Page]]:
    """``page_as("guard", color_scheme="dark")``: a page of a new account with that role, watched like ``page``."""
    watched: list[list[str]] = []

    def new(*roles: str, **options: object) -> Page:
        context = visitor(**options)
        session = session_of(make_account(*roles))
        context.add_cookies([{"name": cookies.SESSION, "value": session, "url": served.config["ADDRESS"]}])
        one = context.new_page()
        watched.append(watch(one))
        return one

    yield new
    assert not [fault for faults in watched for fault in faults]
