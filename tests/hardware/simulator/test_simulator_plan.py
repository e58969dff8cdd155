"""The plan of the demonstration site is whole, and each device gets from it what is its own."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterable
from pathlib import Path

import pytest
import stage
from people import World
from settings import read

from tests.hardware.simulator.kit import SIMULATOR

PLAN = stage.read_plan(SIMULATOR / "site.yaml")
KEY = "5a" * 32
MQTT = {"host": "127.0.0.1", "port": 1883}


def _ids(section: str, field: str = "id") -> list[str]:
    return [row[field] for row in PLAN[section]]


@pytest.mark.parametrize("section", ["zones", "schedules", "doors", "devices", "readers", "levels", "cameras", "desks"])
def test_ids_are_unique_slugs(section: str) -> None:
    ids = _ids(section)
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch("[a-zA-Z0-9-]{1,40}", one) for one in ids)


def _all_in(values: Iterable[str], known: Iterable[str]) -> bool:
    return set(values) <= set(known)


def test_every_reference_leads_somewhere() -> None:
    doors, zones, persons = _ids("doors"), _ids("zones"), _ids("persons", "number")
    schedules = [*_ids("schedules"), ""]
    assert _all_in((row[side] for row in PLAN["doors"] for side in ("from_zone", "to_zone")), zones)
    assert _all_in((row["device"] for row in PLAN["doors"]), _ids("devices"))
    assert _all_in((row["unlocked"] for row in PLAN["doors"]), schedules)
    assert _all_in((row["door"] for row in PLAN["readers"]), doors)
    assert _all_in((one for row in PLAN["levels"] for one in row["doors"]), doors)
    assert _all_in((one for row in PLAN["levels"] for one in row["members"]), persons)
    assert _all_in((row["schedule"] for row in PLAN["levels"]), schedules)
    assert _all_in((row["person"] for row in PLAN["credentials"]), persons)
    assert _all_in((one for row in PLAN["cameras"] for one in row["doors"]), doors)
    assert _all_in((one for row in PLAN["cameras"] for one in row["zones"]), zones)
    assert _all_in((row["zone"] for row in PLAN["desks"]), zones)


def test_it_is_the_site_that_was_promised() -> None:
    kinds = {row["kind"] for row in PLAN["zones"]}
    assert {"outside", "lobby", "operations", "clean_room", "server_room"} <= kinds
    assert len(PLAN["doors"]) >= 6
    assert len(PLAN["persons"]) == 30
    assert 55 <= len(PLAN["desks"]) <= 75
    assert {"card", "finger", "qr"} <= {kind for row in PLAN["readers"] for kind in row["kinds"]}
    covered = {door for row in PLAN["cameras"] for door in row["doors"]}
    assert covered == set(_ids("doors"))
    assert {row["id"] for row in PLAN["cameras"]} == set(stage.STAGE)
    assert all(len([row for row in PLAN["readers"] if row["door"] == door]) == 2 for door in _ids("doors"))


def test_the_stage_shows_the_doors_that_the_plan_says() -> None:
    for row in PLAN["cameras"]:
        shown = set(stage.STAGE[row["id"]][1])
        assert shown == set(row["doors"]), row["id"]


def test_a_reference_is_the_contracts_keyed_hash() -> None:
    want = hmac.new(b"key", b"card:21:10400", hashlib.sha256).hexdigest()[:32]
    assert stage.reference(b"key", "card", "21:10400") == f"h:{want}"


def test_each_device_is_told_its_own_doors_and_no_number(tmp_path: Path) -> None:
    path = tmp_path / "ctl-floor-a.json"
    stage.write(path, stage.device_config(PLAN, "ctl-floor-a", MQTT, KEY, {"username": "ctl-floor-a"}))
    assert path.stat().st_mode & 0o077 == 0
    settings = read(path)
    assert set(settings.door_ids) == {"ops-a-main", "ops-a-west", "card-room"}
    assert settings.broker.username == "ctl-floor-a"
    numbers = [row["number"] for row in PLAN["credentials"]]
    assert not any(f'"{number}"' in path.read_text() for number in numbers)
    reader = next(one for one in settings.readers if one.id == "card-room-in")
    assert reader.factors == ("card", "finger")


def test_the_list_for_degraded_mode_obeys_deny_and_leaves_lost_cards_out() -> None:
    doors = {row["id"] for row in PLAN["doors"] if row["device"] == "ctl-floor-a"}
    rows = stage.entries(PLAN, bytes.fromhex(KEY), doors)
    opened = {(row["holder"], door) for row in rows for door in row["doors"]}
    assert ("E-1024", "card-room") in opened
    assert ("E-1025", "card-room") not in opened  # a deny level beats the grant
    assert ("E-1025", "ops-a-main") in opened
    lost = next(row for row in PLAN["credentials"] if row["status"] == "lost")
    assert stage.reference(bytes.fromhex(KEY), "card", lost["number"]) not in json.dumps(rows)


def test_everybody_has_a_way_to_where_they_work_and_home_again() -> None:
    world = World(PLAN)
    for person in world.people.values():
        there = world.route(person, person.home)
        assert there, f"{person.number} cannot reach {person.home}"
        assert person.home == "lobby" or all(door in person.doors for door, _ in there)
        person.zone = person.home
        assert world.route(person, "outside")[-1][1] == "out"
