"""OSDP readers on an RS-485 line, by the package libosdp: secure channel, lamp and buzzer, inputs and outputs.

A reader that went silent is left alone by the library for up to five minutes; switching it off and on in the library
brings it back within a second, so that is done after a moment of silence. Cards come as raw bits and are read by our
own Wiegand table; what is typed on a keypad is not taken: a PIN has no place in any message.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Sequence
from typing import Any

import osdp  # type: ignore[import-untyped]
import wiegand
from contract import Credential
from readers import Post
from serial_line import SerialLine
from settings import ReaderPlan, SettingsError

LOOK_S = 0.1
KICK_AFTER_S, KICK_EVERY_S = 2.0, 1.0
SHOW_TIME = 15  # units of 100 ms
OUTPUT_ON, OUTPUT_OFF = 2, 1  # permanent states, timed operations aborted (SIA OSDP 2.2, table 15)
CARD, STATUS, INPUT_STATUS = osdp.Event.CardRead, osdp.Event.Status, osdp.StatusReportType.Input


class _Channel(osdp.Channel):  # type: ignore[misc]
    """The serial line as the library wants it; a line that has gone is silence."""

    def __init__(self, line: SerialLine) -> None:
        super().__init__()
        self._line = line

    def read(self, max_bytes: int) -> bytes:
        with contextlib.suppress(OSError):
            return self._line.read(max_bytes)
        return b""

    def write(self, buf: bytes) -> int:
        with contextlib.suppress(OSError):
            return self._line.write(bytes(buf))
        return 0

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            self._line.flush()


class OsdpBus:
    """All readers on one line. Options: path, baud, address, scbk (key of the secure channel, 32 hexadecimal digits;
    without it the line is in the clear), layout, contact_input (an input of the reader that is the door's contact)."""

    def __init__(self, plans: Sequence[ReaderPlan], post: Post) -> None:
        self._plans = {int(plan.options["address"]): plan for plan in plans}
        if len(self._plans) != len(plans):
            raise SettingsError("two OSDP readers on one line have the same address")
        self._post = post
        first = plans[0].options
        self._line = SerialLine(str(first["path"]), int(first.get("baud", 9600)))
        channel = _Channel(self._line)
        infos = [self._info(address, plan, channel) for address, plan in self._plans.items()]
        self._panel = osdp.ControlPanel(infos, log_level=osdp.LogLevel.Critical, event_handler=self._event)
        self._stopped = threading.Event()
        self._silent: dict[int, float] = {}
        self._told: set[int] = set()
        self._inputs: dict[int, bool] = {}
        self._thread = threading.Thread(target=self._watch, name="osdp", daemon=True)

    @staticmethod
    def _info(address: int, plan: ReaderPlan, channel: _Channel) -> Any:
        key = bytes.fromhex(str(plan.options.get("scbk", "")))
        if key and len(key) != 16:
            raise SettingsError(f"reader {plan.id}: scbk is 32 hexadecimal digits")
        flags = [osdp.LibFlag.EnforceSecure] if key else []
        return osdp.PDInfo(address, channel, scbk=key or None, flags=flags, name=plan.id)

    def start(self) -> None:
        """Begin to poll the readers."""
        self._panel.start()
        self._thread.start()

    def stop(self) -> None:
        """Stop polling and close the line."""
        self._stopped.set()
        self._thread.join(3)
        self._panel.stop()
        self._line.close()

    def online(self) -> list[str]:
        """The readers that answer."""
        return [plan.id for address, plan in self._plans.items() if self._panel.is_online(address)]

    def show(self, reader: str, granted: bool) -> None:
        """Green or red for a moment, one beep or three."""
        address = next((one for one, plan in self._plans.items() if plan.id == reader), None)
        if address is None:
            return
        colour = osdp.CommandLEDColor.Green if granted else osdp.CommandLEDColor.Red
        lamp = {"control_code": 2, "on_count": SHOW_TIME, "off_count": 0, "on_color": colour, "off_color": 0}
        led = {"reader": 0, "led_number": 0, "temporary": True, "timer_count": SHOW_TIME, **lamp}
        beep = {"reader": 0, "control_code": 2, "on_count": 1, "off_count": 1, "rep_count": 1 if granted else 3}
        self._command(address, {"command": osdp.Command.LED, **led})
        self._command(address, {"command": osdp.Command.Buzzer, **beep})

    def output(self, reader: str, number: int, on: bool) -> None:
        """Switch an output of a reader on this line: a lock may be wired to it."""
        address = next((one for one, plan in self._plans.items() if plan.id == reader), None)
        if address is None:
            return
        code = OUTPUT_ON if on else OUTPUT_OFF
        order = {"command": osdp.Command.Output, "output_no": number, "control_code": code, "timer_count": 0}
        self._command(address, order)

    def _command(self, address: int, command: dict[str, Any]) -> None:
        if self._panel.is_online(address):
            self._panel.submit_command(address, command)

    def _event(self, number: int, event: dict[str, Any]) -> int:
        """Something from a reader (the library's thread)."""
        plan = list(self._plans.values())[number]
        if event["event"] == CARD:
            self._card(plan, event)
        elif event["event"] == STATUS and event.get("type") == INPUT_STATUS:
            self._input(number, plan, bytes(event.get("report", b"")))
        return 0

    def _card(self, plan: ReaderPlan, event: dict[str, Any]) -> None:
        data = bytes(event["data"])
        if event.get("format") == osdp.CardFormat.ASCII:
            text = data.decode("ascii", "replace").strip().upper()
            return self._post.read(plan.id, Credential("qr", text, "text"))
        layout = wiegand.LAYOUTS.get(str(plan.options.get("layout", "")))
        try:
            frame = wiegand.packed(data, int(event["length"]), layout)
        except wiegand.FrameError as error:
            return self._post.read_error(plan.id, str(error))
        return self._post.read(plan.id, Credential("card", frame.number, frame.format, frame.bits))

    def _input(self, number: int, plan: ReaderPlan, report: bytes) -> None:
        wanted = plan.options.get("contact_input")
        if wanted is None or int(wanted) >= len(report):
            return
        opened = bool(report[int(wanted)])
        if self._inputs.get(number) != opened:
            self._inputs[number] = opened
            self._post.contact(plan.door, opened)

    def _watch(self) -> None:
        """Readers that come and go: told once, and kicked until they are back."""
        while not self._stopped.wait(LOOK_S):
            now = time.monotonic()
            for address, plan in self._plans.items():
                if self._panel.is_online(address):
                    self._came(address, plan)
                else:
                    self._missing(address, plan, now)

    def _came(self, address: int, plan: ReaderPlan) -> None:
        self._silent.pop(address, None)
        if address in self._told:
            self._told.discard(address)
            self._post.device("device-online", f"reader {plan.id} answers again")

    def _missing(self, address: int, plan: ReaderPlan, now: float) -> None:
        since = self._silent.setdefault(address, now)
        if now - since < KICK_AFTER_S:
            return
        if address not in self._told:
            self._told.add(address)
            self._post.device("device-offline", f"reader {plan.id} does not answer")
        self._silent[address] = now - KICK_AFTER_S + KICK_EVERY_S
        self._panel.disable_pd(address)
        self._panel.enable_pd(address)
