"""The reception's screens through the real application: what is typed is kept, what is wrong is said beside it."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from PIL import Image

from bposite.journal.queries import size, tail
from bposite.plumbing.clock import now
from bposite.plumbing.db import reading
from bposite.visits import queries
from bposite.visits.rules import VisitState
from tests.people.signing import Browser, signed_in, token_of
from tests.visits import visit_day
from tests.visits.visit_site import NINE

INVITATION = {
    "name": "Asha Rao",
    "company": "Initech",
    "email": "asha@initech.example.com",
    "phone": "",
    "host": "Farhan Siddiqui (E-1002)",
    "day": "2026-11-23",
    "start": "10:00",
    "until": "12:00",
    "zones": ["ops-a"],
    "purpose": "Review",
}


@pytest.fixture
def furnished(site: Flask) -> Iterator[Flask]:
    """People and zones of the simulated site, at nine in the morning."""
    with time_machine.travel(NINE, tick=True):
        visit_day.furnish()
        yield site


@pytest.fixture
def desk(furnished: Flask, client_as: Callable[..., Browser]) -> Browser:
    """A browser signed in at the reception."""
    return client_as("reception")


@pytest.fixture
def manager(furnished: Flask, client_as: Callable[..., Browser]) -> Browser:
    """A browser signed in as facilities manager."""
    return client_as("facilities")


def invited(desk: Browser, **changes: Any) -> str:
    """Invite through the form; the id of the visit."""
    answer = desk.send("/reception/invite", **(INVITATION | changes))
    assert answer.status_code == 302, answer.get_data(as_text=True)
    return str(answer.headers["Location"]).rsplit("/", 1)[1]


def act(browser: Browser, visit: str, what: str, **fields: Any) -> Any:
    """Press a button of the visit's page."""
    return browser.send(f"/reception/visits/{visit}/{what}", page=f"/reception/visits/{visit}", **fields)


def page(browser: Browser, visit: str) -> str:
    """The visit's page."""
    return browser.get(f"/reception/visits/{visit}").get_data(as_text=True)


def state(visit: str) -> VisitState:
    with reading() as session:
        row = queries.visit_row(session, visit)
    assert row is not None
    return row.state


def code_on(html: str) -> str:
    found = re.search(r'data-code="([A-Z]{36})"', html)
    assert found
    return found[1]


def test_from_invitation_to_check_out_through_the_forms(desk: Browser) -> None:
    visit = invited(desk)
    assert "Asha Rao" in desk.get("/reception/").get_data(as_text=True)
    act(desk, visit, "arrive")
    answer = act(desk, visit, "admit", identity="passport", host_told="told by phone")
    assert answer.status_code == 302
    html = page(desk, visit)
    assert 'data-next="print"' in html
    label = act(desk, visit, "label")
    assert label.status_code == 303
    pdf = desk.get(label.headers["Location"])
    assert pdf.mimetype == "application/pdf"
    assert pdf.data.startswith(b"%PDF")
    assert code_on(html).encode() not in label.headers["Location"].encode()
    assert 'data-next="check_out"' in page(desk, visit)
    scanned = desk.send("/reception/scan", text=code_on(html), key="k1", purpose="check_out")
    assert scanned.status_code == 303
    assert state(visit) is VisitState.DEPARTED


def test_scanning_the_pass_of_an_expected_guest_checks_in_and_opens_the_visit(desk: Browser) -> None:
    visit = invited(desk)
    act(desk, visit, "pass")
    answer = desk.send("/reception/scan", text=code_on(page(desk, visit)).lower() + "\n", key="k", purpose="open")
    assert answer.headers["Location"] == f"/reception/visits/{visit}"
    assert state(visit) is VisitState.AT_DESK


def test_a_script_gets_the_same_bytes_for_the_same_request(desk: Browser) -> None:
    visit = invited(desk)
    act(desk, visit, "pass")
    fields = {"text": code_on(page(desk, visit)), "key": "same", "purpose": "open"}
    token = token_of(desk.get("/reception/scan"))
    answers = [
        desk.post("/reception/scan", data={"csrf_token": token} | fields, headers={"X-Fragment": "1"}).data
        for _ in range(3)
    ]
    assert len(set(answers)) == 1
    assert b'"did":"arrived"' in answers[0]


def test_a_code_that_leads_nowhere_says_what_to_do(desk: Browser) -> None:
    answer = desk.send("/reception/scan", text="BCDFGHJK", key="k", purpose="open")
    assert answer.status_code == 422
    assert "was not issued here" in answer.get_data(as_text=True)
    answer = desk.send("/reception/scan", text="not a code", key="k2", purpose="open")
    assert "not read completely" in answer.get_data(as_text=True)


