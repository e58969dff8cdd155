"""Presence: one person in one place, head-counts that add up, and a replay that gives the same."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from bposite.doors.rules.scene import Scene, Whereabouts
from tests.doors.rules.house import NOON

PASSAGES = st.lists(
    st.tuples(
        st.sampled_from(["anna", "ben", "visit:1"]),
        st.sampled_from(["outside", "lobby", "floor"]),
        st.integers(0, 50),
    ),
    max_size=30,
)


def whereabouts(one: tuple[str, str, int]) -> Whereabouts:
    """A passage into a zone some seconds after noon."""
    return Whereabouts(one[0], one[1], NOON + timedelta(seconds=one[2]))


@given(PASSAGES)
def test_heads_add_up_to_people(passages: list[tuple[str, str, int]]) -> None:
    here = Scene()
    for one in passages:
        here.note_passage(whereabouts(one), "lobby")
    counted = Counter(where.zone for where in here.people.values())
    assert {zone: heads for zone, heads in here.heads.items() if heads} == dict(counted)


@given(PASSAGES, st.randoms())
def test_presence_does_not_depend_on_the_order_of_arrival(passages: list[tuple[str, str, int]], luck: object) -> None:
    one_per_moment = list({(who, second): (who, zone, second) for who, zone, second in passages}.values())
    in_time = Scene()
    for one in sorted(one_per_moment, key=lambda told: told[2]):
        in_time.note_passage(whereabouts(one), "lobby")
    shuffled = list(one_per_moment)
    luck.shuffle(shuffled)  # type: ignore[attr-defined]
    as_it_came = Scene()
    for one in shuffled:
        as_it_came.note_passage(whereabouts(one), "lobby")
    assert as_it_came.people == in_time.people


def test_a_contradiction_is_told_and_the_passage_believed() -> None:
    here = Scene([whereabouts(("anna", "floor", 0))])
    moved = here.note_passage(whereabouts(("anna", "lobby", 5)), "outside")
    assert moved.contradiction == "elsewhere"
    assert here.zone_of("anna") == "lobby"


def test_a_late_passage_moves_nobody() -> None:
    here = Scene([whereabouts(("anna", "floor", 10))])
    assert here.note_passage(whereabouts(("anna", "outside", 5)), "lobby").contradiction == "late"
    assert here.zone_of("anna") == "floor"
