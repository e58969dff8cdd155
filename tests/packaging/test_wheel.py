"""The wheel holds what it must and nothing else, and runs from ``/`` in a clean environment."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from tests.conftest import REPO


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built without isolation (hatchling is in the environment of the checks)."""
    pytest.importorskip("hatchling", reason="hatchling is installed by ./run check")
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(REPO)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_what_it_must(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for wanted in (
        "bposite/wiring.py", "bposite/static/css/base.css", "bposite/static/vendor/icons.svg",
        "bposite/static/vendor/NOTICES.txt", "bposite/_data/templates/base.html", "bposite/_data/config/roles.toml",
        "bposite/_data/hardware/simulator/site.yaml", "bposite/migrations/versions/0001_journal.py",
    ):  # fmt: skip
        assert wanted in names
    tops = {name.split("/", 1)[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"bposite"}
    for name in names:
        assert not name.endswith((".sqlite3", ".key", "demo.json", ".pyc")), name
        assert "node_modules" not in name


def test_it_runs_from_the_root_folder_in_a_clean_environment(wheel: Path, tmp_path: Path) -> None:
    """Dependencies come from this run's environment by a path file: what is tested is our own packaging."""
    home = tmp_path / "env"
    venv.create(home, with_pip=False)
    site = home / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    zipfile.ZipFile(wheel).extractall(site)
    ours = next(path for path in map(Path, sys.path) if path.name == "site-packages")
    (site / "zz-dependencies.pth").write_text(f"{ours}\n")
    env = {"PATH": os.environ["PATH"], "BPOSITE_STATE_DIR": str(tmp_path / "state"), "PYTHONSAFEPATH": "1"}
    python = home / "bin" / "python"

    def run(*words: str) -> str:
        done = subprocess.run([python, *words], cwd="/", env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    where = run("-c", "import bposite; print(bposite.__file__)")
    assert str(home) in where
    assert "/enrol/" in run("-m", "bposite", "init", "--site", "test-1")
    plan = site / "bposite" / "_data" / "hardware" / "simulator" / "site.yaml"
    assert "doors: " in run("-m", "bposite", "site", "apply", str(plan), "--set", "rtsp_port=8554")
    page = "from bposite import create_app; print(create_app().test_client().get('/sign-in').status_code)"
    assert run("-c", page).strip() == "200"
    assert "agree with every checkpoint" in run("-m", "bposite", "verify")
