"""Visits from beginning to end on real databases: what the scenarios of the design page ask."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest
from flask import Flask
from sqlalchemy import select
from time_machine import Traveller

from bposite.journal.queries import tail
from bposite.journal.work import Actor, unit_of_work
from bposite.passes import actions as passes
from bposite.passes import queries as pass_queries
from bposite.passes.codes import code_hash
from bposite.passes.rules import Ending, MediumEvent, MediumState, PassState
from bposite.plumbing.db import reading
from bposite.plumbing.errors import Conflict, Refusal
from bposite.plumbing.settings import current
from bposite.visits import actions
from bposite.visits.actions import Did, IdentityKind, Purpose, Scanned
from bposite.visits.queries import judged, pass_standing
from bposite.visits.rules import DoorFacts, Evidence, HoldKind, Reason, VisitState, door_answer
from bposite.visits.rules.requirements import Missing
from bposite.visits.tables import Hold, Transition
from tests.visits.visit_site import DESK, GUARD, MANAGER, NINE, ZONES, does, guest, on_site, ready

MANAGER_MAY = frozenset({"visits:write", "visits:approve", "watchlist:write"})


def state_of(visit_id: str) -> VisitState:
    with reading() as session:
        found = judged(session, visit_id)
        assert found is not None
        return VisitState(found.visit.state)


def at_door(code: str, zone: str = "ops-a", **facts: Any) -> Reason:
    with reading() as session:
        standing = pass_standing(session, code_hash(code))
    door = DoorFacts(site="pune-1", door="d", zone=zone, **facts)
    with unit_of_work(Actor.system("test")) as work:
        return door_answer(standing, door, work.now).reason


def scan(text: str, key: str, purpose: Purpose = Purpose.OPEN) -> Scanned:
    return msgspec.json.decode(does(DESK, actions.scan, text, device="desk-1", key=key, purpose=purpose), type=Scanned)


def test_an_expected_guest_scans_comes_in_and_leaves(any_desk: Flask) -> None:
    placed = does(DESK, actions.invite, guest())
    assert placed.state is VisitState.APPROVED
    code = does(DESK, actions.issue_pass, placed.visit_id).codes.code
    assert at_door(code) is Reason.NOT_ARMED
    scanned = scan(code, "k1")
    assert (scanned.did, scanned.state, scanned.name) == (Did.ARRIVED, "at_desk", "Asha Rao")
    with unit_of_work(DESK) as work:
        ready(work, placed.visit_id)
        assert actions.admit(work, placed.visit_id).admitted
    assert state_of(placed.visit_id) is VisitState.ON_SITE
    assert at_door(code) is Reason.GRANTED
    assert at_door(code, "card-a") is Reason.ZONE_NOT_ALLOWED
    assert scan(code, "k2", Purpose.CHECK_OUT).did is Did.DEPARTED
    assert state_of(placed.visit_id) is VisitState.DEPARTED
    assert at_door(code) is Reason.EXPIRED


def test_every_step_keeps_actor_role_place_times_and_reason(desk: Flask) -> None:
    visit_id, _ = on_site()
    with reading() as session:
        steps = session.scalars(select(Transition).where(Transition.visit_id == visit_id).order_by(Transition.id)).all()
        facts = [fact for fact in tail(session, -1, ("visits:visit:",)) if fact.subject == visit_id]
        assert [step.event for step in steps] == ["request", "approve", "arrive", "clear", "admit"]
        assert {(s.actor, s.actor_name, s.role, s.device, s.at) for s in steps} == {
            ("user:01RECEPTION", "Lakshmi Iyer", "reception", "127.0.0.1", NINE)
        }
    assert [fact.kind for fact in facts] == [
        f"visits:visit:{word}" for word in ("requested", "approved", "arrived", "cleared", "admitted")
    ]


def test_only_a_keyed_hash_of_the_code_stays(desk: Flask, at_nine: Traveller) -> None:
    visit_id, code = on_site()
    with reading() as session:
        row = pass_queries.latest_passes(session, [visit_id])[visit_id]
        shown = pass_queries.codes_of(session, row.id)
        assert shown is not None
        assert shown.code == code
    everything = b"".join(path.read_bytes() for path in current().state_dir.glob("*.sqlite3*"))
    assert b"Asha Rao" in everything
    assert code.encode() not in everything
    at_nine.shift(timedelta(minutes=16))
    does(Actor.system("timer"), actions.expire)
    with reading() as session:
        assert pass_queries.codes_of(session, row.id) is None


def test_the_same_scan_three_times_is_one_admission_and_one_answer(any_desk: Flask, at_nine: Traveller) -> None:
    placed = does(DESK, actions.invite, guest())
    code = does(DESK, actions.issue_pass, placed.visit_id).codes.code
    answers = [does(DESK, actions.scan, code, device="desk-1", key="one")]
    at_nine.move_to(NINE + timedelta(hours=20))
    answers += [does(DESK, actions.scan, code, device="desk-1", key="one") for _ in range(2)]
    assert len(set(answers)) == 1
    with reading() as session:
        arrivals = [f for f in tail(session, -1, ("visits:visit:arrived",)) if f.subject == placed.visit_id]
    assert len(arrivals) == 1


def test_the_same_request_number_with_another_content_is_a_conflict(desk: Flask) -> None:
    scan("BCDFGHJK", "one")
    with pytest.raises(Conflict):
        scan("BCDFGHJL", "one")


def test_admitting_twice_admits_once(desk: Flask) -> None:
    visit_id, _ = on_site()
    again = does(DESK, actions.admit, visit_id)
    assert again.admitted
    assert again.issued is None
    with reading() as session:
        assert len(pass_queries.passes_of(session, visit_id)) == 1


def test_reprint_number_2_is_made_number_1_is_void_and_superseded_at_a_door(any_desk: Flask) -> None:
    visit_id, first = on_site()
    with reading() as session:
        pass_id = pass_queries.latest_passes(session, [visit_id])[visit_id].id
    medium = does(DESK, passes.start_print, pass_id)
    does(DESK, passes.change_medium, medium, MediumEvent.HAND_OUT)
    second = does(DESK, actions.issue_pass, visit_id)
    assert second.number == 2
    assert at_door(first) is Reason.SUPERSEDED
    assert at_door(second.codes.code) is Reason.GRANTED
    with reading() as session:
        assert [m.state for m in pass_queries.media_of(session, visit_id)] == [MediumState.VOID]


def test_five_wrong_short_codes_in_a_minute_lock_the_search_not_the_desk(desk: Flask, at_nine: Traveller) -> None:
    placed = does(DESK, actions.invite, guest())
    codes = does(DESK, actions.issue_pass, placed.visit_id).codes
    for number in range(5):
        assert scan("BCDFGHJK", f"wrong-{number}").reason == Reason.UNKNOWN_PASS
    assert scan(codes.short, "right, but locked").reason == actions.LOCKED
    assert scan(codes.code, "the full code still works").did is Did.ARRIVED
    at_nine.shift(timedelta(seconds=61))
    assert scan(codes.short, "a minute later").visit == placed.visit_id


def test_a_walk_in_for_a_secure_zone_needs_somebody_else(any_desk: Flask) -> None:
    placed = does(DESK, actions.register_walk_in, guest(zones=("card-a",)))
    assert placed.state is VisitState.AT_DESK
    assert placed.pending == ("card-a",)
    with unit_of_work(DESK) as work:
        ready(work, placed.visit_id)
        actions.name_escort(work, placed.visit_id, "E-1004", "Tomás Herrera")
        actions.deposit(work, placed.visit_id, "box 4")
        assert actions.admit(work, placed.visit_id).missing == (Missing.APPROVAL,)
    with pytest.raises(Refusal, match="somebody else"):
        does(DESK, actions.decide, placed.visit_id, approve=True)
    does(MANAGER, actions.decide, placed.visit_id, approve=True)
    assert does(DESK, actions.admit, placed.visit_id).admitted


def test_a_rejected_walk_in_is_turned_away(desk: Flask) -> None:
    placed = does(DESK, actions.register_walk_in, guest(zones=("card-a",)))
    with pytest.raises(Refusal, match="why"):
        does(MANAGER, actions.decide, placed.visit_id, approve=False)
    does(MANAGER, actions.decide, placed.visit_id, approve=False, reason="no business in there")
    assert state_of(placed.visit_id) is VisitState.TURNED_AWAY


def test_an_invitation_to_a_secure_zone_waits_for_approval(desk: Flask) -> None:
    placed = does(DESK, actions.invite, guest(zones=("card-a",)))
    assert placed.state is VisitState.REQUESTED
    assert does(MANAGER, actions.decide, placed.visit_id, approve=True) is VisitState.APPROVED


def test_a_refused_admission_is_a_record_with_what_is_missing(desk: Flask) -> None:
    placed = does(DESK, actions.register_walk_in, guest(zones=()))
    admission = does(DESK, actions.admit, placed.visit_id)
    assert not admission.admitted
    assert admission.missing == (Missing.IDENTITY, Missing.HOST_ACK)
    with reading() as session:
        fact = tail(session, -1, ("visits:admission:",))[-1]
    assert fact.data == {"missing": ["identity", "clearance", "host_ack"]}


def test_an_identity_that_does_not_match_raises_a_hold_its_finder_cannot_release(desk: Flask) -> None:
    placed = does(DESK, actions.register_walk_in, guest(zones=()))
    does(DESK, actions.check_identity, placed.visit_id, IdentityKind.PASSPORT, matches=False)
    with reading() as session:
        hold = session.scalars(select(Hold)).one()
        assert hold.kind == HoldKind.ID_MISMATCH
        hold_id = hold.id
    with pytest.raises(Refusal, match="somebody else"):
        does(DESK, actions.release_hold, hold_id, "looked again", MANAGER_MAY)
    assert does(MANAGER, actions.release_hold, hold_id, "looked again", MANAGER_MAY) == placed.visit_id
    with reading() as session:
        found = judged(session, placed.visit_id)
        assert found is not None
        assert found.standing.holds == frozenset()


def test_a_hold_on_a_guest_inside_closes_all_doors_until_it_is_released(desk: Flask) -> None:
    visit_id, code = on_site()
    hold = does(GUARD, actions.raise_hold, visit_id, HoldKind.MANUAL, "left without badge")
    assert at_door(code) is Reason.HELD
    does(MANAGER, actions.release_hold, hold, "found", MANAGER_MAY)
    assert at_door(code) is Reason.GRANTED


def test_the_visit_ends_and_the_guest_is_still_inside(any_desk: Flask, at_nine: Traveller) -> None:
    """Visit ends at 17:00, the person is still inside at 18:00: pass dead, still on the roll call, overstay."""
    visit_id, code = on_site()
    at_nine.move_to(NINE + timedelta(hours=9))
    assert does(Actor.system("timer"), actions.expire).overstays == 1
    assert does(Actor.system("timer"), actions.expire).overstays == 0
    assert state_of(visit_id) is VisitState.OVERSTAY
    assert at_door(code) is Reason.EXPIRED
    assert does(Actor.system("timer"), actions.close_day) == [visit_id]
    assert state_of(visit_id) is VisitState.UNACCOUNTED
    assert does(Actor.device("ctl-lobby"), actions.left_by_door, visit_id, entry="42", at=NINE + timedelta(hours=9))
    assert state_of(visit_id) is VisitState.DEPARTED


def test_time_never_writes_departed(desk: Flask, at_nine: Traveller) -> None:
    visit_id, _ = on_site()
    for _ in range(5):
        at_nine.shift(timedelta(days=1))
        does(Actor.system("timer"), actions.expire)
        does(Actor.system("timer"), actions.close_day)
    assert state_of(visit_id) is VisitState.UNACCOUNTED


def test_an_expected_guest_who_never_comes_is_a_no_show_and_may_still_turn_up(desk: Flask, at_nine: Traveller) -> None:
    placed = does(DESK, actions.invite, guest())
    at_nine.move_to(NINE + timedelta(hours=9))
    assert does(Actor.system("timer"), actions.expire).no_shows == 1
    assert does(DESK, actions.arrive, placed.visit_id) is VisitState.AT_DESK
    assert Missing.WINDOW_CLOSED in does(DESK, actions.admit, placed.visit_id).missing


def test_an_exit_door_is_the_evidence_but_not_during_a_break(desk: Flask) -> None:
    visit_id, code = on_site()
    does(DESK, actions.start_break, visit_id)
    assert at_door(code) is Reason.NOT_ARMED
    assert not does(Actor.device("ctl-lobby"), actions.left_by_door, visit_id, entry="7", at=NINE)
    does(DESK, actions.come_back, visit_id)
    assert at_door(code) is Reason.GRANTED
    assert does(Actor.device("ctl-lobby"), actions.left_by_door, visit_id, entry="8", at=NINE)
    with reading() as session:
        found = judged(session, visit_id)
        assert found is not None
        assert found.visit.departure == Evidence.EXIT_DOOR
        assert found.standing.ending is Ending.EXPIRED


def test_presumed_left_needs_a_named_searcher(desk: Flask, at_nine: Traveller) -> None:
    visit_id, _ = on_site()
    at_nine.move_to(NINE + timedelta(hours=9))
    does(Actor.system("timer"), actions.expire)
    with pytest.raises(Refusal, match="Name who searched"):
        does(GUARD, actions.presume_left, visit_id, "", "")
    does(GUARD, actions.presume_left, visit_id, "Vikram Rathore", "floor searched, host saw him go")
    assert state_of(visit_id) is VisitState.PRESUMED_LEFT


def test_a_departure_is_corrected_by_a_further_record(desk: Flask, at_nine: Traveller) -> None:
    visit_id, code = on_site()
    at_nine.shift(timedelta(hours=3))
    scan(code, "out", Purpose.CHECK_OUT)
    does(MANAGER, actions.correct_departure, visit_id, Evidence.EXIT_DOOR, NINE + timedelta(hours=2), "door log")
    with pytest.raises(Refusal, match="not in the future"):
        does(MANAGER, actions.correct_departure, visit_id, Evidence.EXIT_DOOR, NINE + timedelta(hours=9), "x")
    with reading() as session:
        fact = tail(session, -1, ("visits:departure:corrected",))[-1]
        assert fact.data["from"]["evidence"] == "desk_scan"
        found = judged(session, visit_id)
        assert found is not None
        assert found.visit.departed_at == NINE + timedelta(hours=2)


def test_a_cancelled_visit_says_so_at_the_desk_and_cannot_arrive(desk: Flask) -> None:
    placed = does(DESK, actions.invite, guest())
    code = does(DESK, actions.issue_pass, placed.visit_id).codes.code
    does(DESK, actions.cancel, placed.visit_id, "host is ill")
    scanned = scan(code, "k")
    assert (scanned.reason, scanned.granted, scanned.did) == (Reason.REVOKED, False, Did.NOTHING)
    with pytest.raises(Conflict):
        does(DESK, actions.arrive, placed.visit_id)


def test_a_missing_card_is_dead_at_all_doors(desk: Flask) -> None:
    visit_id, code = on_site()
    with reading() as session:
        pass_id = pass_queries.latest_passes(session, [visit_id])[visit_id].id
    medium = does(DESK, passes.start_print, pass_id, "card")
    does(DESK, passes.change_medium, medium, MediumEvent.HAND_OUT)
    does(DESK, passes.change_medium, medium, MediumEvent.MISS)
    assert at_door(code) is Reason.LOST


def test_a_day_is_signed_only_when_its_media_add_up(desk: Flask, at_nine: Traveller) -> None:
    visit_id, _ = on_site()
    with reading() as session:
        pass_id = pass_queries.latest_passes(session, [visit_id])[visit_id].id
    medium = does(DESK, passes.start_print, pass_id)
    does(DESK, passes.change_medium, medium, MediumEvent.HAND_OUT)
    today = date(2026, 11, 23)
    with pytest.raises(Refusal, match="not over"):
        does(MANAGER, actions.sign_day, today)
    at_nine.shift(timedelta(days=1))
    with pytest.raises(Refusal, match="labels or cards"):
        does(MANAGER, actions.sign_day, today)
    start = datetime(2026, 11, 22, 18, 30, tzinfo=UTC)
    assert does(MANAGER, passes.miss_media, start, start + timedelta(days=1)) == 1
    does(MANAGER, actions.sign_day, today)
    with pytest.raises(Conflict):
        does(MANAGER, actions.sign_day, today)


def test_a_full_room_keeps_the_next_guest_at_the_desk(desk: Flask) -> None:
    for number in range(2):
        placed = does(DESK, actions.register_walk_in, guest(zones=("card-a",), email=f"g{number}@x.example.com"))
        does(MANAGER, actions.decide, placed.visit_id, approve=True)
        with unit_of_work(DESK) as work:
            ready(work, placed.visit_id)
            actions.name_escort(work, placed.visit_id, "E-1004", "Tomás Herrera")
            actions.deposit(work, placed.visit_id, f"box {number}")
            assert actions.admit(work, placed.visit_id).admitted
    third = does(DESK, actions.register_walk_in, guest(zones=("card-a",), email="g3@x.example.com"))
    assert Missing.CAPACITY in does(DESK, actions.admit, third.visit_id).missing


def test_a_guest_stays_longer_and_is_no_overstay_any_more(desk: Flask, at_nine: Traveller) -> None:
    visit_id, code = on_site()
    at_nine.move_to(NINE + timedelta(hours=9))
    does(Actor.system("timer"), actions.expire)
    does(DESK, actions.extend, visit_id, NINE + timedelta(hours=11), "host says so")
    assert state_of(visit_id) is VisitState.ON_SITE
    assert at_door(code) is Reason.GRANTED


def test_applying_the_plan_twice_changes_nothing(desk: Flask) -> None:
    does(Actor.system("plan"), actions.apply_plan, ZONES)
    with reading() as session:
        assert len(tail(session, -1, ("visits:zones:applied",))) == 1
    with pytest.raises(Refusal, match="row 1"):
        does(Actor.system("plan"), actions.apply_plan, [{"id": "x", "name": 3, "kind": "lobby"}])


def test_a_reprint_for_a_guest_on_a_break_opens_nothing_until_he_is_back(desk: Flask) -> None:
    visit_id, _ = on_site()
    does(DESK, actions.start_break, visit_id)
    second = does(DESK, actions.issue_pass, visit_id).codes.code
    assert at_door(second) is Reason.NOT_ARMED
    does(DESK, actions.come_back, visit_id)
    assert at_door(second) is Reason.GRANTED
    with reading() as session:
        assert pass_queries.latest_passes(session, [visit_id])[visit_id].state is PassState.ARMED
