"""Evidence packs: an outsider's Python and openssl find every change, and nothing of bposite is needed for it."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from bposite.doors.queries import EntryFilter
from bposite.evidence.pack import Pack, note_pack, write_pack
from bposite.journal import actions as journal
from bposite.journal.actions import make_signing_key
from bposite.journal.queries import latest
from bposite.journal.work import Actor, unit_of_work
from bposite.plumbing.clock import now
from bposite.plumbing.db import reading
from bposite.plumbing.errors import Refusal
from tests.entries import seeding

ALL = EntryFilter()


def made(folder: Path, wanted: EntryFilter = ALL) -> Pack:
    """A pack in a new folder."""
    with reading() as session:
        return write_pack(session, folder, wanted)


def checked(folder: Path, *more: str) -> tuple[int, str]:
    """What the verifier in the pack says, run as an outsider runs it: isolated, from another folder."""
    command = [sys.executable, "-I", str(folder / "check_pack.py"), str(folder), *more]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"})
    return done.returncode, done.stdout + done.stderr


def rewrite(folder: Path, name: str, change: Callable[[str], str]) -> None:
    """Change a file and make the manifest agree with it, as somebody with time would."""
    path = folder / name
    before = path.read_text("utf-8")
    path.write_text(change(before), "utf-8")
    assert path.read_text("utf-8") != before
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"][name] = hashlib.sha256(path.read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.fixture
def pack(site: Flask, tmp_path: Path) -> Pack:
    """Forty entries, signed and packed."""
    seeding.apply_plan()
    seeding.many(40)
    journal.checkpoint()
    return made(tmp_path / "pack")


def test_an_outsider_can_check_it(pack: Pack) -> None:
    code, said = checked(pack.folder)
    assert code == 0, said
    assert "40 records agree" in said
    key = json.loads((pack.folder / "manifest.json").read_text())["key"]
    assert checked(pack.folder, "--key", key)[0] == 0
    assert checked(pack.folder, "--key", key[:-4] + "AAA=")[0] == 1


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("entries.jsonl", lambda text: text.replace("denied", "granted", 1), "content was changed"),
        ("entries.jsonl", lambda text: text.replace('"ts":1', '"ts":2', 1), "not in the signed journal"),
        ("entries.jsonl", lambda text: text.split("\n", 1)[1], "records were packed"),
        ("entries.jsonl", lambda text: text.split("\n", 1)[0] + "\n" + text, "records were packed"),
        ("entries.csv", lambda text: "".join(text.splitlines(keepends=True)[:-1]), "other rows"),
        ("entries.csv", lambda text: text.replace('"denied"', '"granted"', 1), "decision is not the one"),
        ("entries.csv", lambda text: text.replace('"E-1016"', '"E-1001"', 1), "person is not the one"),
        ("entries.csv", lambda text: text.replace("+05:30", "+05:00", 1), "time is not the one"),
    ],
)
def test_every_change_is_found_and_named(pack: Pack, name: str, change: Callable[[str], str], words: str) -> None:
    rewrite(pack.folder, name, change)
    code, said = checked(pack.folder)
    assert code == 1, said
    assert words in said


def test_a_file_that_the_manifest_does_not_know_in_this_form(pack: Pack) -> None:
    with (pack.folder / "entries.csv").open("a") as sheet:
        sheet.write("\r\n")
    assert checked(pack.folder)[0] == 1


def test_a_journal_signed_anew_with_another_key_is_told_by_the_key_from_elsewhere(
    pack: Pack, tmp_path: Path, site: Flask
) -> None:
    true_key = json.loads((pack.folder / "manifest.json").read_text())["key"]
    (tmp_path / "keys" / "journal.key").unlink()
    make_signing_key(tmp_path)
    seeding.many(1, first=900)
    journal.checkpoint()
    forged = made(tmp_path / "forged")
    assert checked(forged.folder)[0] == 0
    assert checked(forged.folder, "--key", true_key)[0] == 1


def test_what_cannot_be_checked_is_not_called_good(pack: Pack) -> None:
    (pack.folder / "manifest.json").write_text("{}")
    assert checked(pack.folder)[0] == 2


def test_the_same_checkpoint_gives_the_same_bytes(pack: Pack, tmp_path: Path) -> None:
    again = made(tmp_path / "again")
    assert again.digest == pack.digest
    for path in pack.folder.iterdir():
        assert (again.folder / path.name).read_bytes() == path.read_bytes()


def test_a_filter_is_kept_and_unsigned_entries_stay_out(pack: Pack, tmp_path: Path) -> None:
    seeding.many(5, first=700)
    some = made(tmp_path / "some", EntryFilter(doors=("card-room",), since=now() - timedelta(days=1)))
    assert 0 < some.count < pack.count
    assert json.loads((some.folder / "manifest.json").read_text())["filter"]["doors"] == ["card-room"]
    assert checked(some.folder)[0] == 0


def test_refusals_and_the_fact(pack: Pack, tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="there already"):
        made(pack.folder)
    with pytest.raises(Refusal, match="matches"):
        made(tmp_path / "none", EntryFilter(nothing=True))
    with unit_of_work(Actor.system("tests")) as work:
        note_pack(work, pack)
    with reading() as session:
        assert latest(session, kinds=("evidence:pack:",))[0].data["manifest"] == pack.digest


def test_nothing_is_packed_before_the_first_checkpoint(site: Flask, tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="signed"):
        made(tmp_path / "pack")
