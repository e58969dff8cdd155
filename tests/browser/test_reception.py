"""The reception in a real Chromium: a wedge scanner, the browser's camera, the keyboard alone, a small screen."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from bposite.journal.work import unit_of_work
from bposite.passes import qr
from bposite.people import cookies
from bposite.plumbing.clock import now
from bposite.plumbing.db import reading
from bposite.visits import actions, queries
from bposite.visits.rules import VisitState
from tests.browser.chromium import ARGUMENTS, watch
from tests.browser.conftest import PATIENCE_MS
from tests.people.signing import make_account, session_of
from tests.visits import visit_day

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture
def day(served: Flask) -> dict[str, str]:
    """A believable day: name -> visit."""
    visit_day.furnish()
    return visit_day.fill(now())


@pytest.fixture
def desk(page_as: Callable[..., Page], day: dict[str, str]) -> Page:
    """A page signed in at the reception."""
    return page_as("reception")


def state(visit: str) -> VisitState:
    """Where a visit stands in the database."""
    with reading() as session:
        row = queries.visit_row(session, visit)
    assert row is not None
    return row.state


def issue(visit: str) -> str:
    """A fresh pass for a visit; its code."""
    with unit_of_work(visit_day.DESK) as work:
        return actions.issue_pass(work, visit).codes.code


def types(page: Page, code: str) -> None:
    """What a USB wedge scanner does: 36 key strokes within a fraction of a second, then Enter."""
    page.keyboard.type(code)
    page.keyboard.press("Enter")


def video(path: Path, code: str) -> Path:
    """A camera picture, 640 x 480, as Y4M: a pass held at a slight angle before a grey wall, moving a little."""
    symbol = qr.draw(code, pixels_per_module=7)
    side = symbol.shape[0]
    with path.open("wb") as file:
        file.write(b"YUV4MPEG2 W640 H480 F10:1 Ip A1:1 C420jpeg\n")
        for frame in range(10):
            grey = np.full((480, 640), 120, np.uint8)
            top, left = 110 + frame, 190 + 2 * frame
            grey[top : top + side, left : left + side] = symbol // 3 * 2 + 60
            file.write(b"FRAME\n" + grey.tobytes() + bytes([128]) * (640 * 480 // 2))
    return path


@pytest.fixture
def holds_up(chromium: Browser, served: Flask, tmp_path: Path) -> Iterator[Callable[[str], Page]]:
    """``holds_up(code)``: a reception page of a Chromium before whose camera somebody holds the pass with this code."""
    opened: list[Browser] = []
    watched: list[list[str]] = []

    def start(code: str) -> Page:
        film = f"--use-file-for-fake-video-capture={video(tmp_path / 'pass.y4m', code)}"
        program = shutil.which("chromium")
        browser = chromium.browser_type.launch(executable_path=program, args=[*ARGUMENTS, film])
        opened.append(browser)
        context = browser.new_context(base_url=served.config["ADDRESS"], permissions=["camera"])
        context.set_default_timeout(PATIENCE_MS)
        session = session_of(make_account("reception"))
        context.add_cookies([{"name": cookies.SESSION, "value": session, "url": served.config["ADDRESS"]}])
        page = context.new_page()
        watched.append(watch(page))
        return page

    yield start
    for browser in opened:
        browser.close()
    assert not [fault for faults in watched for fault in faults]


def test_a_pass_before_the_webcam_checks_the_guest_out(
    served: Flask, day: dict[str, str], holds_up: Callable[[str], Page]
) -> None:
    visit = day["Sneha Reddy"]
    page = holds_up(issue(visit))
    page.goto("/reception/scan?purpose=check_out")
    page.get_by_role("button", name="Use the camera").click()
    expect(page.get_by_role("status").filter(has_text="is checked out")).to_contain_text("Sneha Reddy")
    assert state(visit) is VisitState.DEPARTED


def test_a_pass_before_the_webcam_checks_an_expected_guest_in(
    served: Flask, day: dict[str, str], holds_up: Callable[[str], Page]
) -> None:
    visit = day["Rahul Mehta"]
    page = holds_up(issue(visit))
    page.goto("/reception/scan")
    page.get_by_role("button", name="Use the camera").click()
    page.wait_for_url(f"**/reception/visits/{visit}")
    expect(page.get_by_role("heading", name="Check in")).to_be_visible()
    assert state(visit) is VisitState.AT_DESK


def test_a_wedge_scan_on_the_board_opens_the_card_wherever_the_focus_is(desk: Page, day: dict[str, str]) -> None:
    visit = day["Rahul Mehta"]
    code = issue(visit)
    desk.goto("/reception/")
    types(desk, code.lower())
    desk.wait_for_url(f"**/reception/visits/{visit}")
    assert state(visit) is VisitState.AT_DESK


def test_a_wedge_checks_out_one_guest_after_the_other(desk: Page, day: dict[str, str]) -> None:
    codes = [issue(day[name]) for name in ("Sneha Reddy", "Arjun Pillai")]
    desk.goto("/reception/scan?purpose=check_out")
    for code, name in zip(codes, ("Sneha Reddy", "Arjun Pillai"), strict=True):
        expect(desk.get_by_label("Scanner, or the code typed")).to_be_focused()
        types(desk, code)
        expect(desk.get_by_role("status").filter(has_text="is checked out")).to_contain_text(name)
    types(desk, codes[0])
    expect(desk.get_by_role("status").filter(has_text="is not inside")).to_contain_text("Sneha Reddy")
    expect(desk.locator("[data-scan-done] li")).to_have_count(2)


def test_a_code_nobody_issued_is_told_and_the_field_is_ready_again(desk: Page) -> None:
    desk.goto("/reception/scan")
    types(desk, "BCDFGHJK")
    expect(desk.get_by_text("This pass was not issued here.")).to_be_visible()
    expect(desk.get_by_label("Scanner, or the code typed")).to_be_focused()
    expect(desk.get_by_label("Scanner, or the code typed")).to_have_value("")


def test_from_scan_to_label_by_keyboard_alone_in_six_actions(desk: Page, day: dict[str, str]) -> None:
    """An expected guest scans the mailed QR; nothing is missing: scan, photo, shutter, identity, admit, print."""
    visit = day["Rahul Mehta"]
    code = issue(visit)
    desk.goto("/reception/")
    types(desk, code)  # 1
    desk.wait_for_url(f"**/reception/visits/{visit}")
    desk.keyboard.press("p")  # 2
    expect(desk.get_by_role("button", name="Take the picture now")).to_be_focused()
    desk.keyboard.press("Enter")  # 3
    expect(desk.get_by_role("img", name="Photo of Rahul Mehta")).to_be_visible()
    desk.get_by_label("Passport").check()  # 4
    desk.keyboard.press("Enter")  # 5
    expect(desk.get_by_text("Admitted.")).to_be_visible()
    with desk.context.expect_page() as label:  # 6
        desk.get_by_role("button", name="Print label").click()
    assert "/label/" in label.value.url or label.value.url == "about:blank"
    assert state(visit) is VisitState.ON_SITE
    expect(desk.get_by_role("button", name="Printed well")).to_be_visible()


def test_a_walk_in_with_the_keyboard(desk: Page) -> None:
    desk.goto("/reception/")
    desk.keyboard.press("w")
    expect(desk.get_by_label("Name")).to_be_focused()
    desk.keyboard.type("Devika Menon")
    desk.get_by_label("Host").fill("Sunita Bhosale (E-1010)")
    desk.get_by_label("Until").fill("23:30")
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("heading", name="Devika Menon")).to_be_visible()
    desk.get_by_label("Company card").check()
    desk.keyboard.press("Enter")
    expect(desk.get_by_text("Admitted.")).to_be_visible()


def test_the_board_is_live_and_does_not_move_under_the_pointer(desk: Page, day: dict[str, str]) -> None:
    desk.goto("/reception/")
    lane = desk.locator('[data-lane="at_desk"]')
    expect(desk.locator("[data-live-mark]")).to_have_attribute("data-live", "live")
    with unit_of_work(visit_day.DESK) as work:
        actions.arrive(work, day["Claire Dubois"])
    expect(lane.get_by_text("Claire Dubois", exact=True)).to_be_visible()
    lane.hover()
    with unit_of_work(visit_day.DESK) as work:
        actions.arrive(work, day["Vivek Anand"])
    desk.get_by_role("button", name="show").click()
    expect(lane.get_by_text("Vivek Anand", exact=True)).to_be_visible()


def test_search_finds_a_misspelt_name_while_typing(desk: Page) -> None:
    desk.goto("/reception/")
    desk.keyboard.press("/")
    desk.keyboard.type("wisnievski")
    expect(desk.locator(".found").get_by_text("Tomasz Wiśniewski", exact=True)).to_be_visible()
    expect(desk.locator(".visit-card")).to_have_count(1)


def test_the_main_forms_work_without_javascript(page_as: Callable[..., Page], day: dict[str, str]) -> None:
    page = page_as("reception", java_script_enabled=False)
    page.goto("/reception/walk-in")
    page.get_by_label("Name").fill("Devika Menon")
    page.get_by_label("Host").fill("E-1010")
    page.get_by_label("Until").fill("23:30")
    page.get_by_role("button", name="To the desk").click()
    page.get_by_label("National ID").check()
    page.get_by_role("button", name="Admit and issue pass").click()
    code = page.locator("svg.qr").get_attribute("data-code")
    assert code
    page.goto("/reception/scan?purpose=check_out")
    page.get_by_label("Scanner, or the code typed").fill(code)
    page.get_by_role("button", name="Check out").click()
    expect(page.get_by_text("Devika Menon is checked out.")).to_be_visible()


PAGES = [
    "/reception/",
    "/reception/?q=tom",
    "/reception/invite",
    "/reception/walk-in",
    "/reception/import",
    "/reception/scan",
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_for_axe_and_nothing_wider_than_the_screen(
    page_as: Callable[..., Page], day: dict[str, str], scheme: str
) -> None:
    page = page_as("reception", color_scheme=scheme, viewport={"width": 390, "height": 844})
    shown = ("Rahul Mehta", "Ingrid Sørensen", "Neha Kapoor", "Tomasz Wiśniewski", "Sneha Reddy", "Manoj Tiwari")
    visits = [f"/reception/visits/{day[name]}" for name in shown]
    for address in [*PAGES, *(visits if scheme == "light" else visits[:1])]:
        page.goto(address)
        wide = page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, address
        found = Axe().run(page).response["violations"]
        grave = [rule for rule in found if rule["impact"] in ("serious", "critical")]
        assert not grave, (address, [(rule["id"], rule["nodes"][0]["html"][:200]) for rule in grave])
