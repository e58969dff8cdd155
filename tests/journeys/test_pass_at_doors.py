"""A visitor pass from the browser to the door: issued on one screen, read by another's camera, shown to QR readers."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import paho.mqtt.client as paho
import pytest
from flask import Flask
from paho.mqtt.enums import CallbackAPIVersion
from playwright.sync_api import Browser, Page, expect

from bposite.doors import listener
from bposite.doors.references import reference
from bposite.passes import qr
from bposite.people import cookies
from bposite.plumbing.settings import Mqtt, configure, current
from tests.brokers import embedded
from tests.browser.chromium import ARGUMENTS
from tests.browser.conftest import page_as, served, visitor
from tests.doors import kit
from tests.people.signing import make_account, session_of

__all__ = ["page_as", "served", "visitor"]  # fixtures
GUEST = "Leila Haddad"


class Reader:
    """A door's QR reader on the real broker: asks for decisions and waits for the answers."""

    def __init__(self, port: int) -> None:
        self.device = kit.Device()
        self.answers: dict[str, dict[str, Any]] = {}
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id=self.device.id)
        self.client.on_message = lambda _c, _d, message: self.hear(message.payload)
        self.client.connect("127.0.0.1", port)
        self.client.subscribe(self.device.topic("rsp", "access"), qos=1)
        self.client.loop_start()

    def hear(self, payload: bytes) -> None:
        answer = json.loads(payload)
        self.answers[answer["id"]] = answer

    def ask(self, name: str, code: str, *, door: str, direction: str = "in") -> dict[str, Any]:
        credential = {"type": "qr", "ref": reference("qr", code)}
        message = self.device.request(name, door=door, direction=direction, credential=credential, factors=["qr"])
        self.client.publish(message.topic, message.payload, qos=1)
        end = time.monotonic() + 10
        while name not in self.answers:
            assert time.monotonic() < end, "the site did not answer"
            time.sleep(0.01)
        return self.answers[name]

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def reader(served: Flask, tmp_path: Path) -> Iterator[Reader]:
    """A site with its plan, a broker, a listener, and a reader."""
    kit.apply()
    with embedded(tmp_path) as port:
        configure(current().model_copy(update={"mqtt": Mqtt(port=port)}))
        stop = threading.Event()
        thread = threading.Thread(target=listener.run, args=(stop,), daemon=True)
        thread.start()
        one = Reader(port)
        yield one
        one.close()
        stop.set()
        thread.join(10)


def admit(desk: Page) -> str:
    """Invite a guest for operations floor A, check in, see the identity, admit: all through the screens."""
    desk.goto("/reception/invite")
    desk.get_by_label("Name").fill(GUEST)
    desk.get_by_label("Host").fill("Sunita Bhosale (E-1010)")
    desk.locator("input[name=zones][value=ops-a]").check(force=True)
    desk.get_by_role("button", name="Invite").click()
    desk.get_by_role("button", name="Check in").first.click()
    desk.get_by_label("Passport").check()
    desk.keyboard.press("Enter")
    expect(desk.get_by_text("Admitted.")).to_be_visible()
    return desk.url.split("?")[0].split("#")[0]


def shown_pass(desk: Page) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The pass as it is on the screen: a grey picture."""
    png = desk.locator("svg.qr").screenshot(scale="css")
    picture = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    return picture.astype(np.uint8)


def film(path: Path, picture: np.ndarray[Any, np.dtype[np.uint8]]) -> Path:
    """What the camera of another computer sees when the screen is held before it: Y4M, 640 x 480."""
    symbol = cv2.resize(picture, (300, 300), interpolation=cv2.INTER_AREA)
    with path.open("wb") as file:
        file.write(b"YUV4MPEG2 W640 H480 F10:1 Ip A1:1 C420jpeg\n")
        for frame in range(10):
            grey = np.full((480, 640), 110, np.uint8)
            grey[80 + frame : 380 + frame, 160 + frame : 460 + frame] = symbol // 4 * 3 + 50
            file.write(b"FRAME\n" + grey.tobytes() + bytes([128]) * (640 * 480 // 2))
    return path


def other_browser_reads(chromium: Browser, address: str, clip: Path) -> str:
    """The address to which another reception's browser goes when its camera sees the clip."""
    arguments = [*ARGUMENTS, f"--use-file-for-fake-video-capture={clip}"]
    browser = chromium.browser_type.launch(executable_path=shutil.which("chromium"), args=arguments)
    try:
        context = browser.new_context(base_url=address, permissions=["camera"])
        context.add_cookies([{"name": cookies.SESSION, "value": session_of(make_account("reception")), "url": address}])
        page = context.new_page()
        page.goto("/reception/scan")
        page.get_by_role("button", name="Use the camera").click()
        page.wait_for_url("**/reception/visits/**", timeout=15_000)
        return page.url.split("?")[0].split("#")[0]
    finally:
        browser.close()


def test_a_pass_opens_the_right_door_only_and_only_while_it_lasts(
    page_as: Callable[..., Page], served: Flask, chromium: Browser, reader: Reader, tmp_path: Path
) -> None:
    desk = page_as("reception")
    visit = admit(desk)
    picture = shown_pass(desk)
    code = qr.find(cv2.resize(picture, None, fx=3, fy=3, interpolation=cv2.INTER_NEAREST).astype(np.uint8))
    assert code == desk.locator("svg.qr").get_attribute("data-code")
    assert GUEST.split()[0].upper() not in code

    clip = film(tmp_path / "screen.y4m", picture)
    assert other_browser_reads(chromium, served.config["ADDRESS"], clip) == visit

    right = reader.ask("q1", code, door="ops-a-main")
    wrong = reader.ask("q2", code, door="card-room")
    assert right["decision"] == "granted", right
    assert wrong["decision"] == "denied", wrong
    assert reader.ask("q3", "BP" + "B" * 34, door="ops-a-main")["decision"] == "denied"

    desk.goto("/reception/scan?purpose=check_out")
    desk.get_by_label("Scanner, or the code typed").fill(code)
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("status").filter(has_text="is checked out")).to_contain_text(GUEST)
    after = reader.ask("q4", code, door="ops-a-main")
    assert after["decision"] == "denied"

    def told() -> list[tuple[str | None, str, str | None]]:
        return [(row.decision, row.reason, row.door) for row in kit.log() if row.decision in ("granted", "denied")]

    end = time.monotonic() + 10
    while len(told()) < 4 and time.monotonic() < end:
        time.sleep(0.05)
    entries = told()
    assert [decision for decision, _, _ in entries] == ["granted", "denied", "denied", "denied"]
    reasons = [reason for _, reason, _ in entries]
    assert reasons[0] == "granted"
    assert len(set(reasons[1:])) == 3, f"each refusal says why: {reasons}"
    assert [row.visit for row in kit.log() if row.decision == "granted"] == [visit.rsplit("/", 1)[1]]
