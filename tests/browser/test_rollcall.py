"""The roll call in Chromium on phones: marks while offline are kept, sent later, and merge with those of others."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.test_entries import ARABIC, live, serious
from tests.entries import seeding

PageAs = Callable[..., Page]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.fixture
def call(served: Flask, page_as: PageAs) -> tuple[Page, str]:
    """A roll call on a guard's phone, and its address."""
    seeding.apply_plan()
    seeding.inside({"E-1001": "ops-a", "E-1002": "ops-a", f"visit:{seeding.visit(name=ARABIC)}": "lobby"})
    page = page_as("guard", **PHONE)
    page.goto("/rollcall/")
    page.get_by_role("button", name="Start the roll call").click()
    page.wait_for_url(re.compile(r"/rollcall/\w{26}$"))
    live(page)
    return page, page.url


def states(page: Page) -> dict[str, str]:
    """Counters as shown."""
    return {key: page.locator(f'[data-count="{key}"]').inner_text() for key in ("safe", "missing", "unknown")}


def test_marks_made_offline_arrive_and_merge(call: tuple[Page, str], page_as: PageAs) -> None:
    first, address = call
    second = page_as("facilities", **PHONE)
    second.goto(address)
    context: BrowserContext = first.context
    context.set_offline(True)
    first.get_by_role("button", name="Ananya Deshpande is safe").click()
    expect(first.locator("[data-offline]")).to_be_visible()
    expect(first.locator('[data-count="safe"]')).to_have_text("1")
    second.get_by_role("button", name="Farhan Siddiqui is safe").click()
    expect(second.locator('[data-count="safe"]')).to_have_text("1")
    context.set_offline(False)
    for page in (first, second):
        expect(page.locator('[data-count="safe"]')).to_have_text("2", timeout=20_000)
    expect(first.locator("[data-offline]")).to_be_hidden()
    assert states(second) == {"safe": "2", "missing": "0", "unknown": "1"}


def test_marks_outlive_a_closed_page(call: tuple[Page, str]) -> None:
    page, address = call
    page.route("**/marks", lambda route: route.abort())
    page.get_by_role("button", name="Ananya Deshpande is missing").click()
    expect(page.locator("[data-offline]")).to_be_visible()
    again = page.context.new_page()
    page.close()
    again.goto(address)
    expect(again.locator("[data-offline]")).to_be_hidden(timeout=20_000)
    again.reload()
    expect(again.locator('[data-count="missing"]')).to_have_text("1")


def test_a_second_press_takes_the_mark_back(call: tuple[Page, str]) -> None:
    page, _ = call
    button = page.get_by_role("button", name="Ananya Deshpande is safe")
    button.click()
    expect(page.locator('[data-count="safe"]')).to_have_text("1")
    button.click()
    expect(page.locator('[data-count="safe"]')).to_have_text("0")
    page.reload()
    assert states(page) == {"safe": "0", "missing": "0", "unknown": "3"}


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (390, "dark")])
def test_it_fits_thumbs_and_is_accessible(call: tuple[Page, str], page_as: PageAs, width: int, theme: str) -> None:
    _, address = call
    page = page_as("guard", viewport={"width": width, "height": 844}, color_scheme=theme)
    page.goto(address)
    page.get_by_role("button", name="Ananya Deshpande is safe").click()
    page.get_by_role("button", name="Farhan Siddiqui is missing").click()
    expect(page.locator('[data-count="missing"]')).to_have_text("1")
    assert page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 1
    # in one step inside the page: the list may be fetched again between two
    boxes = "[...document.querySelectorAll('.roll-marks button')].map(one => one.getBoundingClientRect())"
    sizes = page.evaluate(f"() => {boxes}.map(box => [box.width, box.height])")
    assert len(sizes) == 6
    assert min(min(size) for size in sizes) >= 44, sizes
    assert serious(page) == []
