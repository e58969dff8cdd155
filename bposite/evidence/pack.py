"""An evidence pack: the entries of a filter as a sheet and as records with proofs, a manifest, and its own verifier.

The pack is complete by itself: ``check_pack.py`` in it needs Python and openssl, nothing of bposite. The same filter
and checkpoint give the same files, byte for byte.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
from sqlalchemy.orm import Session

from bposite import __version__
from bposite.doors.queries import EntryFilter, entries_after
from bposite.entries import queries
from bposite.entries.rules import cells
from bposite.entries.sheet import HEAD, sheet_row
from bposite.journal.queries import last_checkpoint
from bposite.journal.receipt import receipt
from bposite.journal.work import Work
from bposite.plumbing.clock import site_zone
from bposite.plumbing.errors import Refusal
from bposite.plumbing.settings import current

FORMAT = "bposite-pack-v1"
VERIFIER = Path(__file__).with_name("check_pack.py")
PAGE = 500
_encode = msgspec.json.Encoder(order="sorted").encode


@dataclass(frozen=True, slots=True)
class Pack:
    """What was written. ``digest``: SHA-256 of the manifest, which names every other file."""

    folder: Path
    count: int
    size: int
    digest: str


def write_pack(session: Session, folder: Path, wanted: EntryFilter) -> Pack:
    """Write the entries of ``wanted`` that the newest checkpoint covers into a new folder.

    Refusal when nothing was signed yet, or when the folder is there already: a pack is never mixed with another.
    """
    newest = last_checkpoint(session)
    if newest is None:
        raise Refusal("no_checkpoint", "Nothing has been signed yet.", remedy="Wait a minute for the first checkpoint.")
    try:
        folder.mkdir(parents=True)
    except FileExistsError as error:
        raise Refusal("folder", f"{folder} is there already.", remedy="Name a new folder.") from error
    head, note, _ = newest
    count, key = _write_entries(session, folder, wanted, head.size)
    (folder / VERIFIER.name).write_bytes(VERIFIER.read_bytes())
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}
    manifest = {
        "format": FORMAT, "made_by": f"bposite {__version__}", "site": current().site.id, "filter": wanted,
        "count": count, "facts": head.size, "checkpoint": note, "key": key, "files": files,
    }  # fmt: skip
    content = msgspec.json.format(_encode(manifest), indent=2) + b"\n"
    (folder / "manifest.json").write_bytes(content)
    return Pack(folder, count, head.size, hashlib.sha256(content).hexdigest())


def note_pack(work: Work, pack: Pack) -> None:
    """A pack that leaves the site is a fact, bound by the hash of its manifest."""
    data = {"count": pack.count, "facts": pack.size, "manifest": pack.digest}
    work.record("evidence:pack:made", subject=pack.digest[:16], data=data)


def _write_entries(session: Session, folder: Path, wanted: EntryFilter, size: int) -> tuple[int, str]:
    count, key, zone = 0, "", site_zone()
    with (
        (folder / "entries.csv").open("w", newline="", encoding="utf-8") as sheet,
        (folder / "entries.jsonl").open("wb") as records,
    ):
        sheet.write(cells.line(HEAD))
        for line in _lines(session, wanted, size):
            proof = receipt(session, line.position)
            if proof is None:
                raise Refusal("fact", f"Entry {line.position} has no fact.", remedy="Run bposite verify.")
            sheet.write(cells.line(sheet_row(line, zone)))
            kept = {name: value for name, value in proof.document().items() if name not in ("note", "root", "key")}
            records.write(_encode(kept) + b"\n")
            count, key = count + 1, proof.key
    if not count:
        raise Refusal("empty", "No signed entry matches this filter.", remedy="Widen it, or wait for a checkpoint.")
    return count, key


def _lines(session: Session, wanted: EntryFilter, size: int) -> Iterator[queries.Line]:
    known, after = queries.names(session), -1
    while rows := entries_after(session, wanted, after, limit=PAGE):
        covered = [row for row in rows if row.position < size]
        yield from queries.lines(session, covered, known, pictures=False)
        if len(covered) < len(rows):
            return
        after = rows[-1].position
