"""The ``bposite`` command: one group, errors for people, exit codes for programs.

Exit codes: 0 done · 1 something broke on our side · 2 the input or the situation forbids it · 3 verify found a problem.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from bposite import __version__
from bposite.cli import accounts, demo, device, integrity, processes, site
from bposite.cli.console import fail
from bposite.plumbing.errors import Refusal


class Commands(click.Group):
    """A group whose commands end with a message instead of a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a refusal exits with 2, anything unforeseen with 1."""
        try:
            return super().invoke(ctx)
        except Refusal as refusal:
            fail(f"{refusal.message} {refusal.remedy}".strip(), 2)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)
        except Exception as error:
            if os.environ.get("BPOSITE_DEBUG"):
                raise
            fail(f"Something broke on our side: {type(error).__name__}: {error} (BPOSITE_DEBUG=1 shows where.)", 1)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="bposite")
@click.option(
    "--state-dir",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="BPOSITE_STATE_DIR",
    default=Path("state"),
    show_default=True,
    help="Folder of the site: settings, keys, database, pictures.",
)
@click.pass_context
def main(ctx: click.Context, state_dir: Path) -> None:
    """Physical security and visitor management for one site."""
    ctx.obj = state_dir


for command in (
    *site.commands,
    *processes.commands,
    *accounts.commands,
    *device.commands,
    *integrity.commands,
    *demo.commands,
):
    main.add_command(command)
