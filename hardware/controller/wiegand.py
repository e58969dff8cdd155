"""Wiegand frames by table: what the bits of a card mean, and whether the parity holds.

Layouts from the manufacturers' public sheets (H10301, H10304 and H10302; 34 bits are not one format, here they are
32 data bits as in Civintec's manual). Bits count from 0, the first one sent. The number of a card is the text that the
site's credential list holds: `facility:card` for 26 bits, `w34:...`, `w37:facility:card`, else `raw40:HEX`.
"""

from __future__ import annotations

from dataclasses import dataclass

LONGEST = 512


@dataclass(frozen=True, slots=True)
class Layout:
    """One format: where facility (may be absent) and card are, and the parity bits: (bit, odd, first, last)."""

    format: str
    bits: int
    card: tuple[int, int]
    facility: tuple[int, int] | None
    parity: tuple[tuple[int, bool, int, int], ...]


H10301 = Layout("wiegand26", 26, (9, 25), (1, 9), ((0, False, 0, 12), (25, True, 13, 25)))
GENERIC_34 = Layout("wiegand34", 34, (1, 33), None, ((0, False, 0, 16), (33, True, 17, 33)))
# even parity over bits 0-18, odd over 18-36: both cover the middle bit
H10304 = Layout("wiegand37", 37, (17, 36), (1, 17), ((0, False, 0, 18), (36, True, 18, 36)))
H10302 = Layout("wiegand37", 37, (1, 36), None, ((0, False, 0, 18), (36, True, 18, 36)))

LAYOUTS: dict[str, Layout] = {"H10301": H10301, "generic-34": GENERIC_34, "H10304": H10304, "H10302": H10302}
DEFAULT: dict[int, Layout] = {26: H10301, 34: GENERIC_34, 37: H10304}


class FrameError(ValueError):
    """Bits that are no readable frame; the message says why, without the bits."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What a reader read: the number as the credential list holds it."""

    format: str
    bits: int
    number: str
    facility: int | None = None
    card: int | None = None

    def __repr__(self) -> str:
        return f"Frame({self.format}, ***)"  # numbers do not belong into logs


def parse(frame: str, layout: Layout | None = None) -> Frame:
    """A frame given as a text of 0 and 1 with its parity bits. Raises FrameError for other text and wrong parity."""
    if not 1 <= len(frame) <= LONGEST or frame.strip("01"):
        raise FrameError("not a frame of bits")
    layout = layout or DEFAULT.get(len(frame))
    if layout is None:
        width = -(-len(frame) // 4)
        return Frame(f"raw{len(frame)}", len(frame), f"raw{len(frame)}:{int(frame, 2):0{width}X}")
    if len(frame) != layout.bits:
        raise FrameError(f"{layout.format} has {layout.bits} bits")
    for bit, odd, first, last in layout.parity:
        if frame[first : last + 1].count("1") % 2 != int(odd):
            raise FrameError(f"parity bit {bit} is wrong")
    card = int(frame[slice(*layout.card)], 2)
    facility = int(frame[slice(*layout.facility)], 2) if layout.facility else None
    number = str(card) if facility is None else f"{facility}:{card}"
    prefix = "" if layout is H10301 else f"w{layout.bits}:"
    return Frame(layout.format, layout.bits, prefix + number, facility, card)


def packed(data: bytes, bits: int, layout: Layout | None = None) -> Frame:
    """A frame packed into bytes, the first bit in the highest place (OSDP raw card data). Raises FrameError."""
    if not 1 <= bits <= min(LONGEST, len(data) * 8):
        raise FrameError("more bits than data")
    return parse(f"{int.from_bytes(data, 'big'):0{len(data) * 8}b}"[:bits], layout)
