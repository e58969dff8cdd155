"""One fact with its proof as a document that stands alone, and the checks anybody can repeat with it.

An outsider needs three things: the document, SHA-256, and the public key of the journal (``keys/journal.pub``), which
he should have from another source than the document itself.
"""

from __future__ import annotations

import base64
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy.orm import Session

from bposite.journal.actions import origin, public_key
from bposite.journal.queries import last_checkpoint, proof
from bposite.journal.rules import commitment, leaf_hash, parse_note, verifier_key, verify_inclusion
from bposite.journal.tables import Leaf
from bposite.plumbing.clock import to_micros
from bposite.plumbing.settings import current

FORMAT = "bposite-proof-v1"


@dataclass(frozen=True, slots=True)
class Receipt:
    """A fact and its proof. ``ts``: microseconds since 1970; hashes in hex; ``payload`` is the text that was hashed.

    ``salt`` and ``payload`` are None after erasure; ``path``, ``root`` and ``note`` are empty until a checkpoint
    covers the fact.
    """

    seq: int
    at: datetime
    ts: int
    kind: str
    commit: str
    salt: str | None
    payload: str | None
    leaf: str
    size: int
    path: tuple[str, ...]
    root: str
    note: str
    key: str

    def document(self) -> dict[str, Any]:
        """As plain values for a JSON file."""
        return {"format": FORMAT} | {name: value for name, value in asdict(self).items() if name != "at"}


@dataclass(frozen=True, slots=True)
class Check:
    """One step of the verification. ``ok`` None: it cannot be made yet, and ``words`` says why."""

    what: str
    ok: bool | None
    words: str


def receipt(session: Session, seq: int) -> Receipt | None:
    """Fact ``seq`` with its proof against the newest checkpoint; None when there is no such fact."""
    leaf = session.get(Leaf, seq)
    if leaf is None:
        return None
    ts = to_micros(leaf.at)
    found = proof(session, seq)
    return Receipt(
        seq, leaf.at, ts, leaf.kind, leaf.commit.hex(), leaf.salt.hex() if leaf.salt else None,
        leaf.payload.decode() if leaf.payload is not None else None, leaf_hash(seq, ts, leaf.kind, leaf.commit).hex(),
        found.size if found else 0, tuple(found.path) if found else (), found.root if found else "",
        found.note if found else "", verifier_key(origin(), public_key(current().state_dir)),
    )  # fmt: skip


def checks(one: Receipt) -> list[Check]:
    """What follows from the document alone, step by step, as an outsider would do it."""
    return [_content(one), _leaf(one), _path(one), _signature(one)]


def covered(session: Session, seq: int) -> bool:
    """Whether a signed checkpoint covers fact ``seq``."""
    newest = last_checkpoint(session)
    return newest is not None and seq < newest[0].size


def _content(one: Receipt) -> Check:
    what = "The content is what was recorded"
    if one.salt is None or one.payload is None:
        return Check(what, None, "The content was erased on request; its commitment remains and proves when it was.")
    ok = commitment(bytes.fromhex(one.salt), one.payload.encode()).hex() == one.commit
    return Check(what, ok, "SHA-256 of salt and content is the commitment." if ok else "The content was changed.")


def _leaf(one: Receipt) -> Check:
    ok = leaf_hash(one.seq, one.ts, one.kind, bytes.fromhex(one.commit)).hex() == one.leaf
    words = "Number, time, kind and commitment make this leaf." if ok else "The leaf is not of this fact."
    return Check("The fact is this leaf of the log", ok, words)


def _path(one: Receipt) -> Check:
    what = "The leaf is in the signed log"
    if not one.note:
        return Check(what, None, "The next checkpoint will cover it, usually within a minute.")
    path = [bytes.fromhex(step) for step in one.path]
    ok = verify_inclusion(bytes.fromhex(one.leaf), one.seq, one.size, path, bytes.fromhex(one.root))
    count = len(path)
    steps = f"{count} hash{'es' if count != 1 else ''}"
    return Check(what, ok, f"{steps} lead to the root over {one.size} facts." if ok else "The path misses the root.")


def _signature(one: Receipt) -> Check:
    what = "The root was signed by this site"
    if not one.note:
        return Check(what, None, "No checkpoint covers it yet.")
    try:
        head, signature = parse_note(one.note)
        key = base64.b64decode(one.key.split("+", 2)[2])[1:]
        Ed25519PublicKey.from_public_bytes(key).verify(signature, head.body().encode())
    except (ValueError, InvalidSignature):
        return Check(what, False, "The checkpoint is not signed with this site's key.")
    ok = head.root.hex() == one.root and head.size == one.size
    return Check(what, ok, f"Checkpoint of {one.size} facts, Ed25519." if ok else "The checkpoint is of another root.")
