"""Readers, relays and contacts on lines that are real to the operating system: pseudo terminals and files."""

from __future__ import annotations

import os
import termios
import threading
import tty
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from contract import Credential
from readers import LineReader, QrReader, WiegandReader
from relays import FileRelay, Inputs, RelayBoard, SerialRelay
from serial_line import SerialLine
from settings import ReaderPlan, SettingsError, read

from tests.hardware.controller.kit import device_json, wait_for


class Heard:
    """Takes what drivers post."""

    def __init__(self) -> None:
        self.reads: list[tuple[str, Credential]] = []
        self.errors: list[tuple[str, str]] = []
        self.contacts: list[tuple[str, bool]] = []
        self.told: list[tuple[str, str]] = []

    def read(self, reader: str, credential: Credential) -> None:
        self.reads.append((reader, credential))

    def read_error(self, reader: str, why: str) -> None:
        self.errors.append((reader, why))

    def contact(self, door: str, opened: bool) -> None:
        self.contacts.append((door, opened))

    def device(self, reason: str, detail: str) -> None:
        self.told.append((reason, detail))


class Wire:
    """Two ends of a serial line: a file descriptor for the test, a path for the controller."""

    def __init__(self) -> None:
        self.end, self._other = os.openpty()
        tty.setraw(self.end)
        tty.setraw(self._other)
        os.set_blocking(self.end, False)
        self.path = os.ttyname(self._other)

    def opened(self) -> bool:
        """Whether somebody has opened and set the other end: what comes before that is thrown away."""
        return termios.tcgetattr(self._other)[4] == termios.B9600

    def send(self, data: bytes) -> None:
        os.write(self.end, data)

    def got(self) -> bytes:
        try:
            return os.read(self.end, 4096)
        except BlockingIOError:
            return b""

    def close(self) -> None:
        for one in (self.end, self._other):
            os.close(one)


@pytest.fixture
def wire() -> Iterator[Wire]:
    found = Wire()
    yield found
    found.close()


@pytest.fixture
def reader(wire: Wire) -> Iterator[Callable[..., tuple[Heard, Wire]]]:
    running: list[LineReader] = []

    def begin(kind: type[LineReader], **options: Any) -> tuple[Heard, Wire]:
        heard = Heard()
        plan = ReaderPlan("r1", "d1", "in", options={"path": wire.path} | options)
        running.append(kind(plan, heard))
        running[-1].start()
        wait_for(wire.opened, "the line to be opened")
        return heard, wire

    yield begin
    for one in running:
        one.stop()


def test_a_wiegand_line_is_a_card(reader: Callable[..., tuple[Heard, Wire]]) -> None:
    heard, wire = reader(WiegandReader)
    wire.send(b"26:32721040\r\n26:3672")
    wire.send(b"1040\n")
    wait_for(lambda: heard.reads and heard.errors, "a card and an error")
    assert heard.reads == [("r1", Credential("card", "100:58400", "wiegand26", 26))]
    assert heard.errors == [("r1", "parity bit 0 is wrong")]
    for bad in (b"26:3\n", b"99:32721040\n", b"hello\n", b"0:32721040\n", b"\xff\xfe\n"):
        wire.send(bad)
    wait_for(lambda: len(heard.errors) == 6, "five more errors")


def test_a_qr_line_is_a_pass_in_normal_form(reader: Callable[..., tuple[Heard, Wire]]) -> None:
    heard, wire = reader(QrReader)
    wire.send(b"  bpXcDfgH\r\n\r\nBPXCDFGJ\n")
    wait_for(lambda: len(heard.reads) == 2, "two codes")
    assert [one.number for _, one in heard.reads] == ["BPXCDFGH", "BPXCDFGJ"]
    wire.send(b"a b\n" + b"X" * 5000 + b"\nBPLAST\n")
    wait_for(lambda: len(heard.reads) == 3, "the code after too long a line")
    assert heard.errors == [("r1", "not a code")]


