"""Signing in with a real browser: by keyboard alone, once per code, and dead everywhere after signing out."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import BrowserContext, Page, expect

from bposite.journal.work import Actor, unit_of_work
from bposite.people import actions, rules, totp
from bposite.plumbing.clock import now
from tests.people.signing import Account, make_account


def type_in(page: Page, account: Account, code: str) -> None:
    """Sign in with the keyboard alone; focus is where it should be without a click."""
    page.goto("/sign-in")
    expect(page.get_by_label("User name")).to_be_focused()
    page.keyboard.type(account.name)
    page.keyboard.press("Tab")
    page.keyboard.type(account.password)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Code", exact=True)).to_be_focused()
    page.keyboard.type(code)


def test_keyboard_alone_and_the_sixth_digit_goes_on(page: Page, served: Flask) -> None:
    account = make_account("auditor")
    type_in(page, account, account.code())
    page.wait_for_url("**/evidence/")
    page.goto("/account/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Test auditor")
    expect(page.get_by_text("this one")).to_be_visible()


def test_a_used_code_is_refused_and_the_copied_cookie_dies_with_the_session(
    page: Page, visitor: Callable[..., BrowserContext], served: Flask
) -> None:
    account, code = make_account("guard"), ""
    code = account.code()
    type_in(page, account, code)
    page.wait_for_url(re.compile(r":\d+/$"))
    copied = visitor()
    copied.add_cookies(page.context.cookies())
    thief = copied.new_page()
    thief.goto("/account/")
    expect(thief.get_by_role("heading", level=1)).to_have_text("Test guard")

    again = visitor().new_page()
    type_in(again, account, code)
    expect(again.get_by_role("alert")).to_contain_text("was used before")

    page.goto("/account/")
    page.get_by_label("Your account").click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    thief.goto("/account/")
    expect(thief).to_have_url(re.compile(r"/sign-in\?next="))


def test_a_wrong_password_keeps_the_name_and_puts_the_focus_where_it_is_needed(page: Page, served: Flask) -> None:
    account = make_account("guard")
    page.goto("/sign-in")
    page.get_by_label("User name").fill(account.name)
    page.get_by_label("Password", exact=True).fill("not this one at all")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_label("Password", exact=True)).to_have_attribute("type", "text")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("User name or password is not right")).to_be_visible()
    expect(page.get_by_label("User name")).to_have_value(account.name)
    expect(page.get_by_label("Password", exact=True)).to_be_focused()
    expect(page.get_by_label("Password", exact=True)).to_have_value("")


def test_the_first_administrator_sets_the_account_up(page: Page, served: Flask) -> None:
    with unit_of_work(Actor.system("tests")) as work:
        link = actions.make_admin_link(work)
    page.goto(link.path)
    page.keyboard.type("Ananya Deshpande")
    page.keyboard.press("Tab")
    page.keyboard.type("ananya")
    page.get_by_label("New password").fill("short")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Use at least 12 characters.")).to_be_visible()
    page.get_by_label("New password").fill("four unrelated words 7")
    page.keyboard.press("Enter")
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    page.wait_for_function("() => document.querySelector('.scan img').naturalWidth > 0")
    page.get_by_text("I cannot scan it").click()
    secret = page.locator(".key").inner_text().replace(" ", "")
    page.get_by_label("Code", exact=True).fill(totp.code_at(secret, rules.step_of(now())))
    expect(page.get_by_role("heading", level=1)).to_have_text("Keep these codes")
    assert page.locator(".codes li").count() == 10
    with page.expect_download() as saved:
        page.get_by_role("link", name="Save as a file").click()
    assert len(saved.value.path().read_text().strip().splitlines()) == 11
    page.goto("/users/")
    expect(page.get_by_role("row", name=re.compile("Ananya Deshpande"))).to_be_visible()


PAGES = [
    *("/sign-in", "/account/", "/account/password", "/account/authenticator", "/account/confirm"),
    *("/users/", "/users/new", "/tokens/", "/tokens/new", "/people/", "/people/new"),
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_for_people_who_use_the_pages_differently(
    page_as: Callable[..., Page], visitor: Callable[..., BrowserContext], served: Flask, scheme: str
) -> None:
    with unit_of_work(Actor.system("tests")) as work:
        actions.apply_plan(work, [{"number": "E-1", "name": "Nguyễn Thị Lan", "client": "Northwind", "active": False}])
        actions.create_token(work, "dashboard", ["entries:read"])
    signed, out = page_as("administrator", color_scheme=scheme), visitor(color_scheme=scheme).new_page()
    found = []
    for path in PAGES:
        page = out if path == "/sign-in" else signed
        page.goto(path)
        violations = Axe().run(page).response["violations"]
        found += [
            (path, one["id"], one["nodes"][0]["html"]) for one in violations if one["impact"] in ("serious", "critical")
        ]
    assert not found
