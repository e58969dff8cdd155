"""The building as a whole: it starts, carries messages, restarts what dies, and ends cleanly."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from desk import Page, totp
from incidents import Incidents
from moves import Move, Mover
from paho.mqtt.enums import CallbackAPIVersion
from stage import read_plan

from tests.brokers import embedded
from tests.conftest import free_port
from tests.hardware.simulator.kit import SIMULATOR


def wait_for(condition: Callable[[], Any], what: str, seconds: float = 30) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.05)
    pytest.fail(f"waited {seconds:g} s for {what}")


def _children(pid: int) -> dict[int, str]:
    found = subprocess.run(["ps", "-ww", "-o", "pid=,args=", "--ppid", str(pid)], capture_output=True, text=True).stdout
    rows = (line.strip().partition(" ") for line in found.splitlines())
    return {int(number): command for number, _, command in rows if "simulator/" in command}


def test_the_building_lives_and_ends(tmp_path: Path) -> None:
    messages: list[tuple[str, bytes]] = []
    with embedded(tmp_path) as port:
        listener = paho.Client(CallbackAPIVersion.VERSION2)
        listener.on_message = lambda _c, _d, message: messages.append((message.topic, message.payload))
        listener.connect("127.0.0.1", port)
        listener.subscribe("bposite/v1/#", qos=1)
        listener.loop_start()
        config = {
            "state_dir": str(tmp_path / "state"),
            "site_plan": str(SIMULATOR / "site.yaml"),
            "url": f"http://127.0.0.1:{free_port()}",  # no web server: the reception waits for it
            "users": [{"role": "reception", "name": "reception", "password": "x", "totp_secret": "JBSWY3DPEHPK3PXP"}],
            "mqtt": {"host": "127.0.0.1", "port": port, "username": "", "password": "", "tls": False},
            "ref_key": "11" * 32,
            "rtsp_port": free_port(),
        }
        (tmp_path / "simulator.json").write_text(json.dumps(config))
        building = subprocess.Popen(
            [sys.executable, str(SIMULATOR / "run.py"), str(tmp_path / "simulator.json"), "--pace", "4"]
        )
        try:
            _watch(building, messages)
        finally:
            building.terminate()
            assert building.wait(20) in (0, -signal.SIGTERM)
        links = [json.loads(body)["online"] for topic, body in list(messages) if topic.endswith("state/link")]
        assert links.count(True) >= 5  # four controllers, and the one that was killed again
        wait_for(lambda: [b for t, b in messages if t.endswith("state/link") and b'"stopped"' in b], "goodbyes")
        listener.loop_stop()


def _watch(building: subprocess.Popen[bytes], messages: list[tuple[str, bytes]]) -> None:
    topics = lambda: {topic for topic, _ in list(messages)}  # noqa: E731
    wait_for(lambda: len(_children(building.pid)) == 7, "seven processes")
    wait_for(lambda: len([one for one in topics() if one.endswith("state/info")]) == 4, "four births")
    wait_for(lambda: any(topic.endswith("req/access") for topic in topics()), "somebody at a reader")
    before = _children(building.pid)
    victim = next(pid for pid, command in before.items() if "ctl-core" in command)
    os.kill(victim, signal.SIGKILL)
    again = lambda: [pid for pid, line in _children(building.pid).items() if "ctl-core" in line and pid != victim]  # noqa: E731
    wait_for(again, "the controller to be started again")
    births = lambda: [t for t, _ in list(messages) if t.endswith("ctl-core/state/info")]  # noqa: E731
    wait_for(lambda: len(births()) >= 2, "its second birth")
    request = next(json.loads(body) for topic, body in messages if topic.endswith("req/access"))
    assert request["credential"]["ref"].startswith("h:")
    assert "number" not in request["credential"]


class _Later:
    """Collects what is to be done later, and does it in order of time."""

    def __init__(self) -> None:
        self.due: list[tuple[float, Callable[[], None]]] = []

    def __call__(self, seconds: float, do: Callable[[], None]) -> None:
        self.due.append((seconds, do))

    def all(self) -> None:
        for _, do in sorted(self.due, key=lambda one: one[0]):
            do()


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    monkeypatch.setattr("moves.say", lines.append)
    return lines


def test_a_move_is_seen_first_and_badged_then(said: list[dict[str, Any]]) -> None:
    later, granted = _Later(), []
    mover = Mover(read_plan(SIMULATOR / "site.yaml"), {"ops-a-main": ["cam-ops-a"]}, later)
    before = time.time()
    mover.go(Move("ops-a-main", "in", {"card": "1:2", "finger": "F"}, "E-1"), granted.append)
    later.all()
    camera, controller = said
    person = camera["order"]["person"]
    assert (camera["to"], controller["to"]) == ("cameras", "ctl-floor-a")
    assert person["at"] - before == pytest.approx(5, abs=0.5)
    assert controller["order"]["swipe"]["reader"] == "ops-a-main-in"
    assert mover.wants_finger("ops-a-main-in")
    assert not mover.wants_finger("ops-a-main-out")


def test_two_at_one_door_come_apart_and_an_answer_ends_one_wait(said: list[dict[str, Any]]) -> None:
    later, granted = _Later(), []
    mover = Mover(read_plan(SIMULATOR / "site.yaml"), {}, later)
    for seed in ("E-1", "E-2"):
        mover.go(Move("ops-a-main", "out", {"card": seed}, seed), granted.append)
    starts = sorted(seconds for seconds, _ in later.due)
    assert starts[-1] - 5 >= 6
    later.due.sort(key=lambda one: one[0])
    later.due[1][1]()  # the first badge
    later.due.clear()
    mover.hear({"event": "answer", "reader": "ops-a-main-out", "decision": "granted"})
    later.all()
    assert granted == [True]


def test_nobody_waits_for_ever(said: list[dict[str, Any]]) -> None:
    later, granted = _Later(), []
    mover = Mover(read_plan(SIMULATOR / "site.yaml"), {}, later)
    mover.go(Move("ops-a-main", "out", {"card": "1"}, "E-1"), granted.append)
    later.all()
    later.due[-1][1]()
    assert granted == [False]


def test_the_script_brings_every_kind_of_trouble(said: list[dict[str, Any]]) -> None:
    later = _Later()
    plan = read_plan(SIMULATOR / "site.yaml")
    mover = Mover(plan, {}, later)
    Incidents(plan, mover, later, 1.0).begin()
    for _ in range(3):
        due, later.due = later.due, []
        for _, do in due:
            do()
    orders = [line["order"] for line in said]
    assert any("force" in one for one in orders)
    assert any("cut" in one for one in orders)
    assert any(one.get("swipe", {}).get("seconds", 0) > 30 for one in orders)
    assert {"black", "frozen", "covered"} <= {one["faults"].get("picture") for one in orders if "faults" in one}


def test_authenticator_codes_are_those_of_the_standard() -> None:
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # RFC 6238, appendix B, SHA-1
    assert [totp(secret, at) for at in (59, 1111111109, 20000000000)] == ["287082", "081804", "353130"]


def test_a_page_is_read_for_what_the_desk_needs() -> None:
    text = '<section data-next="admit"><svg data-code="BPXCDF"></svg><p class="error" id="x">Not &amp; <b>yet</b></p>'
    page = Page("/reception/visits/01M858APJ0KM71TDE0YGZTDKW1", 422, text)
    assert (page.visit, page.next_step, page.code) == ("01M858APJ0KM71TDE0YGZTDKW1", "admit", "BPXCDF")
    assert page.complaint() == "Not & yet"
