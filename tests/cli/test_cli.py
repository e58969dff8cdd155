"""The command line as people and scripts use it: help, exit codes, messages, never a traceback."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPO

PLAN = REPO / "hardware" / "simulator" / "site.yaml"
COMMANDS = (
    "init", "demo", "run", "web", "listen", "cameras", "work", "broker", "verify", "export", "user", "token", "doctor",
    "site", "code",
)  # fmt: skip


def run(state: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, in a folder that is not the checkout."""
    full = {**os.environ, "BPOSITE_STATE_DIR": str(state), "PYTHONPATH": str(REPO), **env}
    command = [sys.executable, "-m", "bposite", *words]
    return subprocess.run(command, cwd=state.parent, env=full, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site made by ``bposite init``."""
    state = tmp_path_factory.mktemp("cli") / "state"
    done = run(state, "init", "--site", "pune-1", "--name", 'The "best" site', "--zone", "Asia/Kolkata")
    assert done.returncode == 0, done.stderr
    assert re.search(r"http://127\.0\.0\.1:8080/enrol/[\w-]{40,}", done.stdout)
    return state


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(tmp_path: Path, name: str) -> None:
    done = run(tmp_path / "state", name, "--help")
    assert done.returncode == 0
    assert "Usage:" in done.stdout
    assert len(done.stdout) > 60


def test_keys_are_readable_by_their_owner_only(founded: Path) -> None:
    for path in (founded / "keys").iterdir():
        if path.suffix == ".key":
            assert path.stat().st_mode & 0o077 == 0, path.name
    assert founded.stat().st_mode & 0o077 == 0


def test_init_again_keeps_everything(founded: Path) -> None:
    before = (founded / "keys" / "master.key").read_bytes()
    assert run(founded, "init").returncode == 0
    assert (founded / "keys" / "master.key").read_bytes() == before


def test_a_site_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    done = run(tmp_path / "nowhere", "verify")
    assert done.returncode == 2
    assert "Run bposite init" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "env", "says"),
    [
        (("init", "--site", "No Slug"), {}, "slug"),
        (("init", "--zone", "Mars/Base"), {}, "IANA"),
        (("init",), {"BPOSITE_WEB_PORT": "eighty"}, "web.port"),
        (("init",), {"BPOSITE_DATABASE_URL": "nonsense"}, "database"),
        (("init",), {"BPOSITE_MQTT_URL": "http://x"}, "BPOSITE_MQTT_URL"),
    ],
)
def test_bad_input_is_named(tmp_path: Path, words: tuple[str, ...], env: dict[str, str], says: str) -> None:
    done = run(tmp_path / "state", *words, **env)
    assert done.returncode == 2, done.stdout + done.stderr
    assert says.lower() in done.stderr.lower()
    assert "Traceback" not in done.stderr


def test_a_plan_is_applied_whole_or_not_at_all(founded: Path, tmp_path: Path) -> None:
    good = run(founded, "site", "apply", str(PLAN), "--set", "rtsp_port=8554")
    assert good.returncode == 0, good.stderr
    assert "doors: 8" in good.stdout
    broken = tmp_path / "broken.yaml"
    broken.write_text(PLAN.read_text().replace("kind: clean_room", "kind: kitchen").replace("Card room door", "Other"))
    bad = run(founded, "site", "apply", str(broken), "--set", "rtsp_port=8554")
    assert bad.returncode == 2
    assert "kitchen" in bad.stderr
    with sqlite3.connect(founded / "bposite.sqlite3") as database:
        assert database.execute("SELECT count(*) FROM door WHERE name = 'Other'").fetchone() == (0,)
    (tmp_path / "x.yaml").write_text("zones: [")
    assert run(founded, "site", "apply", str(tmp_path / "x.yaml")).returncode == 2


def test_accounts_and_tokens(founded: Path) -> None:
    made = run(founded, "user", "create", "asha", "--display", "Asha", "--role", "reception")
    assert "/enrol/" in made.stdout
    assert run(founded, "user", "create", "asha", "--role", "reception").returncode == 2
    assert run(founded, "user", "create", "x", "--role", "king").returncode == 2
    assert "asha\treception\tinvited" in run(founded, "user", "list").stdout
    assert "/enrol/" in run(founded, "user", "reset", "asha").stdout
    assert run(founded, "user", "reset", "nobody").returncode == 2
    token = run(founded, "token", "create", "reports", "--role", "auditor").stdout.strip()
    assert token.startswith("bpo_")
    listed = run(founded, "token", "list").stdout
    assert "reports" in listed
    assert token not in listed
    assert run(founded, "token", "revoke", listed.split("\t")[0]).returncode == 0
    assert run(founded, "token", "create", "x", "--role", "king").returncode == 2


def test_verify_says_what_was_touched_and_exits_with_3(founded: Path, tmp_path: Path) -> None:
    note = tmp_path / "kept.note"
    assert run(founded, "export", "checkpoint", str(note)).returncode == 0
    good = run(founded, "verify", "--checkpoint", str(note))
    assert (good.returncode, "agree with every checkpoint" in good.stdout) == (0, True)
    with sqlite3.connect(founded / "bposite.sqlite3") as database:
        database.execute("DROP TRIGGER journal_leaf_no_update")
        database.execute("UPDATE journal_leaf SET payload = salt WHERE seq = 0")
    bad = run(founded, "verify", "--checkpoint", str(note))
    assert bad.returncode == 3
    assert "journal fact 0" in bad.stdout


def test_doctor_names_what_needs_a_hand(founded: Path) -> None:
    done = run(founded, "doctor", BPOSITE_MQTT_PORT="1")
    assert done.returncode == 2
    assert "broker" in done.stdout
    assert "does not answer" in done.stdout
