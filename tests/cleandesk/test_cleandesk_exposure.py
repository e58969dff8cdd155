"""Stays in a zone, the auditor's presence, and the exposure report over real door entries."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from bposite.cleandesk import queries
from bposite.cleandesk.rules.exposure import Passage, Stay, stays
from bposite.cleandesk.rules.presence import judge_presence
from bposite.journal.work import Actor, unit_of_work
from bposite.plumbing.clock import local, now
from bposite.plumbing.db import reading
from bposite.visits import actions as visits
from tests.cleandesk.desk_site import ZONES, furnish, look, send, started
from tests.entries import seeding
from tests.people.signing import signed_in

T = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


def minute(count: float) -> datetime:
    """So many minutes after the beginning."""
    return T + timedelta(minutes=count)


def test_a_grant_and_its_passage_are_one_stay() -> None:
    passages = [Passage("v", minute(2), "b"), Passage("v", minute(2.1), "b"), Passage("v", minute(31), "lobby")]
    assert stays(passages, "b", T, minute(60)) == [Stay("v", minute(2), minute(31))]
    assert stays(passages, "b", minute(31), minute(60)) == []
    assert stays(passages, "b", minute(-60), minute(2)) == []
    assert stays(passages[:2], "b", minute(50), minute(60)) == [Stay("v", minute(2), None)]


@given(st.lists(st.tuples(st.sampled_from("vw"), st.integers(0, 90), st.sampled_from(["a", "b"])), max_size=20))
def test_stays_of_one_person_never_overlap(raw: list[tuple[str, int, str]]) -> None:
    found = stays([Passage(who, minute(at), zone) for who, at, zone in raw], "a", T, minute(100))
    for who in "vw":
        mine = [stay for stay in found if stay.who == who]
        assert all(a.until is not None and a.until <= b.since for a, b in itertools.pairwise(mine))


def test_an_auditor_whom_the_doors_had_elsewhere_is_flagged() -> None:
    looks = [(minute(10 + n), "b") for n in range(4)]
    assert [p.verdict for p in judge_presence([(minute(5), "b")], looks)] == ["confirmed"]
    assert [p.verdict for p in judge_presence([(minute(5), "lobby")], looks)] == ["contradicted"]
    assert [p.verdict for p in judge_presence([], looks)] == ["unknown"]
    assert [p.verdict for p in judge_presence([(minute(40), "b")], looks)] == ["unknown"]
    late = judge_presence([(minute(5), "b"), (minute(11), "lobby")], looks)
    assert (late[0].inside, late[0].looks, late[0].verdict) == (2, 4, "confirmed")


def test_the_report_joins_walks_and_what_was_open(site: Flask) -> None:
    people = furnish()
    round_id = started(people, zones=("ops-a",))
    with reading() as session:
        places = [stop.place for stop in queries.stops(session, round_id)]
    send(people.guard, round_id, look(places[0], "P02"))
    send(people.guard, round_id, look(places[1]))
    with reading() as session:
        found = queries.exposure(session, "ops-a", now() - timedelta(hours=1), now() + timedelta(minutes=1))
        before = queries.exposure(session, "ops-a", now() - timedelta(hours=3), now() - timedelta(hours=1))
        other = queries.exposure(session, "card-a", now() - timedelta(hours=1), now() + timedelta(minutes=1))
    assert [row.item_id for row in found.findings] == ["P02"]
    assert [(audit.judged, audit.passed) for audit in found.audits] == [(2, 1)]
    assert found.guests == () and found.complete
    assert (before.findings, before.audits, other.findings, other.audits) == ((), (), (), ())


def test_a_wrong_window_is_told_and_a_broken_one_is_forgiven(site: Flask) -> None:
    furnish()
    client = signed_in(site, "facilities")
    at = local(now())
    window = f"since={at:%Y-%m-%dT%H:%M}&until={at - timedelta(hours=1):%Y-%m-%dT%H:%M}"
    wrong = client.get(f"/clean-desk/exposure?zone=ops-a&{window}")
    assert wrong.status_code == 422
    assert "ends after it begins" in wrong.get_data(as_text=True)
    assert client.get("/clean-desk/exposure?zone=attic&since=2026-W48&until=x").status_code == 200


def test_a_visitor_who_was_there_is_joined_with_what_was_open(site: Flask) -> None:
    people = furnish()
    round_id = started(people, zones=("ops-a",))
    with reading() as session:
        place = queries.stops(session, round_id)[0].place
    send(people.guard, round_id, look(place, "P02"))
    with unit_of_work(Actor.system("tests")) as work:
        visits.apply_plan(work, ZONES)
    visit = seeding.visit()
    start = now() - timedelta(minutes=20)
    seeding.way(visit, start)
    with reading() as session:
        found = queries.exposure(session, "ops-a", start, start + timedelta(hours=2))
        early = queries.exposure(session, "ops-a", start - timedelta(hours=2), start)
        card = queries.exposure(session, "card-a", start, start + timedelta(hours=2))
    (guest,) = found.guests
    assert (guest.stay.since, guest.stay.until) == (start + timedelta(minutes=6), start + timedelta(minutes=48))
    assert guest.visit is not None and guest.visit.visitor == "Zoë Müller"
    assert [row.item_id for row in guest.findings] == ["P02"]
    assert early.guests == ()
    assert card.guests == ()  # a refusal is no stay
    page = signed_in(site, "facilities").get("/clean-desk/exposure?zone=ops-a").get_data(as_text=True)
    assert "Zoë Müller" in page and "1 open meanwhile" in page


def test_the_doors_tell_where_the_auditor_was(site: Flask) -> None:
    people = furnish()
    round_id = started(people)
    with reading() as session:
        assert queries.presence_of(session, round_id) == []
        stops = queries.stops(session, round_id)
    at = now() - timedelta(minutes=30)
    seeding.store(seeding.record(1, at, person="E-1002", decision="taken", taken=True, zone="ops-a"))
    for stop in stops:
        send(people.guard, round_id, look(stop.place))
    with reading() as session:
        verdicts = {one.zone: one.verdict for one in queries.presence_of(session, round_id)}
    assert verdicts == {"ops-a": "confirmed", "card-a": "contradicted"}
    page = signed_in(site, "facilities").get(f"/clean-desk/rounds/{round_id}").get_data(as_text=True)
    assert "The door log does not have Ben Okafor" in page


def test_a_sweep_is_proposed_before_a_visit(site: Flask) -> None:
    people = furnish()
    with unit_of_work(Actor.system("tests")) as work:
        visits.apply_plan(work, ZONES)
    visit = seeding.visit()
    client = signed_in(site, "facilities")
    assert f"visit={visit}" in client.get("/clean-desk/exposure").get_data(as_text=True)
    form = client.get(f"/clean-desk/rounds/new?visit={visit}").get_data(as_text=True)
    assert 'value="Sweep before a visit"' in form
    assert "A1-01, A1-02" in form
    fields = {
        "name": "Sweep", "purpose": "targeted", "zones": ["ops-a"], "kinds": ["desk"], "shift": "day",
        "moment": "live", "places": "A1-01, A1-02", "reason": f"visit {visit}", "auditor": people.guard.id,
        "second": "", "day": f"{local(now()):%Y-%m-%d}", "time": f"{local(now()):%H:%M}",
    }  # fmt: skip
    assert client.send("/clean-desk/rounds/new", **fields).status_code == 302
    with reading() as session:
        (row,) = queries.rounds(session)
    assert (row.purpose, row.reason) == ("targeted", f"visit {visit}")
