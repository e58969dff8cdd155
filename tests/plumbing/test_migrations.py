"""Every migration goes up and down on both databases, and the head is what the models say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from flask import Flask
from sqlalchemy import text

from bposite.journal import actions as journal
from bposite.journal.work import Actor, unit_of_work
from bposite.plumbing import db, migrate
from bposite.plumbing.errors import Refusal
from bposite.plumbing.secrets import make_master
from bposite.wiring import know_tables, open_site
from tests.conftest import new_settings


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    url = request.getfixturevalue("postgresql_url") if request.param == "postgresql" else ""
    settings = new_settings(tmp_path, url)
    app = open_site(settings=settings, new=True)
    make_master(tmp_path)
    with app.app_context():
        yield app
    db.close()


def test_up_down_and_up_again(empty: Flask) -> None:
    with pytest.raises(Refusal, match="no tables yet"):
        migrate.require_head()
    migrate.upgrade()
    migrate.require_head()
    migrate.downgrade("base")
    assert migrate.present() is None
    migrate.upgrade()
    migrate.upgrade()
    migrate.require_head()


def test_the_head_is_what_the_models_say(empty: Flask) -> None:
    know_tables()
    migrate.upgrade()
    with db.engine().connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, db.Base.metadata) == []


def test_the_migrated_journal_refuses_changes(empty: Flask) -> None:
    migrate.upgrade()
    with db.transaction() as session:
        journal.found(session)
    with unit_of_work(Actor.system("test")) as work:
        work.record("test:thing:made", subject="1")
    with pytest.raises(Exception, match="never"), db.transaction() as session:
        session.execute(text("DELETE FROM journal_leaf"))
