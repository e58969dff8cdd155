"""Screens, files and the API through the real forms: errors beside the field, nothing lost, no person shown."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from bposite.cleandesk import actions, queries
from bposite.cleandesk.queries import Wanted
from bposite.cleandesk.rules.exports import safe_cell
from bposite.cleandesk.wire import FoundItem
from bposite.journal.queries import tail
from bposite.journal.work import Actor
from bposite.people import cookies
from bposite.plumbing.clock import local, now
from bposite.plumbing.db import reading
from tests.cleandesk.desk_site import People, furnish, look, send, started, work_as
from tests.people.signing import Account, Browser, nobody, session_of, token_of


@pytest.fixture
def staff(site: Flask) -> People:
    """The small site and who acts there."""
    return furnish()


@pytest.fixture
def browser_of(site: Flask) -> Callable[[Actor], Browser]:
    """``browser_of(actor)``: the browser of somebody who is signed in."""

    def new(actor: Actor) -> Browser:
        client = nobody(site)
        client.set_cookie(cookies.SESSION, session_of(Account(actor.id, "", "", "")))
        return client

    return new


def text(response: Any) -> str:
    """The page, blanks squeezed."""
    return re.sub(r"\s+", " ", response.get_data(as_text=True))


def a_round(**more: Any) -> dict[str, Any]:
    """The fields of the form of a round."""
    at = local(now() + timedelta(hours=2))
    return {
        "name": "Evening walk", "purpose": "random", "zones": ["ops-a"], "kinds": ["desk"], "shift": "day",
        "moment": "end_of_shift", "size": "12", "day": f"{at:%Y-%m-%d}", "time": f"{at:%H:%M}",
    } | more  # fmt: skip


def test_planning_a_round_tells_every_mistake_and_keeps_what_was_typed(
    staff: People, browser_of: Callable[[Actor], Browser]
) -> None:
    client = browser_of(staff.planner)
    cases = [
        ({"name": ""}, "Give the round a name."),
        ({"zones": []}, "Choose at least one zone."),
        ({"size": ""}, "Say how many places are looked at."),
        ({"size": "9999"}, "Between 1 and 400."),
        ({"size": "40"}, "choose 1 to 30"),
        ({"day": "2026-02-30"}, "Not a valid date value."),
        ({"auditor": staff.orders.id}, "nobody audits the own team"),
        ({"second": staff.guard.id}, "must be another person"),
        ({"purpose": "targeted", "places": "A1-01 X-99", "reason": "a complaint"}, "Choose the places to look at."),
        ({"name": "x" * 10_000}, "Use at most 120 characters."),
    ]
    for change, words in cases:
        fields = a_round(auditor=staff.guard.id) | change
        answer = client.send("/clean-desk/rounds/new", **fields)
        assert answer.status_code == 422, change
        assert words in text(answer), change
        if fields["name"] == "Evening walk":
            assert 'value="Evening walk"' in text(answer)
    with reading() as session:
        assert queries.rounds(session) == []
    done = client.send("/clean-desk/rounds/new", **a_round(auditor=staff.guard.id))
    assert done.status_code == 302
    page = text(client.get(done.location))
    assert "Only Ben Okafor can start it." in page
    assert "Evening walk" in page


def test_html_in_a_name_stays_text(staff: People, browser_of: Callable[[Actor], Browser]) -> None:
    client = browser_of(staff.planner)
    name = "<img src=x onerror=alert(1)>"
    done = client.send("/clean-desk/rounds/new", **a_round(auditor=staff.guard.id, name=name))
    assert "<img src=x" not in text(client.get(done.location))
    assert "&lt;img" in text(client.get("/clean-desk/rounds/"))


def test_the_size_follows_from_the_claim(staff: People, browser_of: Callable[[Actor], Browser]) -> None:
    client = browser_of(staff.planner)
    page = text(client.get("/clean-desk/rounds/size?zones=ops-a&kinds=desk&shift=day", headers={"X-Fragment": "1"}))
    assert "30 such places" in page
    assert 'data-suggested="11"' in page  # 42 of 120 desk-moments over four walks
    assert "Choose zones" in text(client.get("/clean-desk/rounds/size"))


def finding_of(staff: People, *items: str | FoundItem) -> str:
    """A finding of a walk, by its id."""
    round_id = started(staff, zones=("ops-a",))
    with reading() as session:
        place = queries.stops(session, round_id)[0].place
    (raised,) = send(staff.guard, round_id, look(place, *items)).findings  # type: ignore[arg-type]
    return raised.id


def test_a_finding_goes_its_way_through_the_forms(staff: People, browser_of: Callable[[Actor], Browser]) -> None:
    finding = finding_of(staff, "P02")
    page = f"/clean-desk/findings/{finding}"
    planner, second, guard = browser_of(staff.planner), browser_of(staff.second), browser_of(staff.guard)
    tomorrow = f"{local(now()) + timedelta(days=1):%Y-%m-%d}"
    wrong = planner.send(
        f"{page}/propose", page, **{"propose-what": "Lockers", "propose-owner": "E-9999",
                                    "propose-due_day": tomorrow, "propose-due_time": "10:00"}
    )  # fmt: skip
    assert wrong.status_code == 422
    assert "Choose somebody of the directory." in text(wrong)
    assert "Lockers</textarea>" in text(wrong)
    fields = {"propose-what": "Lockers", "propose-owner": "E-1003 Chitra Iyer", "propose-due_day": tomorrow}
    assert planner.send(f"{page}/propose", page, **fields, **{"propose-due_time": "10:00"}).status_code == 302
    assert "Write 3 to 1000" in text(planner.send(f"{page}/done", page, **{"done-words": ""}))
    assert planner.send(f"{page}/done", page, **{"done-words": "All in lockers"}).status_code == 302
    own = planner.send(f"{page}/verify", page, **{"verify-words": "", "answer": "mended"})
    assert own.status_code == 422
    assert "another person has to look" in text(own)
    assert guard.send(f"{page}/verify", page, **{"verify-words": "", "answer": "mended"}).status_code == 403
    assert second.get(page).status_code == 200
    other = browser_of(_facilities())
    done = other.send(f"{page}/verify", page, **{"verify-words": "seen", "answer": "mended"})
    assert done.status_code == 302
    assert "Verified and closed." in text(other.get(page))


def _facilities() -> Actor:
    from tests.people.signing import make_account

    account = make_account("facilities")
    return Actor("user", account.id, "Test facilities", "facilities")


def test_a_named_person_is_seen_by_verifiers_alone(staff: People, browser_of: Callable[[Actor], Browser]) -> None:
    finding = finding_of(staff, FoundItem("D01", person="E-1003"))
    page = f"/clean-desk/findings/{finding}"
    assert "Chitra Iyer (E-1003)" in text(browser_of(staff.planner).get(page))
    seen_by_guard = text(browser_of(staff.guard).get(page))
    assert "Only those who verify see this" not in seen_by_guard
    assert "Chitra Iyer (E-1003)" not in seen_by_guard
    assert "E-1003" not in text(browser_of(staff.planner).get("/clean-desk/findings.csv"))
    assert "E-1003" not in text(browser_of(staff.planner).get("/api/v1/clean-desk/findings"))


def test_a_csv_of_places_takes_the_good_lines_and_names_the_others(
    staff: People, browser_of: Callable[[Actor], Browser]
) -> None:
    client = browser_of(staff.planner)

    def upload(data: bytes) -> Any:
        token = token_of(client.get("/clean-desk/places/import"))
        fields = {"csrf_token": token, "file": (io.BytesIO(data), "places.csv")}
        return client.post("/clean-desk/places/import", data=fields)

    lines = ["id;kind;zone;team;x;y"] + [f"N-{n:02d};desk;ops-a;Sales;{n};2" for n in range(28)]
    lines += ["N-90;desk;attic;Sales;1;1", "N-91;chair;ops-a;Sales;1;1"]
    first = upload("\n".join(lines).encode())
    assert first.status_code == 422
    assert "28 added, 0 changed, 0 as they were" in text(first)
    assert re.search(r"30</td><td>zone</td><td>&#39;attic&#39; is none of", text(first))
    assert "&#39;chair&#39; is none of" in text(first)
    assert "0 added, 0 changed, 28 as they were" in text(upload("\n".join(lines).encode()))
    for data, words in (
        (b"", "Choose a file."),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"name,zone\nA,ops-a\n", "`id` among them"),
        (b'id,zone\n"A1,ops-a\n', "cannot be read"),
        (b"id,zone\nA\x00,ops-a\n", "not a text file"),
    ):
        assert words in text(upload(data)), data


def test_the_walk_takes_looks_from_the_queue_and_refuses_others(
    staff: People, browser_of: Callable[[Actor], Browser]
) -> None:
    round_id = started(staff, zones=("ops-a",))
    client, url = browser_of(staff.guard), f"/clean-desk/walk/{round_id}"
    data = client.get(f"{url}/data").get_json()
    assert len(data["stops"]) == 12 and len(data["reserves"]) == 18
    assert "double" not in json.dumps(data)
    assert browser_of(staff.planner).get(f"{url}/data").status_code == 404
    token = client.get("/clean-desk/walk/token").get_json()["token"]
    place = data["stops"][0]["place"]
    sent = {"id": "0" * 20, "place": place, "answer": "pass", "seen_at": now().isoformat()}

    def post(look: str) -> Any:
        headers = {"X-CSRFToken": token, "Accept": "application/json"}
        return client.post(f"{url}/looks", data={"look": look}, headers=headers)

    for bad in (
        "", "[]", "{", '{"id": 1}', json.dumps(sent | {"answer": "maybe"}),
        json.dumps(sent | {"seen_at": "2026-11-23"}),
        json.dumps(sent | {"seen_at": "2026-11-23T10:00:00"}), json.dumps(sent | {"id": "short"}),
        json.dumps(sent | {"note": "\u0007"}), json.dumps(sent | {"colour": "red"}), "[" * 100_000,
        json.dumps(sent | {"place": "nowhere"}), json.dumps(sent | {"answer": "fail"}),
    ):  # fmt: skip
        answer = post(bad)
        assert answer.status_code == 422, bad[:60]
        assert answer.content_type == "application/problem+json"
    assert post(json.dumps(sent)).get_json()["repeated"] is False
    assert post(json.dumps(sent)).get_json()["repeated"] is True
    assert post(json.dumps(sent | {"note": "other"})).status_code == 409
    with reading() as session:
        assert len(tail(session, -1, ("cleandesk:observation:",))) == 1


def test_prints_are_pdf_and_hold_no_name(staff: People, browser_of: Callable[[Actor], Browser]) -> None:
    finding = finding_of(staff, FoundItem("D01", person="E-1003"))
    client = browser_of(staff.planner)
    paths = (f"findings/{finding}/card.pdf", "places/stickers.pdf", "places/stickers.pdf?place=A1-01", "report.pdf")
    for path in paths:
        answer = client.get(f"/clean-desk/{path}")
        assert (answer.status_code, answer.mimetype) == (200, "application/pdf"), path
        assert answer.data.startswith(b"%PDF")
    assert client.get("/clean-desk/places/stickers.pdf?zone=nowhere").status_code == 404


def test_figures_claim_and_their_files_say_the_same(staff: People, browser_of: Callable[[Actor], Browser]) -> None:
    round_id = started(staff, size=30, second=None)
    with reading() as session:
        places = [stop.place for stop in queries.stops(session, round_id)]
    for place in places:
        send(staff.guard, round_id, look(place))
    with work_as(staff.guard) as work:
        actions.submit_round(work, round_id)
    client = browser_of(staff.planner)
    api = client.get("/api/v1/clean-desk/figures").get_json()
    assert (api["judged"], api["frame"], api["method"]) == (30, 38, "hypergeometric")
    assert api["supported"] is True and api["lower"] >= 0.95
    assert "The sample carries this sentence." in text(client.get("/clean-desk/claim"))
    refused = text(client.get("/clean-desk/claim?target=0.98"))
    assert "does not carry" in refused and "more desk" in refused
    csv = client.get("/clean-desk/figures.csv").get_data(as_text=True)
    assert "hypergeometric" in csv and "committed " in csv
    with work_as(staff.planner) as work:
        actions.review_round(work, round_id, "")
    seed = client.get("/api/v1/clean-desk/rounds").get_json()["items"][0]["seed"]
    assert seed and seed in client.get("/clean-desk/figures.csv").get_data(as_text=True)
    assert seed in client.get(f"/clean-desk/rounds/{round_id}/draw.txt").get_data(as_text=True)
    assert client.get("/clean-desk/figures/?months=1999-01&client=x&target=9").status_code == 200
    assert client.get("/api/v1/clean-desk/figures?month=2026-13").status_code == 422


def test_the_draw_is_not_told_before_the_review(staff: People, browser_of: Callable[[Actor], Browser]) -> None:
    round_id = started(staff)
    answer = browser_of(staff.planner).get(f"/clean-desk/rounds/{round_id}/draw.txt")
    assert answer.status_code == 422
    assert "published after its review" in text(answer)


def test_positions_on_the_plan(staff: People, browser_of: Callable[[Actor], Browser]) -> None:
    client = browser_of(staff.planner)
    token = token_of(client.get("/clean-desk/places/plan"))
    headers = {"X-CSRFToken": token, "Accept": "application/json", "Content-Type": "application/json"}

    def post(body: str) -> Any:
        return client.post("/clean-desk/places/plan", data=body, headers=headers)

    assert post('{"A1-01": [4.5, 6]}').get_json() == {"moved": 1}
    assert post('{"A1-01": [4.5, 6]}').get_json() == {"moved": 0}
    for body in ("[]", '{"A1-01": [1]}', '{"A1-01": [NaN, 1]}', '{"A1-01": ["x", 1]}', '{"A1-01": [1e9, 1]}'):
        assert post(body).status_code == 422, body
    assert post('{"nowhere": [1, 1]}').status_code == 404
    with reading() as session:
        place = queries.place(session, "A1-01")
    assert place is not None and (place.x, place.y) == (4.5, 6.0)


@pytest.mark.parametrize(
    ("cell", "safe"),
    [
        ("=1+1", "'=1+1"), ("  @SUM(A1)", "'  @SUM(A1)"), ("\u200b=cmd", "'=cmd"), ("\t=x", "'\t=x"), ("-5", "'-5"),
        ("A1-01", "A1-01"), (3, 3), (0.5, 0.5), (None, ""), ("plain", "plain"),
    ],
)  # fmt: skip
def test_no_cell_becomes_a_formula(cell: object, safe: object) -> None:
    assert safe_cell(cell) == safe


def test_findings_that_are_asked_for_by_number(staff: People, browser_of: Callable[[Actor], Browser]) -> None:
    finding = finding_of(staff, "P02")
    client = browser_of(staff.planner)
    assert client.get("/clean-desk/f/1").location.endswith(finding)
    assert client.get("/clean-desk/f/99").status_code == 404
    assert client.get(f"/clean-desk/f/{2**40}").status_code == 404
    with reading() as session:
        assert len(queries.findings(session, Wanted(overdue=True), now() + timedelta(days=9))) == 1
    assert text(client.get("/clean-desk/findings/?due=x&number=1")).count("F-1<") == 1


def test_a_sweep_before_a_visit_that_does_not_exist_is_an_empty_form(
    staff: People, browser_of: Callable[[Actor], Browser]
) -> None:
    page = browser_of(staff.planner).get("/clean-desk/rounds/new?visit=nothing")
    assert page.status_code == 200
    assert "Sweep before a visit" not in text(page)
