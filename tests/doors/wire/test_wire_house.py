"""The rim stays pure, and a vendor stays one file and one line."""

import ast
import sys
from pathlib import Path

import pytest

from bposite.doors.wire.adapters import registry

WIRE = Path(registry.__file__).resolve().parents[1]
FILES = sorted(WIRE.rglob("*.py"))
ALLOWED = ("bposite.doors.wire", "bposite.doors.events", "bposite.doors.reasons", "msgspec")
TABLES = {"hikvision_codes", "zkteco_codes"}  # long lists beside their adapter


def imports(path: Path) -> set[str]:
    """Every module that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_only_the_standard_library_msgspec_and_the_events(path: Path) -> None:
    for name in imports(path):
        assert name.startswith(ALLOWED) or name.partition(".")[0] in sys.stdlib_module_names, name


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_clock_and_no_io(path: Path) -> None:
    text = path.read_text("utf-8")
    for word in ("datetime.now", "time.time", "open(", "os.environ", "socket", "logging", "print("):
        assert word not in text, word


def test_every_adapter_file_is_in_the_registry() -> None:
    files = {path.stem for path in (WIRE / "adapters").glob("*.py")} - {"__init__", "registry"} - TABLES
    homes = {adapter.__module__.rpartition(".")[2] for adapter in registry.ADAPTERS.values()}
    assert files == homes - {"native"}
