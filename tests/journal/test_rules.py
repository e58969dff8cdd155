"""The Merkle tree against a second, naive implementation and the properties that RFC 9162 promises."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from bposite.journal import rules

leaves = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=70)


def naive_root(hashes: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return rules.node_hash(naive_root(hashes[:split]), naive_root(hashes[split:]))


def node_at(hashes: list[bytes]) -> rules.NodeAt:
    return lambda level, index: naive_root(hashes[index << level : (index + 1) << level])


@given(leaves)
def test_frontier_has_the_root_of_the_rfc(hashes: list[bytes]) -> None:
    frontier = rules.Frontier()
    for count, value in enumerate(hashes, 1):
        frontier.append(value)
        assert frontier.root() == naive_root(hashes[:count])


@given(leaves, st.data())
def test_inclusion_holds_for_the_leaf_and_for_no_other(hashes: list[bytes], data: st.DataObject) -> None:
    seq = data.draw(st.integers(0, len(hashes) - 1))
    path = rules.inclusion_proof(node_at(hashes), seq, len(hashes))
    root = naive_root(hashes)
    assert rules.verify_inclusion(hashes[seq], seq, len(hashes), path, root)
    assert not rules.verify_inclusion(hashlib.sha256(hashes[seq]).digest(), seq, len(hashes), path, root)
    assert not rules.verify_inclusion(hashes[seq], seq, len(hashes), path, hashlib.sha256(root).digest())


@given(leaves, st.data())
def test_consistency_holds_for_a_prefix_and_not_for_a_rewrite(hashes: list[bytes], data: st.DataObject) -> None:
    old = data.draw(st.integers(1, len(hashes)))
    proof = rules.consistency_proof(node_at(hashes), old, len(hashes))
    before, after = naive_root(hashes[:old]), naive_root(hashes)
    assert rules.verify_consistency(old, len(hashes), before, after, proof)
    rewritten = [hashlib.sha256(hashes[0]).digest(), *hashes[1:]]
    assert not rules.verify_consistency(old, len(hashes), naive_root(rewritten[:old]), after, proof)


def test_note_round_trip() -> None:
    checkpoint = rules.Checkpoint("bposite/pune-1", 42, b"r" * 32)
    note = rules.signed_note(checkpoint, b"k" * 32, b"s" * 64)
    assert rules.parse_note(note) == (checkpoint, b"s" * 64)


@given(st.text(max_size=200))
def test_garbage_is_no_note(text: str) -> None:
    try:
        rules.parse_note(text)
    except ValueError:
        return
    raise AssertionError("a random text was taken for a checkpoint")
