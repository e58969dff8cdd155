"""The entry log in Chromium: live rows wait behind a pill, the keyboard previews, filters live in the address."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Page, expect

from bposite.plumbing.clock import now
from tests.entries import seeding

PageAs = Callable[..., Page]
LONG = "Wolfeschlegelsteinhausenbergerdorff-" * 3 + "Smith"
ARABIC = "عبد الرحمن بن محمد الأنصاري"
ROWS = "tr[data-position]"


def live(page: Page) -> None:
    """Wait until the page says that it is live."""
    expect(page.locator("[data-live-mark]").first).to_have_attribute("data-live", "live")


def serious(page: Page) -> list[str]:
    """What axe calls serious or critical."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found if one["impact"] in ("serious", "critical")
    ]


def test_what_is_new_waits_behind_a_pill(served: Flask, page_as: PageAs) -> None:
    seeding.apply_plan()
    seeding.many(20)
    page = page_as("facilities")
    page.goto("/entries/?show=all")
    live(page)
    first = page.locator(ROWS).first
    before = (first.get_attribute("data-position"), first.bounding_box())
    made = seeding.store(seeding.record(900, now()), seeding.record(901, now()))
    pill = page.locator("[data-news]")
    expect(pill).to_have_text("2 new")
    assert first.get_attribute("data-position") == before[0], "the list moved under the cursor"
    pill.click()
    expect(page.locator(f'tr[data-position="{made[-1]}"]')).to_be_visible()
    expect(pill).to_be_hidden()
    assert page.locator(ROWS).count() == 22


def test_the_pill_counts_only_what_the_filter_shows(served: Flask, page_as: PageAs) -> None:
    seeding.apply_plan()
    seeding.many(5)
    page = page_as("facilities")
    page.goto("/entries/?door=card-room")
    live(page)
    seeding.store(seeding.record(900, now()), seeding.record(901, now(), door="card-room", zone="card-a"))
    expect(page.locator("[data-news]")).to_have_text("1 new")


def test_arrow_keys_preview_and_enter_opens(served: Flask, page_as: PageAs) -> None:
    seeding.apply_plan()
    seeding.many(12)
    page = page_as("facilities", viewport={"width": 1440, "height": 900})
    page.goto("/entries/?show=all")
    chosen = page.locator(f'{ROWS}[aria-selected="true"]')
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(chosen).to_have_count(1)
    position = chosen.get_attribute("data-position")
    expect(page.locator(f'#preview a[href="/entries/{position}"]')).to_be_visible()
    page.keyboard.press("ArrowUp")
    assert page.locator(ROWS).first.get_attribute("aria-selected") == "true"
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/entries/\d+$"))


def test_keys_are_for_typing_while_somebody_types(served: Flask, page_as: PageAs) -> None:
    seeding.apply_plan()
    seeding.many(3)
    page = page_as("facilities")
    page.goto("/entries/?show=all")
    page.keyboard.press("/")
    page.keyboard.type("jr")
    expect(page.locator("#f-q")).to_have_value("jr")
    expect(page.locator(f'{ROWS}[aria-selected="true"]')).to_have_count(0)


def test_filters_live_in_the_address(served: Flask, page_as: PageAs) -> None:
    seeding.apply_plan()
    seeding.many(60)
    page = page_as("facilities", viewport={"width": 1440, "height": 900})
    page.goto("/entries/")
    page.select_option("#f-door", "card-room")
    page.select_option("#f-decision", "denied")
    page.get_by_role("button", name="Search", exact=True).click()
    page.wait_for_url(re.compile("door=card-room"))
    asked = parse_qs(urlsplit(page.url).query)
    assert (asked["door"], asked["decision"]) == (["card-room"], ["denied"])
    shown = page.locator(ROWS).count()
    page.reload()
    expect(page.locator("#f-door")).to_have_value("card-room")
    assert page.locator(ROWS).count() == shown > 0
    page.get_by_role("link", name="Take away: Door: Card room door").click()
    page.wait_for_url(lambda url: "door=" not in url)
    expect(page.locator("#f-decision")).to_have_value("denied")


def test_a_range_is_dragged_on_the_histogram(served: Flask, page_as: PageAs) -> None:
    seeding.apply_plan()
    seeding.many(200, step=timedelta(minutes=6))
    page = page_as("facilities", viewport={"width": 1440, "height": 900})
    page.goto("/entries/?show=all")
    box = page.locator("[data-chart]").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 20, steps=4)
    page.mouse.up()
    page.wait_for_url(re.compile("from=.*to="))
    assert 0 < page.locator(ROWS).count() <= 50
    assert page.locator(".error").count() == 0


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (1024, "dark"), (390, "light")])
def test_many_rows_and_long_names_fit(served: Flask, page_as: PageAs, width: int, theme: str) -> None:
    seeding.apply_plan()
    seeding.many(500)
    for number, name in enumerate((LONG, ARABIC)):
        seeding.way(seeding.visit(name=name[:120], company=name[:120]), now(), first=9000 + 10 * number)
    page = page_as("facilities", viewport={"width": width, "height": 900}, color_scheme=theme)
    page.goto("/entries/?show=all")
    assert page.locator(ROWS).count() == 50
    expect(page.get_by_text(ARABIC).first).to_be_visible()
    assert page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 1
    assert serious(page) == []
    page.goto(f"/entries/{page.locator(ROWS).first.get_attribute('data-position')}")
    assert page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 1
    assert serious(page) == []


def test_an_entry_without_script_is_still_found(served: Flask, visitor: Callable[..., object], page_as: PageAs) -> None:
    seeding.apply_plan()
    seeding.many(60)
    page = page_as("facilities", java_script_enabled=False)
    page.goto("/entries/?show=all")
    page.locator("#f-q").fill("card room")
    page.get_by_role("button", name="Search", exact=True).click()
    assert "q=card+room" in page.url
    page.locator(f"{ROWS} a").first.click()
    expect(page.get_by_role("heading", name="How the answer was found")).to_be_visible()
