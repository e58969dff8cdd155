"""The database's shape by Alembic: the same migrations on SQLite and PostgreSQL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from bposite.plumbing.db import engine, normalised
from bposite.plumbing.errors import Refusal
from bposite.plumbing.settings import current

SCRIPTS = Path(__file__).resolve().parent.parent / "migrations"


def config() -> Config:
    """Alembic's configuration for the database of this process; nothing of it is in a file."""
    made = Config()
    made.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    made.attributes["url"] = normalised(current().database)
    return made


def head() -> str | None:
    """The newest revision that this version of bposite knows."""
    return ScriptDirectory.from_config(config()).get_current_head()


def present() -> str | None:
    """The revision of the database; None when it is empty."""
    with engine().connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(revision: str = "head") -> None:
    """Bring the database up to ``revision``, in one transaction a step."""
    _run(command.upgrade, revision)


def downgrade(revision: str) -> None:
    """Take the database down to ``revision``; for tests of the migrations and for going back after a bad update."""
    _run(command.downgrade, revision)


def require_head() -> None:
    """Refusal when the database is not of this version: a process must not work on another shape."""
    found, wanted = present(), head()
    if found != wanted:
        what = "has no tables yet" if found is None else f"is at revision {found}, this version needs {wanted}"
        raise Refusal(
            "database_revision", f"The database {what}.", remedy="Run bposite init: it upgrades and keeps all data."
        )


def _run(step: Any, revision: str) -> None:
    made = config()
    with engine().execution_options(bposite_write=True).connect() as connection:
        made.attributes["connection"] = connection
        step(made, revision)
