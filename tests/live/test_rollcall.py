"""The roll call: frozen with everybody on it, marks merge as a union, works with nothing but the database."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from bposite.journal.queries import latest
from bposite.journal.work import Actor, unit_of_work
from bposite.live import actions, queries
from bposite.live.actions import Mark
from bposite.live.rules import Tick, pressed_at, standing
from bposite.plumbing.clock import now
from bposite.plumbing.db import reading, transaction
from bposite.plumbing.errors import Refusal
from bposite.plumbing.ids import new_id
from tests.entries import seeding
from tests.people.signing import Browser, signed_in, token_of

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MARKS = st.builds(
    Tick,
    st.sampled_from(["safe", "missing", "unknown"]),
    st.integers(0, 9).map(lambda second: NOON + timedelta(seconds=second)),
    st.sampled_from(["a", "b", "c"]),
)


def start(*, drill: bool = False) -> str:
    """A roll call that has just begun."""
    with unit_of_work(Actor.system("tests")) as work:
        return actions.start(work, drill=drill)


def mark(call: str, *marks: Mark) -> int:
    """Send marks."""
    with unit_of_work(Actor.system("tests")) as work:
        return actions.take_marks(work, call, marks)


def list_of(call: str) -> dict[str, queries.Member]:
    """The list by name."""
    with reading() as session:
        roll = queries.roll(session, call)
    assert roll is not None
    return {one.name: one for _, members in roll.zones for one in members}


def post(client: Browser, call: str, body: object) -> int:
    """Marks as a phone sends them; the status."""
    token = token_of(client.get(f"/rollcall/{call}"))
    return client.post(f"/rollcall/{call}/marks", json=body, headers={"X-CSRFToken": token}).status_code


@pytest.fixture
def people(site: Flask) -> str:
    """Two of the staff inside, one outside, a visitor in the lobby; the visit's id."""
    seeding.apply_plan()
    guest = seeding.visit()
    seeding.inside({"E-1001": "ops-a", "E-1002": "card-a", "E-1003": "outside", f"visit:{guest}": "lobby"})
    return guest


@given(st.lists(MARKS, max_size=8), st.randoms())
def test_the_order_in_which_phones_send_means_nothing(marks: list[Tick], chance: object) -> None:
    mixed = list(marks)
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    first, second = standing(marks), standing(mixed)
    assert (first and (first.state, first.at)) == (second and (second.state, second.at))


def test_of_two_marks_at_once_safe_counts() -> None:
    found = standing([Tick("safe", NOON, "a"), Tick("missing", NOON, "b")])
    assert found is not None
    assert found.state == "safe"


@pytest.mark.parametrize(("told", "wanted"), [(-3600, 0), (30, 30), (3600, 60)])
def test_a_phone_with_a_wrong_clock_cannot_leave_the_roll_call(told: int, wanted: int) -> None:
    received = NOON + timedelta(seconds=60)
    assert pressed_at(NOON + timedelta(seconds=told), received, NOON) == NOON + timedelta(seconds=wanted)


def test_the_list_is_frozen(people: str) -> None:
    call = start()
    before = list_of(call)
    assert set(before) == {"Ananya Deshpande", "Farhan Siddiqui", "Zoë Müller"}
    assert before["Zoë Müller"].kind == "visitor"
    assert before["Farhan Siddiqui"].zone == "Payment-card clean room"
    assert before["Ananya Deshpande"].door == "Operations A, main door"
    seeding.inside({"E-1001": "outside", "E-1010": "lobby"})
    assert set(list_of(call)) == set(before)


@pytest.mark.parametrize("state", ["on_site", "overstay", "unaccounted"])
def test_no_timer_takes_a_visitor_off_the_list(people: str, state: str) -> None:
    unseen = seeding.visit(name="Never At A Door")
    with transaction() as session:
        session.execute(text("UPDATE visit SET state = :state WHERE id = :id"), {"state": state, "id": unseen})
    found = list_of(start())["Never At A Door"]
    assert (found.kind, found.zone, found.confidence) == ("visitor", "Not seen at a door", "inferred")


@pytest.mark.parametrize(("minutes", "listed"), [(-1, True), (1, False)])
def test_a_proven_departure_takes_a_visitor_off_unless_a_door_saw_him_later(
    people: str, minutes: int, listed: bool
) -> None:
    left = (now() + timedelta(minutes=minutes)).timestamp() * 1_000_000
    with transaction() as session:
        words = "UPDATE visit SET state = 'departed', departure = 'desk_scan', departed_at = :at WHERE id = :id"
        session.execute(text(words), {"at": int(left), "id": people})
    assert ("Zoë Müller" in list_of(start())) is listed
    with reading() as session:
        lobby = next(zone for zone in queries.site_now(session, pictures=False).zones if zone.id == "lobby")
    assert lobby.visitors == int(listed)


