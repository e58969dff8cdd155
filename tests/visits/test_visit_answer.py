"""The admission answer: every reason, the order of reasons, and exits that always open."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bposite.passes.rules import Ending, PassState, Suspension
from bposite.visits.rules import (
    Answer,
    ApprovalStanding,
    Direction,
    DocumentKind,
    DocumentStanding,
    HoldKind,
    Outcome,
    Place,
    Reason,
    VisitState,
    door_answer,
)
from tests.visits.visit_standings import GOOD, INTO_FLOOR, NOON

# One spoilt fact for each reason, in the order in which the design page lists the reasons:
# (reason, changes of the standing, changes of what the door knows).
FAULTS: list[tuple[Reason, dict[str, Any], dict[str, Any]]] = [
    (Reason.REVOKED, {"state": PassState.ENDED, "ending": Ending.REVOKED}, {}),
    (Reason.VISIT_CANCELLED, {"visit_state": VisitState.CANCELLED}, {}),
    (Reason.HELD, {"holds": frozenset({HoldKind.MANUAL})}, {}),
    (Reason.NOT_ARMED, {"suspension": Suspension.BREAK}, {}),
    (Reason.EXPIRED, {"window_until": NOON}, {}),
    (Reason.WRONG_SITE, {"site": "delhi-2"}, {}),
    (Reason.ZONE_NOT_ALLOWED, {}, {"zone": "clean-room"}),
    (Reason.DOCUMENT_LAPSED, {"documents": (DocumentStanding(kind=DocumentKind.INSURANCE),)}, {}),
    (Reason.APPROVAL_LAPSED, {"approval_zones": frozenset({"floor-a", "clean-room"})}, {}),
    (Reason.DEVICE_NOT_DEPOSITED, {"deposit_zones": frozenset({"floor-a", "clean-room"})}, {}),
    (Reason.ESCORT_REQUIRED, {"escort_zones": frozenset({"floor-a", "clean-room"})}, {}),
    (Reason.ALREADY_INSIDE, {}, {"contradicted": True}),
    (Reason.CAPACITY_FULL, {}, {"capacity": 4, "occupancy": 4}),
    (Reason.LOCKDOWN, {}, {"lockdown": True}),
    (Reason.CLOCK_UNTRUSTED, {}, {"clock_trusted": False}),
]


def answer(*faults: tuple[Reason, dict[str, Any], dict[str, Any]], **door: Any) -> Answer:
    standing, facts = GOOD, replace(INTO_FLOOR, **door)
    for _, of_standing, of_door in faults:
        standing, facts = replace(standing, **of_standing), replace(facts, **of_door)
    return door_answer(standing, facts, NOON)


def test_a_good_pass_opens_and_the_trace_shows_every_check() -> None:
    got = answer()
    assert got.granted
    assert got.reason is Reason.GRANTED
    assert got.raised == ()
    assert [line.order for line in got.trace] == sorted(line.order for line in got.trace)
    assert {line.outcome for line in got.trace} == {Outcome.PASSED, Outcome.NOT_APPLICABLE}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault[0])
def test_each_fault_alone_gives_its_own_reason(fault: tuple[Reason, dict[str, Any], dict[str, Any]]) -> None:
    got = answer(fault)
    assert not got.granted
    assert got.reason is fault[0]
    assert next(line for line in got.trace if line.outcome is Outcome.FAILED).detail


@pytest.mark.parametrize("pair", list(pairwise(FAULTS)), ids=lambda pair: f"{pair[0][0]}-before-{pair[1][0]}")
def test_of_two_faults_the_earlier_in_the_list_is_told(pair: tuple[Any, Any]) -> None:
    assert answer(*pair).reason is pair[0][0]


@given(st.sets(st.sampled_from(range(len(FAULTS))), min_size=1))
def test_of_any_faults_the_earliest_in_the_list_is_told(chosen: set[int]) -> None:
    assert answer(*(FAULTS[i] for i in sorted(chosen))).reason is FAULTS[min(chosen)][0]


@given(st.sets(st.sampled_from(range(len(FAULTS)))))
def test_an_exit_is_never_refused_and_says_what_it_raises(chosen: set[int]) -> None:
    got = answer(*(FAULTS[i] for i in sorted(chosen)), direction=Direction.OUT)
    assert got.granted
    assert got.reason is Reason.GRANTED
    about_leaving = {Reason.REVOKED, Reason.HELD, Reason.EXPIRED, Reason.WRONG_SITE, Reason.CLOCK_UNTRUSTED}
    told = {FAULTS[i][0] for i in chosen} & about_leaving
    assert told <= set(got.raised)


def test_an_exit_with_an_unknown_pass_opens_and_raises() -> None:
    got = door_answer(None, replace(INTO_FLOOR, direction=Direction.OUT), NOON)
    assert got.granted
    assert got.raised == (Reason.UNKNOWN_PASS,)


def test_leaving_without_having_entered_is_raised() -> None:
    got = answer(direction=Direction.OUT, contradicted=True)
    assert got.granted
    assert got.raised == (Reason.EXIT_WITHOUT_ENTRY,)


def test_misread_and_unknown_are_different_answers() -> None:
    assert door_answer(None, replace(INTO_FLOOR, misread=True), NOON).reason is Reason.MISREAD
    assert door_answer(None, INTO_FLOOR, NOON).reason is Reason.UNKNOWN_PASS


def test_the_same_request_gets_the_stored_answer_even_when_all_has_changed() -> None:
    first = answer()
    again = door_answer(replace(GOOD, window_until=NOON), replace(INTO_FLOOR, earlier=first), NOON)
    assert again is first


@pytest.mark.parametrize("ending", [Ending.SUPERSEDED, Ending.LOST, Ending.REVOKED])
def test_a_replaced_or_lost_pass_says_so(ending: Ending) -> None:
    got = door_answer(replace(GOOD, state=PassState.ENDED, ending=ending), INTO_FLOOR, NOON)
    assert got.reason == ending.value


@pytest.mark.parametrize("ending", [Ending.SURRENDERED, Ending.EXPIRED])
def test_after_check_out_a_pass_is_expired(ending: Ending) -> None:
    got = door_answer(replace(GOOD, state=PassState.ENDED, ending=ending), INTO_FLOOR, NOON)
    assert got.reason is Reason.EXPIRED


@given(st.timedeltas(timedelta(hours=-6), timedelta(hours=6)))
def test_the_window_is_half_open(shift: timedelta) -> None:
    reason = door_answer(GOOD, INTO_FLOOR, NOON + shift).reason
    if NOON + shift < GOOD.window_from:
        assert reason is Reason.TOO_EARLY
    elif NOON + shift >= GOOD.window_until:
        assert reason is Reason.EXPIRED
    else:
        assert reason is Reason.GRANTED


def test_an_issued_pass_is_good_at_desk_and_kiosk_only() -> None:
    issued = replace(GOOD, state=PassState.ISSUED)
    assert door_answer(issued, INTO_FLOOR, NOON).reason is Reason.NOT_ARMED
    for place in (Place.DESK, Place.KIOSK):
        assert door_answer(issued, replace(INTO_FLOOR, place=place), NOON).granted


@pytest.mark.parametrize(
    ("suspension", "reason"),
    [
        (Suspension.BREAK, Reason.NOT_ARMED),
        (Suspension.HOLD, Reason.HELD),
        (Suspension.LOCKDOWN, Reason.LOCKDOWN),
    ],
)
def test_a_suspended_pass_says_why(suspension: Suspension, reason: Reason) -> None:
    standing = replace(GOOD, state=PassState.SUSPENDED, suspension=suspension)
    assert door_answer(standing, INTO_FLOOR, NOON).reason is reason


def test_the_escort_must_be_named_present_and_not_overloaded() -> None:
    needs = replace(GOOD, escort_zones=frozenset({"floor-a"}))
    led = replace(needs, escort="E-1001")
    assert door_answer(needs, INTO_FLOOR, NOON).reason is Reason.ESCORT_REQUIRED
    assert door_answer(led, INTO_FLOOR, NOON).reason is Reason.ESCORT_NOT_PRESENT
    here = replace(INTO_FLOOR, escort_present=True)
    assert door_answer(led, here, NOON).granted
    assert door_answer(led, replace(here, escort_load=5), NOON).reason is Reason.ESCORT_OVERLOADED
    lost = replace(led, state=PassState.SUSPENDED, suspension=Suspension.ESCORT_LOST)
    assert door_answer(lost, here, NOON).reason is Reason.ESCORT_NOT_PRESENT


def test_documents_and_approvals_lapse_to_the_minute() -> None:
    paper = DocumentStanding(kind=DocumentKind.INSURANCE, until=NOON)
    assert door_answer(replace(GOOD, documents=(paper,)), INTO_FLOOR, NOON).reason is Reason.DOCUMENT_LAPSED
    assert door_answer(replace(GOOD, documents=(paper,)), INTO_FLOOR, NOON - timedelta(seconds=1)).granted
    assert door_answer(replace(GOOD, documents=(replace(paper, waived=True),)), INTO_FLOOR, NOON).granted
    approved = replace(
        GOOD,
        approval_zones=frozenset({"floor-a"}),
        approvals=(ApprovalStanding(zone="floor-a", until=NOON + timedelta(seconds=1)),),
    )
    assert door_answer(approved, INTO_FLOOR, NOON).granted
    assert door_answer(approved, INTO_FLOOR, NOON + timedelta(seconds=1)).reason is Reason.APPROVAL_LAPSED


def test_soft_antipassback_opens_and_raises() -> None:
    got = answer(contradicted=True, antipassback="soft")
    assert got.granted
    assert got.raised == (Reason.ALREADY_INSIDE,)
    assert answer(contradicted=True, antipassback="off").raised == ()


def test_a_deposited_device_opens_the_no_device_zone() -> None:
    zone = replace(GOOD, deposit_zones=frozenset({"floor-a"}), deposited=True)
    assert door_answer(zone, INTO_FLOOR, NOON).granted
