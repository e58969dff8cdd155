"""Site now and the wall: who may see what, what is urgent first, one line for one passage."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from bposite.doors.actions.alarms import raise_alarm
from bposite.doors.queries import EntryFilter, search_entries
from bposite.journal.work import Actor, unit_of_work
from bposite.live.queries import one_a_passage, site_now
from bposite.plumbing.clock import now
from bposite.plumbing.db import reading
from tests.entries import seeding
from tests.people.signing import signed_in


def alarm(kind: str, severity: str) -> None:
    """An open alarm."""
    with unit_of_work(Actor.system("tests")) as work:
        raise_alarm(work, kind, f"{kind} here", severity=severity, about=kind, door="goods-bay")  # type: ignore[arg-type]


def test_heads_are_counted_by_zone_and_kind(site: Flask) -> None:
    seeding.apply_plan()
    guest = seeding.visit()
    seeding.inside({"E-1001": "ops-a", "E-1002": "ops-a", f"visit:{guest}": "lobby", "E-1003": "outside"})
    with reading() as session:
        found = site_now(session, pictures=True)
    zones = {zone.id: (zone.staff, zone.visitors) for zone in found.zones}
    assert zones["ops-a"] == (2, 0)
    assert zones["lobby"] == (0, 1)
    assert found.heads == 3


def test_what_is_urgent_comes_first(site: Flask) -> None:
    seeding.apply_plan()
    alarm("first", "warning")
    alarm("second", "alarm")
    alarm("third", "warning")
    with reading() as session:
        order = [row.kind for row in site_now(session, pictures=False).alarms]
    assert order == ["second", "third", "first"]


def test_a_passage_is_one_line(site: Flask) -> None:
    seeding.apply_plan()
    at = now() - timedelta(minutes=5)
    second = timedelta(seconds=1)
    seeding.store(
        seeding.record(1, at, person="E-1001"),
        seeding.record(2, at + 2 * second, person="E-1001", decision="taken"),
        seeding.record(3, at + 5 * second, person="E-1002"),
        seeding.record(4, at + 6 * second, person="E-1002", decision="not-taken", reason="noEntryAfterGranted"),
        seeding.record(5, at + 300 * second, person="E-1003"),
    )
    with reading() as session:
        rows = search_entries(session, EntryFilter())
    assert [(row.person, row.decision) for row in one_a_passage(rows)] == [
        ("E-1003", "granted"), ("E-1002", "not-taken"), ("E-1001", "taken"),
    ]  # fmt: skip


@pytest.mark.parametrize("path", ["/", "/wall"])
def test_reception_sees_heads_but_not_the_doors_of_others(site: Flask, path: str) -> None:
    seeding.apply_plan()
    seeding.many(5)
    alarm("forcedOpen", "alarm")
    desk = signed_in(site, "reception").get(path).get_data(as_text=True)
    assert "Operations floor A" in desk
    assert "Aarav Joshi" not in desk
    assert "forcedOpen here" not in desk
    guard = signed_in(site, "guard").get(path).get_data(as_text=True)
    assert "forcedOpen here" in guard
    assert "Last entries" in guard


@pytest.mark.parametrize("path", ["/", "/wall"])
def test_an_empty_site_is_a_page_too(site: Flask, path: str) -> None:
    answer = signed_in(site, "administrator").get(path)
    assert answer.status_code == 200
    assert "No open alarms" in answer.get_data(as_text=True)


def test_the_part_comes_alone(site: Flask) -> None:
    part = signed_in(site, "guard").get("/", headers={"X-Fragment": "1"}).get_data(as_text=True)
    assert "<html" not in part
    assert "people inside" in part
