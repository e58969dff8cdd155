"""OSDP over a pseudo terminal with a real peripheral device, secure channel included."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from contract import Credential
from settings import ReaderPlan, SettingsError

from tests.hardware.controller.kit import wait_for
from tests.hardware.controller.test_controller_wires import Heard, Wire

osdp = pytest.importorskip("osdp", reason="libosdp is not installed: OSDP readers cannot be tested")

from osdp_bus import OsdpBus  # noqa: E402

KEY = bytes(range(16))
CAPABILITIES = [
    (getattr(osdp.Capability, name), 1, 2)
    for name in ("OutputControl", "LEDControl", "AudibleControl", "ContactStatusMonitoring")
]


class Reader:
    """A reader: libosdp's peripheral device on the far end of the line."""

    def __init__(self, wire: Wire, address: int, key: bytes = KEY) -> None:
        class Channel(osdp.Channel):  # type: ignore[misc, name-defined]
            def read(self, max_bytes: int) -> bytes:
                try:
                    return os.read(wire.end, max_bytes)
                except BlockingIOError:
                    return b""

            def write(self, buf: bytes) -> int:
                return os.write(wire.end, buf)

            def flush(self) -> None:
                pass

        self.commands: list[dict[str, Any]] = []
        info = osdp.PDInfo(address, Channel(), scbk=key, flags=[osdp.LibFlag.EnforceSecure])
        self.device = osdp.PeripheralDevice(
            info, osdp.PDCapabilities(CAPABILITIES), osdp.LogLevel.Critical, command_handler=self._command
        )
        self.device.start()

    def _command(self, command: dict[str, Any]) -> tuple[int, None]:
        self.commands.append(command)
        return 0, None

    def card(self, bits: int, data: bytes, form: int) -> None:
        about = {"reader_no": 0, "direction": 0, "format": form, "length": bits, "data": data}
        self.device.submit_event({"event": osdp.Event.CardRead, **about})

    def input(self, *levels: int) -> None:
        report = {"type": osdp.StatusReportType.Input, "report": bytes(levels), "nr_entries": len(levels)}
        self.device.submit_event({"event": osdp.Event.Status, **report})


@pytest.fixture
def wire() -> Iterator[Wire]:
    found = Wire()
    yield found
    found.close()


def _plan(wire: Wire, **options: Any) -> ReaderPlan:
    about = {"path": wire.path, "address": 5, "scbk": KEY.hex(), "contact_input": 0} | options
    return ReaderPlan("r1", "d1", "in", driver="osdp", options=about)


def test_cards_lamps_contacts_and_a_reader_that_comes_back(wire: Wire) -> None:
    reader, heard = Reader(wire, 5), Heard()
    bus = OsdpBus([_plan(wire)], heard)
    bus.start()
    try:
        wait_for(lambda: bus.online() == ["r1"], "the secure channel")
        reader.card(26, bytes.fromhex("32721040"), osdp.CardFormat.Wiegand)
        reader.card(26, bytes.fromhex("36721040"), osdp.CardFormat.Unspecified)
        wait_for(lambda: heard.reads and heard.errors, "a card, and one with wrong parity")
        assert heard.reads == [("r1", Credential("card", "100:58400", "wiegand26", 26))]
        reader.input(1, 0)
        wait_for(lambda: heard.contacts == [("d1", True)], "the open door")
        bus.show("r1", granted=False)
        bus.output("r1", 1, on=True)
        wait_for(lambda: len(reader.commands) == 3, "lamp, buzzer and output")
        lamp, beep, output = reader.commands
        assert (lamp["command"], lamp["on_color"]) == (osdp.Command.LED, osdp.CommandLEDColor.Red)
        assert (beep["command"], beep["rep_count"]) == (osdp.Command.Buzzer, 3)
        assert (output["output_no"], output["control_code"]) == (1, 2)
        reader.device.stop()
        wait_for(lambda: heard.told == [("device-offline", "reader r1 does not answer")], "its silence", 30)
        reader.device.start()
        wait_for(lambda: len(heard.told) == 2, "it to come back soon", 6)
    finally:
        bus.stop()
        reader.device.stop()


def test_a_reader_with_another_key_is_not_believed(wire: Wire) -> None:
    reader, heard = Reader(wire, 5, key=bytes(16)[:-1] + b"x"), Heard()
    bus = OsdpBus([_plan(wire)], heard)
    bus.start()
    try:
        wait_for(lambda: heard.told, "the alarm", 15)
        reader.card(26, bytes.fromhex("32721040"), osdp.CardFormat.Wiegand)
        assert bus.online() == []
        assert heard.reads == []
    finally:
        bus.stop()
        reader.device.stop()


def test_addresses_and_keys_are_checked(wire: Wire) -> None:
    with pytest.raises(SettingsError, match="same address"):
        OsdpBus([_plan(wire), _plan(wire)], Heard())
    with pytest.raises(SettingsError, match="32 hexadecimal"):
        OsdpBus([_plan(wire, scbk="00")], Heard())
