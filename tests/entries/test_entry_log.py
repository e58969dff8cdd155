"""The entry log over HTTP: search, pages, the sheet, saved views, one entry with its proof, a visit's way."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask
from sqlalchemy import text

from bposite.doors.actions.ingest import Record
from bposite.journal import actions as journal
from bposite.journal.queries import latest
from bposite.journal.receipt import checks, receipt
from bposite.journal.rules import parse_note, signed_note, verifier_key, verify_inclusion
from bposite.plumbing.clock import now
from bposite.plumbing.db import reading, transaction
from tests.entries import seeding
from tests.people.signing import Browser, signed_in

EVIL_NAMES = ["\u200b=1+1", "＝cmd|' /C calc'!A0", "\ufeff@SUM(A1)", "-2+3", "\u202e+1"]


def positions(page: str) -> list[int]:
    """Positions of the rows of a list, in their order."""
    return [int(found) for found in re.findall(r'data-position="(\d+)"', page)]


def sheet(client: Browser, query: str = "") -> list[dict[str, str]]:
    """The exported rows."""
    answer = client.get(f"/entries/export.csv{query}")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return list(csv.DictReader(io.StringIO(answer.get_data(as_text=True), newline="")))


@pytest.fixture
def desk(site: Flask) -> Browser:
    """A facilities manager in front of the demonstration site."""
    seeding.apply_plan()
    return signed_in(site, "facilities")


def test_an_empty_log_says_what_will_be_here(desk: Browser) -> None:
    page = desk.get("/entries/").get_data(as_text=True)
    assert "No entries here" in page
    assert "The first badge at a door" in page


def test_pages_hold_every_entry_once_in_both_directions(desk: Browser) -> None:
    seeding.many(130)
    forth: list[int] = []
    address = "/entries/?show=all"
    for _ in range(5):
        page = desk.get(address).get_data(as_text=True)
        forth += positions(page)
        older = re.search(r'href="([^"]+)" rel="next"', page)
        if older is None:
            break
        address = older[1].replace("&amp;", "&")
    assert len(forth) == len(set(forth)) == 130
    newer = re.search(r'href="([^"]+)" rel="prev"', page)
    assert newer is not None
    back = positions(desk.get(newer[1].replace("&amp;", "&")).get_data(as_text=True))
    assert back == forth[50:100]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("q=zoe", {"Zoë Müller"}),
        ("q=muller blue", {"Zoë Müller"}),
        ("person=E-1016", {"Aarav Joshi"}),
        ("door=card-room&decision=denied", {"Zoë Müller", "Priya Raghunathan"}),
        ("q=card room&show=refused", {"Zoë Müller", "Priya Raghunathan"}),
        ("reason=zone_not_allowed", {"Zoë Müller"}),
        ("q=zoe&door=goods-bay", set()),
        ("q=nobodyhasthisname", set()),
    ],
)
def test_search(desk: Browser, query: str, wanted: set[str]) -> None:
    guest = seeding.visit()
    at = now() - timedelta(hours=1)
    seeding.way(guest, at)
    seeding.store(
        seeding.record(1, at, person="E-1016"),
        seeding.record(
            2, at, person="E-1007", door="card-room", decision="denied", reason="deniedPassback", notable=True
        ),
    )
    page = desk.get(f"/entries/?{query}", headers={"X-Fragment": "1"}).get_data(as_text=True)
    names = {"Zoë Müller", "Priya Raghunathan", "Aarav Joshi"}
    assert {name for name in names if name in page} == wanted


def test_times_are_the_sites_and_half_open(desk: Browser) -> None:
    at = now().replace(microsecond=0, second=0) - timedelta(hours=5)
    first, second = seeding.store(seeding.record(1, at), seeding.record(2, at + timedelta(minutes=1)))
    since = (at + timedelta(hours=5, minutes=30)).strftime("%Y-%m-%dT%H:%M")
    until = (at + timedelta(hours=5, minutes=31)).strftime("%Y-%m-%dT%H:%M")
    assert positions(desk.get(f"/entries/?from={since}&to={until}").get_data(as_text=True)) == [first]
    assert positions(desk.get(f"/entries/?from={until}").get_data(as_text=True)) == [second]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("from=yesterday", "Type a date"),
        ("to=2026-02-30", "There is no such day"),
        ("from=2026-11-24&to=2026-11-23", "This is not after the start"),
        ("door=nowhere", "There is no such door"),
        ("zone=nowhere", "There is no such zone"),
        ("decision=maybe", "There is no such answer"),
        ("reason=because", "There is no such reason"),
        ("person=E-0", "There is nobody with this number"),
        ("visit=x", "There is no such visit"),
        ("show=nothing", "There is no such view"),
        ("q=" + "a" * 10_000, "Type at most 120 letters"),
        ("from=%D9%A2%D9%A0%D9%A2%D9%A6-%D9%A1%D9%A1-%D9%A2%D9%A3", "Type a date"),
    ],
)
def test_wrong_input_gets_words_beside_its_field(desk: Browser, query: str, words: str) -> None:
    seeding.many(3)
    answer = desk.get(f"/entries/?{query}")
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert words in page
    assert positions(page) == []


@pytest.mark.parametrize("text_", ["<script>alert(1)</script>", "%00", "' OR 1=1 --", "\u202e", "💣" * 60, "%", "_"])
def test_strange_texts_find_nothing_and_break_nothing(desk: Browser, text_: str) -> None:
    seeding.many(3)
    answer = desk.get("/entries/", query_string={"q": text_})
    assert answer.status_code == 200
    assert "<script>alert" not in answer.get_data(as_text=True)
    assert desk.get("/search", query_string={"q": text_}).status_code == 200


def test_a_wrong_cursor_is_the_first_page(desk: Browser) -> None:
    made = seeding.many(3)
    for cursor in ("x", "1", "1.", "-1.2", "9" * 30 + ".1", "²." + "1"):
        found = positions(desk.get("/entries/", query_string={"show": "all", "before": cursor}).get_data(as_text=True))
        assert len(found) == len(made), cursor


def test_what_is_new_is_counted_for_the_filter(desk: Browser) -> None:
    made = seeding.many(4)
    since = made[-1]
    seeding.store(seeding.record(90, now()), seeding.record(91, now(), door="card-room"))
    assert desk.get(f"/entries/news?since={since}&show=all").json == {"count": 2, "more": False}
    assert desk.get(f"/entries/news?since={since}&door=card-room").json == {"count": 1, "more": False}
    assert desk.get("/entries/news?since=²").status_code == 422


# --- the sheet -------------------------------------------------------------------------------------------------------


def test_the_sheet_holds_all_entries_in_the_order_of_insertion(desk: Browser) -> None:
    made = list(seeding.many(1203))
    late = seeding.store(seeding.record(9000, now() - timedelta(days=3), late=True))
    rows = sheet(desk, "?show=all")
    assert [int(row["position"]) for row in rows] == [*made, *late]
    assert rows[-1]["late"] == "yes"
    assert rows[0]["time_site"].endswith("+05:30")
    assert sheet(desk, "?door=card-room") == [row for row in rows if row["door"] == "card-room"]


def test_the_sheet_runs_in_no_spreadsheet(desk: Browser) -> None:
    for number, name in enumerate(EVIL_NAMES):
        guest = seeding.visit(name=name, company=name)
        seeding.way(guest, now() - timedelta(hours=1), first=100 * number)
    for row in sheet(desk):
        assert all(not value or value[0] not in "=+@\t\r\u200b\ufeff\u202e＝-" for value in row.values()), row
    names = {row["visitor"] for row in sheet(desk)}
    assert names == {f"'{name}" for name in EVIL_NAMES}


def test_an_export_is_a_fact_and_needs_its_permission(desk: Browser, site: Flask) -> None:
    seeding.many(3)
    sheet(desk, "?door=card-room")
    with reading() as session:
        made = latest(session, kinds=("entries:export:",), limit=1)[0]
    assert made.data["filter"] == {"door": "card-room"}
    assert signed_in(site, "guard").get("/entries/export.csv").status_code == 403
    assert desk.get("/entries/export.csv?door=nowhere").status_code == 422
    assert desk.get("/entries/export.csv?bom=1").get_data().startswith(b"\xef\xbb\xbf")


# --- saved views -----------------------------------------------------------------------------------------------------


def test_views_are_saved_replaced_and_deleted_by_their_owner_only(desk: Browser, site: Flask) -> None:
    desk.send("/entries/views", "/entries/", name="Card room refusals", door="card-room", show="refused")
    desk.send("/entries/views", "/entries/", name="Card room refusals", door="card-room", decision="denied")
    page = desk.get("/entries/").get_data(as_text=True)
    assert page.count("Card room refusals</a>") == 1
    assert "door=card-room&amp;decision=denied" in page
    view = re.search(r"/entries/views/(\w+)/delete", page)
    assert view is not None
    other = signed_in(site, "guard")
    assert "Card room refusals" not in other.get("/entries/").get_data(as_text=True)
    assert other.send(f"/entries/views/{view[1]}/delete", "/entries/").status_code == 404
    assert desk.send(f"/entries/views/{view[1]}/delete", "/entries/").status_code == 302
    assert "Card room refusals" not in desk.get("/entries/").get_data(as_text=True)


@pytest.mark.parametrize("name", ["", " ", "\u200b", "x" * 61])
def test_a_view_needs_a_name(desk: Browser, name: str) -> None:
    answer = desk.send("/entries/views", "/entries/", name=name, door="card-room")
    assert answer.status_code == 302
    assert "Give the view a name" in desk.get(answer.headers["Location"]).get_data(as_text=True)


# --- one entry -------------------------------------------------------------------------------------------------------


def refused() -> Record:
    """A refusal with its trace and message."""
    return seeding.record(
        7, now(), decision="denied", reason="deniedPointNoAccessRights", door="card-room", zone="card-a", notable=True
    )


def test_an_entry_says_why_and_proves_it(desk: Browser) -> None:
    position = seeding.store(refused())[0]
    before = desk.get(f"/entries/{position}").get_data(as_text=True)
    assert "Waiting for a checkpoint" in before
    assert "no access level for Card room door, in" in before
    journal.checkpoint()
    page = desk.get(f"/entries/{position}").get_data(as_text=True)
    assert "Proven" in page
    assert page.count("Holds") == 6
    preview = desk.get(f"/entries/{position}/preview", headers={"X-Fragment": "1"}).get_data(as_text=True)
    assert "Rights:" in preview


def test_the_proof_file_stands_alone(desk: Browser) -> None:
    made = list(seeding.many(40))
    journal.checkpoint()
    for position in (made[0], made[17], made[-1]):
        proof = json.loads(desk.get(f"/entries/{position}/proof.json").get_data())
        path = [bytes.fromhex(step) for step in proof["path"]]
        leaf, root = bytes.fromhex(proof["leaf"]), bytes.fromhex(proof["root"])
        assert verify_inclusion(leaf, proof["seq"], proof["size"], path, root)
        assert not verify_inclusion(leaf, proof["seq"] + 1, proof["size"], path, root)


def test_a_changed_row_is_told(desk: Browser) -> None:
    position = seeding.store(refused())[0]
    journal.checkpoint()
    with transaction() as session:
        session.execute(
            text("UPDATE entry SET decision = 'granted', person = 'E-1001' WHERE position = :p"), {"p": position}
        )
    page = desk.get(f"/entries/{position}").get_data(as_text=True)
    assert "This record was changed" in page
    assert "They differ in: decision, person." in page


def test_a_key_may_hold_every_letter_of_base64(desk: Browser) -> None:
    """The name, the hash and the key are joined by "+", which is a letter of the key, too."""
    position = seeding.store(refused())[0]
    journal.checkpoint()
    with reading() as session:
        one = receipt(session, position)
    assert one is not None
    while True:
        signer = Ed25519PrivateKey.generate()
        public = signer.public_key().public_bytes_raw()
        key = verifier_key(journal.origin(), public)
        if key.count("+") > 2:
            break
    head, _ = parse_note(one.note)
    note = signed_note(head, public, signer.sign(head.body().encode()))
    assert all(check.ok for check in checks(replace(one, key=key, note=note)))
    assert [check.ok for check in checks(replace(one, key=key))] == [True, True, True, False]


@pytest.mark.parametrize("path", ["999999", "99999999999999999999999", "999999/preview", "999999/proof.json", "x"])
def test_an_entry_that_is_not_there(desk: Browser, path: str) -> None:
    assert desk.get(f"/entries/{path}").status_code == 404


def test_other_facts_are_no_entries(desk: Browser) -> None:
    assert desk.get("/entries/0").status_code == 404


# --- a visit's way ---------------------------------------------------------------------------------------------------


def test_the_way_of_a_visit_is_stays_and_stills(desk: Browser) -> None:
    guest = seeding.visit()
    assert "No door has seen this visitor yet" in desk.get(f"/entries/visit/{guest}/path").get_data(as_text=True)
    seeding.way(guest, now() - timedelta(hours=1))
    page = desk.get(f"/entries/visit/{guest}/path", headers={"X-Fragment": "1"}).get_data(as_text=True)
    assert "<html" not in page
    assert page.count("<rect") == 3
    assert "Operations floor A" in page
    assert "The pass does not cover this zone." in page
    assert desk.get("/entries/visit/nobody/path").status_code == 404


# --- search over everything ------------------------------------------------------------------------------------------


def test_search_shows_each_kind_to_who_may_see_it(desk: Browser, site: Flask) -> None:
    seeding.visit(name="Priya Banerjee")
    seeding.store(seeding.record(1, now(), person="E-1007"))
    page = desk.get("/search?q=priya").get_data(as_text=True)
    for group in ("Visits", "People", "Entries"):
        assert f">{group}</h2>" in page
    front = signed_in(site, "reception").get("/search?q=priya").get_data(as_text=True)
    assert ">Visits</h2>" in front
    assert ">Entries</h2>" not in front
    assert "Nothing found" in desk.get("/search?q=zzzzqqq").get_data(as_text=True)
    assert "Type what you look for" in desk.get("/search").get_data(as_text=True)


# --- REST ------------------------------------------------------------------------------------------------------------


def test_programs_page_by_position_and_miss_nothing(desk: Browser) -> None:
    made = list(seeding.many(25))
    after, seen = -1, []
    while True:
        page = desk.get(f"/api/v1/entries?after={after}&limit=10").json
        assert page
        seen += [item["position"] for item in page["items"]]
        if page["next_after"] is None:
            break
        after = page["next_after"]
    assert seen == made


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"), ("limit=100000", "limit"), ("after=x", "after"), ("after=99999999999999999999", "after"),
        ("from=2026-11-23", "from"), ("from=2026-11-23T09:00:00", "from"), ("decision=maybe", "decision"),
        ("nonsense=1", "nonsense"), ("limit=1&limit=2", "limit"),
    ],
)  # fmt: skip
def test_programs_are_told_which_parameter_is_wrong(desk: Browser, query: str, field: str) -> None:
    answer = desk.get(f"/api/v1/entries?{query}")
    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    assert answer.json
    assert answer.json["errors"][0]["field"].startswith(field)


def test_one_entry_for_programs(desk: Browser) -> None:
    position = seeding.store(refused())[0]
    journal.checkpoint()
    told = desk.get(f"/api/v1/entries/{position}").json
    assert told
    assert told["entry"]["reason"] == "deniedPointNoAccessRights"
    assert told["trace"][-1]["verdict"] == "refuse"
    assert told["proof"]["note"].startswith("bposite/pune-1")
    assert desk.get("/api/v1/entries/77777").status_code == 404
