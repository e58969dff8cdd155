#!/usr/bin/env python3
"""The reference door controller: for a small computer beside the door, such as a Raspberry Pi.

    python door_controller.py device.json

One JSON file says everything (settings.py): the broker, the doors with their readers and relays, the keys. It needs
Python 3.11, paho-mqtt and cryptography, and libosdp for OSDP readers. What happens is told on the standard error.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core import Controller
from link import Link
from readers import Bus, Driver, LineReader, Post, QrReader, WiegandReader
from relays import Inputs, RelayBoard
from settings import ReaderPlan, Settings, SettingsError, read
from store import Store

DRIVERS: dict[str, Callable[[ReaderPlan, Post], LineReader]] = {"wiegand": WiegandReader, "serial-qr": QrReader}


class Panel:
    """Everything that one controller program holds together."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.store = Store(settings.store, settings.buffer_max)
        self._board = RelayBoard(settings, self._output)
        self._link: Link | None = None
        self.controller = Controller(settings, self.store, self, self._board, self._report)
        self._board.post = self.controller
        self._link = Link(
            settings.broker, settings.names, self.store.boot, self.controller.message, self.controller.link
        )
        self._buses = _buses(settings, self.controller)
        self._drivers: list[Driver] = [*_lines(settings, self.controller), *self._buses]
        self._inputs = Inputs(settings, self.controller.contact, self.controller.exit_button)

    def run(self, stop: threading.Event) -> None:
        """Work until `stop`."""
        for driver in self._drivers:
            driver.start()
        self._inputs.start()
        assert self._link is not None
        self._link.start()
        self.controller.run(stop.is_set)
        self._inputs.stop()
        for driver in self._drivers:
            driver.stop()
        self._link.stop()
        self.store.close()

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> bool:
        """The line to the broker (the controller's port)."""
        return self._link is not None and self._link.publish(topic, payload, retain=retain)

    def _report(self, message: dict[str, Any]) -> None:
        note(message)
        if message["event"] == "answer":
            for driver in self._drivers:
                driver.show(str(message["reader"]), message["decision"] == "granted")

    def _output(self, reader: str, number: int, on: bool) -> None:
        for bus in self._buses:
            bus.output(reader, number, on)


def _lines(settings: Settings, post: Post) -> list[LineReader]:
    """The drivers of readers that have a serial line of their own. Raises SettingsError."""
    known = (*DRIVERS, "osdp", "none")
    for plan in settings.readers:
        if plan.driver not in known:
            raise SettingsError(f"reader {plan.id}: there is no driver {plan.driver!r}; known are {', '.join(known)}")
    return [DRIVERS[plan.driver](plan, post) for plan in settings.readers if plan.driver in DRIVERS]


def _buses(settings: Settings, post: Post) -> list[Bus]:
    """One bus for all OSDP readers of a line."""
    lines: dict[str, list[ReaderPlan]] = {}
    for plan in settings.readers:
        if plan.driver == "osdp":
            lines.setdefault(str(plan.options.get("path")), []).append(plan)
    if not lines:
        return []
    from osdp_bus import OsdpBus  # its package is needed only where there are OSDP readers

    return [OsdpBus(plans, post) for plans in lines.values()]


def note(message: dict[str, Any]) -> None:
    """One JSON line on the standard error."""
    print(json.dumps(message), file=sys.stderr, flush=True)


def main(path: Path) -> int:
    """Run until a signal; 2 when the configuration cannot be used."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        panel = Panel(read(path))
    except (SettingsError, OSError) as error:
        note({"event": "error", "message": str(error)})
        return 2
    note({"event": "ready", "boot": panel.store.boot, "held": panel.store.count()})
    panel.run(stop)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
