"""``bposite verify`` and ``bposite export``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from bposite import wiring
from bposite.cli.console import fail, with_site
from bposite.journal import actions as journal
from bposite.journal import queries
from bposite.journal.proof import verify as problems_of
from bposite.plumbing.db import reading


@click.command()
@click.option("--checkpoint", "files", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="A signed checkpoint kept elsewhere; may be given several times.")  # fmt: skip
@with_site
def verify(files: tuple[Path, ...]) -> None:
    """Recompute the whole journal and compare it with every checkpoint, row and picture; exits with 3 on a problem."""
    outside = [file.read_text("utf-8", "replace") for file in files]
    found = 0
    with reading() as session:
        for problem in problems_of(session, wiring.witnesses(), outside):
            found += 1
            click.secho("PROBLEM ", fg="red", bold=True, nl=False)
            click.echo(f"{problem.record}: {problem.what}")
        size = queries.size(session)
    if found:
        fail(f"{found} {'problem' if found == 1 else 'problems'} in a journal of {size} facts.", 3)
    click.echo(f"{size} facts, their rows and files agree with every checkpoint.")


@click.group()
def export() -> None:
    """Write evidence for people outside."""


@export.command("checkpoint")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
@with_site
def export_checkpoint(file: Path | None) -> None:
    """Sign a checkpoint over everything until now, and write it to FILE or to standard output."""
    journal.checkpoint()
    note = journal.newest_note()
    if note is None:
        fail("The journal is empty.", 2)
    if file is None:
        sys.stdout.write(note)
        return
    file.write_text(note, "utf-8")
    click.echo(f"written: {file}")


commands = (verify, export)
