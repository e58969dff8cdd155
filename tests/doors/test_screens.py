"""The screens of doors, devices, the quarantine and alarms, through a signed-in browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from bposite.doors.actions import raise_alarm
from bposite.doors.listener.service import Listener
from bposite.doors.tables import Alarm, CommandRow, Gap, LockdownRow, Presence, Quarantine
from tests.doors.kit import FLOOR_A, Device, Tape, acting, apply, log, new_listener, rows
from tests.people.signing import Browser

As = Callable[..., Browser]


@pytest.fixture
def ears(site: Flask) -> tuple[Listener, Tape]:
    """The whole site with its plan and a listener."""
    apply()
    return new_listener()


def test_overview_shows_zones_with_heads_and_doors_with_state(ears: tuple[Listener, Tape], client_as: As) -> None:
    device = Device()
    ears[0].handle(
        [device.birth(), device.link(True), device.access("taken"), device.access("denied", person="E-1026")]
    )
    page = client_as("guard").get("/doors/").get_data(as_text=True)
    assert "Operations A, main door" in page
    assert "1 staff, 0 visitors" in page
    assert "Refused" in page
    fragment = client_as("guard").get("/doors/", headers={"X-Fragment": "1"}).get_data(as_text=True)
    assert "<html" not in fragment
    assert "Operations A, main door" in fragment


def test_a_door_has_its_rules_its_day_and_its_entries(ears: tuple[Listener, Tape], client_as: As) -> None:
    ears[0].handle([Device().access(), Device(boot="b2").access("denied", reason="deniedOutOfTimeRange")])
    page = client_as("facilities").get("/doors/ops-a-main").get_data(as_text=True)
    for words in ("Aarav Joshi", "Operations A", "Card and finger", "Outside the times of the right.", "2 entries"):
        assert words in page


def test_a_command_needs_a_reason_and_is_queued(ears: tuple[Listener, Tape], client_as: As) -> None:
    guard = client_as("guard")
    refused = guard.send("/doors/ops-a-main/unlock", "/doors/ops-a-main", reason="")
    assert refused.status_code == 422
    assert "characters why" in refused.get_data(as_text=True)
    assert not rows(CommandRow)
    assert guard.send("/doors/ops-a-main/unlock", "/doors/ops-a-main", reason="Delivery for floor A").status_code == 302
    (row,) = rows(CommandRow)
    assert (row.name, row.door, row.reason, row.state) == ("unlock", "ops-a-main", "Delivery for floor A", "queued")
    assert "Delivery for floor A" in guard.get("/doors/ops-a-main").get_data(as_text=True)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("person=E-1016&shown=card%2Bfinger&direction=in", "Granted"),
        ("person=E-1016&shown=card&direction=in", "finger missing"),
        ("person=E-1026&shown=card%2Bfinger&direction=in", "no access level"),
        ("person=E-1026&shown=card&direction=out", "Granted"),
        ("person=E-9&shown=card&direction=in", "Nobody has this name or number"),
        ("person=aarav+joshi&shown=card%2Bfinger&direction=in", "Granted"),
        ("person=a&shown=card&direction=in", "Several people"),
        ("person=&shown=card&direction=in", "Type a name"),
        ("person=E-1016&shown=card&direction=in&at=soon", "valid"),
    ],
)
def test_what_if(ears: tuple[Listener, Tape], client_as: As, query: str, words: str) -> None:
    page = client_as("facilities").get(f"/doors/ops-a-main/what-if?{query}").get_data(as_text=True)
    assert words in page
    assert not log()


def test_lockdown_and_release(ears: tuple[Listener, Tape], client_as: As) -> None:
    guard = client_as("guard")
    told = guard.send(
        "/doors/lockdown", "/doors/", scope="card-a", rank="3", minutes="", reason="Alarm in the card room"
    )
    assert told.status_code == 302
    (row,) = rows(LockdownRow)
    assert (row.scope, row.rank) == ("card-a", 3)
    assert [one.door for one in rows(CommandRow)] == ["card-room"]
    refused = guard.send("/doors/lockdown", "/doors/", scope="card-a", rank="12", minutes="", reason="x")
    assert refused.status_code == 422
    fields = {"release-reason": "False alarm, all clear"}
    assert guard.send("/doors/lockdown/card-a/release", "/doors/", **fields).status_code == 302
    assert not rows(LockdownRow)


def test_devices_gaps_and_sign_off(ears: tuple[Listener, Tape], client_as: As, time_machine: object) -> None:
    from datetime import timedelta

    from bposite.plumbing.clock import now

    device, at = Device(), now()
    time_machine.move_to(at, tick=False)  # type: ignore[attr-defined]
    ears[0].handle([device.link(True), device.access(), device.access(seq=5)])
    time_machine.move_to(at + timedelta(seconds=6), tick=False)  # type: ignore[attr-defined]
    ears[0].idle()  # the hole is noticed
    time_machine.move_to(at + timedelta(seconds=12), tick=False)  # type: ignore[attr-defined]
    ears[0].idle()
    (gap,) = rows(Gap)
    browser = client_as("administrator")
    page = browser.get(f"/doors/devices/{FLOOR_A}").get_data(as_text=True)
    assert "2 to 4" in page
    address = f"/doors/devices/{FLOOR_A}/gaps/{gap.id}/sign-off"
    assert browser.send(address, f"/doors/devices/{FLOOR_A}", reason="").status_code == 422
    assert browser.send(address, f"/doors/devices/{FLOOR_A}", reason="Controller was replaced").status_code == 302
    time_machine.move_to(at + timedelta(seconds=13), tick=False)  # type: ignore[attr-defined]
    ears[0].idle()
    ears[0].idle()
    assert ears[1].of(FLOOR_A, "ack")[-1]["upto"] == 5


def test_quarantine(ears: tuple[Listener, Tape], client_as: As) -> None:
    device = Device()
    ears[0].handle([device.message("evt/access", b'{"a": "<script>alert(1)</script>\x00"')])
    (row,) = rows(Quarantine)
    guard = client_as("facilities")
    listed = guard.get("/doors/quarantine/")
    if listed.status_code == 403:
        guard = client_as("administrator")
    page = guard.get(f"/doors/quarantine/{row.id}").get_data(as_text=True)
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page
    sent = guard.send(f"/doors/quarantine/{row.id}/discard", f"/doors/quarantine/{row.id}", reason="A test of ours")
    assert sent.status_code == 302
    (row,) = rows(Quarantine)
    assert (row.state, row.note) == ("discarded", "A test of ours")


def test_alarms_are_taken_and_closed_by_name(ears: tuple[Listener, Tape], client_as: As) -> None:
    ears[0].handle([Device().event("alarm", "forcedOpen")])
    (alarm,) = rows(Alarm)
    guard = client_as("guard")
    assert "Door forced open: Operations A, main door" in guard.get("/alarms/").get_data(as_text=True)
    assert guard.send(f"/alarms/{alarm.id}/acknowledge", f"/alarms/{alarm.id}").status_code == 302
    assert guard.send(f"/alarms/{alarm.id}/close", f"/alarms/{alarm.id}", reason="").status_code == 422
    assert (
        guard.send(f"/alarms/{alarm.id}/close", f"/alarms/{alarm.id}", reason="Cleaner leaned on it").status_code == 302
    )
    (alarm,) = rows(Alarm)
    assert (alarm.state, alarm.closed_reason) == ("closed", "Cleaner leaned on it")
    assert "Cleaner leaned on it" in guard.get(f"/alarms/{alarm.id}").get_data(as_text=True)


def test_an_alarm_of_another_feature_counts_up(site: Flask) -> None:
    with acting() as work:
        first = raise_alarm(work, "cameraFailed", "Camera 3 is black", camera="cam-3")
        again = raise_alarm(work, "cameraFailed", "Camera 3 is black", camera="cam-3")
    assert first == again
    (alarm,) = rows(Alarm)
    assert alarm.count == 2


def test_forgiving_passback_makes_the_place_unknown(ears: tuple[Listener, Tape], client_as: As) -> None:
    ears[0].handle([Device().access("taken")])
    guard = client_as("guard")
    assert "Aarav Joshi" in guard.get("/doors/zones/ops-a").get_data(as_text=True)
    assert (
        guard.send(
            "/doors/zones/ops-a/forgive/E-1016", "/doors/zones/ops-a", reason="Left by the fire door"
        ).status_code
        == 302
    )
    (row,) = rows(Presence)
    assert row.zone is None
