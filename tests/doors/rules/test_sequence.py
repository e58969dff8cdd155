"""Watermarks: the acknowledged number is contiguous, whatever the order of arrival."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bposite.doors.rules.sequence import Watermark, begin, completeness, subtract

SEQS = st.lists(st.integers(1, 40), max_size=60)


@given(SEQS)
def test_against_a_plain_set(seqs: list[int]) -> None:
    mark, known = Watermark(), set()
    for seq in seqs:
        assert mark.has(seq) is (seq in known)
        mark.add(seq)
        known.add(seq)
        upto = 0
        while upto + 1 in known:
            upto += 1
        assert mark.upto == upto
        assert mark.highest == max(known)
        missing = {n for first, last in mark.missing() for n in range(first, last + 1)}
        assert missing == set(range(1, max(known) + 1)) - known


@given(SEQS, st.integers(1, 40), st.integers(0, 20))
def test_filling_is_adding_each(seqs: list[int], first: int, length: int) -> None:
    filled, added = Watermark(), Watermark()
    for seq in seqs:
        filled.add(seq)
        added.add(seq)
    filled.fill(first, first + length)
    for seq in range(first, first + length + 1):
        added.add(seq)
    assert (filled.upto, filled.ahead) == (added.upto, added.ahead)


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 5)), max_size=5), st.integers(1, 50), st.integers(0, 9))
def test_subtract(ranges: list[tuple[int, int]], first: int, length: int) -> None:
    whole = [(low, low + more) for low, more in ranges]
    left = subtract(whole, (first, first + length))
    numbers = {n for low, high in whole for n in range(low, high + 1)}
    assert {n for low, high in left for n in range(low, high + 1)} == numbers - set(range(first, first + length + 1))


def test_where_a_count_begins() -> None:
    assert begin(1, None).upto == 0
    assert begin(5, None).missing() == []
    late = begin(5, None)
    late.add(5)
    assert (late.upto, late.missing()) == (0, [(1, 4)])
    zero = begin(0, None)
    zero.add(0)
    assert (zero.upto, zero.has(0), zero.has(1)) == (0, True, False)
    held = begin(1043, 1042)
    held.add(1043)
    assert held.missing() == [(1042, 1042)]


def test_completeness() -> None:
    assert completeness(0, 0) is None
    assert completeness(99, 1) == 99.0
