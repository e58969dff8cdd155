"""``./run demo`` as a newcomer runs it: up by itself, pictures of the right moment, stopped cleanly, used again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser import shots
from tests.browser.chromium import watch
from tests.conftest import REPO, free_port

sys.path.insert(0, str(REPO / "hardware" / "simulator"))
from stamp import read_clock

FPS = 8  # of the simulated cameras
UP_S = 180  # "within about three minutes", on machines that are busy with other tests


class Demo:
    """A demonstration in a process of its own."""

    def __init__(self, state: Path, ports: dict[str, str]) -> None:
        self.state = state
        self.env = {**os.environ, "BPOSITE_STATE_DIR": str(state), **ports}
        self.about: dict[str, Any] = {}
        self.start()

    def start(self) -> None:
        """Start it, or start it again, and wait until it answers."""
        with (self.state.parent / "demo.log").open("ab") as log:
            command = [sys.executable, "-m", "bposite", "demo", "--pace", "3"]
            self.process = subprocess.Popen(command, env=self.env, cwd=REPO, stdout=log, stderr=log)
        self.wait_until(self._answers, UP_S)

    def _answers(self) -> bool:
        try:
            self.about = json.loads((self.state / "demo.json").read_text())
            with urllib.request.urlopen(self.about["url"] + "/sign-in", timeout=5):
                return True
        except (OSError, ValueError, KeyError):
            return False

    def wait_until(self, what: Any, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not what():
            assert self.process.poll() is None, "the demonstration ended by itself"
            assert time.monotonic() < end, f"not within {seconds} s"
            time.sleep(0.5)

    def raw(self, path: str) -> bytes:
        request = urllib.request.Request(self.about["url"] + path)
        request.add_header("Authorization", f"Bearer {self.about['api_token']}")
        with urllib.request.urlopen(request, timeout=20) as answer:
            return bytes(answer.read())

    def get(self, path: str) -> Any:
        return json.loads(self.raw(path))

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "state"


@pytest.fixture(scope="module")
def ports() -> dict[str, str]:
    return {"BPOSITE_WEB_PORT": str(free_port()), "BPOSITE_MQTT_PORT": str(free_port())}


@pytest.fixture(scope="module")
def demo(state: Path, ports: dict[str, str]) -> Iterator[Demo]:
    running = Demo(state, ports)
    yield running
    if running.process.poll() is None:
        running.stop()


def linked(demo: Demo) -> list[dict[str, Any]]:
    """Every link whose picture was timed by the camera's own clock."""
    items = demo.get("/api/v1/snapshots?limit=200")["items"]
    return [item for item in items if item["url"] and item["time_source"] == "camera"]


def test_the_description_is_complete(demo: Demo, ports: dict[str, str]) -> None:
    about = demo.about
    assert about["url"].endswith(ports["BPOSITE_WEB_PORT"])
    assert about["mqtt"]["port"] == int(ports["BPOSITE_MQTT_PORT"])
    assert {user["role"] for user in about["users"]} == {
        "reception", "guard", "facilities", "auditor", "administrator",
    }  # fmt: skip
    assert (demo.state / "demo.json").stat().st_mode & 0o077 == 0


def test_pictures_show_the_moment_of_their_entry(demo: Demo) -> None:
    demo.wait_until(lambda: len(linked(demo)) >= 12, 180)
    read = 0
    for item in linked(demo):
        image = cv2.imdecode(np.frombuffer(demo.raw(item["url"]), np.uint8), cv2.IMREAD_COLOR)
        clock = read_clock(image)
        if clock is None:
            continue  # the camera of real footage has no burnt-in code; the failing camera shows nothing
        read += 1
        event = datetime.fromisoformat(item["event_time"]).timestamp() + item["offset_ms"] / 1000
        assert abs(clock - event) <= 0.5 / FPS + 0.001, item
    assert read >= 10


def test_entries_have_every_kind_that_the_site_has(demo: Demo) -> None:
    def kinds() -> set[str]:
        items = demo.get("/api/v1/entries?limit=500")["items"]
        return {item["decision"] for item in items} | {item["reason"] for item in items}

    demo.wait_until(lambda: {"granted", "denied"} <= kinds(), 150)


def test_parts_are_up(demo: Demo) -> None:
    def all_up() -> bool:
        try:
            health = demo.get("/healthz")
        except urllib.error.HTTPError:
            return False
        return bool(health["state"] == "up" or health["state"] == "degraded")

    demo.wait_until(all_up, 60)


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 390)])
def test_every_page_is_accessible_and_keeps_to_the_policy(
    demo: Demo, chromium: Browser, theme: str, width: int
) -> None:
    """axe finds nothing serious; no script error, no breach of the content policy, nothing wider than the screen."""
    users = {user["role"]: user for user in demo.about["users"]}
    faults: list[str] = []
    for role in ["", *users]:
        context = shots.new_context(chromium, demo.about, theme, width, None)
        page = context.new_page()
        faults += watch(page)
        if role:
            shots.sign_in(page, users[role])
        for name, (needs, path) in shots.PAGES.items():
            if needs == role:
                faults += examine(page, name, path)
        context.close()
    assert faults == []


def examine(page: Page, name: str, path: str) -> list[str]:
    """What is wrong with one page, in words."""
    address = shots.resolve(page, path)
    if address is None:
        return [f"{name}: no such page could be found"]
    answer = page.goto(address)
    found = [] if answer is not None and answer.ok else [f"{name}: {address} answers {answer and answer.status}"]
    page.wait_for_timeout(300)
    for violation in Axe().run(page).response["violations"]:
        if violation["impact"] in ("serious", "critical"):
            where = violation["nodes"][0]["html"][:160]
            found.append(f"{name}: {violation['id']} ({len(violation['nodes'])}): {where}")
    too_wide = page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if too_wide > 1:
        found.append(f"{name}: {too_wide} px wider than the screen")
    return found


def test_the_picture_of_the_readme_is_made(demo: Demo, chromium: Browser, tmp_path: Path) -> None:
    """``./run shots --readme`` writes the same over docs/img/site-now.png."""
    shots.readme_picture(chromium, demo.about, tmp_path / "site-now.png")
    made, shown = (cv2.imread(str(path)) for path in (tmp_path / "site-now.png", shots.README))
    assert made is not None
    assert shown is not None
    assert made.shape == shown.shape
    assert made.std() > 10, "an empty page"


def test_ctrl_c_ends_everything_and_a_second_start_goes_on(demo: Demo, state: Path) -> None:
    """The demonstration runs again afterwards: tests come in any order."""
    before = demo.about
    demo.wait_until(lambda: demo.get("/api/v1/entries?limit=1")["items"], 120)
    position = demo.get("/api/v1/entries?limit=1")["items"][0]["position"]
    assert demo.stop() == 0
    left = subprocess.run(["pgrep", "-f", str(state)], capture_output=True, text=True, check=False).stdout.split()
    command = [sys.executable, "-m", "bposite", "--state-dir", str(state), "verify"]
    verify = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)
    demo.start()
    assert left == [], "processes are left behind"
    assert verify.returncode == 0, verify.stdout + verify.stderr
    assert demo.about["users"] == before["users"]
    assert demo.get("/api/v1/entries?limit=1")["items"][0]["position"] == position
