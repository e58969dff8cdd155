"""Endpoint posture: osquery's results read strictly, stored once, and set beside what the doors know."""

from __future__ import annotations

import io
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from bposite.cleandesk import actions, queries
from bposite.cleandesk.osquery import Log, read_log, read_results
from bposite.cleandesk.rules import posture
from bposite.cleandesk.rules.posture import OddResultError, Reading, Seat
from bposite.doors.queries import alarms
from bposite.journal.queries import tail
from bposite.journal.work import Actor, unit_of_work
from bposite.people.actions import create_token
from bposite.plumbing.clock import now
from bposite.plumbing.db import reading
from bposite.plumbing.errors import Conflict, Refusal
from tests.cleandesk.desk_site import furnish, work_as
from tests.entries import seeding
from tests.people.signing import nobody, signed_in, token_of

PACK = Path(__file__).parents[2] / "config" / "osquery_pack.json"
AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def result(query: str, host: str = "A1-01", at: datetime = AT, **columns: str) -> dict[str, Any]:
    """One added row, as osquery's differential log has it."""
    return {
        "name": f"pack/bposite/{query}", "hostIdentifier": host, "unixTime": int(at.timestamp()), "action": "added",
        "columns": columns,
    }  # fmt: skip


def log_of(*results: dict[str, Any]) -> bytes:
    """A result log."""
    return b"".join(json.dumps(one).encode() + b"\n" for one in results)


def test_the_pack_that_is_shipped_asks_exactly_what_is_read() -> None:
    assert set(json.loads(PACK.read_text("utf-8"))["queries"]) == set(posture.QUERIES)


@pytest.mark.parametrize(
    ("query", "columns", "good", "words"),
    [
        ("bposite_usb_rule", {"blocked": "1"}, True, "storage ports blocked"),
        ("bposite_usb_rule", {"blocked": "0"}, False, "storage ports open"),
        ("bposite_lock_rule", {"seconds": "60"}, True, "screen locks after 60 s"),
        ("bposite_lock_rule", {"seconds": "61"}, False, "screen locks after 61 s"),
        ("bposite_lock_rule", {"seconds": "0"}, False, "screen never locks by itself"),
        ("bposite_lock_rule", {"seconds": "²"}, False, "screen never locks by itself"),
        ("bposite_lock_rule", {}, False, "screen never locks by itself"),
        ("bposite_usb_devices", {"vendor": "SanDisk", "model": "Ultra"}, False, "removable storage: SanDisk Ultra"),
        ("bposite_session", {"eventid": "4800"}, True, "locked"),
        ("bposite_session", {"eventid": "4801"}, False, "unlocked"),
    ],
)
def test_what_a_result_says(query: str, columns: dict[str, str], good: bool, words: str) -> None:
    (found,) = posture.read_result(result(query, **columns), now())
    assert (found.host, found.good, found.words, found.at) == ("a1-01", good, words, AT)


def test_snapshots_removals_and_other_queries() -> None:
    snapshot = result("bposite_usb_rule") | {"action": "snapshot", "snapshot": [{"blocked": "1"}]}
    assert [one.good for one in posture.read_result(snapshot, now())] == [True]
    assert posture.read_result(snapshot | {"snapshot": []}, now()) == []
    gone = result("bposite_usb_devices", vendor="x") | {"action": "removed"}
    assert posture.read_result(gone, now()) == []
    assert posture.read_result(result("processes", name="sshd"), now()) == []
    packed = result("x") | {"name": "pack_bposite_pack_bposite_usb_rule", "columns": {"blocked": "1"}}
    assert len(posture.read_result(packed, now())) == 1


def test_a_clock_that_is_ahead_does_not_make_a_reading_the_newest_for_ever() -> None:
    ahead = result("bposite_usb_rule", at=now() + timedelta(days=900), blocked="1")
    at = now()
    assert posture.read_result(ahead, at)[0].at == at


@pytest.mark.parametrize(
    "broken",
    [
        None, [], "x", {}, {"name": 3}, result("bposite_usb_rule") | {"hostIdentifier": ""},
        result("bposite_usb_rule") | {"hostIdentifier": "a\nb"},
        result("bposite_usb_rule") | {"hostIdentifier": "x" * 200},
        result("bposite_usb_rule") | {"unixTime": "yesterday"}, result("bposite_usb_rule") | {"unixTime": True},
        result("bposite_usb_rule") | {"unixTime": "9" * 40}, result("bposite_usb_rule") | {"columns": "no"},
        result("bposite_session", eventid="4624"),
    ],
)  # fmt: skip
def test_a_broken_result_is_odd(broken: object) -> None:
    with pytest.raises(OddResultError, match=r"\w"):
        posture.read_result(broken, now())


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.one_of(
        json_values,
        st.fixed_dictionaries(
            {"name": st.sampled_from(list(posture.QUERIES)), "hostIdentifier": json_values, "unixTime": json_values,
             "action": st.sampled_from(["added", "removed", "snapshot"]), "columns": json_values,
             "snapshot": json_values}
        ),
    )
)  # fmt: skip
def test_no_result_breaks_the_reader(raw: object) -> None:
    at = now()
    try:
        found = posture.read_result(raw, at)
    except OddResultError:
        return
    assert all(one.at <= at and one.kind in posture.KINDS and len(one.words) <= 160 for one in found)


