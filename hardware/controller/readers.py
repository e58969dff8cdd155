"""Readers on serial lines: Wiegand converters and QR scanners. OSDP has a module of its own.

A driver is a class with `start()` and `stop()` that posts what it reads to the controller; adding one is one class and
one line in DRIVERS of door_controller.py.
"""

from __future__ import annotations

import re
import threading
from typing import Protocol

import wiegand
from contract import Credential
from serial_line import follow_lines
from settings import ReaderPlan, SettingsError

LONGEST_LINE = 600
# "26:3272103F40": bits, then the frame packed into bytes, first bit highest, as hexadecimal digits
WIEGAND_LINE = re.compile(rb"([0-9]{1,3}):([0-9A-Fa-f]{2,128})")
QR_TEXT = re.compile(r"[!-~]{1,128}")


class Post(Protocol):
    """Where drivers bring what they read: the controller."""

    def read(self, reader: str, credential: Credential) -> None: ...

    def read_error(self, reader: str, why: str) -> None: ...

    def contact(self, door: str, opened: bool) -> None: ...

    def device(self, reason: str, detail: str) -> None: ...


class Driver(Protocol):
    """Something that reads."""

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def show(self, reader: str, granted: bool) -> None: ...


class Bus(Driver, Protocol):
    """Readers on one line that have outputs too."""

    def output(self, reader: str, number: int, on: bool) -> None: ...


class LineReader:
    """A reader that sends lines of text; subclasses say what a line means. Such readers show nothing."""

    def __init__(self, plan: ReaderPlan, post: Post) -> None:
        self._plan, self._post = plan, post
        if not plan.options.get("path"):
            raise SettingsError(f"reader {plan.id} needs a path")
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=plan.id, daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """Stop reading."""
        self._stopped.set()
        self._thread.join(3)

    def show(self, reader: str, granted: bool) -> None:
        """Nothing: there is no lamp on this kind of reader."""

    def _run(self) -> None:
        path, speed = str(self._plan.options["path"]), int(self._plan.options.get("baud", 9600))
        follow_lines(path, speed, self.line, self._stopped, LONGEST_LINE)

    def line(self, data: bytes) -> None:
        """One line has come."""
        raise NotImplementedError


class WiegandReader(LineReader):
    """A Wiegand reader behind a converter that sends `bits:hex` lines; parity and layout are checked here."""

    def line(self, data: bytes) -> None:
        """A frame: read by the layout of the options, or by its length."""
        found = WIEGAND_LINE.fullmatch(data.strip())
        if found is None:
            return self._post.read_error(self._plan.id, "not a frame")
        layout = wiegand.LAYOUTS.get(str(self._plan.options.get("layout", "")))
        try:
            if len(found[2]) % 2:
                raise wiegand.FrameError("half a byte")
            frame = wiegand.packed(bytes.fromhex(found[2].decode()), int(found[1]), layout)
        except wiegand.FrameError as error:
            return self._post.read_error(self._plan.id, str(error))
        return self._post.read(self._plan.id, Credential("card", frame.number, frame.format, frame.bits))


class QrReader(LineReader):
    """A scanner on USB or RS-232 in serial mode: one line a code."""

    def line(self, data: bytes) -> None:
        """A code, in its normal form: upper case, without blanks at its ends."""
        text = data.decode("ascii", "replace").strip().upper()
        if not QR_TEXT.fullmatch(text):
            return self._post.read_error(self._plan.id, "not a code")
        return self._post.read(self._plan.id, Credential("qr", text, "text"))
