"""Wiegand frames by table: 26, 34 and 37 bits, from bits, packed bytes or bare data.

Layouts from the manufacturers' public sheets (H10301, H10302, H10304; the 34-bit layout
is not one format: Civintec's has 32 data bits, another names 16 site and 16 card bits).
Bits count from 0 at the first one sent. A 26-bit number is not an identity: facility and
card together have 16.7 million values that anybody may order, so it is only a reference.
"""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from bposite.doors.wire.strict import MalformedError

MAX_BITS = 512


class Parity(Struct, frozen=True):
    """A parity bit over the bits ``first`` to ``last`` (inclusive, itself among them)."""

    kind: Literal["even", "odd"]
    bit: int
    first: int
    last: int


class Layout(Struct, frozen=True):
    """One format. ``facility`` and ``number`` are (first bit, length); facility may be absent."""

    name: str
    format: str
    bits: int
    number: tuple[int, int]
    facility: tuple[int, int] | None
    parity: tuple[Parity, ...]


LAYOUTS: Mapping[str, Layout] = {
    layout.name: layout
    for layout in (
        Layout("H10301", "wiegand26", 26, (9, 16), (1, 8), (Parity("even", 0, 0, 12), Parity("odd", 25, 13, 25))),
        Layout("generic-34", "wiegand34", 34, (1, 32), None, (Parity("even", 0, 0, 16), Parity("odd", 33, 17, 33))),
        Layout("H10306", "wiegand34", 34, (17, 16), (1, 16), (Parity("even", 0, 0, 16), Parity("odd", 33, 17, 33))),
        Layout("H10304", "wiegand37", 37, (17, 19), (1, 16), (Parity("even", 0, 0, 18), Parity("odd", 36, 18, 36))),
        Layout("H10302", "wiegand37", 37, (1, 35), None, (Parity("even", 0, 0, 18), Parity("odd", 36, 18, 36))),
    )
}
DEFAULT: Mapping[int, Layout] = {26: LAYOUTS["H10301"], 34: LAYOUTS["generic-34"], 37: LAYOUTS["H10304"]}
"""The layout meant by a bare number of bits."""


class Read(Struct, frozen=True):
    """What a reader read. ``number`` is the text that identifies the card in a credential list:
    ``facility:card`` for 26 bits, ``w34:...``, ``w37:...``, ``raw40:hex`` for the others."""

    format: str
    bits: int
    number: str
    parity_ok: bool | None
    facility: int | None = None
    card: int | None = None


def parse(frame: str, layout: Layout | None = None) -> Read:
    """A frame given as a text of 0 and 1, parity bits included."""
    if not 1 <= len(frame) <= MAX_BITS or frame.strip("01"):
        raise MalformedError("bad-value", "not a frame of bits")
    layout = layout or DEFAULT.get(len(frame))
    if layout is None:
        digits = -(-len(frame) // 4)
        return Read(f"raw{len(frame)}", len(frame), f"raw{len(frame)}:{int(frame, 2):0{digits}X}", None)
    if len(frame) != layout.bits:
        raise MalformedError("bad-value", f"{layout.name} has {layout.bits} bits")
    facility = None if layout.facility is None else _cut(frame, layout.facility)
    card = _cut(frame, layout.number)
    parity_ok = all(_parity_bit(frame, rule) == frame[rule.bit] for rule in layout.parity)
    return Read(layout.format, layout.bits, name(layout.format, facility, card), parity_ok, facility, card)


def packed(data: bytes, bits: int, layout: Layout | None = None) -> Read:
    """A frame packed into bytes, first bit in the highest place (OSDP raw card data)."""
    if not 1 <= bits <= min(MAX_BITS, len(data) * 8):
        raise MalformedError("bad-value", "more bits than data")
    return parse(f"{int.from_bytes(data):0{len(data) * 8}b}"[:bits], layout)


def from_data(value: int, bits: int) -> Read:
    """The data bits alone, as readers send them that check parity and cut it off."""
    layout = DEFAULT.get(bits)
    if layout is None or not 0 <= value < 1 << (bits - 2):
        return Read(f"raw{bits}", bits, str(value), None)
    read = parse(f"0{value:0{bits - 2}b}0", layout)
    return Read(read.format, bits, read.number, None, read.facility, read.card)


def encode(layout: Layout, card: int, facility: int = 0) -> str:
    """The frame of a card, with its parity bits; the inverse of ``parse``."""
    bits = ["0"] * layout.bits
    _paste(bits, layout.number, card)
    if layout.facility is not None:
        _paste(bits, layout.facility, facility)
    for rule in layout.parity:
        bits[rule.bit] = _parity_bit("".join(bits), rule)
    return "".join(bits)


def name(format_: str, facility: int | None, card: int) -> str:
    """The text that identifies a card of a format in a credential list."""
    number = str(card) if facility is None else f"{facility}:{card}"
    return number if format_ == "wiegand26" else f"{format_.replace('wiegand', 'w')}:{number}"


def _cut(frame: str, place: tuple[int, int]) -> int:
    return int(frame[place[0] : place[0] + place[1]], 2)


def _paste(bits: list[str], place: tuple[int, int], value: int) -> None:
    if not 0 <= value < 1 << place[1]:
        raise ValueError(f"{value} does not fit into {place[1]} bits")
    bits[place[0] : place[0] + place[1]] = f"{value:0{place[1]}b}"


def _parity_bit(frame: str, rule: Parity) -> str:
    """What the parity bit has to be, from the other bits that it covers."""
    ones = frame[rule.first : rule.last + 1].count("1") - int(frame[rule.bit])
    return str(ones % 2 if rule.kind == "even" else 1 - ones % 2)
