"""The journal on both databases: order, atomicity, checkpoints, proofs, and everything that ``verify`` must find."""

from __future__ import annotations

import threading

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bposite.journal import actions, queries, rules
from bposite.journal.proof import Problem, verify
from bposite.journal.work import Actor, unit_of_work
from bposite.plumbing import db
from bposite.plumbing.settings import current

ME = Actor.system("test")


def write(count: int, kind: str = "test:thing:made") -> None:
    with unit_of_work(ME) as work:
        for number in range(count):
            work.record(kind, subject=str(number), data={"number": number})


def problems(*outside: str) -> list[Problem]:
    with db.reading() as session:
        return list(verify(session, outside=outside))


def break_in(statement: str) -> None:
    """Change rows as somebody with the database file would: guards off."""
    sqlite = db.engine().dialect.name == "sqlite"
    guards = ("journal_leaf_no_delete", "journal_leaf_no_update") if sqlite else ("journal_leaf_guard ON journal_leaf",)
    with db.transaction() as session:
        for guard in guards:
            session.execute(text(f"DROP TRIGGER {guard}"))
        session.execute(text(statement))


def test_facts_are_numbered_in_order_and_a_failed_unit_leaves_no_hole(any_site: Flask) -> None:
    write(3)
    with pytest.raises(ZeroDivisionError), unit_of_work(ME) as work:
        work.record_many([("test:thing:made", "lost", None)])
        raise ZeroDivisionError
    write(2)
    with db.reading() as session:
        assert [fact.seq for fact in queries.tail(session, -1)] == [0, 1, 2, 3, 4]
        assert queries.size(session) == 5
        assert [fact.subject for fact in queries.tail(session, 1, ("test:thing",), limit=2)] == ["2", "0"]


def test_concurrent_units_leave_no_hole(any_site: Flask) -> None:
    threads = [threading.Thread(target=lambda: [write(3) for _ in range(8)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with db.reading() as session:
        assert [fact.seq for fact in queries.tail(session, -1)] == list(range(96))
    assert problems() == []


def test_checkpoints_prove_inclusion_and_consistency(any_site: Flask) -> None:
    sizes = []
    for count in (1, 15, 1, 40, 300):
        write(count)
        head = actions.checkpoint()
        assert head is not None
        sizes.append(head)
    assert actions.checkpoint() is None
    with db.reading() as session:
        newest = sizes[-1]
        for seq in (0, 15, 16, 17, 300, newest.size - 1):
            proof = queries.proof(session, seq)
            assert proof is not None
            path = [bytes.fromhex(step) for step in proof.path]
            assert rules.verify_inclusion(bytes.fromhex(proof.leaf), seq, proof.size, path, newest.root)
        for old in sizes:
            steps = queries.consistency(session, old.size, newest.size)
            assert rules.verify_consistency(old.size, newest.size, old.root, newest.root, steps)
    assert problems() == []


BREAKS: dict[str, tuple[str, str]] = {
    "changed payload": ("UPDATE journal_leaf SET payload = salt WHERE seq = 7", "journal fact 7"),
    "changed kind": ("UPDATE journal_leaf SET kind = 'test:other' WHERE seq = 7", "checkpoint of size 20"),
    "deleted row": ("DELETE FROM journal_leaf WHERE seq = 7", "journal fact 7"),
    "deleted tail": ("DELETE FROM journal_leaf WHERE seq >= 15", "checkpoint of size 20"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_verify_names_the_record_that_was_touched(any_site: Flask, name: str) -> None:
    statement, record = BREAKS[name]
    write(20)
    actions.checkpoint()
    assert problems() == []
    break_in(statement)
    assert record in {problem.record for problem in problems()}


def test_a_cut_tail_is_seen_by_the_exported_checkpoint_alone(any_site: Flask) -> None:
    write(20)
    actions.checkpoint()
    write(10)
    actions.checkpoint()
    break_in("DELETE FROM journal_leaf WHERE seq >= 20")
    with db.transaction() as session:
        session.execute(text("DELETE FROM journal_checkpoint WHERE size > 20"))
        session.execute(text("UPDATE journal_head SET size = 20"))
    found = problems()
    assert [problem.record for problem in found] == ["exported checkpoint latest.note"]
    assert "tail was cut" in found[0].what


def test_a_checkpoint_kept_outside_is_compared(site: Flask) -> None:
    write(5)
    actions.checkpoint()
    note = actions.newest_note()
    assert note is not None and problems(note) == []
    forged = note.replace("\n5\n", "\n4\n")
    assert [problem.what for problem in problems(forged)] == ["the signature is not this site's"]
    assert problems("garbage")[0].record == "checkpoint 1 given"


@pytest.mark.parametrize("statement", ["DELETE FROM journal_leaf", "UPDATE journal_leaf SET kind = 'x'"])
def test_the_database_itself_refuses_to_touch_leaves(any_site: Flask, statement: str) -> None:
    write(2)
    with pytest.raises(DBAPIError, match="never"), db.transaction() as session:
        session.execute(text(statement))


def test_erasure_keeps_every_proof(any_site: Flask) -> None:
    write(9)
    actions.checkpoint()
    with unit_of_work(ME) as work:
        actions.erase(work, 4, reason="subject request 17")
    actions.checkpoint()
    with db.reading() as session:
        fact = queries.fact(session, 4)
        assert fact is not None and fact.data is None and fact.subject is None
    assert problems() == []


def test_the_export_goes_to_the_anchor_folder_too(site: Flask, tmp_path_factory: pytest.TempPathFactory) -> None:
    from bposite.plumbing.settings import configure

    folder = tmp_path_factory.mktemp("anchor")
    configure(current().model_copy(update={"anchor_dir": str(folder)}))
    write(1)
    actions.checkpoint()
    assert (folder / "latest.note").read_text() == actions.newest_note()


