"""Fixtures for every test: a site in a temporary folder, on SQLite and on PostgreSQL, with a real journal."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from bposite.journal import actions as journal
from bposite.plumbing import db
from bposite.plumbing.secrets import make_master
from bposite.plumbing.settings import Settings, Site, Web, configure
from bposite.plumbing.web import limiter
from bposite.wiring import make_tables, open_site
from tests.browser.chromium import chromium
from tests.people.signing import Browser, nobody, signed_in

__all__ = ["chromium"]  # a fixture, once for the whole run: two of them in one thread disturb each other
REPO = Path(__file__).resolve().parent.parent
SHARED = REPO.parent / "shared"


def free_port() -> int:
    """A TCP port that nothing listens on at this moment."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def new_settings(state_dir: Path, database_url: str = "") -> Settings:
    """Settings of a test site in Asia/Kolkata."""
    return Settings(
        state_dir=state_dir,
        database_url=database_url,
        site=Site(id="pune-1", name="Pune Contact Centre", zone="Asia/Kolkata"),
        web=Web(port=free_port()),
        log_level="error",
    )


def build_site(settings: Settings) -> Flask:
    """A new, empty site: keys, tables, the journal's first page."""
    configure(settings)
    make_master(settings.state_dir)
    app = open_site(settings=settings)
    make_tables()
    with db.transaction() as session:
        journal.found(session)
    journal.make_signing_key(settings.state_dir)
    app.testing = True
    limiter.enabled = False  # many tests sign in within a minute; tests/people switches it on again for one
    return app


@pytest.fixture
def shared() -> Path:
    """The folder of shared reference data; absent for outsiders, then the test says so."""
    if not SHARED.is_dir():
        pytest.skip("../shared is not here: this test needs its data")
    return SHARED


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Flask]:
    """A new site on SQLite (WAL, FULL) with its application context open."""
    app = build_site(new_settings(tmp_path))
    with app.app_context():
        yield app
    db.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def any_site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """The same test on both databases."""
    url = request.getfixturevalue("postgresql_url") if request.param == "postgresql" else ""
    app = build_site(new_settings(tmp_path, url))
    with app.app_context():
        yield app
    db.close()


@pytest.fixture
def client(site: Flask) -> Browser:
    """A browser that is not signed in; ``client.send(path, field=...)`` posts a form with its token."""
    return nobody(site)


@pytest.fixture
def client_as(site: Flask) -> Callable[..., Browser]:
    """``client_as("guard")``: a browser signed in as a new account with that role (or those roles)."""
    return lambda *roles: signed_in(site, *roles)


def _pg_bin() -> Path | None:
    if found := shutil.which("initdb"):
        return Path(found).parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return versions[-1].parent if versions else None


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The address of a real PostgreSQL started for this run; tests that need it say so when there is none."""
    programs = _pg_bin()
    if programs is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="bposite-pg-"))
    port = free_port()
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if as_user:
        shutil.chown(folder, "postgres")
    data = folder / "data"
    run = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run([*as_user, programs / "initdb", "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8"], **run)  # type: ignore[call-overload]
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c max_connections=300"
    subprocess.run(
        [*as_user, programs / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start"], **run
    )  # type: ignore[call-overload]
    try:
        yield f"postgresql://postgres@127.0.0.1:{port}"
    finally:
        subprocess.run([*as_user, programs / "pg_ctl", "-D", data, "-m", "immediate", "stop"], **run)  # type: ignore[call-overload]
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgresql_url(postgresql_server: str) -> Iterator[str]:
    """The address of a new, empty database."""
    import psycopg

    name = f"t{uuid.uuid4().hex[:12]}"
    with psycopg.connect(f"{postgresql_server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    yield f"{postgresql_server}/{name}"
    with psycopg.connect(f"{postgresql_server}/postgres", autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
