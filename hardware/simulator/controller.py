#!/usr/bin/env python3
"""A simulated door controller: the reference controller's own code with drawn doors and readers behind it.

    python controller.py device.json

The configuration is the reference controller's (hardware/controller/settings.py). One JSON object a line comes on the
standard input and moves the building:
    {"swipe": {"reader": "ops-a-main-in", "card": "21:10400", "finger": "F-1001-1"}}   somebody shows both and walks in
    {"swipe": {"reader": "main-entrance-in", "qr": "...", "passes": false}}               shows a pass, stays outside
    {"swipe": {"reader": "ops-a-west-in", "card": "21:10400", "seconds": 40}}             leaves the door open so long
    {"force": {"door": "goods-bay", "seconds": 4}}       {"button": {"door": "server-room"}}
    {"cut": {"seconds": 20}}                             {"alarm": {"reason": "tamper", "door": "card-room"}}
and what the controller shows goes to the standard output: {"event": "answer", "reader", "decision", "reason", ...}.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "controller"))

from contract import Credential
from core import Controller
from link import Link
from settings import read
from store import Store

REACH_S, PASS_S, FINGER_S = 0.9, 2.0, 0.5  # to the handle, through the door, from card to finger


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who stands at a reader: whether they walk through when the door opens, and how long they leave it open."""

    reader: str
    passes: bool
    seconds: float


class Building:
    """Doors that move and people who use them. It knows of the controller only its inputs and its relays."""

    def __init__(self) -> None:
        self.controller: Controller | None = None
        self.link: Link | None = None
        self._standing: dict[str, Visitor] = {}

    def set(self, door: str, released: bool) -> None:
        """A lock moved (the relays' port)."""
        say({"event": "lock", "door": door, "released": released})

    def report(self, message: dict[str, Any]) -> None:
        """The controller shows something: whoever was granted walks through."""
        say(message)
        if message["event"] != "answer":
            return
        visitor = self._standing.pop(str(message["reader"]), None)
        if visitor and visitor.passes and message["decision"] == "granted":
            self._open(str(message["door"]), REACH_S, visitor.seconds)

    def obey(self, order: dict[str, Any]) -> None:
        """One line of the standard input. Raises KeyError, TypeError or ValueError for a bad one."""
        ((what, body),) = order.items()
        if what == "swipe":
            self._swipe(body)
        elif what == "force":
            self._open(str(body["door"]), 0.0, float(body.get("seconds", 4)))
        elif what == "button":
            self._known().exit_button(str(body["door"]))
            self._open(str(body["door"]), REACH_S, PASS_S)
        elif what == "alarm":
            self._known().alarm({"active": True} | body)
        elif what == "cut" and self.link is not None:
            self.link.cut(float(body["seconds"]))
        else:
            raise ValueError(f"there is no order {what!r}")

    def _known(self) -> Controller:
        assert self.controller is not None
        return self.controller

    def _swipe(self, body: dict[str, Any]) -> None:
        reader, controller = str(body["reader"]), self._known()
        self._standing[reader] = Visitor(reader, bool(body.get("passes", True)), float(body.get("seconds", PASS_S)))
        shown = [_credential(kind, str(body[kind])) for kind in ("card", "qr", "finger") if body.get(kind)]
        for at, one in enumerate(shown):
            _later(at * FINGER_S, lambda one=one: controller.read(reader, one))

    def _open(self, door: str, after: float, seconds: float) -> None:
        controller = self._known()
        _later(after, lambda: controller.contact(door, True))
        _later(after + seconds, lambda: controller.contact(door, False))


def _credential(kind: str, number: str) -> Credential:
    if kind == "card":
        return Credential("card", number, "wiegand26", 26)
    return Credential(kind, number, "slot" if kind == "finger" else "text")


def _later(seconds: float, do: Any) -> None:
    if seconds <= 0:
        do()
        return
    timer = threading.Timer(seconds, do)
    timer.daemon = True
    timer.start()


_SAYING = threading.Lock()


def say(message: dict[str, Any]) -> None:
    """One JSON line on the standard output."""
    with _SAYING:
        print(json.dumps(message), flush=True)


def listen(building: Building, stop: threading.Event) -> None:
    """Obey the standard input until it ends."""
    for line in sys.stdin:
        try:
            building.obey(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            say({"event": "error", "message": f"{type(error).__name__}: {error}"})
    stop.set()


def main(path: Path) -> None:
    """Run one simulated controller until a signal or the end of its standard input."""
    settings, stop = read(path), threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    store, building = Store(settings.store, settings.buffer_max), Building()
    line = _Line()
    controller = Controller(settings, store, line, building, building.report)
    link = Link(settings.broker, settings.names, store.boot, controller.message, controller.link)
    line.link, building.link, building.controller = link, link, controller
    link.start()
    say({"event": "ready", "device": settings.names.device, "boot": store.boot, "held": store.count()})
    threading.Thread(target=listen, args=(building, stop), daemon=True).start()
    began = time.monotonic()
    controller.run(stop.is_set)
    link.stop()
    store.close()
    say({"event": "stopped", "after": round(time.monotonic() - began, 1)})


class _Line:
    """Controller and link need each other: the link comes a moment later."""

    link: Link | None = None

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        return self.link is not None and self.link.publish(topic, payload, retain=retain)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