def test_a_log_names_its_odd_lines() -> None:
    data = log_of(result("bposite_usb_rule", blocked="1")) + b"{not json\n\n" + b"[" * 5000 + b"\n"
    found = read_log(data, now())
    assert (len(found.readings), found.faulty) == (1, 2)
    assert [number for number, _ in found.odd] == [2, 3]
    for bad in (b"", b"\n\n"):
        with pytest.raises(Refusal, match="empty"):
            read_log(bad, now())


def take(*results: dict[str, Any]) -> actions.Taken:
    """Take results the way the edges do."""
    with unit_of_work(Actor.system("tests")) as work:
        return actions.take_log(work, read_results(list(results), now()))


def test_results_are_stored_once_and_a_known_name_finds_its_desk(any_site: Flask) -> None:
    furnish()
    sent = [result("bposite_usb_rule", blocked="1"), result("bposite_lock_rule", "somewhere", seconds="300")]
    first, again = take(*sent), take(*sent, sent[0])
    assert (first.new, first.known, first.hosts) == (2, 0, ("a1-01", "somewhere"))
    assert (again.new, again.known, again.hosts) == (0, 3, ())
    with reading() as session:
        rows = {row.host: row for row in queries.workstations(session, AT + timedelta(hours=1))}
        assert len(tail(session, -1, ("cleandesk:posture:",))) == 1
    assert (rows["a1-01"].place_id, rows["a1-01"].zone) == ("A1-01", "ops-a")
    assert rows["somewhere"].place_id is None
    assert rows["a1-01"].rule("usb_rule") is True
    assert rows["a1-01"].rule("lock_rule") is None
    assert rows["somewhere"].rule("lock_rule") is False


def test_a_silent_workstation_is_never_good(site: Flask) -> None:
    furnish()
    take(result("bposite_usb_rule", blocked="1"))
    with reading() as session:
        (row,) = queries.workstations(session, AT + timedelta(days=3))
    assert row.stale and row.rule("usb_rule") is None


def test_storage_at_a_desk_tells_the_control_room_once(site: Flask) -> None:
    furnish()
    seen = result("bposite_usb_devices", vendor="SanDisk", model="Ultra")
    take(seen, result("bposite_usb_devices", "nobodys", vendor="x", model="y"))
    take(seen)
    with reading() as session:
        found = alarms(session)
    assert [(row.kind, row.zone, row.count) for row in found] == [("usbStorage", "ops-a", 1)]
    assert "SanDisk" in found[0].summary or "sandisk" in found[0].summary


def test_an_unlocked_screen_whose_user_is_elsewhere(site: Flask) -> None:
    furnish()
    at = now() - timedelta(minutes=30)
    take(result("bposite_session", at=at, eventid="4801"))
    with unit_of_work(Actor.system("tests")) as work:
        actions.claim_workstation(work, "a1-01", "A1-01", "E-1003")

    def left() -> list[str]:
        with reading() as session:
            return [seat.host for seat in queries.unlocked_seats(session, queries.workstations(session, now()), now())]

    assert left() == []
    move = seeding.moved("E-1003", "card-a", at=now() - timedelta(minutes=10))
    seeding.store(seeding.record(1, now()), moves={move[0]: (move[1], 0)})
    assert left() == ["a1-01"]
    take(result("bposite_session", at=now() - timedelta(minutes=5), eventid="4800"))
    assert left() == []


def test_what_left_unlocked_does_not_say() -> None:
    def seat(unlocked_at: datetime, good: bool = False) -> Seat:
        return Seat("h", "b", "E-1", Reading("h", "session", unlocked_at, good, "unlocked"))

    gone = {"E-1": ("lobby", AT)}
    later = AT + timedelta(minutes=5)
    assert posture.left_unlocked([seat(AT - timedelta(hours=1))], gone, later)
    assert not posture.left_unlocked([seat(AT - timedelta(hours=1), good=True)], gone, later)
    assert not posture.left_unlocked([seat(AT + timedelta(minutes=1))], gone, later)
    assert not posture.left_unlocked([seat(AT - timedelta(hours=1))], gone, AT + timedelta(minutes=1))
    assert not posture.left_unlocked([seat(AT - timedelta(hours=1))], {"E-1": ("b", AT)}, later)
    assert not posture.left_unlocked([seat(AT - timedelta(hours=1))], {"E-1": (None, AT)}, later)
    assert not posture.left_unlocked([seat(AT - timedelta(hours=1))], {}, later)


