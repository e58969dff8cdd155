"""Doors, zones, alarms and devices over REST."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask

from tests.doors.kit import FLOOR_A, Device, apply, new_listener
from tests.people.signing import Browser


def test_reading_how_it_is(site: Flask, client_as: Callable[..., Browser]) -> None:
    apply()
    listener, _ = new_listener()
    device = Device()
    listener.handle(
        [device.link(True), device.access("taken"), device.event("alarm", "forcedOpen"), device.access(seq=9)]
    )
    browser = client_as("facilities")
    doors = {row["id"]: row for row in browser.get("/api/v1/doors").get_json()["items"]}
    assert (doors["ops-a-main"]["status"], doors["ops-a-main"]["alarm"]) == ("alarm", "forcedOpen")
    assert doors["goods-bay"]["online"] is None
    assert browser.get("/api/v1/doors/ops-a-main").get_json()["to_zone"] == "ops-a"
    assert browser.get("/api/v1/doors/none").status_code == 404
    zones = {row["id"]: row for row in browser.get("/api/v1/zones").get_json()["items"]}
    assert zones["ops-a"]["staff"] == 1
    (alarm,) = browser.get("/api/v1/alarms?limit=5").get_json()["items"]
    assert alarm["kind"] == "forcedOpen"
    assert browser.get("/api/v1/alarms?limit=0").status_code == 422
    devices = {row["id"]: row for row in browser.get("/api/v1/devices").get_json()["items"]}
    assert devices[FLOOR_A]["missing"] == 6
