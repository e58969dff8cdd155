"""What is missing to clear and to admit, and who may release a hold."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bposite.visits.rules import ApprovalStanding, DocumentKind, DocumentStanding, HoldKind, VisitState
from bposite.visits.rules.names import folded, likeness, tokens_sorted
from bposite.visits.rules.requirements import (
    EARLY,
    DeskFacts,
    Missing,
    may_release,
    missing_to_admit,
    missing_to_clear,
)
from tests.visits.visit_standings import GOOD, NOON

AT_DESK = replace(GOOD, visit_state=VisitState.AT_DESK)
CLEARED = replace(GOOD, visit_state=VisitState.CLEARED)
READY = DeskFacts(identity=True, host_acknowledged=True)


def test_a_guest_with_nothing_missing_is_cleared_and_admitted() -> None:
    assert missing_to_clear(AT_DESK, READY, NOON) == ()
    assert missing_to_admit(CLEARED, READY, NOON) == ()


def test_admission_without_clearance_is_not_possible() -> None:
    assert Missing.CLEARANCE in missing_to_admit(AT_DESK, READY, NOON)


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"holds": frozenset({HoldKind.WATCHLIST})}, Missing.HOLD),
        ({"holds": frozenset({HoldKind.APPROVAL})}, Missing.APPROVAL),
        ({"approval_zones": frozenset({"floor-a"})}, Missing.APPROVAL),
        ({"documents": (DocumentStanding(kind=DocumentKind.AGREEMENT),)}, Missing.DOCUMENT),
        ({"window_until": NOON}, Missing.WINDOW_CLOSED),
        ({"window_from": NOON + EARLY + timedelta(seconds=1)}, Missing.TOO_EARLY),
    ],
)
def test_each_condition_of_clearance_is_named(changes: dict[str, object], missing: Missing) -> None:
    assert missing_to_clear(replace(AT_DESK, **changes), READY, NOON) == (missing,)


def test_identity_and_room_are_conditions_too() -> None:
    nobody_looked = DeskFacts(identity=False, host_acknowledged=True, room=False)
    assert missing_to_clear(AT_DESK, nobody_looked, NOON) == (Missing.IDENTITY, Missing.CAPACITY)


def test_what_lapsed_since_clearance_is_named_at_admission() -> None:
    approved = replace(
        CLEARED,
        approval_zones=frozenset({"floor-a"}),
        approvals=(ApprovalStanding(zone="floor-a", until=NOON),),
    )
    assert missing_to_admit(approved, READY, NOON) == (Missing.APPROVAL,)
    assert missing_to_admit(approved, READY, NOON - timedelta(seconds=1)) == ()


def test_host_escort_and_deposit_are_conditions_of_admission() -> None:
    demanding = replace(CLEARED, escort_zones=frozenset({"floor-a"}), deposit_zones=frozenset({"floor-a"}))
    alone = DeskFacts(identity=True, host_acknowledged=False)
    assert missing_to_admit(demanding, alone, NOON) == (Missing.HOST_ACK, Missing.ESCORT, Missing.DEPOSIT)
    provided = replace(demanding, escort="E-1001", deposited=True)
    assert missing_to_admit(provided, READY, NOON) == ()


def test_a_zone_that_is_not_visited_demands_nothing() -> None:
    elsewhere = replace(CLEARED, escort_zones=frozenset({"clean-room"}), deposit_zones=frozenset({"clean-room"}))
    assert missing_to_admit(elsewhere, READY, NOON) == ()


DESK = frozenset({"visits:read", "visits:write"})
MANAGER = DESK | {"visits:approve", "watchlist:write"}


def test_whoever_raised_a_hold_may_not_clear_it_alone() -> None:
    assert not may_release("user:1", "user:1", HoldKind.MANUAL, MANAGER)
    assert may_release("user:1", "user:2", HoldKind.MANUAL, DESK)


def test_reception_never_releases_a_watchlist_hold() -> None:
    assert not may_release("user:1", "user:2", HoldKind.WATCHLIST, DESK)
    assert may_release("user:1", "user:2", HoldKind.WATCHLIST, MANAGER)
    assert not may_release("user:1", "user:2", HoldKind.APPROVAL, DESK)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("José García", "garcia JOSE"),
        ("O’Neil, Seán", "sean o neil"),
        ("Łukasz Ødegård", "odegard lukasz"),
        ("Anil  Kumar Sharma", "SHARMA, Anil Kumar"),
    ],
)
def test_a_name_is_the_same_in_another_order_case_or_accent(one: str, other: str) -> None:
    assert likeness(one, other) == 1.0


def test_a_near_name_scores_high_and_another_name_low() -> None:
    assert likeness("Mohammed Al-Farsi", "Mohamed Al Farsi") > 0.86
    assert likeness("Priya Nair", "Vikram Shah") < 0.6
    assert likeness("", "Priya Nair") == 0.0


@given(st.text(max_size=60))
def test_folding_is_stable_and_never_raises(name: str) -> None:
    assert folded(folded(name)) == folded(name)
    assert likeness(name, name) in (0.0, 1.0)
    assert tokens_sorted(" ".join(reversed(name.split()))) == tokens_sorted(name)