# field, what was typed, what is said beside it
BAD: list[tuple[str, Any, str]] = [
    ("name", "x" * 10_000, "at most 120 letters; this has 10,000"),
    ("name", "<b>Asha</b>", "cannot contain &lt; or &gt;"),
    ("name", "", "Type the visitor&#39;s name"),
    ("name", "12345", "at least one letter"),
    ("name", "Asha\u202eRao", "invisible characters"),
    ("company", "<script>alert(1)</script>", "cannot contain &lt; or &gt;"),
    ("email", "asha at example", "not an e-mail address"),
    ("phone", "call me", "Use digits"),
    ("host", "Nobody Atall", "Nobody here who receives visitors"),
    ("host", "", "Choose the host"),
    ("day", "2026-02-30", "is not a date"),
    ("day", "tomorrow", "is not a date"),
    ("day", "2026-W48-1", "is not a date"),
    ("day", "2020-01-01", "already be over"),
    ("start", "25:00", "is not a time"),
    ("until", "", "Choose the time"),
    ("zones", ["moon"], "There is no zone"),
    ("purpose", "y" * 10_000, "at most 200 letters"),
]


def test_bad_input_is_told_beside_its_field_and_changes_nothing(desk: Browser) -> None:
    with reading() as session:
        before = size(session)
    token = token_of(desk.get("/reception/invite"))
    for field, value, message in BAD:
        answer = desk.post("/reception/invite", data={"csrf_token": token} | INVITATION | {field: value})
        html = answer.get_data(as_text=True)
        assert answer.status_code == 422, field
        assert message in html
        errors = re.findall(r'<p class="error"[^>]*>', html)
        assert len(errors) == 1, (field, message)
        assert field == "zones" or f'id="{field}-error"' in errors[0]
        assert field == "name" or "Asha Rao" in html, "what was typed is kept"
    with reading() as session:
        assert size(session) == before


def test_a_picture_that_is_none_is_told_beside_the_photo(desk: Browser) -> None:
    visit = invited(desk)
    act(desk, visit, "arrive")
    bomb = io.BytesIO()
    Image.new("1", (9000, 9000)).save(bomb, "PNG")
    broken = visit_day.face(1)[:2000]
    for data in (b"", b"GIF89a nonsense", broken, bomb.getvalue(), b"<svg/>"):
        answer = act(desk, visit, "photo", photo=(io.BytesIO(data), "photo.jpg"))
        assert answer.status_code == 422, data[:20]
        assert 'id="photo-photo-error"' in answer.get_data(as_text=True)
    with reading() as session:
        assert not tail(session, -1, ("visits:visitor:photographed",))


def test_a_photo_is_painted_anew_without_what_the_phone_wrote_into_it(desk: Browser) -> None:
    visit = invited(desk)
    act(desk, visit, "arrive")
    picture = Image.open(io.BytesIO(visit_day.face(3)))
    exif = Image.Exif()
    exif[0x010F] = "SecretPhone"
    taken = io.BytesIO()
    picture.save(taken, "JPEG", exif=exif, comment=b"lat 18.52 lon 73.85")
    assert act(desk, visit, "photo", photo=(io.BytesIO(taken.getvalue()), "p.jpg")).status_code == 302
    found = re.search(r'src="(/reception/visits/[^"]+\.jpg)"', page(desk, visit))
    assert found
    stored = desk.get(found[1])
    assert stored.mimetype == "image/jpeg"
    assert b"SecretPhone" not in stored.data
    assert b"lat 18.52" not in stored.data
    assert Image.open(io.BytesIO(stored.data)).size == (480, 600)


def test_the_photo_of_another_guest_is_not_given_out_under_this_visit(desk: Browser) -> None:
    first, second = invited(desk), invited(desk, email="other@example.com", name="Ravi Nair")
    act(desk, first, "arrive")
    act(desk, first, "photo", photo=(io.BytesIO(visit_day.face(3)), "p.jpg"))
    found = re.search(rf"/reception/visits/{first}/photo/([0-9a-f]+)\.jpg", page(desk, first))
    assert found
    assert desk.get(f"/reception/visits/{second}/photo/{found[1]}.jpg").status_code == 404


def test_admission_says_what_is_missing_and_keeps_the_guest_at_the_desk(desk: Browser) -> None:
    visit = invited(desk)
    act(desk, visit, "arrive")
    answer = act(desk, visit, "admit", host_told="told by phone")
    html = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "Still missing: identity check" in html
    assert state(visit) is VisitState.AT_DESK


