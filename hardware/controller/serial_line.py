"""A serial line without further packages: opened raw at a speed, read without blocking."""

from __future__ import annotations

import contextlib
import os
import select
import termios
import threading
import time
import tty
from collections.abc import Callable

SPEEDS = {speed: getattr(termios, f"B{speed}") for speed in (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)}
REOPEN_S = 1.0  # until a line that has gone (an unplugged USB reader) is tried again


class SerialLine:
    """One line. Reading gives what is there, also nothing; writing waits until all is sent."""

    def __init__(self, path: str, speed: int = 9600) -> None:
        if speed not in SPEEDS:
            raise ValueError(f"{speed} baud is none of {', '.join(map(str, SPEEDS))}")
        self._fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self._fd)
        settings = termios.tcgetattr(self._fd)
        settings[4] = settings[5] = SPEEDS[speed]
        settings[2] |= termios.CLOCAL | termios.CREAD
        termios.tcsetattr(self._fd, termios.TCSANOW, settings)

    def read(self, most: int = 4096, wait: float = 0.0) -> bytes:
        """What has come, after at most `wait` seconds; maybe nothing. Raises OSError when the line has gone."""
        if not select.select([self._fd], [], [], wait)[0]:
            return b""
        try:
            data = os.read(self._fd, most)
        except BlockingIOError:
            return b""
        if not data:
            raise OSError("the line was closed")
        return data

    def write(self, data: bytes) -> int:
        """Send all of it; how much that was. Raises OSError when the line has gone."""
        sent = 0
        while sent < len(data):
            select.select([], [self._fd], [], 1.0)
            with contextlib.suppress(BlockingIOError):
                sent += os.write(self._fd, data[sent:])
        return sent

    def flush(self) -> None:
        """Throw away what came and was not read."""
        termios.tcflush(self._fd, termios.TCIFLUSH)

    def close(self) -> None:
        """Close the line."""
        os.close(self._fd)


def follow_lines(path: str, speed: int, take: Callable[[bytes], None], stopped: threading.Event, longest: int) -> None:
    """Hand each text line of a serial device to `take`, and open it again when it goes (a thread's body).

    Lines end with CR or LF. What is longer than `longest` bytes is no line of such a device and is dropped.
    """
    while not stopped.is_set():
        try:
            line = SerialLine(path, speed)
        except OSError:
            stopped.wait(REOPEN_S)
            continue
        with contextlib.suppress(OSError):
            _follow(line, take, stopped, longest)
        line.close()


def _follow(line: SerialLine, take: Callable[[bytes], None], stopped: threading.Event, longest: int) -> None:
    waiting, too_long, last = b"", False, time.monotonic()
    while not stopped.is_set():
        data = line.read(wait=0.2)
        now = time.monotonic()
        if waiting and now - last > 2.0:
            waiting = b""  # half a line that never went on is noise
        if data:
            last = now
        *whole, waiting = (waiting + data).replace(b"\r", b"\n").split(b"\n")
        for one in whole:
            if one and not too_long:
                take(one)
            too_long = False
        if len(waiting) > longest:
            waiting, too_long = b"", True