def test_every_exemption_ends_and_a_person_has_one_locker(site: Flask) -> None:
    people = furnish()
    soon = now() + timedelta(days=30)

    def exempt(**more: Any) -> str:
        facts = {"tag": "T-1", "what": "Hearing aid", "person": "E-1003", "reason": "health", "until": soon} | more
        with work_as(people.planner) as work:
            return actions.exempt(work, **facts)

    for change in ({"until": now() - timedelta(days=1)}, {"until": now() + timedelta(days=400)}, {"person": "E-9"},
                   {"tag": " "}, {"what": ""}, {"reason": ""}):  # fmt: skip
        with pytest.raises(Refusal):
            exempt(**change)
    given = exempt()
    with pytest.raises(Conflict, match="exempt already"):
        exempt()
    with reading() as session:
        assert [row.in_force for row in queries.exemptions(session, now())] == [True]
        assert [row.in_force for row in queries.exemptions(session, soon)] == [False]
    with work_as(people.planner) as work:
        actions.end_exemption(work, given)
    with pytest.raises(Conflict), work_as(people.planner) as work:
        actions.end_exemption(work, given)
    with work_as(people.planner) as work:
        actions.set_locker(work, "12", "ops-a", "E-1003")
    with pytest.raises(Conflict, match="locker 12"), work_as(people.planner) as work:
        actions.set_locker(work, "13", "ops-a", "E-1003")
    with work_as(people.planner) as work:
        actions.set_locker(work, "12", "ops-a", "")
    with reading() as session:
        assert [(row.id, row.person) for row in queries.lockers(session)] == [("12", None)]


def test_the_page_takes_a_log_and_keeps_mistakes_beside_the_field(site: Flask) -> None:
    furnish()
    client = signed_in(site, "facilities")

    def upload(data: bytes) -> Any:
        token = token_of(client.get("/clean-desk/devices/"))
        fields = {"csrf_token": token, "log-file": (io.BytesIO(data), "osqueryd.results.log")}
        return client.post("/clean-desk/devices/log", data=fields)

    good = log_of(result("bposite_lock_rule", at=now(), seconds="900"))
    assert upload(good).status_code == 200
    page = re.sub(r"\s+", " ", client.get("/clean-desk/devices/").get_data(as_text=True))
    assert "Screen locks after 900 s" in page
    odd = upload(good + b"nonsense\n")
    assert odd.status_code == 422 and "Line 2:" in odd.get_data(as_text=True)
    empty = upload(b"")
    assert empty.status_code == 422 and "The log is empty." in empty.get_data(as_text=True)
    wrong = client.send("/clean-desk/devices/exemptions", "/clean-desk/devices/", **{"exempt-what": "Pump"})
    assert wrong.status_code == 422
    assert 'value="Pump"' in wrong.get_data(as_text=True) and "Give the tag." in wrong.get_data(as_text=True)
    auditor = signed_in(site, "auditor").get("/clean-desk/devices/").get_data(as_text=True)
    assert "Take a result log" not in auditor


def test_reading_nothing_changes_nothing(site: Flask) -> None:
    furnish()
    with unit_of_work(Actor.system("tests")) as work:
        assert actions.take_log(work, Log((), (), 0)).new == 0
    with reading() as session:
        assert tail(session, -1, ("cleandesk:posture:",)) == []


def test_osquery_pushes_with_a_bearer_token(site: Flask) -> None:
    furnish()
    with unit_of_work(Actor.system("tests")) as work:
        token = create_token(work, "osquery", {"cleandesk:plan"}, days=1)
    client, url = nobody(site), "/api/v1/clean-desk/posture"
    headers = {"Authorization": f"Bearer {token.secret}"}
    body = {"node_key": "k", "log_type": "result", "data": [result("bposite_usb_rule", blocked="1"), {"name": 3}]}
    assert client.post(url, json=body).status_code == 401
    assert signed_in(site, "facilities").post(url, json=body).status_code == 401
    first, again = (client.post(url, json=body, headers=headers).get_json() for _ in range(2))
    assert first == {"node_invalid": False, "new": 1, "known": 0, "odd": 1}
    assert again == {"node_invalid": False, "new": 0, "known": 1, "odd": 1}
    status = client.post(url, json=body | {"log_type": "status"}, headers=headers).get_json()
    assert (status["new"], status["odd"]) == (0, 0)
    for bad in ("", "[]", "{", '{"log_type": "result"}', '{"log_type": "result", "data": [1]}'):
        answer = client.post(url, data=bad, headers=headers | {"Content-Type": "application/json"})
        assert (answer.status_code, answer.content_type) == (422, "application/problem+json"), bad
