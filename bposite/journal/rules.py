"""The Merkle tree of RFC 6962 / RFC 9162 section 2 and the signed note of C2SP, as pure functions.

A leaf is the canonical JSON of [version, seq, ts, kind, commit]; commit = SHA-256(salt || payload). Because only the
commitment is in the tree, deleting a payload and its salt (erasure) leaves every proof valid.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

VERSION = 1
SALT_BYTES = 16
EMPTY_ROOT = hashlib.sha256(b"").digest()
NOTE_KEY_TYPE = b"\x01"  # C2SP signed-note: Ed25519

NodeAt = Callable[[int, int], bytes]
"""(level, index) -> hash of the perfect subtree over leaves [index << level, (index + 1) << level)."""


def commitment(salt: bytes, payload: bytes) -> bytes:
    """SHA-256(salt || payload): binds the payload without showing it."""
    return hashlib.sha256(salt + payload).digest()


def leaf_hash(seq: int, ts: int, kind: str, commit: bytes) -> bytes:
    """RFC 6962 leaf hash. ``ts`` is microseconds since 1970; ``kind`` holds only ``[a-z0-9_:.-]``."""
    return hashlib.sha256(
        b'\x00[%d,%d,%d,"%b","%b"]' % (VERSION, seq, ts, kind.encode(), commit.hex().encode())
    ).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 6962 interior node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """The perfect subtrees at the right edge of a growing tree: enough to compute its root and to go on.

    ``peaks`` is [(level, hash)], largest first. ``on_node`` is told each perfect subtree as it is completed.
    """

    def __init__(self, size: int = 0, peaks: Sequence[tuple[int, bytes]] = ()) -> None:
        self.size = size
        self.peaks = list(peaks)

    def append(self, leaf: bytes, on_node: Callable[[int, int, bytes], None] | None = None) -> None:
        """Add one leaf hash."""
        level, value = 0, leaf
        while self.peaks and self.peaks[-1][0] == level:
            value = node_hash(self.peaks.pop()[1], value)
            level += 1
            if on_node is not None:
                on_node(level, self.size >> level, value)
        self.peaks.append((level, value))
        self.size += 1

    def root(self) -> bytes:
        """The tree head over all leaves so far (RFC 6962 section 2.1)."""
        if not self.peaks:
            return EMPTY_ROOT
        value = self.peaks[-1][1]
        for _, peak in reversed(self.peaks[:-1]):
            value = node_hash(peak, value)
        return value


def _split(size: int) -> int:
    return 1 << ((size - 1).bit_length() - 1)


def subtree(node_at: NodeAt, start: int, end: int) -> bytes:
    """The root of leaves [start, end), ``start`` being aligned as RFC 6962 splits."""
    size = end - start
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return node_at(level, start >> level)
    middle = start + _split(size)
    return node_hash(subtree(node_at, start, middle), subtree(node_at, middle, end))


def inclusion_proof(node_at: NodeAt, seq: int, size: int) -> list[bytes]:
    """RFC 9162 2.1.3.1: the audit path of leaf ``seq`` in a tree of ``size`` leaves; ValueError outside of it."""
    if not 0 <= seq < size:
        raise ValueError("the leaf is not in a tree of that size")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if seq < middle:
            path.append(subtree(node_at, middle, end))
            end = middle
        else:
            path.append(subtree(node_at, start, middle))
            start = middle
    return path[::-1]


def consistency_proof(node_at: NodeAt, old: int, new: int) -> list[bytes]:
    """RFC 9162 2.1.4.1: proof that the tree of ``old`` leaves is a prefix of the tree of ``new`` leaves."""
    if not 0 <= old <= new:
        raise ValueError("the older tree cannot be larger")
    return [] if old in (0, new) else _consistency(node_at, old, 0, new, whole=True)


def _consistency(node_at: NodeAt, old: int, start: int, end: int, *, whole: bool) -> list[bytes]:
    size = end - start
    if old == size:
        return [] if whole else [subtree(node_at, start, end)]
    split = _split(size)
    if old <= split:
        left = _consistency(node_at, old, start, start + split, whole=whole)
        return [*left, subtree(node_at, start + split, end)]
    right = _consistency(node_at, old - split, start + split, end, whole=False)
    return [*right, subtree(node_at, start, start + split)]


def verify_inclusion(leaf: bytes, seq: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """RFC 9162 2.1.3.2, independent of the code that makes proofs."""
    if not 0 <= seq < size:
        return False
    node, last, value = seq, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            value = node_hash(step, value)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            value = node_hash(value, step)
        node, last = node >> 1, last >> 1
    return last == 0 and value == root


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """RFC 9162 2.1.4.2."""
    if old == new:
        return not proof and old_root == new_root
    if old == 0:
        return not proof
    if not 0 < old < new:
        return False
    steps = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not steps:
        return False
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    first = second = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            first, second = node_hash(step, first), node_hash(step, second)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            second = node_hash(second, step)
        node, last = node >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head: ``origin`` names the log, ``size`` its leaves, ``root`` its hash (32 bytes)."""

    origin: str
    size: int
    root: bytes

    def body(self) -> str:
        """The text that is signed (C2SP tlog-checkpoint)."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def key_id(name: str, public_key: bytes) -> bytes:
    """The first four bytes of SHA-256(name, newline, type, key) of C2SP signed-note."""
    return hashlib.sha256(name.encode() + b"\n" + NOTE_KEY_TYPE + public_key).digest()[:4]


def verifier_key(name: str, public_key: bytes) -> str:
    """The public key in the note format: ``name+hash+base64``."""
    return f"{name}+{key_id(name, public_key).hex()}+{base64.b64encode(NOTE_KEY_TYPE + public_key).decode()}"


def signed_note(checkpoint: Checkpoint, public_key: bytes, signature: bytes) -> str:
    """Body, blank line and one signature line."""
    stamp = base64.b64encode(key_id(checkpoint.origin, public_key) + signature).decode()
    return f"{checkpoint.body()}\n— {checkpoint.origin} {stamp}\n"


def parse_note(note: str) -> tuple[Checkpoint, bytes]:
    """A signed note -> (checkpoint, signature of 64 bytes); ValueError names what is wrong. It does not verify."""
    body, blank, tail = note.partition("\n\n")
    lines = body.split("\n")
    if not blank or len(lines) != 3 or not lines[1].isascii() or not lines[1].isdigit():
        raise ValueError("not a checkpoint: three lines and a signature are expected")
    mark, _, stamp = tail.strip().rpartition(" ")
    if mark != f"— {lines[0]}":
        raise ValueError("the signature line does not name the log")
    root, raw = base64.b64decode(lines[2], validate=True), base64.b64decode(stamp, validate=True)
    if len(root) != 32 or len(raw) != 68:
        raise ValueError("the root or the signature has the wrong length")
    return Checkpoint(lines[0], int(lines[1]), root), raw[4:]
