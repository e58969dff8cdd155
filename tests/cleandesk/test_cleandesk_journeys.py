"""Rounds from plan to close, through the actions that screens use, on both databases where it matters."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from PIL import Image

from bposite.cleandesk import actions, queries
from bposite.cleandesk.queries import Scope, Wanted
from bposite.cleandesk.rules import sampling
from bposite.cleandesk.wire import FoundItem, TakenPhoto
from bposite.journal.actions import checkpoint
from bposite.journal.queries import tail
from bposite.journal.work import Actor, unit_of_work
from bposite.plumbing.clock import now
from bposite.plumbing.db import reading
from bposite.plumbing.errors import Conflict, Refusal
from bposite.plumbing.ids import new_id
from tests.cleandesk.desk_site import desks, furnish, look, new_round, send, started, work_as


def facts(*kinds: str) -> list[Any]:
    with reading() as session:
        return list(tail(session, -1, kinds, limit=5000))


def walk(people: Any, round_id: str, faults: dict[int, str] | None = None) -> list[actions.Observed]:
    """The auditor sees every drawn place: a fail where `faults` says so, by number of the stop."""
    with reading() as session:
        stops = queries.stops(session, round_id)
    wrong = faults or {}
    return [
        send(people.guard, round_id, look(stop.place, wrong[n]) if n in wrong else look(stop.place))
        for n, stop in enumerate(stops)
    ]


def test_a_round_from_plan_to_close(any_site: Flask) -> None:
    people = furnish()
    checkpoint()
    round_id = started(people)
    with reading() as session:
        stops = queries.stops(session, round_id)
    assert len(stops) == 12 and sum(stop.double for stop in stops) == 2
    assert {stop.zone for stop in stops} == {"ops-a", "card-a"}
    results = walk(people, round_id, {0: "P01", 11: "S05"})
    assert [r.complies for r in results].count(False) == 1
    (critical,) = next(r.findings for r in results if r.complies is False)
    assert (critical.severity, critical.due_at - now() < timedelta(hours=24)) == ("S1", True)
    with work_as(people.guard) as work:
        assert actions.submit_round(work, round_id) == 0
        assert actions.submit_round(work, round_id) == 0
    with work_as(people.planner) as work:
        actions.review_round(work, round_id, "well done")
    with work_as(people.planner) as work:
        for finding in queries.findings(work.session, Wanted(), work.now):
            actions.propose(work, finding.id, "Lock the paper away", "E-1003", work.now + timedelta(hours=4))
            actions.begin(work, finding.id)
            actions.claim_done(work, finding.id, "Paper is in the shred bin")
    with work_as(people.second) as work:
        for finding in queries.findings(work.session, Wanted(), work.now):
            actions.verify(work, finding.id, "seen", mended=True)
    with reading() as session:
        found = queries.round_of(session, round_id)
        assert found is not None
        assert (found.state, found.seen, found.judged, found.passed) == ("closed", 12, 12, 11)
        done = [queries.actions_of(session, f.id)[0].state for f in queries.findings(session, Wanted(), now())]
    assert done == ["verified", "verified"]


def test_anyone_can_make_the_draw_again_from_what_was_published(site: Flask) -> None:
    people = furnish()
    checkpoint()
    round_id = started(people)
    walk(people, round_id)
    with work_as(people.guard) as work:
        actions.submit_round(work, round_id)
    with reading() as session:
        before = queries.proof_of(session, round_id)
    assert before is not None and before.nonce == ""
    with work_as(people.planner) as work:
        actions.review_round(work, round_id, "")
    (planned,) = facts("cleandesk:round:planned")
    (drawn,) = facts("cleandesk:round:drawn")
    (published,) = facts("cleandesk:round:published")
    assert planned.seq < drawn.seq < published.seq
    told = published.data
    assert sampling.commitment(told["nonce"]) == planned.data["commitment"]
    assert told["checkpoint"] == drawn.data["checkpoint"] != "0 "
    seed = sampling.seed(told["plan"], told["period"], told["checkpoint"], told["nonce"])
    with reading() as session:
        everything = queries.stops(session, round_id, taken=False)
    frame: dict[str, list[str]] = {}
    for stop in everything:
        frame.setdefault(stop.stratum, []).append(stop.place)
    assert sampling.frame_digest(frame) == told["frame"]
    again = sampling.draw(seed, frame, drawn.data["sizes"], drawn.data["double_share"])
    assert {(d.place, d.rank, d.taken, d.double) for d in again} == {
        (s.place, s.rank, s.taken, s.double) for s in everything
    }


def test_nothing_is_drawn_or_shown_before_the_start(site: Flask) -> None:
    people = furnish()
    with work_as(people.planner) as work:
        round_id = actions.plan_round(work, new_round(people))
    with reading() as session:
        assert queries.stops(session, round_id, taken=False) == []
    assert "nonce" not in str([fact.data for fact in facts("cleandesk:")])
    for actor in (people.planner, people.second):
        with pytest.raises(Refusal, match="Only Ben Okafor"), work_as(actor) as work:
            actions.start_round(work, round_id)
    with work_as(people.guard) as work:
        actions.start_round(work, round_id)
    with pytest.raises(Conflict), work_as(people.guard) as work:
        actions.start_round(work, round_id)
    with pytest.raises(Conflict), work_as(people.planner) as work:
        actions.cancel_round(work, round_id, "it goes badly")


def test_sending_a_look_twice_changes_nothing(any_site: Flask) -> None:
    people = furnish()
    round_id = started(people)
    with reading() as session:
        place = next(s.place for s in queries.stops(session, round_id) if s.zone == "ops-a")
    sent = look(place, "P01")
    first, second = send(people.guard, round_id, sent), send(people.guard, round_id, sent)
    assert (first.repeated, second.repeated) == (False, True)
    assert len(facts("cleandesk:observation:recorded")) == len(facts("cleandesk:finding:raised")) == 1
    other = look(place)
    with pytest.raises(Conflict, match="same number"):
        send(people.guard, round_id, type(sent)(sent.id, place, "pass", sent.seen_at))
    with pytest.raises(Conflict, match="looked at already"):
        send(people.guard, round_id, other)
    with reading() as session:
        assert len(queries.findings(session, Wanted(), now())) == 1


def test_a_correction_takes_the_findings_back(site: Flask) -> None:
    people = furnish()
    round_id = started(people)
    with reading() as session:
        place = next(s.place for s in queries.stops(session, round_id) if s.zone == "ops-a")
    wrong = look(place, "P01")
    send(people.guard, round_id, wrong)
    fixed = send(people.guard, round_id, look(place, "S05", corrects=wrong.id))
    assert fixed.complies is True
    with reading() as session:
        rows = queries.findings(session, Wanted(), now())
        assert sorted((r.item_id, r.state) for r in rows) == [("P01", "withdrawn"), ("S05", "open")]
        found = queries.round_of(session, round_id)
        assert found is not None and (found.seen, found.findings) == (1, 1)
    with work_as(people.planner) as work:
        actions.acknowledge(work, next(r.id for r in rows if r.state == "open"))
    with pytest.raises(Conflict, match="being worked on"):
        send(people.guard, round_id, look(place, corrects=queries_look(round_id, place)))


def queries_look(round_id: str, place: str) -> str:
    with reading() as session:
        return queries.looks(session, round_id)[place]["first"].id


def test_a_place_that_cannot_be_reached_is_replaced_by_the_next_of_the_draw(site: Flask) -> None:
    people = furnish()
    round_id = started(people)
    with reading() as session:
        everything = queries.stops(session, round_id, taken=False)
    stop = next(s for s in everything if s.taken and s.zone == "ops-a")
    reserve = min((s for s in everything if not s.taken and s.stratum == stop.stratum), key=lambda s: s.rank)
    with pytest.raises(Refusal, match="not drawn"):
        send(people.guard, round_id, look(reserve.place))
    sent = look(stop.place, answer="not_observed", reason="locked")
    assert send(people.guard, round_id, sent).replacement == reserve.place
    assert send(people.guard, round_id, sent).replacement == reserve.place
    assert send(people.guard, round_id, look(reserve.place)).complies is True
    with pytest.raises(Refusal, match="why"):
        send(people.guard, round_id, look(everything[1].place, answer="not_observed", reason="lazy"))


def test_what_was_not_looked_at_is_submitted_as_not_observed(site: Flask) -> None:
    people = furnish()
    round_id = started(people)
    with reading() as session:
        first = queries.stops(session, round_id)[0]
    send(people.guard, round_id, look(first.place))
    with work_as(people.guard) as work:
        assert actions.submit_round(work, round_id) == 11
    with pytest.raises(Conflict, match="submitted"):
        send(people.guard, round_id, look(first.place))
    with reading() as session:
        quality = queries.quality(session, Scope((f"{now():%Y-%m}",)))
    assert (quality.drawn, quality.not_observed) == (12, 11)


def test_who_may_plan_walk_and_verify(site: Flask) -> None:
    people = furnish()
    cases = [
        ({"auditor": people.orders.id}, "nobody audits the own team"),
        ({"auditor": new_id()}, "role includes walking"),
        ({"second": people.guard.id}, "another person"),
        ({"size": 39}, "38 such places"),
        ({"size": 0}, "choose 1 to 38"),
        ({"zones": ("outside",)}, "No place"),
        ({"moment": "dawn"}, "when"),
        ({"planned_for": now() - timedelta(days=2)}, "over"),
        ({"purpose": "targeted", "places": ("A1-01",), "reason": ""}, "follows up"),
        ({"purpose": "targeted", "places": ("X",), "reason": "complaint"}, "Choose the places"),
    ]
    for change, words in cases:
        with pytest.raises(Refusal, match=words), work_as(people.planner) as work:
            actions.plan_round(work, new_round(people, **change))
    assert facts("cleandesk:round:") == []


def test_a_finding_needs_another_person(site: Flask) -> None:
    people = furnish()
    round_id = started(people)
    with reading() as session:
        place = next(s.place for s in queries.stops(session, round_id) if s.zone == "ops-a")
    (raised,) = send(people.guard, round_id, look(place, "P01")).findings
    with work_as(people.planner) as work:
        actions.claim_done(work, raised.id, "shredded")
    for actor, words in ((people.guard, "raised this"), (people.planner, "mended it")):
        with pytest.raises(Refusal, match=words), work_as(actor) as work:
            actions.verify(work, raised.id, "ok", mended=True)
    with work_as(people.second) as work:
        actions.verify(work, raised.id, "still there", mended=False)
    with work_as(people.planner) as work:
        actions.claim_done(work, raised.id, "now really shredded")
    with work_as(people.second) as work:
        actions.verify(work, raised.id, "", mended=True)
        with pytest.raises(Conflict):
            actions.verify(work, raised.id, "", mended=True)
    with reading() as session:
        events = [step.event for step in queries.steps(session, raised.id)]
    assert events == ["raise", "claim_done", "send_back", "claim_done", "verify", "close"]


def test_the_owner_cannot_verify(site: Flask) -> None:
    people = furnish()
    round_id = started(people)
    with reading() as session:
        place = next(s.place for s in queries.stops(session, round_id) if s.zone == "ops-a")
    (raised,) = send(people.guard, round_id, look(place, "P02")).findings
    with work_as(people.planner) as work:
        actions.propose(work, raised.id, "Clear the desk", "E-1004", work.now + timedelta(days=1))
        actions.claim_done(work, raised.id, "cleared")
    with pytest.raises(Refusal, match="mended it"), work_as(people.second) as work:
        actions.verify(work, raised.id, "", mended=True)


def test_a_critical_finding_tells_the_control_room_and_proposes_an_incident(site: Flask) -> None:
    people = furnish()
    round_id = started(people)
    with reading() as session:
        places = [stop.place for stop in queries.stops(session, round_id) if stop.zone == "ops-a"]
    send(people.guard, round_id, look(places[0], "P01"))
    send(people.guard, round_id, look(places[1], FoundItem("P01", flagged=True)))
    send(people.guard, round_id, look(places[2], "K01"))
    send(people.guard, round_id, look(places[3], "P02"))
    assert len(facts("doors:alarm:raised")) == 3
    assert [fact.data["item"] for fact in facts("cleandesk:incident:proposed")] == ["P01", "K01"]
    exercise = started(people, exercise=True)
    with reading() as session:
        place = queries.stops(session, exercise)[0].place
    send(people.guard, exercise, look(place, "K01"))
    assert len(facts("doors:alarm:raised")) == 3


def test_a_person_is_named_only_where_the_item_needs_it(site: Flask) -> None:
    people = furnish()
    round_id = started(people)
    with reading() as session:
        places = [stop.place for stop in queries.stops(session, round_id) if stop.zone == "ops-a"]
    with pytest.raises(Refusal, match="no person is named"):
        send(people.guard, round_id, look(places[0], FoundItem("P01", person="E-1003")))
    with pytest.raises(Refusal, match="Nobody"):
        send(people.guard, round_id, look(places[0], FoundItem("D01", person="E-9999")))
    send(people.guard, round_id, look(places[0], FoundItem("D01", person="E-1003")))
    assert "E-1003" not in str([fact.data for fact in facts("cleandesk:finding:", "cleandesk:observation:")])


def test_disputes_have_three_working_days_and_another_judge(site: Flask) -> None:
    people = furnish()
    friday = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
    with time_machine.travel(friday, tick=False) as clock:
        round_id = started(people)
        with reading() as session:
            places = [stop.place for stop in queries.stops(session, round_id) if stop.zone == "ops-a"]
        (one,) = send(people.guard, round_id, look(places[0], "P02")).findings
        (two,) = send(people.guard, round_id, look(places[1], "P02")).findings
        clock.move_to(datetime(2026, 11, 25, 10, 0, tzinfo=UTC))
        with work_as(people.orders) as work:
            actions.dispute(work, one.id, "This was an empty form")
        for actor in (people.guard, people.orders):
            with pytest.raises(Refusal, match="involved"), work_as(actor) as work:
                actions.decide_dispute(work, one.id, "it stands", stands=True)
        with work_as(people.planner) as work:
            actions.decide_dispute(work, one.id, "An empty form indeed", stands=False)
        clock.move_to(datetime(2026, 11, 26, 10, 0, tzinfo=UTC))
        with pytest.raises(Refusal, match="3 working days"), work_as(people.orders) as work:
            actions.dispute(work, two.id, "Too late")


def test_overdue_findings_escalate_and_accepted_risks_end(site: Flask) -> None:
    people = furnish()
    start = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
    with time_machine.travel(start, tick=False) as clock:
        round_id = started(people)
        with reading() as session:
            places = [stop.place for stop in queries.stops(session, round_id) if stop.zone == "ops-a"]
        (critical,) = send(people.guard, round_id, look(places[0], "K01")).findings
        (paper,) = send(people.guard, round_id, look(places[1], "P02")).findings
        with pytest.raises(Refusal, match="within the next 90 days"), work_as(people.planner) as work:
            actions.accept_risk(work, paper.id, "Waiting for lockers", work.now + timedelta(days=91))
        with work_as(people.planner) as work:
            actions.accept_risk(work, paper.id, "Waiting for lockers", work.now + timedelta(days=2))
        told = []
        for hours in (4.5, 5.5, 8.5, 9, 49):
            clock.move_to(start + timedelta(hours=hours))
            with unit_of_work(Actor.system("cleandesk")) as work:
                told.append(actions.tick(work))
            with unit_of_work(Actor.system("cleandesk")) as work:
                assert actions.tick(work) == 0
        assert told == [0, 1, 1, 0, 1]
    assert [f.data["to"] for f in facts("cleandesk:finding:escalated")] == ["facilities manager", "site director"]
    with reading() as session:
        rows = {f.id: f for f in queries.findings(session, Wanted(), now())}
    assert (rows[paper.id].state, rows[critical.id].escalated) == ("open", 2)


def test_three_desks_of_a_team_are_a_fault_of_the_process(site: Flask) -> None:
    people = furnish()
    for _ in range(3):
        round_id = started(people, size=30, zones=("ops-a",), second=None)
        with reading() as session:
            stops = [s for s in queries.stops(session, round_id) if s.team == "Orders"]
            used = {f.place_id for f in queries.findings(session, Wanted(), now())}
        place = next(stop.place for stop in stops if stop.place not in used)
        send(people.guard, round_id, look(place, "P02"))
    with reading() as session:
        (fault,) = queries.team_faults(session)
    assert (fault.team, fault.item_id, len(fault.findings)) == ("Orders", "P02", 3)


def picture(width: int = 320, height: int = 240, comment: bytes = b"") -> bytes:
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    exif.get_ifd(0x8825)[1] = "N"
    Image.new("RGB", (width, height), (90, 20, 30)).save(out, "JPEG", exif=exif, comment=comment)
    return out.getvalue()


def test_photos_are_painted_anew_and_bound_to_the_fact(site: Flask) -> None:
    people = furnish()
    round_id = started(people)
    with reading() as session:
        places = [stop.place for stop in queries.stops(session, round_id) if stop.zone == "ops-a"]
    photo = TakenPhoto(new_id(), "P01", masks=2)
    data = picture(2400, 1800, b"hidden words")
    (raised,) = send(people.guard, round_id, look(places[0], "P01", photos=(photo,)), {photo.id: data}).findings
    with reading() as session:
        finding = queries.finding(session, raised.id)
        assert finding is not None
        (kept,) = queries.photos_of(session, finding.observation_id, finding.item_id, finding.id)
    stored = (site_folder() / kept.path).read_bytes()
    assert b"hidden words" not in stored and b"secret place" not in stored and b"Exif" not in stored
    assert Image.open(io.BytesIO(stored)).size == (1600, 1200) == (kept.width, kept.height)
    (fact,) = facts("cleandesk:observation:recorded")
    assert fact.data["photos"] == {photo.id: kept.sha256}


def site_folder() -> Any:
    from bposite.cleandesk.photos import store

    return store().root


@pytest.mark.parametrize(
    ("item", "more", "data", "words"),
    [
        ("D01", {"nothing_to_mask": True}, picture(), "no photo of people"),
        ("P01", {}, picture(), "Cover what can be read"),
        ("P01", {"masks": 1}, b"not a picture", "not a picture"),
        ("P01", {"masks": 1}, picture(8, 8), "8 x 8"),
        ("P01", {"masks": 1}, b"", "empty"),
        ("P01", {"masks": 1}, picture()[:900], "not a picture"),
        ("K02", {"masks": 1}, picture(), "belongs to K02"),
    ],
)
def test_photos_that_are_refused(site: Flask, item: str, more: dict[str, Any], data: bytes, words: str) -> None:
    people = furnish()
    round_id = started(people)
    with reading() as session:
        place = next(s.place for s in queries.stops(session, round_id) if s.zone == "ops-a")
    photo = TakenPhoto(new_id(), item, **more)
    fault = "D01" if item == "D01" else "P01"
    with pytest.raises(Refusal, match=words):
        send(people.guard, round_id, look(place, fault, photos=(photo,)), {photo.id: data})
    assert facts("cleandesk:observation:") == []


def test_items_must_belong_to_the_place(site: Flask) -> None:
    people = furnish()
    round_id = started(people)
    with reading() as session:
        place = next(s.place for s in queries.stops(session, round_id) if s.zone == "ops-a")
    for items, words in (((FoundItem("B01"),), "not looked at here"), ((FoundItem("X99"),), "no check X99")):
        with pytest.raises(Refusal, match=words):
            send(people.guard, round_id, look(place, *items))
    with pytest.raises(Refusal, match="named twice"):
        send(people.guard, round_id, look(place, "P01", "P01"))
    with pytest.raises(Refusal, match="Say what is wrong"):
        send(people.guard, round_id, look(place, answer="fail"))


def test_a_phone_with_a_wrong_clock_gets_our_time(site: Flask) -> None:
    people = furnish()
    round_id = started(people)
    with reading() as session:
        places = [stop.place for stop in queries.stops(session, round_id) if stop.zone == "ops-a"]
    for place, moment in zip(places, (now() - timedelta(days=3), now() + timedelta(days=3)), strict=False):
        send(people.guard, round_id, look(place, seen_at=moment))
        with reading() as session:
            seen = queries.looks(session, round_id)[place]["first"].seen_at
        assert abs(now() - seen) < timedelta(minutes=1)


def test_double_audits_give_pairs_and_only_their_places(site: Flask) -> None:
    people = furnish()
    round_id = started(people)
    walk(people, round_id)
    with reading() as session:
        stops = queries.stops(session, round_id)
    doubles = [s.place for s in stops if s.double]
    send(people.second, round_id, look(doubles[0], seat="second"))
    send(people.second, round_id, look(doubles[1], "P01", seat="second"))
    with pytest.raises(Refusal, match="not drawn"):
        send(people.second, round_id, look(next(s.place for s in stops if not s.double), seat="second"))
    with pytest.raises(Refusal, match="somebody else"):
        send(people.guard, round_id, look(doubles[0], seat="second"))
    with work_as(people.guard) as work:
        actions.submit_round(work, round_id)
    with reading() as session:
        assert sorted(queries.pairs(session, Scope((f"{now():%Y-%m}",)))) == [("pass", "fail"), ("pass", "pass")]
        assert queries.findings(session, Wanted(), now()) == []


def test_targeted_checks_never_enter_the_figures(site: Flask) -> None:
    people = furnish()
    round_id = started(people, purpose="targeted", places=("A1-01", "A1-02"), reason="complaint of the client")
    walk(people, round_id, {0: "K01"})
    with work_as(people.guard) as work:
        actions.submit_round(work, round_id)
    scope = Scope((f"{now():%Y-%m}",))
    with reading() as session:
        assert queries.strata(session, scope) == []
        assert queries.items(session, scope) == []
        assert len(queries.findings(session, Wanted(), now())) == 1


def test_figures_pool_the_finished_random_rounds(site: Flask) -> None:
    people = furnish()
    for faults in ({}, {2: "P01"}):
        round_id = started(people)
        walk(people, round_id, faults)
        with work_as(people.guard) as work:
            actions.submit_round(work, round_id)
    scope = Scope((f"{now():%Y-%m}",))
    with reading() as session:
        strata = {s.key: s for s in queries.strata(session, scope)}
        assert {key: s.frame for key, s in strata.items()} == {
            "ops-a/day/end_of_shift": 60, "card-a/day/end_of_shift": 16,
        }  # fmt: skip
        assert sum(s.seen for s in strata.values()) == 24
        assert sum(s.passed for s in strata.values()) == 23
        assert [(i.item, i.found) for i in queries.items(session, scope)] == [("P01", 1)]
        assert sum(p.judged for p in queries.by_zone(session, scope)) == 24
        assert queries.months(session) == [f"{now():%Y-%m}"]
        only = queries.strata(session, Scope(scope.months, client="Nobody"))
    assert only == []


def test_the_plan_file_is_applied_once_and_moves_keep_their_history(site: Flask) -> None:
    furnish()
    assert len(facts("cleandesk:roster:planned")) == 1
    with unit_of_work(Actor.system("tests")) as work:
        actions.apply_plan(work, desks(30) + desks(8, "card-a", "C"))
    assert len(facts("cleandesk:roster:planned")) == 1
    with unit_of_work(Actor.system("tests")) as work:
        actions.assign(work, "A1-01", "day", "Returns", vacant=True, reason="hand-over")
        actions.assign(work, "A1-01", "day", "Cards", vacant=False, reason="new client")
    with reading() as session:
        history = queries.moves(session, "A1-01")
        place = queries.place(session, "A1-01")
        areas = queries.places(session, kinds=["area"])
    assert [(m.team, m.until_at is None) for m in history if m.shift == "day"] == [
        ("Cards", True), ("Returns", False), ("Returns", False),
    ]  # fmt: skip
    assert place is not None and place.teams == {"day": "Cards", "night": "Returns"}
    assert {a.zone for a in areas} == {"ops-a", "card-a"}
    for wrong, words in (({"zone": "attic"}, "attic"), ({"colour": "red"}, "colour"), ({"x": "-1"}, "metres")):
        with pytest.raises(Refusal, match=words), unit_of_work(Actor.system("tests")) as work:
            actions.apply_plan(work, [{"id": "N-1", "zone": "ops-a"} | wrong])
