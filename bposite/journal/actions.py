"""What is done to the journal itself: found it, sign a checkpoint, erase a payload."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from bposite.journal.queries import STORED_LEVEL, hash_of, last_checkpoint
from bposite.journal.rules import Checkpoint, Frontier, signed_note, verifier_key
from bposite.journal.tables import CheckpointRow, Head, Leaf, Node
from bposite.journal.work import Work
from bposite.plumbing.clock import now
from bposite.plumbing.db import reading, transaction
from bposite.plumbing.secrets import keys_dir, make_key_file
from bposite.plumbing.settings import current

PEAK = 33  # one byte of level and 32 of hash
BATCH = 5000


def found(session: Session) -> None:
    """Begin the journal of a new site; an existing one is kept."""
    if session.get(Head, 1) is None:
        session.add(Head(id=1, size=0))


def make_signing_key(state_dir: Path) -> None:
    """Make the Ed25519 key that signs checkpoints, and write its public half beside it."""
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    make_key_file(keys_dir(state_dir) / "journal.key", pem)
    (keys_dir(state_dir) / "journal.pub").write_text(verifier_key(origin(), public_key(state_dir)) + "\n")


def origin() -> str:
    """The name of this log in checkpoints."""
    return f"bposite/{current().site.id}"


def public_key(state_dir: Path) -> bytes:
    """The raw public key (32 bytes) of the journal."""
    return _signer(state_dir).public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def checkpoint() -> Checkpoint | None:
    """Sign the tree head over all leaves and export it; None when nothing came since the last one.

    The leaves are hashed outside of any write transaction; only the result is written in one.
    """
    nodes: list[dict[str, object]] = []
    with reading() as session:
        newest = session.scalar(select(CheckpointRow).order_by(CheckpointRow.size.desc()).limit(1))
        frontier = Frontier() if newest is None else Frontier(newest.size, _unpack(newest.frontier))
        before = frontier.size
        _advance(session, frontier, nodes)
    if frontier.size == before:
        return None
    head = Checkpoint(origin(), frontier.size, frontier.root())
    state_dir = current().state_dir
    note = signed_note(head, public_key(state_dir), _signer(state_dir).sign(head.body().encode()))
    with transaction() as session:
        if session.get(CheckpointRow, head.size) is None:
            row = CheckpointRow(size=head.size, at=now(), root=head.root, frontier=_pack(frontier), note=note)
            session.add(row)
            session.flush()
            if nodes:
                session.execute(insert(Node), nodes)
    export_checkpoint(note)
    return head


def _advance(session: Session, frontier: Frontier, nodes: list[dict[str, object]]) -> None:
    def keep(level: int, index: int, value: bytes) -> None:
        if level >= STORED_LEVEL:
            nodes.append({"level": level, "idx": index, "hash": value})

    while leaves := list(
        session.scalars(select(Leaf).where(Leaf.seq >= frontier.size).order_by(Leaf.seq).limit(BATCH))
    ):
        for leaf in leaves:
            if leaf.seq != frontier.size:
                raise LookupError(f"journal leaf {frontier.size} is missing: run bposite verify")
            frontier.append(hash_of(leaf), keep)
        session.expunge_all()


def export_checkpoint(note: str) -> None:
    """Write the newest checkpoint where ``bposite verify`` and outsiders look, atomically, in each anchor folder."""
    settings = current()
    for folder in filter(None, [str(settings.state_dir / "checkpoints"), settings.anchor_dir]):
        place = Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        partial = place / f".latest.{os.getpid()}"
        partial.write_text(note, "utf-8")
        partial.replace(place / "latest.note")


def erase(work: Work, seq: int, *, reason: str) -> None:
    """Empty the payload of one fact (a subject's right); its commitment stays, so every proof stays valid."""
    work.session.execute(update(Leaf).where(Leaf.seq == seq).values(salt=None, payload=None))
    work.record("journal:payload:erased", subject=str(seq), data={"reason": reason})


def newest_note() -> str | None:
    """The newest signed checkpoint as text."""
    with reading() as session:
        found_one = last_checkpoint(session)
    return None if found_one is None else found_one[1]


def _signer(state_dir: Path) -> Ed25519PrivateKey:
    key = serialization.load_pem_private_key((keys_dir(state_dir) / "journal.key").read_bytes(), None)
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError("journal.key is not an Ed25519 key")
    return key


def _pack(frontier: Frontier) -> bytes:
    return b"".join(bytes([level]) + value for level, value in frontier.peaks)


def _unpack(raw: bytes) -> list[tuple[int, bytes]]:
    return [(raw[at], raw[at + 1 : at + PEAK]) for at in range(0, len(raw), PEAK)]
