"""Rules of the house that no other tool checks. Each message says what to do instead."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPO

CODE = sorted((REPO / "bposite").rglob("*.py"))
HARDWARE = sorted((REPO / "hardware").rglob("*.py"))
TEMPLATES = sorted((REPO / "templates").rglob("*.html"))


def test_there_is_one_place_that_commits() -> None:
    places = [path.relative_to(REPO).as_posix() for path in CODE if re.search(r"\.commit\(\)", path.read_text())]
    assert places == ["bposite/plumbing/db.py"], "write through journal.work.unit_of_work; it commits once"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(REPO).as_posix())
def test_templates_have_no_inline_script_or_style(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>(?!\s*</script>)", text) or 'type="application/json"' in text, (
        "put the script into bposite/static/js: the policy forbids inline scripts"
    )
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=\"", text), "put it into bposite/static/css or a module"


@pytest.mark.parametrize("path", [*CODE, *HARDWARE], ids=lambda path: path.relative_to(REPO).as_posix())
def test_files_are_small_and_documented(path: Path) -> None:
    if "versions" in path.parts:
        return  # migrations are written by a tool and never read again
    text = path.read_text()
    assert text.count("\n") <= 560, "make it a folder of the same name with files named after what they do"
    tree = ast.parse(text)
    assert ast.get_docstring(tree) or not text.strip(), "say in the first line what this file is for"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            assert lines <= 70, f"{node.name} has {lines} lines: split it"
        assert not (isinstance(node, ast.ExceptHandler) and node.type is None), "name what you catch"


@pytest.mark.parametrize("path", CODE, ids=lambda path: path.relative_to(REPO).as_posix())
def test_public_functions_have_a_docstring(path: Path) -> None:
    tree = ast.parse(path.read_text())
    if "migrations" in path.parts:
        return
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{node.name}: say shapes, units, errors, and the source of a rule"


def test_no_addresses_of_registries_in_lock_files() -> None:
    for path in [*sorted((REPO / "requirements").glob("*.txt")), REPO / "package-lock.json"]:
        assert "http" not in re.sub(r'"(funding|url)": .*', "", path.read_text()), path.name


VIOLATIONS = {
    "Features import downwards only": ("bposite/plumbing/ids.py", "from bposite.people import rules"),
    "Inside a feature": ("bposite/doors/rules/__init__.py", "from bposite.doors import queries"),
    "The tables of visits are private": ("bposite/live/rules.py", "from bposite.visits.tables import Visit"),
    "paho is imported by plumbing.mqtt": ("bposite/doors/queries/__init__.py", "import paho.mqtt.client"),
    "OpenCV is imported": ("bposite/live/rules.py", "import cv2"),
    "Rules are pure": ("bposite/passes/rules.py", "import flask"),
}


@pytest.mark.parametrize("contract", VIOLATIONS)
def test_every_import_contract_fails_on_a_violation(contract: str, tmp_path: Path) -> None:
    pytest.importorskip("importlinter", reason="import-linter is installed by ./run check")
    file, line = VIOLATIONS[contract]
    shutil.copytree(REPO / "bposite", tmp_path / "bposite", ignore=shutil.ignore_patterns("static", "__pycache__"))
    shutil.copy(REPO / "pyproject.toml", tmp_path)
    victim = tmp_path / file
    victim.write_text(victim.read_text() + f"\n{line}\n")
    program = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([program, "--no-cache"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert contract in " ".join(done.stdout.split()).partition("Broken contracts")[2], done.stdout
