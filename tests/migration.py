"""For developers: ``python -m tests.migration 0002 what_changes`` writes the next migration from the models."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from bposite.plumbing.migrate import SCRIPTS
from bposite.wiring import know_tables


def write(revision: str, message: str) -> None:
    """Write ``versions/<revision>_<message>.py`` from the difference between the models and the migrations so far."""
    know_tables()
    made = Config()
    made.set_main_option("script_location", str(SCRIPTS))
    with tempfile.TemporaryDirectory() as folder:
        engine = create_engine(f"sqlite:///{Path(folder) / 'empty.sqlite3'}")
        with engine.connect() as connection:
            made.attributes["connection"] = connection
            command.upgrade(made, "head")
            connection.commit()
            command.revision(made, message, autogenerate=True, rev_id=revision)


if __name__ == "__main__":
    write(sys.argv[1], sys.argv[2])
