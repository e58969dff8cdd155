"""The walk in a real Chromium: forty desks with the network cut in the middle and a killed tab, one hand, no script."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask, request
from PIL import Image
from playwright.sync_api import BrowserContext, Page, expect

from bposite.cleandesk import actions, queries
from bposite.cleandesk.queries import Wanted
from bposite.journal.queries import tail
from bposite.journal.work import Actor
from bposite.people import cookies
from bposite.plumbing.clock import now
from bposite.plumbing.db import reading
from tests.browser.chromium import watch
from tests.cleandesk.desk_site import People, furnish, new_round, started, work_as
from tests.people.signing import Account, session_of

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
DESKS = 40


@pytest.fixture
def staff(served: Flask) -> People:
    """A site with 48 desks on the floor and eight in the card room, and who acts there."""
    return furnish(48, 8)


@pytest.fixture
def phone_of(visitor: Callable[..., BrowserContext], served: Flask) -> Callable[..., BrowserContext]:
    """``phone_of(actor)``: the phone of somebody who is signed in."""

    def new(actor: Actor, **more: object) -> BrowserContext:
        context = visitor(**(PHONE | more))
        session = session_of(Account(actor.id, actor.name, "", ""))
        context.add_cookies([{"name": cookies.SESSION, "value": session, "url": served.config["ADDRESS"]}])
        return context

    return new


@pytest.fixture
def heard(served: Flask) -> list[str]:
    """Every address that the server was asked for, in order."""
    found: list[str] = []
    served.before_request_funcs.setdefault(None, []).append(lambda: found.append(request.path))
    return found


def walk_of(page: Page, round_id: str) -> None:
    """Open the walk and wait until it is kept for use without a network."""
    page.goto(f"/clean-desk/walk/{round_id}")
    page.locator("#walk[data-kept]").wait_for()
    page.wait_for_function(
        "() => caches.open('walk-files-1').then((c) => c.keys()).then((k) => k.some((r) => r.url.includes('idb.js')))"
    )


def shown(page: Page) -> str:
    """The place on the screen."""
    return page.locator(".walk-place").inner_text()


def passes(page: Page, count: int) -> None:
    """Tap Pass so many times, each time on the next place."""
    for _ in range(count):
        here = shown(page)
        page.get_by_role("button", name="Pass", exact=True).tap()
        expect(page.locator(".walk-place")).not_to_have_text(here)


def looks(round_id: str) -> dict[str, str]:
    """place -> answer, as the site has them; every place once."""
    with reading() as session:
        return {place: seats["first"].answer for place, seats in queries.looks(session, round_id).items()}


def picture(tmp_path: Path) -> Path:
    """A photo with a place in its EXIF block."""
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    path = tmp_path / "desk.jpg"
    Image.new("RGB", (1200, 900), (200, 180, 90)).save(path, "JPEG", exif=exif)
    return path


def test_forty_desks_with_the_network_cut_and_a_killed_tab_lose_nothing(
    staff: People, phone_of: Callable[..., BrowserContext], heard: list[str], tmp_path: Path
) -> None:
    with work_as(staff.planner) as work:
        round_id = actions.plan_round(work, new_round(staff, zones=("ops-a",), size=DESKS, second=None))
    context = phone_of(staff.guard)
    page = context.new_page()
    faults = watch(page)
    page.goto(f"/clean-desk/rounds/{round_id}")
    page.get_by_role("button", name="Draw and start").tap()
    page.locator("#walk[data-kept]").wait_for()
    walk_of(page, round_id)
    passes(page, 14)
    expect(page.locator("[data-walk-link]")).to_have_text("All sent")
    assert len(looks(round_id)) == 14

    context.set_offline(True)
    before = len(heard)
    passes(page, 5)
    unreachable = shown(page)
    page.get_by_role("button", name="Not seen").tap()
    page.get_by_role("button", name="The room or bay was locked").tap()
    expect(page.locator(".walk-toast")).to_contain_text("takes its place")
    wrong = shown(page)
    page.get_by_role("button", name="Fail").tap()
    page.get_by_label("Password, PIN or code written down").check()
    page.get_by_label("Made safe").check()
    page.get_by_role("textbox", name="Note").fill("Under the keyboard")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Picture").tap()
    chooser.value.set_files(picture(tmp_path))
    keep = page.get_by_role("button", name="Keep the picture")
    expect(keep).to_be_disabled()
    box = page.locator(".mask-canvas").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 40, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 120)
    page.mouse.up()
    keep.tap()
    expect(page.locator(".walk-thumb img")).to_be_visible()

    page.close()  # the tab is killed with a half-made answer and seven looks that the site has never heard of
    page = context.new_page()
    faults += watch(page)
    page.goto(f"/clean-desk/walk/{round_id}")
    sheet = page.get_by_role("dialog")
    expect(sheet).to_contain_text(f"{wrong}: what is wrong?")
    expect(page.get_by_role("textbox", name="Note")).to_have_value("Under the keyboard")
    expect(page.locator(".walk-thumb img")).to_be_visible()
    page.get_by_role("button", name="Save 1 fault").tap()
    expect(page.locator("[data-walk-link]")).to_have_text(re.compile("Offline, 7 waiting"))
    passes(page, 6)
    assert heard[before:] == []
    assert len(looks(round_id)) == 14

    context.set_offline(False)
    expect(page.locator("[data-walk-link]")).to_have_text("All sent")
    passes(page, DESKS + 1 - 27 - 1)  # 14 before, 13 while cut off, and the last one by itself
    page.get_by_role("button", name="Pass", exact=True).tap()
    expect(page.get_by_role("heading", name="All places are seen")).to_be_visible()
    page.get_by_role("button", name="Submit the round").tap()
    page.wait_for_url(f"**/clean-desk/rounds/{round_id}")

    stored = looks(round_id)
    assert len(stored) == DESKS + 1
    assert stored.pop(unreachable) == "not_observed"
    assert stored.pop(wrong) == "fail"
    assert set(stored.values()) == {"pass"}
    with reading() as session:
        recorded = tail(session, -1, ("cleandesk:observation:recorded",), limit=500)
        (finding,) = queries.findings(session, Wanted(), now())
        (photo,) = queries.photos_of(session, finding.observation_id, finding.item_id, finding.id)
        row = queries.round_of(session, round_id)
    assert len(recorded) == DESKS + 1
    assert (finding.place_id, finding.note, finding.secured) == (wrong, "Under the keyboard", True)
    assert photo.masks == 1
    kept = context.request.get(f"/clean-desk/photos/{photo.id}.jpg").body()
    assert b"secret place" not in kept
    assert Image.open(io.BytesIO(kept)).getpixel((300, 250)) == (0, 0, 0)
    assert row is not None and row.state == "submitted"
    assert faults == []


def test_a_pass_can_be_taken_back_and_an_answer_corrected(
    staff: People, phone_of: Callable[..., BrowserContext]
) -> None:
    round_id = started(staff, zones=("ops-a",))
    page = phone_of(staff.guard).new_page()
    walk_of(page, round_id)
    first = shown(page)
    page.get_by_role("button", name="Pass", exact=True).tap()
    page.get_by_role("button", name="Undo").tap()
    expect(page.locator(".walk-place")).to_have_text(first)
    passes(page, 1)
    expect(page.locator("[data-walk-link]")).to_have_text("All sent")
    page.get_by_role("button", name=re.compile("1 of 12")).tap()
    page.get_by_role("button", name=re.compile(first)).tap()
    expect(page.locator(".walk-desk .note")).to_contain_text("Seen already: pass")
    page.get_by_role("button", name="Fail").tap()
    page.get_by_role("button", name="Save", exact=True).tap()
    expect(page.locator(".walk-error").first).to_have_text("Tick what is wrong.")
    page.get_by_label("Paper, notes or pens in a paperless zone").check()
    page.get_by_role("button", name="Save 1 fault").tap()
    # The toast comes when the look is on the disk; before that "All sent" is still true of the looks before it.
    expect(page.locator(".walk-toast")).to_contain_text("1 fault noted")
    expect(page.locator("[data-walk-link]")).to_have_text("All sent")
    assert looks(round_id) == {first: "fail"}


def test_looks_of_somebody_who_was_signed_out_wait_for_that_person(
    staff: People, phone_of: Callable[..., BrowserContext], served: Flask
) -> None:
    round_id = started(staff, zones=("ops-a",))
    context = phone_of(staff.guard)
    page = context.new_page()
    walk_of(page, round_id)
    context.clear_cookies()
    passes(page, 1)
    expect(page.locator("[data-walk-link]")).to_have_text("Sign in to send")
    expect(page.locator(".walk-notice")).to_contain_text("1 look stay")
    other = session_of(Account(staff.second.id, "", "", ""))
    context.add_cookies([{"name": cookies.SESSION, "value": other, "url": served.config["ADDRESS"]}])
    page.locator("[data-walk-link]").tap()
    expect(page.locator("[data-walk-link]")).to_have_text("Not your sign-in")
    assert looks(round_id) == {}
    mine = session_of(Account(staff.guard.id, "", "", ""))
    context.clear_cookies()
    context.add_cookies([{"name": cookies.SESSION, "value": mine, "url": served.config["ADDRESS"]}])
    page.locator("[data-walk-link]").tap()
    expect(page.locator("[data-walk-link]")).to_have_text("All sent")
    assert len(looks(round_id)) == 1


def test_a_sticker_leads_to_its_desk_even_without_a_network(
    staff: People, phone_of: Callable[..., BrowserContext]
) -> None:
    round_id = started(staff, zones=("ops-a",))
    with reading() as session:
        last = queries.stops(session, round_id)[-1].place
        place = queries.place(session, last)
    assert place is not None
    context = phone_of(staff.guard)
    page = context.new_page()
    walk_of(page, round_id)
    page.goto(f"/clean-desk/walk/t/{place.tag}")
    expect(page.locator(".walk-place")).to_have_text(place.label)
    context.set_offline(True)
    page.goto(f"/clean-desk/walk/t/{place.tag}")
    expect(page.locator(".walk-place")).to_have_text(place.label)


def test_the_second_auditor_sees_only_the_double_ones_and_no_answers(
    staff: People, phone_of: Callable[..., BrowserContext]
) -> None:
    round_id = started(staff, zones=("ops-a",))
    page = phone_of(staff.second).new_page()
    walk_of(page, round_id)
    expect(page.get_by_role("button", name=re.compile("0 of 2"))).to_be_visible()
    passes(page, 1)
    page.get_by_role("button", name="Pass", exact=True).tap()
    expect(page.get_by_text("The first auditor submits the round")).to_be_visible()


def test_every_target_of_the_walk_is_large_enough_for_a_thumb(
    staff: People, phone_of: Callable[..., BrowserContext]
) -> None:
    round_id = started(staff, zones=("ops-a",))
    page = phone_of(staff.guard).new_page()
    walk_of(page, round_id)
    small = """() => [...document.querySelectorAll('button, a[href], label.check, summary')]
        .filter((one) => one.offsetParent && !one.classList.contains('skip') && !one.closest('.skip'))
        .map((one) => [one.textContent.trim().slice(0, 30), one.getBoundingClientRect()])
        .filter(([, box]) => box.height < 44 || box.width < 44).map(([n, b]) => `${n} ${b.width}x${b.height}`)"""
    assert page.evaluate(small) == []
    wide = "() => document.documentElement.scrollWidth - window.innerWidth"
    assert page.evaluate(wide) <= 0
    page.get_by_role("button", name="Fail").tap()
    page.get_by_role("checkbox").first.check()
    assert page.evaluate(small) == []
    assert page.evaluate(wide) <= 0


def test_the_walk_works_without_scripts(staff: People, phone_of: Callable[..., BrowserContext]) -> None:
    round_id = started(staff, zones=("ops-a",), size=5, second=None)
    page = phone_of(staff.guard, java_script_enabled=False).new_page()
    page.goto(f"/clean-desk/walk/{round_id}")
    for _ in range(3):
        page.get_by_role("button", name="Pass").click()
    page.get_by_text("Something is wrong").click()
    page.get_by_role("button", name="Save what is wrong").click()
    expect(page.get_by_role("alert")).to_contain_text("Say what is wrong")
    page.get_by_label("Password, PIN or code written down").check()
    page.get_by_role("textbox", name="Note").fill("On the screen's edge")
    page.get_by_role("button", name="Save what is wrong").click()
    expect(page.get_by_text("Secure at once")).to_be_visible()
    page.get_by_text("It cannot be seen").click()
    page.get_by_label("The way was blocked").check()
    page.get_by_role("button", name="Save as not seen").click()
    page.get_by_role("button", name="Pass").click()
    page.get_by_role("button", name="Submit the round").click()
    expect(page.get_by_text("The round is submitted")).to_be_visible()
    assert sorted(looks(round_id).values()) == ["fail", "not_observed", "pass", "pass", "pass", "pass"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_and_nothing_is_wider_than_the_screen(
    staff: People, phone_of: Callable[..., BrowserContext], scheme: str
) -> None:
    round_id = started(staff, zones=("ops-a",))
    page = phone_of(staff.guard, color_scheme=scheme).new_page()
    walk_of(page, round_id)
    page.get_by_role("button", name="Fail").tap()
    page.get_by_label("Paper, notes or pens in a paperless zone").check()
    assert serious(page) == []
    page.get_by_role("button", name="Save 1 fault").tap()
    # The toast comes when the look is on the disk; before that "All sent" is still true of the looks before it.
    expect(page.locator(".walk-toast")).to_contain_text("1 fault noted")
    expect(page.locator("[data-walk-link]")).to_have_text("All sent")
    assert serious(page) == []
    with reading() as session:
        (finding,) = queries.findings(session, Wanted(), now())
    with work_as(staff.guard) as work:
        actions.submit_round(work, round_id)
    page = phone_of(staff.planner, color_scheme=scheme).new_page()
    faults = watch(page)
    paths = ("", "rounds/", f"rounds/{round_id}", "rounds/new", "findings/", f"findings/{finding.id}", "figures/",
             "claim", "programme/", "programme/new", "places/", f"places/{finding.place_id}", "places/plan",
             "devices/", "exposure", "places/import", "places/new")  # fmt: skip
    for path in paths if scheme == "light" else paths[:7]:
        page.goto(f"/clean-desk/{path}")
        assert serious(page) == [], path
        assert page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth") <= 0, path
    assert faults == []


def serious(page: Page) -> list[str]:
    """What axe finds that is serious or worse."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found if one["impact"] in ("serious", "critical")
    ]
