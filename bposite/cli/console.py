"""How the command line speaks: plain lines, progress on anything long, errors on standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import update_wrapper
from pathlib import Path
from typing import Any, NoReturn

import click

from bposite.plumbing import db
from bposite.plumbing.migrate import require_head
from bposite.wiring import open_site


def fail(message: str, code: int) -> NoReturn:
    """Say ``message`` on standard error and end with ``code``."""
    click.secho("error: ", fg="red", bold=True, nl=False, err=True)
    click.echo(message, err=True)
    sys.exit(code)


def with_site(command: Callable[..., Any]) -> Callable[..., Any]:
    """Open the site before the command (refusing a database of another version) and close it after."""

    @click.pass_obj
    def called(state_dir: Path, *args: Any, **kwargs: Any) -> Any:
        app = open_site(state_dir)
        require_head()
        with app.app_context():
            try:
                return command(*args, **kwargs)
            finally:
                db.close()

    return update_wrapper(called, command)