def test_a_secure_zone_is_approved_by_somebody_else(desk: Browser, manager: Browser) -> None:
    visit = invited(desk, zones=["card-a"])
    assert "Waiting for approval" in page(desk, visit)
    assert act(desk, visit, "decide", answer="approve").status_code == 403
    assert act(manager, visit, "decide", answer="approve").status_code == 302
    assert state(visit) is VisitState.APPROVED


def test_a_walk_in_in_one_short_form(desk: Browser) -> None:
    answer = desk.send(
        "/reception/walk-in", name="Ravi Nair", host="E-1010", until="18:00", company="", purpose="", zones=[]
    )
    assert answer.status_code == 302
    visit = str(answer.headers["Location"]).rsplit("/", 1)[1]
    assert state(visit) is VisitState.AT_DESK
    act(desk, visit, "admit", identity="national_id", host_told="came to the desk")
    assert state(visit) is VisitState.ON_SITE


def test_an_identity_mismatch_is_released_by_a_colleague_only(desk: Browser, client_as: Callable[..., Browser]) -> None:
    visit = invited(desk)
    act(desk, visit, "arrive")
    act(desk, visit, "mismatch", identity="passport")
    html = page(desk, visit)
    assert "You raised this hold" in html
    with reading() as session:
        found = queries.visit_page(session, visit, now())
    assert found is not None
    hold = found.holds[0].id
    assert act(desk, visit, f"holds/{hold}/release", reason="fine").status_code == 422
    assert act(client_as("reception"), visit, f"holds/{hold}/release", reason="looked again").status_code == 302


def test_search_forgives_accents_order_case_and_a_wrong_letter(desk: Browser) -> None:
    visit_day.fill(now())
    for text in ("sorensen", "WISNIEWSKI tomasz", "Snheha Redy", "kantar", "tom"):
        html = desk.get("/reception/", query_string={"q": text}).get_data(as_text=True)
        assert "visit-card" in html, text
    nothing = desk.get("/reception/", query_string={"q": "zzzzzz"}).get_data(as_text=True)
    assert "Nobody found" in nothing


def list_of(rows: int) -> bytes:
    head = "name,company,email,host,day,from,until,zones\n"
    body = "".join(
        f"Guest {chr(65 + i % 26)}{chr(97 + i // 26)},Initech,g{i}@example.com,E-1002,2026-11-24,10:00,12:00,ops-a\n"
        for i in range(rows)
    )
    return (head + body).encode()


def upload(desk: Browser, data: bytes) -> Any:
    return desk.send("/reception/import", file=(io.BytesIO(data), "list.csv"))


def test_a_csv_of_30_with_two_bad_rows(desk: Browser) -> None:
    """28 created, 2 shown with cell and cause; uploading again creates nothing twice."""
    lines = list_of(30).decode().splitlines()
    lines[5] = lines[5].replace("2026-11-24", "2026-13-24")
    lines[9] = lines[9].replace("E-1002", "E-9999")
    data = "\n".join(lines).encode()
    html = upload(desk, data).get_data(as_text=True)
    assert "<b>28</b> invited" in html
    assert "2026-13-24" in html
    assert "E-9999" in html
    assert ">6<" in html
    assert ">10<" in html
    again = upload(desk, data).get_data(as_text=True)
    assert "<b>0</b> invited" in again
    assert "<b>28</b> were invited already" in again


NO_LISTS: list[tuple[bytes, str]] = [
    (b"", "at least one row"),
    (b"\x89PNG\r\n\x1a\n\0\0\0", "not a CSV file"),
    (b"name;host\nAsha;E-1002\n", "no column &#39;day&#39;"),
    (b"name,host,day,from,until,shoe\n", "not known or comes twice"),
    (b'name,host,day,from,until\n"open,E-1002,2026-11-24,10:00,12:00\n', "cannot be read"),
    ("name,host,day,from,until\nÅsa,E-1002,2026-11-24,10:00,12:00\n".encode("latin-1"), "UTF-8"),
]


def test_a_file_that_is_no_list_changes_nothing(desk: Browser) -> None:
    with reading() as session:
        before = size(session)
    for data, message in NO_LISTS:
        answer = upload(desk, data)
        assert answer.status_code == 422, data
        assert message in answer.get_data(as_text=True)
    with reading() as session:
        assert size(session) == before


def test_the_same_line_twice_in_one_list_is_told(desk: Browser) -> None:
    lines = list_of(2).decode().splitlines()
    html = upload(desk, "\n".join([*lines, lines[1]]).encode()).get_data(as_text=True)
    assert "<b>2</b> invited" in html
    assert "The same as row 2" in html


