"""A number that a program can read back out of a decoded picture.

The strip runs along the lower edge over the full width: 64 cells, each as wide as 1/64 of the picture and as
high as wide. Cells 0-3 and 60-63 are fixed marks, 4-51 carry 48 bits (most significant first), 52-59 a CRC-8.
Test cameras write the frame's index, room cameras the wall clock in milliseconds since 1970. The check byte
makes "no number here" (a black, covered or torn picture) different from the number zero.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

CELLS = 64
VALUE_BITS = 48
HEAD = (1, 0, 1, 0)
TAIL = (0, 1, 0, 1)
DARK, LIGHT = 24, 228


def crc8(data: bytes) -> int:
    """CRC-8 with the polynomial 0x07 (ITU-T I.432.1), as an integer of 0 to 255."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1) ^ 0x07 if crc & 0x80 else crc << 1
        crc &= 0xFF
    return crc


def cells_of(number: int) -> NDArray[np.bool_]:
    """The 64 cells for `number` (0 to 2**48 - 1), true = light. Raises OverflowError outside that range."""
    body = number.to_bytes(VALUE_BITS // 8, "big")
    body += bytes((crc8(body),))
    bits = np.unpackbits(np.frombuffer(body, np.uint8))
    return np.concatenate((HEAD, bits, TAIL)).astype(bool)


def strip_height(width: int) -> int:
    """Height of the strip in pixels for a picture of `width` pixels."""
    return max(4, width // CELLS)


def write_number(picture: Picture, number: int) -> None:
    """Draw `number` into the lower edge of a grey (h, w) or colour (h, w, 3) picture, in place."""
    height, width = picture.shape[:2]
    row = np.where(cells_of(number), LIGHT, DARK).astype(np.uint8)
    row = row[np.arange(width) * CELLS // width]
    strip = picture[height - strip_height(width) :]
    strip[...] = row if picture.ndim == 2 else row[:, None]


def read_frame_number(picture: Picture) -> int | None:
    """The number burnt into a decoded grey or colour picture of any size, or None when none can be read.

    Each cell's middle half is averaged and compared with the middle between the darkest and the lightest mark.
    """
    height, width = picture.shape[:2]
    grey = picture if picture.ndim == 2 else picture.mean(axis=2)
    strip = strip_height(width)
    band = grey[height - 3 * strip // 4 : height - strip // 4].mean(axis=0)
    edges = np.arange(CELLS) * width / CELLS
    starts, stops = (edges + width / CELLS / 4).astype(int), (edges + width / CELLS * 3 / 4).astype(int)
    levels = np.array([band[a : max(b, a + 1)].mean() for a, b in zip(starts, stops, strict=True)])
    return _number_of(levels)


def read_clock(picture: Picture) -> float | None:
    """The wall clock burnt into a room camera's picture, in seconds since 1970 (exact to 1 ms), or None."""
    number = read_frame_number(picture)
    return None if number is None else number / 1000


def _number_of(levels: NDArray[np.float64]) -> int | None:
    marks = np.concatenate((levels[: len(HEAD)], levels[-len(TAIL) :]))
    want = np.array(HEAD + TAIL, bool)
    low, high = marks[~want].max(), marks[want].min()
    if high - low < 40:  # no contrast between the fixed marks: not our strip
        return None
    bits = levels > (low + high) / 2
    body = np.packbits(bits[len(HEAD) : -len(TAIL)]).tobytes()
    return int.from_bytes(body[:-1], "big") if crc8(body[:-1]) == body[-1] else None
