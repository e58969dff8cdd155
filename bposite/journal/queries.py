"""Reading the journal: the tail, one fact, and proofs from stored perfect subtrees."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from bposite.journal.rules import (
    Checkpoint,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
)
from bposite.journal.tables import CheckpointRow, Head, Leaf, Node
from bposite.plumbing.clock import to_micros

UNREADABLE = {"kind": "unknown", "id": "", "name": "unreadable"}
STORED_LEVEL = 4  # perfect subtrees of 2**4 leaves and more are stored; smaller ones are hashed again from leaves


@dataclass(frozen=True, slots=True)
class Fact:
    """A leaf as people and programs read it; ``subject``, ``actor`` and ``data`` are None after erasure."""

    seq: int
    at: datetime
    kind: str
    subject: str | None
    actor: dict[str, str] | None
    data: Any


@dataclass(frozen=True, slots=True)
class Proof:
    """That a fact is in the log: leaf and root hashes in hex, the path, and the signed checkpoint it leads to."""

    seq: int
    leaf: str
    size: int
    path: list[str]
    root: str
    note: str


def size(session: Session) -> int:
    """The number of leaves."""
    return session.scalar(select(Head.size).where(Head.id == 1)) or 0


def tail(session: Session, after: int, kinds: Sequence[str] = (), *, limit: int = 500) -> list[Fact]:
    """Facts with seq > ``after`` in order, without holes; ``kinds`` are prefixes (``doors:``), none means all."""
    statement = select(Leaf).where(Leaf.seq > after).order_by(Leaf.seq).limit(limit)
    if kinds:
        statement = statement.where(or_(*(Leaf.kind.startswith(kind, autoescape=True) for kind in kinds)))
    return [_fact(leaf) for leaf in session.scalars(statement)]


def latest(session: Session, before: int | None = None, kinds: Sequence[str] = (), *, limit: int = 50) -> list[Fact]:
    """Facts with seq < ``before``, newest first."""
    statement = select(Leaf).order_by(Leaf.seq.desc()).limit(limit)
    if before is not None:
        statement = statement.where(Leaf.seq < before)
    if kinds:
        statement = statement.where(or_(*(Leaf.kind.startswith(kind, autoescape=True) for kind in kinds)))
    return [_fact(leaf) for leaf in session.scalars(statement)]


def fact(session: Session, seq: int) -> Fact | None:
    """One fact by number."""
    leaf = session.get(Leaf, seq)
    return None if leaf is None else _fact(leaf)


def facts(session: Session, kinds: Sequence[str], *, batch: int = 2000) -> Iterator[Fact]:
    """All facts of ``kinds`` in order, read in batches: for checks that walk everything."""
    after = -1
    while chunk := tail(session, after, kinds, limit=batch):
        yield from chunk
        after = chunk[-1].seq


def last_checkpoint(session: Session) -> tuple[Checkpoint, str, datetime] | None:
    """The newest signed tree head: (checkpoint, note, when)."""
    row = session.scalar(select(CheckpointRow).order_by(CheckpointRow.size.desc()).limit(1))
    return None if row is None else (Checkpoint(row.note.split("\n", 1)[0], row.size, row.root), row.note, row.at)


@dataclass(frozen=True, slots=True)
class Standing:
    """How the journal stands: ``behind`` facts are not yet under a signed checkpoint."""

    size: int
    signed: int
    signed_at: datetime | None
    root: str
    behind: int


def standing(session: Session) -> Standing:
    """The size of the journal and its newest checkpoint."""
    facts, newest = size(session), last_checkpoint(session)
    if newest is None:
        return Standing(facts, 0, None, "", facts)
    head, _, at = newest
    return Standing(facts, head.size, at, head.root.hex(), facts - head.size)


def proof(session: Session, seq: int) -> Proof | None:
    """The proof of fact ``seq`` against the newest checkpoint; None while no checkpoint covers it yet."""
    checkpoint = last_checkpoint(session)
    leaf = session.get(Leaf, seq)
    if checkpoint is None or leaf is None or seq >= checkpoint[0].size:
        return None
    head, note, _ = checkpoint
    path = inclusion_proof(lambda level, index: node(session, level, index), seq, head.size)
    return Proof(seq, hash_of(leaf).hex(), head.size, [step.hex() for step in path], head.root.hex(), note)


def consistency(session: Session, old: int, new: int) -> list[bytes]:
    """The proof that the first ``old`` leaves are a prefix of the first ``new`` ones; both must be checkpointed."""
    return consistency_proof(lambda level, index: node(session, level, index), old, new)


def node(session: Session, level: int, index: int) -> bytes:
    """The hash of a perfect subtree; LookupError when leaves of it are missing."""
    if level >= STORED_LEVEL:
        row = session.get(Node, (level, index))
        if row is None:
            raise LookupError(f"journal node {level}/{index} is missing")
        return row.hash
    start = index << level
    leaves = list(
        session.scalars(select(Leaf).where(Leaf.seq >= start, Leaf.seq < start + (1 << level)).order_by(Leaf.seq))
    )
    if len(leaves) != 1 << level:
        raise LookupError(f"journal leaves {start} to {start + (1 << level) - 1} are not complete")
    hashes = [hash_of(leaf) for leaf in leaves]
    while len(hashes) > 1:
        hashes = [node_hash(left, right) for left, right in zip(hashes[::2], hashes[1::2], strict=True)]
    return hashes[0]


def hash_of(leaf: Leaf) -> bytes:
    """The leaf hash of a row."""
    return leaf_hash(leaf.seq, to_micros(leaf.at), leaf.kind, leaf.commit)


def _fact(leaf: Leaf) -> Fact:
    if leaf.payload is None:
        return Fact(leaf.seq, leaf.at, leaf.kind, None, None, None)
    try:
        body = msgspec.json.decode(leaf.payload)
    except msgspec.DecodeError:  # somebody has changed the row: the page must still open, `verify` names it
        return Fact(leaf.seq, leaf.at, leaf.kind, "content was changed and cannot be read", UNREADABLE, None)
    return Fact(leaf.seq, leaf.at, leaf.kind, body["subject"], body["actor"], body["data"])
