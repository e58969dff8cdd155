"""``./run shots``: pictures of every screen of a running demonstration, in both themes and three widths.

Without arguments it starts a demonstration of its own and lets it live for a while; ``--demo FILE`` uses the one that
wrote that demo.json. ``--only WORD`` takes the pages whose name holds the word. Pictures go to ``shots/``.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyotp
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeout

REPO = Path(__file__).resolve().parents[2]
README = REPO / "docs" / "img" / "site-now.png"
WIDTHS = (1440, 1024, 390)
THEMES = ("light", "dark")
LIVES_S = 150

PAGES: dict[str, tuple[str, str]] = {
    "site-now": ("guard", "/"),
    "wall": ("guard", "/wall"),
    "reception": ("reception", "/reception/"),
    "invite": ("reception", "/reception/invite"),
    "walk-in": ("reception", "/reception/walk-in"),
    "import": ("reception", "/reception/import"),
    "scan": ("reception", "/reception/scan"),
    "visit": ("reception", "first:/reception/visits/"),
    "entries": ("facilities", "/entries/"),
    "entry": ("facilities", "first:/entries/:/entries/"),
    "alarms": ("guard", "/alarms/"),
    "doors": ("facilities", "/doors/"),
    "door": ("facilities", "/doors/ops-a-main"),
    "what-if": ("facilities", "/doors/ops-a-main/what-if"),
    "devices": ("facilities", "/doors/devices/"),
    "quarantine": ("facilities", "/doors/quarantine/"),
    "cameras": ("facilities", "/cameras/"),
    "coverage": ("facilities", "/cameras/coverage"),
    "clean-desk": ("facilities", "/clean-desk/"),
    "people": ("facilities", "/people/"),
    "evidence": ("auditor", "/evidence/"),
    "accounts": ("administrator", "/users/"),
    "account": ("administrator", "/account/"),
    "search": ("facilities", "/search?q=a"),
    "sign-in": ("", "/sign-in"),
}


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--demo", type=Path, help="demo.json of a running demonstration")
    parser.add_argument("--only", default="", help="only pages whose name holds this word")
    parser.add_argument("--theme", choices=THEMES, action="append")
    parser.add_argument("--width", type=int, action="append")
    parser.add_argument("--out", type=Path, default=REPO / "shots")
    parser.add_argument("--readme", action="store_true", help="write the picture of the README again")
    given = parser.parse_args()
    given.out.mkdir(exist_ok=True)
    with demonstration(given.demo) as demo, sync_playwright() as driver:
        program = shutil.which("chromium") or "/usr/bin/chromium"
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        for name, path in shoot(browser, demo, given):
            print(f"{name}: {path}")
        if given.readme:
            readme_picture(browser, demo, README)
        browser.close()


def readme_picture(browser: Browser, demo: dict[str, Any], file: Path) -> None:
    """Site now, as the README shows it, into ``file``."""
    context = new_context(browser, demo, "light", 1440, None)
    page = context.new_page()
    sign_in(page, next(user for user in demo["users"] if user["role"] == "guard"))
    take(page, "/", file)
    context.close()


@contextmanager
def demonstration(file: Path | None) -> Iterator[dict[str, Any]]:
    """The description of a running demonstration: the given one, or one of our own for as long as we need it."""
    if file is not None:
        yield json.loads(file.read_text())
        return
    with tempfile.TemporaryDirectory(prefix="bposite-shots-") as state:
        env = {**os.environ, "BPOSITE_STATE_DIR": state}
        process = subprocess.Popen([sys.executable, "-m", "bposite", "demo"], env=env, cwd=REPO)
        try:
            yield wait_for_demo(Path(state) / "demo.json")
        finally:
            process.terminate()
            process.wait(30)


def wait_for_demo(file: Path, lives_s: float = LIVES_S) -> dict[str, Any]:
    """The demonstration's description once its web server answers and it has lived for ``lives_s`` seconds."""
    end = time.monotonic() + 180
    while time.monotonic() < end:
        try:
            demo: dict[str, Any] = json.loads(file.read_text())
            with urllib.request.urlopen(demo["url"] + "/sign-in", timeout=2):
                time.sleep(lives_s)
                return demo
        except (OSError, ValueError, KeyError):
            time.sleep(0.5)
    raise TimeoutError("the demonstration did not come up")


def sign_in(page: Page, user: dict[str, str]) -> None:
    """Through the real forms, with the real second factor; a code that was used already is waited out."""
    for _ in range(3):
        page.goto("/sign-in")
        page.locator("input[autocomplete=username]").fill(user["name"])
        page.locator("input[type=password]").fill(user["password"])
        page.keyboard.press("Enter")
        code = page.locator("input[autocomplete=one-time-code]")
        code.press_sequentially(pyotp.TOTP(user["totp_secret"]).now())  # the page sends it after the sixth digit
        try:
            page.wait_for_url(lambda url: "/sign-in" not in url, timeout=5000)
        except PlaywrightTimeout:
            time.sleep(31 - time.time() % 30)
        else:
            return
    raise AssertionError(f"could not sign in as {user['name']}")


def shoot(browser: Browser, demo: dict[str, Any], given: argparse.Namespace) -> Iterator[tuple[str, Path]]:
    """Every page that was asked for, in every theme and width; yields (name, file)."""
    users = {user["role"]: user for user in demo["users"]}
    states: dict[str, Any] = {}
    for theme in given.theme or THEMES:
        for width in given.width or WIDTHS:
            for role in ["", *users]:
                wanted = {n: p for n, (r, p) in PAGES.items() if r == role and given.only in n}
                if not wanted:
                    continue
                context = new_context(browser, demo, theme, width, states.get(role))
                page = context.new_page()
                if role and role not in states:
                    sign_in(page, users[role])
                    states[role] = context.storage_state()
                for name, path in wanted.items():
                    file = given.out / f"{name}-{theme}-{width}.png"
                    if take(page, path, file):
                        yield name, file
                context.close()


def new_context(browser: Browser, demo: dict[str, Any], theme: str, width: int, state: Any) -> BrowserContext:
    """A browser profile in one theme and width."""
    size = {"width": width, "height": 844 if width < 500 else 900}
    return browser.new_context(
        base_url=demo["url"], color_scheme=theme, viewport=size, storage_state=state, is_mobile=width < 500,
        has_touch=width < 500,
    )  # type: ignore[arg-type]  # fmt: skip


def take(page: Page, path: str, file: Path) -> bool:
    """One picture of the page at ``path``; False when there is no such page yet."""
    address = resolve(page, path)
    if address is None:
        return False
    page.goto(address)
    page.wait_for_timeout(700)
    page.screenshot(path=file)
    return True


def resolve(page: Page, path: str) -> str | None:
    """``path`` itself; ``first:PREFIX:LIST`` is the first link below PREFIX on the page LIST (default Reception)."""
    if not path.startswith("first:"):
        return path
    _, prefix, *where = path.split(":")
    page.goto(where[0] if where else "/reception/")
    for link in page.locator(f'main a[href^="{prefix}"]').all():
        href = link.get_attribute("href") or ""
        if href.removeprefix(prefix).strip("/").isalnum():
            return href
    return None


if __name__ == "__main__":
    main()
