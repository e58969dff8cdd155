"""The page about connecting devices names every kind and every option, and no others."""

import re
from pathlib import Path

import yaml

from bposite.doors.wire.adapters.registry import ADAPTERS, COUNTING
from bposite.doors.wire.routes import OPTIONS, OUTWARD, configuration

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "devices.md").read_text("utf-8")


def section(title: str) -> str:
    return PAGE.split(f"## {title}\n")[1].split("\n## ")[0]


def first_cells(text: str) -> set[str]:
    rows = re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
    return {word for row in rows for word in re.findall(r"`([^`]+)`", row)}


def test_every_kind_is_explained() -> None:
    assert first_cells(section("Kinds")) == set(ADAPTERS)


def test_every_system_that_is_told_is_explained() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \|", section("Systems that are told"), re.MULTILINE)
    assert tuple(rows) == OUTWARD


def test_what_it_says_of_gaps_is_what_the_code_does() -> None:
    rows = [
        [cell.strip(" `") for cell in row.split("|")[1:-1]] for row in section("Kinds").splitlines() if "| `" in row
    ]
    assert {row[0] for row in rows if row[3] != "no"} == COUNTING


def test_every_option_is_explained() -> None:
    inputs = {"input:0", "switch:1", "binary_sensor:name"}
    assert first_cells(section("Options")) == set(OPTIONS) | inputs
    for name in inputs:
        assert configuration("s", "d", "shelly", str, "", {name: "rex:door-1"}).inputs


def test_the_example_can_be_applied() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    for row in yaml.safe_load(example)["devices"]:
        configuration("s", row["id"], row["kind"], str, row.get("timezone", ""), row.get("options"))
