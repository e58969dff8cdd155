"""``bposite verify``: recompute everything, compare with every checkpoint there is, and name the first bad record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import select
from sqlalchemy.orm import Session

from bposite.journal.actions import origin, public_key
from bposite.journal.queries import hash_of, size
from bposite.journal.rules import Checkpoint, Frontier, commitment, parse_note
from bposite.journal.tables import CheckpointRow, Leaf
from bposite.plumbing.settings import current

BATCH = 5000


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that does not fit: ``record`` names it, ``what`` says how."""

    record: str
    what: str


Witness = Callable[[Session], Iterator[Problem]]
"""A feature's own check of its rows and files against its facts."""


def verify(
    session: Session,
    witnesses: Iterable[Witness] = (),
    outside: Iterable[str] = (),
    progress: Callable[[int], None] = lambda _done: None,
) -> Iterator[Problem]:
    """Every problem found, in order; ``outside``: checkpoint notes kept elsewhere; ``progress`` hears how far."""
    notes = [
        *_inside_notes(session),
        *_exported_notes(),
        *((f"checkpoint {i + 1} given", n) for i, n in enumerate(outside)),
    ]
    wanted: dict[int, list[tuple[str, Checkpoint]]] = {}
    for name, note in notes:
        yield from _collect(name, note, wanted)
    yield from _walk(session, wanted, progress)
    for witness in witnesses:
        yield from witness(session)


def _inside_notes(session: Session) -> Iterator[tuple[str, str]]:
    for row in session.scalars(select(CheckpointRow).order_by(CheckpointRow.size)):
        yield f"checkpoint of size {row.size}", row.note


def _exported_notes() -> Iterator[tuple[str, str]]:
    settings = current()
    for folder in filter(None, [str(settings.state_dir / "checkpoints"), settings.anchor_dir]):
        place = Path(folder) / "latest.note"
        if place.exists():
            yield f"exported checkpoint {place.name}", place.read_text("utf-8")


def _collect(name: str, note: str, wanted: dict[int, list[tuple[str, Checkpoint]]]) -> Iterator[Problem]:
    try:
        checkpoint, signature = parse_note(note)
    except ValueError as error:
        yield Problem(name, str(error))
        return
    if checkpoint.origin != origin():
        yield Problem(name, f"is of another log: {checkpoint.origin}")
        return
    try:
        Ed25519PublicKey.from_public_bytes(public_key(current().state_dir)).verify(
            signature, checkpoint.body().encode()
        )
    except InvalidSignature:
        yield Problem(name, "the signature is not this site's")
        return
    wanted.setdefault(checkpoint.size, []).append((name, checkpoint))


def _walk(
    session: Session, wanted: dict[int, list[tuple[str, Checkpoint]]], progress: Callable[[int], None]
) -> Iterator[Problem]:
    frontier = Frontier()
    for leaf in _leaves(session):
        if leaf.seq != frontier.size:
            yield Problem(f"journal fact {frontier.size}", "is missing")
            return
        if leaf.payload is not None and leaf.salt is not None and commitment(leaf.salt, leaf.payload) != leaf.commit:
            yield Problem(f"journal fact {leaf.seq}", "its content was changed")
        frontier.append(hash_of(leaf))
        if frontier.size % BATCH == 0:
            progress(frontier.size)
        for name, checkpoint in wanted.pop(frontier.size, []):
            if checkpoint.root != frontier.root():
                yield Problem(name, f"the first {checkpoint.size} facts are not the ones that were signed")
    for large, checkpoints in sorted(wanted.items()):
        for name, _ in checkpoints:
            yield Problem(name, f"signed {large} facts, but only {frontier.size} are left: the tail was cut")
    if size(session) != frontier.size:
        yield Problem("journal head", f"counts {size(session)} facts, but {frontier.size} are there")


def _leaves(session: Session) -> Iterator[Leaf]:
    after = -1
    while chunk := list(session.scalars(select(Leaf).where(Leaf.seq > after).order_by(Leaf.seq).limit(BATCH))):
        yield from chunk
        after = chunk[-1].seq
        session.expunge_all()
