"""The journal's pages and the verification in the background."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from bposite.evidence import actions, queries
from bposite.journal import actions as journal
from bposite.journal.proof import Problem
from bposite.journal.rules import leaf_hash, verify_inclusion
from bposite.journal.work import Actor, unit_of_work
from bposite.plumbing import db

ClientAs = Callable[..., Any]


def write(count: int) -> None:
    with unit_of_work(Actor.system("test")) as work:
        for number in range(count):
            work.record("test:thing:made", subject=f"<b>{number}", data={"number": number})


def test_facts_are_listed_newest_first_in_pages(site: Flask, client_as: ClientAs) -> None:
    write(120)
    client = client_as("auditor")
    page = client.get("/evidence/").text
    assert "&lt;b&gt;119" in page
    assert "&lt;b&gt;1<" not in page
    assert client.get("/evidence/?kind=nonsense").status_code == 422
    assert client.get("/evidence/?before=²").status_code == 422
    assert 'rel="next"' in page


def test_a_fact_comes_with_a_proof_that_an_outsider_can_check(site: Flask, client_as: ClientAs) -> None:
    write(40)
    journal.checkpoint()
    client = client_as("auditor")
    assert "Fact 7" in client.get("/evidence/facts/7").text
    document = json.loads(client.get("/evidence/facts/7.json").text)
    leaf = leaf_hash(7, document["ts"], document["kind"], bytes.fromhex(document["commit"]))
    path = [bytes.fromhex(step) for step in document["path"]]
    assert verify_inclusion(leaf, 7, document["size"], path, bytes.fromhex(document["root"]))
    assert client.get("/evidence/facts/999999").status_code == 404
    assert client.get("/evidence/checkpoint.note").text.startswith("bposite/pune-1\n")


def test_verification_runs_in_the_background_and_says_what_it_found(site: Flask, client_as: ClientAs) -> None:
    write(20)
    journal.checkpoint()
    client = client_as("auditor")
    client.send("/evidence/verifications", "/evidence/")
    client.send("/evidence/verifications", "/evidence/")
    with db.reading() as session:
        assert [run.state for run in queries.verifications(session)] == ["waiting"]
    assert actions.run_waiting([]) == 1
    assert "agree with every checkpoint" in client.get("/evidence/verifications").text
    with db.transaction() as session:
        session.execute(text("DROP TRIGGER journal_leaf_no_update"))
        session.execute(text("UPDATE journal_leaf SET payload = salt WHERE seq = 3"))
    client.send("/evidence/verifications", "/evidence/")
    actions.run_waiting([])
    assert "journal fact 3" in client.get("/evidence/verifications").text


def test_a_verification_that_breaks_off_says_so(site: Flask) -> None:
    def broken(_session: object) -> Any:
        raise OSError("the disk is gone")
        yield Problem("", "")

    with unit_of_work(Actor.system("test")) as work:
        actions.ask_verification(work)
    actions.run_waiting([broken])
    with db.reading() as session:
        (run,) = queries.verifications(session)
    assert run.state == "failed"
    assert "the disk is gone" in run.problems[0][1]


@pytest.mark.parametrize("role", ["reception", "guard"])
def test_the_journal_is_not_for_everybody(site: Flask, client_as: ClientAs, role: str) -> None:
    assert client_as(role).get("/evidence/").status_code == 403
