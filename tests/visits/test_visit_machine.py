"""The visit machine: what leads where, and what time may never do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bposite.visits.rules.machine import (
    BY_TIME,
    CALLED_OFF,
    EXPECTED,
    INSIDE,
    VISIT_MACHINE,
    Evidence,
    Grade,
    VisitEvent,
    VisitState,
    grade,
)
from bposite.visits.rules.requirements import NO_SHOW_AFTER, by_time

NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)


def walk(*events: VisitEvent) -> VisitState:
    state = VISIT_MACHINE.start
    for event in events:
        following = VISIT_MACHINE.after(state, event)
        assert following is not None, f"{event} is not possible in {state}"
        state = following
    return state


def test_the_usual_visit_goes_from_request_to_departure() -> None:
    e = VisitEvent
    assert (
        walk(e.REQUEST, e.APPROVE, e.INVITE, e.PREREGISTER, e.ARRIVE, e.CLEAR, e.ADMIT, e.DEPART) is VisitState.DEPARTED
    )


def test_a_walk_in_enters_at_the_desk_through_requested() -> None:
    e = VisitEvent
    assert walk(e.REQUEST, e.WALK_IN) is VisitState.AT_DESK


def test_every_state_is_reachable() -> None:
    assert VISIT_MACHINE.reachable() == frozenset(VisitState)


def test_time_alone_never_writes_a_departure() -> None:
    targets = {move.target for move in VISIT_MACHINE.moves if move.event in BY_TIME}
    assert targets == {VisitState.NO_SHOW, VisitState.OVERSTAY, VisitState.UNACCOUNTED}


def test_only_departure_leads_to_departed() -> None:
    events = {move.event for move in VISIT_MACHINE.moves if move.target is VisitState.DEPARTED}
    assert events == {VisitEvent.DEPART}


@given(st.lists(st.sampled_from(VisitEvent), max_size=30))
def test_nobody_is_inside_without_clearance_and_nobody_inside_vanishes(events: list[VisitEvent]) -> None:
    state, cleared = VISIT_MACHINE.start, False
    for event in events:
        following = VISIT_MACHINE.after(state, event)
        if following is None:
            continue
        if state in INSIDE and following not in INSIDE:
            assert event in {VisitEvent.DEPART, VisitEvent.BREAK_OUT, VisitEvent.PRESUME_LEFT, VisitEvent.ESCALATE}
        cleared = cleared or following is VisitState.CLEARED
        state = following
        assert cleared or state not in INSIDE


def test_a_visit_cannot_be_cancelled_once_the_guest_stands_there() -> None:
    assert VISIT_MACHINE.after(VisitState.AT_DESK, VisitEvent.CANCEL) is None
    assert VISIT_MACHINE.after(VisitState.ON_SITE, VisitEvent.CANCEL) is None


@pytest.mark.parametrize("state", sorted(CALLED_OFF))
def test_what_is_called_off_stays_called_off(state: VisitState) -> None:
    assert state in VISIT_MACHINE.final()


@given(st.sampled_from(VisitState), st.timedeltas(timedelta(days=-2), timedelta(days=2)))
def test_the_clock_makes_no_shows_and_overstays_only(state: VisitState, after: timedelta) -> None:
    event = by_time(state, NINE, NINE + after)
    assert event in {None, VisitEvent.NO_SHOW, VisitEvent.OVERSTAY}
    if event is not None:
        assert VISIT_MACHINE.after(state, event) is not None
        assert after >= timedelta(0)
    if state in EXPECTED:
        assert (event is VisitEvent.NO_SHOW) == (after >= NO_SHOW_AFTER)


def test_a_hosts_word_is_a_weaker_proof_than_a_door() -> None:
    assert grade(Evidence.EXIT_DOOR) is Grade.SEEN
    assert grade(Evidence.HOST_STATEMENT) is Grade.TOLD