def test_a_reader_that_is_unplugged_is_opened_again(tmp_path: Path) -> None:
    first, second, heard = Wire(), Wire(), Heard()
    name = tmp_path / "scanner"
    name.symlink_to(first.path)
    driver = QrReader(ReaderPlan("r1", "d1", "in", options={"path": str(name)}), heard)
    driver.start()
    wait_for(first.opened, "the line to be opened")
    first.send(b"BPONE\n")
    wait_for(lambda: len(heard.reads) == 1, "the first code")
    first.close()
    name.unlink()
    name.symlink_to(second.path)
    wait_for(lambda: second.send(b"BPTWO\n") or len(heard.reads) > 1, "a code after it was plugged in again")
    driver.stop()
    second.close()


def test_a_driver_without_its_settings_says_so(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="r1 needs a path"):
        QrReader(ReaderPlan("r1", "d1", "in"), Heard())
    with pytest.raises(ValueError, match="baud"):
        SerialLine("/dev/null", 1234)
    doors = [{"id": "d1", "readers": [], "relay": {"driver": "magic"}}]
    with pytest.raises(SettingsError, match="no relay driver 'magic'"):
        RelayBoard(read(device_json(tmp_path, 1, doors=doors)), lambda *_: None)


def test_relays(tmp_path: Path, wire: Wire) -> None:
    line = tmp_path / "value"
    for inverted, levels in ((False, ("1", "0")), (True, ("0", "1"))):
        relay = FileRelay({"path": str(line), "inverted": inverted})
        for released, level in zip((True, False), levels, strict=True):
            relay.set(released)
            assert line.read_text() == level
    board = SerialRelay({"path": wire.path, "channel": 2})
    board.set(True)
    board.set(False)
    assert wait_for(wire.got, "the board's bytes") == bytes.fromhex("a00201a3 a00200a2")


def test_a_relay_that_fails_is_told_and_the_others_go_on(tmp_path: Path) -> None:
    good = tmp_path / "good"
    relays = {"d1": tmp_path / "no" / "such", "d2": good}
    doors = [{"id": door, "relay": {"driver": "file", "path": str(path)}} for door, path in relays.items()]
    board, heard = RelayBoard(read(device_json(tmp_path, 1, doors=doors)), lambda *_: None), Heard()
    board.post = heard
    for door in ("d1", "d2", "d3"):
        board.set(door, True)
    assert good.read_text() == "1"
    assert heard.told == [("otherEvent", "the relay of d1 failed: No such file or directory")]


def test_outputs_of_readers_are_relays_too(tmp_path: Path) -> None:
    done: list[tuple[str, int, bool]] = []
    doors = [{"id": "d1", "relay": {"driver": "osdp", "reader": "r1", "output": 1, "inverted": True}}]
    board = RelayBoard(read(device_json(tmp_path, 1, doors=doors)), lambda *what: done.append(what))
    board.set("d1", True)
    assert done == [("r1", 1, False)]


def test_contacts_and_exit_buttons(tmp_path: Path) -> None:
    contact, button, happened = tmp_path / "contact", tmp_path / "button", threading.Event()
    contact.write_text("0\n")
    button.write_text("1")
    seen: list[tuple[str, bool]] = []
    inputs = [
        {"door": "d1", "kind": "contact", "path": str(contact)},
        {"door": "d1", "kind": "exit", "path": str(button), "inverted": True},
        {"door": "d2", "kind": "contact", "path": str(tmp_path / "broken wire")},
    ]
    watch = Inputs(
        read(device_json(tmp_path, 1, inputs=inputs)), lambda *one: seen.append(one), lambda _: happened.set()
    )
    watch.start()
    wait_for(lambda: seen == [("d1", False)], "the contact as it stands")
    contact.write_text("1\n")
    wait_for(lambda: seen == [("d1", False), ("d1", True)], "the door to be open")
    assert not happened.is_set()
    button.write_text("0")
    wait_for(happened.is_set, "the button")
    watch.stop()
