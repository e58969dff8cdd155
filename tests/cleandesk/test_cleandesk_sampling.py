"""The draw: an outsider can make it again, nobody can steer it, and every desk has the same chance."""

import hashlib
import subprocess
from collections import Counter
from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bposite.cleandesk.rules import sampling

PLAN, PERIOD, CHECKPOINT, NONCE = "01PLAN", "2026-W48", "1042 q83vEg==", "ab" * 32
SEED = sampling.seed(PLAN, PERIOD, CHECKPOINT, NONCE)


def test_an_outsider_needs_only_a_shell() -> None:
    script = f"printf '%s\\n' {PLAN} {PERIOD} '{CHECKPOINT}' {NONCE} | sha256sum"
    made = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout.split()[0]
    assert made == SEED
    places = ["A1", "A2", "A3", "A4"]
    tickets = {p: hashlib.sha256(f"{SEED}\nfloor/day/live\n{p}\n".encode()).hexdigest() for p in places}
    assert sampling.drawn_order(SEED, "floor/day/live", places) == sorted(places, key=tickets.__getitem__)


def test_a_line_break_cannot_shift_the_parts() -> None:
    with pytest.raises(ValueError, match="line break"):
        sampling.seed("a\nb", "c", "d", "e")
    assert sampling.seed("ab", "c", "d", "e") != sampling.seed("a", "bc", "d", "e")


frames = st.dictionaries(
    st.text("abcdef/", min_size=1, max_size=8), st.sets(st.text("0123456789", min_size=1, max_size=4), max_size=30)
)


@given(frames, st.integers(0, 12), st.integers(0, 2**32))
@settings(max_examples=80, deadline=None)
def test_a_draw_takes_what_was_asked_without_replacement(frame: dict[str, set[str]], size: int, number: int) -> None:
    seed = sampling.seed(PLAN, PERIOD, CHECKPOINT, f"{number:x}")
    sizes = {stratum: min(size, len(places)) for stratum, places in frame.items()}
    drawn = sampling.draw(seed, frame, sizes, 0.1)
    assert len({(d.stratum, d.place) for d in drawn}) == len(drawn) == sum(map(len, frame.values()))
    taken = Counter(d.stratum for d in drawn if d.taken)
    assert {s: n for s, n in sizes.items() if n} == dict(taken)
    assert sum(d.double for d in drawn) == ceil(round(0.1 * sum(sizes.values()), 9))
    assert all(d.taken for d in drawn if d.double)
    assert drawn == sampling.draw(seed, {s: sorted(p, reverse=True) for s, p in frame.items()}, sizes, 0.1)


def test_replacement_goes_down_the_drawn_order() -> None:
    order = sampling.drawn_order(SEED, "s", "abcdef")
    assert sampling.replacement(order, set(order[:3])) == order[3]
    assert sampling.replacement(order, set(order)) is None


def test_every_desk_has_the_same_chance() -> None:
    places, hits = [f"d{i}" for i in range(20)], Counter[str]()
    for number in range(2000):
        seed = sampling.seed(PLAN, PERIOD, CHECKPOINT, str(number))
        hits.update(sampling.drawn_order(seed, "s", places)[:5])
    # 2,000 draws of 5 in 20: 500 each, standard deviation 19.4; five of them either way.
    assert all(403 < hits[place] < 597 for place in places)


def test_the_frame_is_fixed_by_its_digest() -> None:
    one = sampling.frame_digest({"b": ["2", "1"], "a": ["3"]})
    assert one == sampling.frame_digest({"a": ["3"], "b": ["1", "2"]})
    assert one == hashlib.sha256(b"a\t3\nb\t1\nb\t2\n").hexdigest()
    assert one != sampling.frame_digest({"b": ["2"], "a": ["3"]})
    assert sampling.commitment(NONCE) == hashlib.sha256(f"nonce\n{NONCE}\n".encode()).hexdigest()
