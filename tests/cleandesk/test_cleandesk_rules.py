"""Outcome, machines, route, repeats and the catalogue: the pure decisions beside the statistics."""

import copy
import itertools
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bposite.cleandesk.rules import catalogue, machines, outcome, repeats, route
from bposite.cleandesk.rules.catalogue import Catalogue
from bposite.cleandesk.rules.repeats import Past
from bposite.cleandesk.rules.route import Stop

RAW: dict[str, Any] = yaml.safe_load((Path(__file__).parents[2] / "config" / "clean_desk.yaml").read_text("utf-8"))
SHIPPED = catalogue.read(RAW)
AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def test_the_shipped_catalogue_has_its_54_checks() -> None:
    assert len(SHIPPED.items) == 54
    assert {item.severity for item in SHIPPED.items} == {"S1", "S2", "S3", "S4"}
    assert all(1 <= item.due_hours <= 14 * 24 for item in SHIPPED.items)
    for kind in SHIPPED.place_kinds:
        assert any(kind in item.places for item in SHIPPED.items), kind


def test_an_agents_desk_after_the_shift_is_a_short_list() -> None:
    found = [item.id for item in SHIPPED.items_for("floor", "desk", "after_hours")]
    assert {"P01", "S01", "K02", "C01"} <= set(found)
    assert "B01" not in found and "Z03" not in found
    assert len(found) <= 16
    severities = [item.severity for item in SHIPPED.items_for("floor", "desk", "after_hours")]
    assert severities == sorted(severities)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d["items"].append(copy.deepcopy(d["items"][0])), "share an id"),
        (lambda d: d["items"][0].update(zones=["attic"]), "attic"),
        (lambda d: d["items"][0].update(places=["chair"]), "chair"),
        (lambda d: d["items"][0].update(moments=["dawn"]), "dawn"),
        (lambda d: d["items"][0].update(severity="S9"), "S9"),
        (lambda d: d["items"][0].update(incident="when", incident_when=""), "say when"),
        (lambda d: d.update(colour="red"), "colour"),
        (lambda d: d["severities"].pop("S4"), "S1 to S4"),
    ],
)
def test_a_wrong_catalogue_is_refused(change: Any, message: str) -> None:
    data = copy.deepcopy(RAW)
    change(data)
    with pytest.raises(ValueError, match=message):
        catalogue.read(data)


def test_the_outcome_of_a_desk_moment() -> None:
    grades = SHIPPED.severities
    assert outcome.judge("pass", [], grades) == outcome.Judgement(True, 0, None)
    assert outcome.judge("fail", ["S3", "S1"], grades) == outcome.Judgement(False, 11, "S1")
    assert outcome.judge("fail", ["S2"], grades).complies is False
    assert outcome.judge("fail", ["S3", "S4"], grades) == outcome.Judgement(True, 1, "S3")
    for answer in ("not_observed", "not_applicable"):
        assert outcome.judge(answer, [], grades).complies is None
    for answer, items in (("fail", []), ("pass", ["S4"]), ("not_observed", ["S1"])):
        with pytest.raises(ValueError, match="fail names"):
            outcome.judge(answer, items, grades)  # type: ignore[arg-type]


def test_due_times_incidents_photos() -> None:
    wedged, note, paper = SHIPPED.item("Z01"), SHIPPED.item("Z05"), SHIPPED.item("P01")
    assert outcome.due_at(wedged, AT) == AT + timedelta(hours=1)
    assert outcome.due_at(note, AT) == AT + timedelta(days=14)
    assert outcome.proposes_incident(SHIPPED.item("K01"), flagged=False)
    assert not outcome.proposes_incident(paper, flagged=False)
    assert outcome.proposes_incident(paper, flagged=True)
    assert not outcome.proposes_incident(SHIPPED.item("P02"), flagged=True)
    assert outcome.photo_problem(SHIPPED.item("D01"), masks=3, nothing_to_mask=True)
    assert outcome.photo_problem(paper, masks=0, nothing_to_mask=False)
    assert outcome.photo_problem(paper, masks=1, nothing_to_mask=False) is None
    assert outcome.photo_problem(paper, masks=0, nothing_to_mask=True) is None
    assert outcome.photo_problem(SHIPPED.item("K02"), masks=0, nothing_to_mask=False) is None
    assert outcome.may_name_person(SHIPPED.item("K03"))
    assert not outcome.may_name_person(paper)
    assert outcome.points_per_hundred(5, 0) is None
    assert outcome.points_per_hundred(5, 50) == 10
    with pytest.raises(KeyError):
        outcome.items_of(SHIPPED, ["P01", "X99"])


