"""Locks and contacts: relays that release a door, and the lines that tell what a door does.

A relay is one class with `set(released)`; `RELAYS` names them. Released means that the door can be opened; whether that
is a closed or an open relay depends on the lock (fail-secure or fail-safe) and is a setting of the door.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from readers import Post
from serial_line import SerialLine
from settings import Settings, SettingsError

POLL_S = 0.05


class Relay(Protocol):
    """One lock."""

    def set(self, released: bool) -> None: ...


class FileRelay:
    """A lock behind a file that takes 0 or 1, such as a GPIO line's `value`. Options: path, inverted."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._path, self._inverted = Path(str(options["path"])), bool(options.get("inverted", False))

    def set(self, released: bool) -> None:
        """Write the level."""
        self._path.write_text("1" if released != self._inverted else "0", "ascii")


class SerialRelay:
    """A channel of a common USB relay board (LCUS: A0, channel, state, sum). Options: path, channel, inverted."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._line = SerialLine(str(options["path"]), int(options.get("baud", 9600)))
        self._channel, self._inverted = int(options.get("channel", 1)), bool(options.get("inverted", False))

    def set(self, released: bool) -> None:
        """Send the board's four bytes."""
        state = int(released != self._inverted)
        frame = (0xA0, self._channel, state, (0xA0 + self._channel + state) & 0xFF)
        self._line.write(bytes(frame))


class OutputRelay:
    """An output of a reader on the OSDP line. Options: reader, output, inverted."""

    def __init__(self, options: dict[str, Any], output: Callable[[str, int, bool], None]) -> None:
        self._reader, self._number = str(options["reader"]), int(options.get("output", 0))
        self._inverted, self._output = bool(options.get("inverted", False)), output

    def set(self, released: bool) -> None:
        """Switch the output."""
        self._output(self._reader, self._number, released != self._inverted)


class RelayBoard:
    """The locks of all doors. A relay that fails is told, and does not stop the others."""

    def __init__(self, settings: Settings, output: Callable[[str, int, bool], None]) -> None:
        self._relays = {door.id: _relay(door.id, door.relay, output) for door in settings.doors if door.relay}
        self.post: Post | None = None

    def set(self, door: str, released: bool) -> None:
        """Release or lock a door."""
        relay = self._relays.get(door)
        if relay is None:
            return
        try:
            relay.set(released)
        except OSError as error:
            if self.post is not None:
                self.post.device("otherEvent", f"the relay of {door} failed: {error.strerror or error}")


def _relay(door: str, options: dict[str, Any], output: Callable[[str, int, bool], None]) -> Relay:
    driver = str(options.get("driver"))
    if driver == "osdp":
        return OutputRelay(options, output)
    if driver not in RELAYS:
        raise SettingsError(
            f"door {door}: there is no relay driver {driver!r}; known are {', '.join((*RELAYS, 'osdp'))}"
        )
    return RELAYS[driver](options)


RELAYS: dict[str, Callable[[dict[str, Any]], Relay]] = {"file": FileRelay, "serial": SerialRelay}


class Inputs:
    """Contacts and exit buttons behind files that hold 0 or 1 (GPIO lines), looked at twenty times a second.

    Each input: {"door", "kind": contact | exit, "path", "inverted"}.
    """

    def __init__(self, settings: Settings, contact: Callable[[str, bool], None], button: Callable[[str], None]) -> None:
        self._inputs, self._contact, self._button = settings.inputs, contact, button
        self._levels: dict[int, bool] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="inputs", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Stop looking."""
        self._stopped.set()
        self._thread.join(2)

    def _watch(self) -> None:
        while not self._stopped.wait(POLL_S):
            for number, one in enumerate(self._inputs):
                self._look(number, one)

    def _look(self, number: int, one: dict[str, Any]) -> None:
        try:
            level = Path(str(one["path"])).read_text("ascii").strip() == "1"
        except (OSError, ValueError):
            return  # a line that cannot be read tells nothing
        active = level != bool(one.get("inverted", False))
        if self._levels.get(number) == active:
            return
        before, self._levels[number] = self._levels.get(number), active
        if one.get("kind") == "contact":
            self._contact(str(one["door"]), active)
        elif active and before is not None:
            self._button(str(one["door"]))