def test_who_only_reads_sees_no_button(desk: Browser, client_as: Callable[..., Browser]) -> None:
    visit = invited(desk)
    auditor = client_as("auditor")
    html = page(auditor, visit)
    assert "Asha Rao" in html
    assert 'method="post" action="/reception' not in html
    assert act(auditor, visit, "arrive").status_code == 403


def test_a_night_visit_ends_on_the_next_day(desk: Browser) -> None:
    visit = invited(desk, start="23:00", until="03:00")
    with reading() as session:
        row = queries.visit_row(session, visit)
    assert row is not None
    assert (row.window_until - row.window_from).total_seconds() == 4 * 3600


def test_the_api_lists_visits_page_by_page_without_codes(desk: Browser) -> None:
    for number in range(5):
        invited(desk, email=f"g{number}@example.com", name=f"Guest {'abcde'[number]}")
    seen: list[str] = []
    after = ""
    while True:
        answer = desk.get(f"/api/v1/visits?limit=2&after={after}").get_json()
        seen += [visit["name"] for visit in answer["visits"]]
        if answer["next"] is None:
            break
        after = answer["next"]
    assert seen == [f"Guest {letter}" for letter in "abcde"]
    one = desk.get(f"/api/v1/visits/{after}").get_json()
    assert [step["event"] for step in one["steps"]] == ["request", "approve"]
    assert desk.get("/api/v1/visits/nothing").status_code == 404
    assert desk.get("/api/v1/visits?from=yesterday").status_code == 422


def test_the_watchlist_is_kept_by_its_keepers_and_told_to_nobody_else(desk: Browser, manager: Browser) -> None:
    fields = {"name": "Rao Asha", "company": "", "contact": "", "reason": "took a laptop", "until": "2027-03-31"}
    assert desk.get("/reception/watchlist/").status_code == 403
    assert manager.send("/reception/watchlist/new", **(fields | {"until": "soon"})).status_code == 422
    assert manager.send("/reception/watchlist/new", **fields).status_code == 302
    assert "took a laptop" in manager.get("/reception/watchlist/").get_data(as_text=True)
    visit = invited(desk)
    seen = page(desk, visit)
    assert "Watchlist match" in seen
    assert "took a laptop" not in seen
    assert "% alike" not in seen
    assert "100 % alike" in page(manager, visit)


def test_a_day_is_closed_and_signed_on_its_page(desk: Browser, manager: Browser) -> None:
    visit = invited(desk)
    act(desk, visit, "arrive")
    act(desk, visit, "admit", identity="passport", host_told="told by phone")
    act(desk, visit, "label")
    with time_machine.travel(NINE + timedelta(days=1), tick=True):
        desk_again, manager_again = signed_in(desk.application, "reception"), signed_in(desk.application, "facilities")
        home = "/reception/day/2026-11-23"
        assert "not confirmed" in desk_again.get(home).get_data(as_text=True)
        manager_again.send(f"{home}/sign", page=home)
        assert "Signed" not in manager_again.get(home).get_data(as_text=True)
        desk_again.send(f"{home}/missing", page=home)
        manager_again.send(f"{home}/sign", page=home)
        assert "Signed" in manager_again.get(home).get_data(as_text=True)
        assert desk_again.send(f"{home}/sign", page=home).status_code == 403
        assert desk_again.get("/reception/day/2026-02-30").status_code == 404


def test_a_departure_is_corrected_on_the_page_by_a_manager(desk: Browser, manager: Browser) -> None:
    visit = invited(desk)
    act(desk, visit, "arrive")
    act(desk, visit, "admit", identity="passport", host_told="told by phone")
    act(desk, visit, "depart", evidence="card_surrendered")
    fields = {"day": "2026-11-23", "time": "08:00", "evidence": "exit_door", "reason": "door log"}
    assert act(desk, visit, "correct", **fields).status_code == 403
    early = act(manager, visit, "correct", **fields)
    assert early.status_code == 422
    assert "after the admission" in early.get_data(as_text=True)
    assert act(manager, visit, "correct", **(fields | {"time": "nine"})).status_code == 422


def test_a_document_that_is_asked_for_stops_the_visit_until_it_is_seen(desk: Browser) -> None:
    visit = invited(desk)
    act(desk, visit, "documents", document="insurance")
    act(desk, visit, "arrive")
    assert 'data-next="document"' in page(desk, visit)
    assert act(desk, visit, "documents/seen", document="insurance", until="2020-01-01").status_code == 422
    assert act(desk, visit, "documents/seen", document="shoe", until="2027-01-01").status_code == 422
    assert act(desk, visit, "documents/seen", document="insurance", until="2027-01-01").status_code == 302
    assert 'data-next="admit"' in page(desk, visit)
