"""Sites for the tests of doors: the database and the plan, without the web of every feature."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from bposite.doors.listener.service import Listener
from bposite.journal import actions as journal
from bposite.plumbing import db
from bposite.plumbing.secrets import make_master
from bposite.plumbing.settings import Settings, configure
from bposite.wiring import make_tables
from tests.conftest import new_settings
from tests.doors.kit import Tape, apply, new_listener


def open_core(settings: Settings) -> Flask:
    """Keys, tables, journal and plan of a new site."""
    configure(settings)
    make_master(settings.state_dir)
    app = Flask("doors")
    db.bind(app, settings.database)
    make_tables()
    with db.transaction() as session:
        journal.found(session)
    journal.make_signing_key(settings.state_dir)
    apply()
    return app


@pytest.fixture
def planned(tmp_path: Path) -> Iterator[Flask]:
    """The demonstration site on SQLite."""
    yield open_core(new_settings(tmp_path))
    db.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def any_planned(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """The demonstration site on both databases."""
    url = request.getfixturevalue("postgresql_url") if request.param == "postgresql" else ""
    yield open_core(new_settings(tmp_path, url))
    db.close()


@pytest.fixture
def listening(planned: Flask) -> tuple[Listener, Tape]:
    """A listener on SQLite and what it publishes."""
    return new_listener()


@pytest.fixture
def any_listening(any_planned: Flask) -> tuple[Listener, Tape]:
    """A listener on both databases and what it publishes."""
    return new_listener()
