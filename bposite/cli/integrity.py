"""``bposite verify`` and ``bposite export``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from bposite import wiring
from bposite.cli.console import fail, with_site
from bposite.doors.queries import EntryFilter
from bposite.entries.rules.moments import typed_moment
from bposite.evidence.pack import note_pack, write_pack
from bposite.journal import actions as journal
from bposite.journal import queries
from bposite.journal.proof import verify as problems_of
from bposite.journal.work import Actor, unit_of_work
from bposite.plumbing.clock import site_zone
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


@export.command("entries")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--door", multiple=True, help="Only this door (its id); may be given several times.")
@click.option("--zone", multiple=True, help="Only entries into this zone.")
@click.option("--person", multiple=True, help="Only this person (the number).")
@click.option("--visit", multiple=True, help="Only this visit.")
@click.option("--from", "since", default="", help="From this time at the site, such as 2026-11-23 or 2026-11-23T14:07.")
@click.option("--to", "until", default="", help="Up to this time at the site; a day includes its end.")
@with_site
def export_entries(folder: Path, since: str, until: str, **chosen: tuple[str, ...]) -> None:
    """Write the entry log into the new FOLDER: sheet, records with proofs, manifest, and a verifier of its own."""
    try:
        wanted = EntryFilter(
            doors=chosen["door"], zones=chosen["zone"], persons=chosen["person"], visits=chosen["visit"],
            since=typed_moment(since, site_zone()) if since else None,
            until=typed_moment(until, site_zone(), end=True) if until else None,
        )  # fmt: skip
    except ValueError as error:
        fail(str(error), 2)
    journal.checkpoint()
    with reading() as session:
        pack = write_pack(session, folder, wanted)
    with unit_of_work(Actor.system("export")) as work:
        note_pack(work, pack)
    click.echo(f"{pack.count} entries of a journal of {pack.size} facts: {pack.folder}")
    click.echo(f"check them anywhere with: python3 {pack.folder / 'check_pack.py'}")


commands = (verify, export)
