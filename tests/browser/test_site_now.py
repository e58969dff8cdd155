"""Site now in Chromium: live without jumps, honest about its line, readable on the wall."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from bposite.doors.actions.alarms import raise_alarm
from bposite.journal.work import Actor, unit_of_work
from bposite.people.actions import end_sessions
from bposite.people.tables import User
from bposite.plumbing.clock import now
from tests.browser.test_entries import ARABIC, live, serious
from tests.entries import seeding

PageAs = Callable[..., Page]


def alarm(kind: str) -> None:
    """An open alarm."""
    with unit_of_work(Actor.system("tests")) as work:
        raise_alarm(work, kind, f"{kind} at the goods bay", severity="alarm", about=kind, door="goods-bay")


def test_heads_entries_and_alarms_arrive_by_themselves(served: Flask, page_as: PageAs) -> None:
    seeding.apply_plan()
    seeding.many(3)
    page = page_as("guard")
    page.goto("/")
    live(page)
    zones = page.locator("h2#zones-title")
    before = zones.bounding_box()
    seeding.inside({"E-1001": "ops-a", "E-1002": "ops-a"})
    expect(page.locator(".now-zone", has_text="Operations floor A").locator("b")).to_contain_text("2")
    alarm("forcedOpen")
    expect(page.get_by_text("forcedOpen at the goods bay")).to_be_visible()
    assert zones.bounding_box() == before, "the page jumped"


def test_the_page_does_not_tell_of_its_own_looking(served: Flask, page_as: PageAs) -> None:
    """A page that fetches itself when it hears of its own fetching never rests."""
    seeding.apply_plan()
    seeding.many(3)
    page = page_as("guard")
    page.goto("/")
    live(page)
    seeding.store(seeding.record(50, now()))
    page.wait_for_timeout(2500)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(3000)
    assert asked == []


def test_who_is_signed_out_elsewhere_sees_it(served: Flask, page_as: PageAs) -> None:
    seeding.apply_plan()
    page = page_as("guard")
    page.goto("/")
    live(page)
    with unit_of_work(Actor.system("tests")) as work:
        for user in work.session.query(User):
            end_sessions(work, user.id, "ended_by_administrator")
    expect(page.locator("[data-live-mark]").first).to_have_attribute("data-live", "ended")


@pytest.mark.parametrize(
    ("path", "width", "height", "theme"),
    [("/", 1440, 900, "light"), ("/", 390, 844, "dark"), ("/wall", 1920, 1080, "dark"), ("/wall", 1366, 768, "light")],
)
def test_it_fits_and_is_accessible(
    served: Flask, page_as: PageAs, path: str, width: int, height: int, theme: str
) -> None:
    seeding.apply_plan()
    seeding.many(30)
    seeding.way(seeding.visit(name=ARABIC), now(), first=9000)
    alarm("forcedOpen")
    alarm("tamper")
    page = page_as("guard", viewport={"width": width, "height": height}, color_scheme=theme)
    page.goto(path)
    live(page)
    assert page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 1
    assert serious(page) == []
    if path == "/wall":
        assert page.evaluate("() => document.documentElement.scrollHeight - document.documentElement.clientHeight") <= 1