def test_a_dispute_counts_working_days() -> None:
    friday = date(2026, 11, 20)
    assert outcome.dispute_until(friday, frozenset(), 3) == date(2026, 11, 25)
    assert outcome.dispute_until(friday, frozenset({date(2026, 11, 24)}), 3) == date(2026, 11, 26)


MACHINES = {
    "round": (machines.ROUND, machines.Round, "planned", {"closed", "cancelled"}),
    "finding": (machines.FINDING, machines.Finding, "open", {"closed", "withdrawn"}),
    "action": (machines.ACTION, machines.Action, "proposed", {"verified", "dropped"}),
}


@pytest.mark.parametrize("name", MACHINES)
def test_every_state_is_reached_and_only_ends_are_ends(name: str) -> None:
    machine, states, start, ends = MACHINES[name]
    reached, todo = {start}, [start]
    while todo:
        state = todo.pop()
        for event in machines.events_in(machine, state):
            target = machines.after(machine, state, event)
            assert target is not None
            if target not in reached:
                reached.add(target)
                todo.append(target)
    assert reached == set(states)
    assert {state for state in states if not machines.events_in(machine, state)} == ends
    assert machines.diagram(machine).count("-->") == len(machine)


def test_a_started_walk_cannot_be_dropped() -> None:
    assert machines.events_in(machines.ROUND, "in_progress") == ("submit",)
    assert machines.after(machines.ROUND, "in_progress", "cancel") is None


stops = st.lists(
    st.builds(
        Stop,
        st.uuids().map(str),
        st.sampled_from(["a", "b"]),
        st.one_of(st.none(), st.floats(0, 50)),
        st.floats(0, 50),
    ),
    max_size=25,
    unique_by=lambda stop: stop.place,
)


@given(stops)
@settings(max_examples=60, deadline=None)
def test_a_walk_visits_every_place_once_and_zone_by_zone(places: list[Stop]) -> None:
    order = route.walk_order(places)
    assert sorted(order) == sorted(stop.place for stop in places)
    zone = {stop.place: stop.zone for stop in places}
    changes = sum(zone[a] != zone[b] for a, b in itertools.pairwise(order))
    assert changes <= 1


def test_a_bay_is_walked_row_by_row_without_crossing() -> None:
    desks = [Stop(f"d{x}{y}", "a", float(x), 3.0 * y) for y in range(4) for x in range(6)]
    by_place = {stop.place: stop for stop in desks}
    order = [by_place[place] for place in route.walk_order(desks[::-1])]
    assert route.length(order) == pytest.approx(4 * 5 + 3 * 3)


def past(days: float, place: str = "A1-01", team: str = "orders", person: str | None = None, item: str = "P02") -> Past:
    return Past(item, place, team, "day", person, AT - timedelta(days=days))


def test_repeats_follow_the_person_or_else_the_desk() -> None:
    rules = SHIPPED.repeats
    assert repeats.rank(past(0), [], rules) == 1
    assert repeats.rank(past(0), [past(10), past(89), past(91), past(5, place="A1-02")], rules) == 3
    assert repeats.rank(past(0, person="E-1"), [past(3, place="B9", person="E-1"), past(4, person="E-2")], rules) == 2
    assert repeats.rank(past(0), [past(3, item="K01")], rules) == 1
    assert repeats.rung(1, rules) == rules.ladder[0]
    assert repeats.rung(9, rules) == rules.ladder[-1]


def test_three_people_of_a_team_make_it_the_process() -> None:
    rules = SHIPPED.repeats
    two = [past(10, place="A1-02"), past(20, place="A1-02")]
    assert not repeats.team_fault(past(0), two, rules)
    assert repeats.team_fault(past(0), [*two, past(29, place="A1-03")], rules)
    assert not repeats.team_fault(past(0), [*two, past(31, place="A1-03")], rules)
    assert not repeats.team_fault(past(0), [*two, past(2, place="A1-03", team="other")], rules)
    assert not repeats.team_fault(past(0, team=""), [past(1, "x", ""), past(1, "y", ""), past(1, "z", "")], rules)


def test_escalation_goes_up_one_rung_after_the_other() -> None:
    s1 = SHIPPED.severities["S1"]

    def to(hours: float, done: int = 0) -> list[str]:
        return [step.to for step in repeats.escalation(s1, AT, AT + timedelta(hours=hours), done)]

    assert to(0.9) == []
    assert to(1) == ["facilities manager"]
    assert to(5) == ["facilities manager", "site director"]
    assert to(5, done=1) == ["site director"]
    assert to(5, done=2) == []
    assert repeats.escalation(SHIPPED.severities["S4"], AT, AT + timedelta(days=99), 0) == []


def test_catalogue_is_frozen() -> None:
    assert isinstance(SHIPPED, Catalogue)
    with pytest.raises(AttributeError):
        SHIPPED.version = 2  # type: ignore[misc]