def test_three_phones_merge(people: str) -> None:
    call = start()
    members = {name: one.id for name, one in list_of(call).items()}
    began = now()
    safe = Mark("phone-1-mark-1", members["Ananya Deshpande"], "safe", began)
    assert mark(call, safe) == 1
    assert mark(call, safe, safe) == 0, "sent again after a lost answer"
    mark(call, Mark("phone-2-mark-1", members["Ananya Deshpande"], "missing", began - timedelta(seconds=5)))
    mark(call, Mark("phone-3-mark-1", members["Zoë Müller"], "safe", None))
    found = list_of(call)
    assert found["Ananya Deshpande"].state == "safe"
    assert found["Zoë Müller"].state == "safe"
    assert found["Farhan Siddiqui"].state == "unknown"
    mark(call, Mark("phone-1-mark-2", members["Ananya Deshpande"], "unknown", now() + timedelta(seconds=1)))
    assert list_of(call)["Ananya Deshpande"].state == "unknown"


def test_a_mark_for_somebody_else_changes_nothing(people: str) -> None:
    call, other = start(), start(drill=True)
    foreign = next(iter(list_of(other).values())).id
    mine = next(iter(list_of(call).values())).id
    with pytest.raises(Refusal):
        mark(call, Mark("a-good-mark", mine, "safe", None), Mark("a-bad-mark", foreign, "safe", None))
    assert all(one.state == "unknown" for one in list_of(call).values())


def test_a_stranger_is_added_and_safe(people: str, site: Flask) -> None:
    guard = signed_in(site, "guard")
    call = start()
    guard.send(f"/rollcall/{call}/strangers", f"/rollcall/{call}", name="  A  courier\u200b ", detail="Parcels")
    found = list_of(call)["A courier"]
    assert (found.kind, found.state, found.zone) == ("stranger", "safe", "At the muster point")
    guard.send(f"/rollcall/{call}/strangers", f"/rollcall/{call}", name=" ")
    assert "Type a name" in guard.get(f"/rollcall/{call}").get_data(as_text=True)


def test_a_late_mark_of_an_offline_phone_is_kept_after_closing(people: str) -> None:
    call = start()
    with unit_of_work(Actor.system("tests")) as work:
        actions.close(work, call)
    member = list_of(call)["Zoë Müller"].id
    assert mark(call, Mark("a-late-mark", member, "safe", now() - timedelta(minutes=3))) == 1
    assert list_of(call)["Zoë Müller"].state == "safe"


def test_every_step_is_a_fact(people: str) -> None:
    call = start()
    mark(call, Mark(new_id(), list_of(call)["Zoë Müller"].id, "safe", None))
    with unit_of_work(Actor.system("tests")) as work:
        actions.close(work, call)
    with reading() as session:
        kinds = [one.kind for one in latest(session, kinds=("live:rollcall:",))]
    assert kinds == ["live:rollcall:closed", "live:rollcall:ticked", "live:rollcall:started"]


def test_a_thousand_people_are_frozen_within_two_seconds(people: str) -> None:
    seeding.inside({f"X-{number}": "ops-a" for number in range(1000)})
    began = time.monotonic()
    call = start()
    took = time.monotonic() - began
    assert len(list_of(call)) == 1003
    assert took < 2.0


@pytest.mark.parametrize(
    "body",
    [
        None, {}, [1], "x", [{"id": "short", "member": "m", "state": "safe"}],
        [{"id": "long-enough-1", "member": "m", "state": "safe", "at": "2026-11-23T12:00:00"}],
        [{"id": "long-enough-1", "member": "m", "state": "happy"}], [{"id": "long-enough-1", "extra": 1}],
        [{"id": f"long-enough-{n}", "member": "m", "state": "safe"} for n in range(501)],
    ],
)  # fmt: skip
def test_marks_that_cannot_be_read_are_refused(people: str, site: Flask, body: object) -> None:
    assert post(signed_in(site, "guard"), start(), body) == 422


def test_the_pages_from_start_to_report(people: str, site: Flask) -> None:
    guard = signed_in(site, "guard")
    assert "3 people are inside now" in guard.get("/rollcall/").get_data(as_text=True)
    call = guard.send("/rollcall/start", "/rollcall/", drill="1", reason="Monthly").headers["Location"].split("/")[-1]
    page = guard.get(f"/rollcall/{call}").get_data(as_text=True)
    member = re.findall(r'data-member="(\w+)"', page)
    assert len(member) == 3
    for one in member:
        guard.send(f"/rollcall/{call}/mark", f"/rollcall/{call}", member=one, state="safe")
    assert "Everybody is accounted for" in guard.get(f"/rollcall/{call}").get_data(as_text=True)
    guard.send(f"/rollcall/{call}/close", f"/rollcall/{call}")
    over = guard.get("/rollcall/").get_data(as_text=True)
    assert "Monthly" in over
    assert "is under way" not in over
    assert guard.get("/rollcall/nothing").status_code == 404
    assert signed_in(site, "auditor").get("/rollcall/").status_code == 403
