"""A UHPPOTE controller as far as asking it for events needs one: UDP, 64-byte packets, on the loopback."""

from __future__ import annotations

import socket
import struct
import threading
from dataclasses import dataclass, field
from datetime import datetime

SOM, STATUS, EVENT = 0x17, 0x20, 0xB0


@dataclass
class Controller:
    """Answers get-status and get-event; ``events``: index -> (type, granted, door, direction, card, time, reason)."""

    serial: int = 405419896
    events: dict[int, tuple[int, bool, int, int, int, datetime, int]] = field(default_factory=dict)
    silent: bool = False
    missing: set[int] = field(default_factory=set)
    asked: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def swipe(self, at: datetime, card: int = 2110400, granted: bool = True, door: int = 1) -> None:
        """One more event."""
        self.events[max(self.events, default=0) + 1] = (
            2 if granted else 1,
            granted,
            door,
            1,
            card,
            at,
            1 if granted else 6,
        )

    def close(self) -> None:
        """Answer no more."""
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                packet, sender = self._socket.recvfrom(64)
            except OSError:
                return
            if not self.silent and len(packet) == 64 and packet[0] == SOM:
                self._socket.sendto(self._answer(packet), sender)

    def _answer(self, packet: bytes) -> bytes:
        answer = bytearray(64)
        answer[0], answer[1] = SOM, packet[1]
        struct.pack_into("<I", answer, 4, self.serial)
        if packet[1] == STATUS:
            last = max(self.events, default=0)
            if last:
                self._put(answer, last)
            now = datetime.now()  # noqa: DTZ005 -- a controller has no zone
            answer[51:54] = _bcd(now.strftime("%y%m%d"))
            answer[37:40] = _bcd(now.strftime("%H%M%S"))
        if packet[1] == EVENT:
            (index,) = struct.unpack_from("<I", packet, 8)
            self.asked.append(index)
            if index in self.events and index not in self.missing:
                self._put(answer, index)
        return bytes(answer)

    def _put(self, answer: bytearray, index: int) -> None:
        kind, granted, door, direction, card, at, reason = self.events[index]
        struct.pack_into("<IBBBBI", answer, 8, index, kind, granted, door, direction, card)
        answer[20:27] = _bcd(at.strftime("%Y%m%d%H%M%S"))
        answer[27] = reason


def _bcd(digits: str) -> bytes:
    return bytes.fromhex(digits)
