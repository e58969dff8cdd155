"""Sites for the tests of doors: the database and the plan, without the web of every feature.

The plan is applied once a run; each test gets a copy of that site, as files or as a PostgreSQL database of its own.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
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


def open_core(settings: Settings, *, new: bool = True) -> Flask:
    """A site with its database open; a new one gets keys, tables, journal and plan."""
    configure(settings)
    if new:
        make_master(settings.state_dir)
    app = Flask("doors")
    db.bind(app, settings.database)
    if new:
        make_tables()
        with db.transaction() as session:
            journal.found(session)
        journal.make_signing_key(settings.state_dir)
        apply()
    return app


@pytest.fixture(scope="session")
def pattern(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state directory that SQLite sites are copied from."""
    folder = tmp_path_factory.mktemp("pattern")
    open_core(new_settings(folder))
    db.close()
    return folder


@pytest.fixture(scope="session")
def postgresql_pattern(postgresql_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """The state directory and the name of the database that PostgreSQL sites are copied from."""
    folder, name = tmp_path_factory.mktemp("pattern"), f"pattern_{uuid.uuid4().hex[:8]}"
    _administer(postgresql_server, f"CREATE DATABASE {name}")
    open_core(new_settings(folder, f"{postgresql_server}/{name}"))
    db.close()
    yield folder, name
    _administer(postgresql_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def planned(pattern: Path, tmp_path: Path) -> Iterator[Flask]:
    """The demonstration site on SQLite."""
    shutil.copytree(pattern, tmp_path / "site")
    yield open_core(new_settings(tmp_path / "site"), new=False)
    db.close()


@pytest.fixture
def planned_on_postgresql(
    postgresql_server: str, postgresql_pattern: tuple[Path, str], tmp_path: Path
) -> Iterator[Flask]:
    """The demonstration site on PostgreSQL."""
    folder, source = postgresql_pattern
    shutil.copytree(folder, tmp_path / "site")
    name = f"t{uuid.uuid4().hex[:12]}"
    _administer(postgresql_server, f"CREATE DATABASE {name} TEMPLATE {source}")
    yield open_core(new_settings(tmp_path / "site", f"{postgresql_server}/{name}"), new=False)
    db.close()
    _administer(postgresql_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def any_planned(request: pytest.FixtureRequest) -> Flask:
    """The demonstration site on both databases."""
    app: Flask = request.getfixturevalue("planned" if request.param == "sqlite" else "planned_on_postgresql")
    return app


@pytest.fixture
def listening(planned: Flask) -> tuple[Listener, Tape]:
    """A listener on SQLite and what it publishes."""
    return new_listener()


@pytest.fixture
def any_listening(any_planned: Flask) -> tuple[Listener, Tape]:
    """A listener on both databases and what it publishes."""
    return new_listener()


def _administer(server: str, statement: str) -> None:
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(statement.encode())
