"""Wiegand frames against vectors computed by somebody else, and by round trips of our own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import wiegand
from hypothesis import given, settings
from hypothesis import strategies as st


def _vectors(shared: Path) -> list[dict[str, Any]]:
    body = json.loads((shared / "payloads" / "wiegand_vectors.json").read_text())
    return list(body["payload"]["vectors"])


def test_the_vectors(shared: Path) -> None:
    for one in _vectors(shared):
        layout = wiegand.LAYOUTS[one["format"]]
        if one.get("error") == "parity":
            with pytest.raises(wiegand.FrameError, match="parity"):
                wiegand.parse(one["frame_bin"], layout)
            continue
        frame = wiegand.parse(one["frame_bin"], layout)
        assert frame.bits == one["bits"]
        if "value" in one:
            assert (frame.card, frame.number) == (one["value"], f"w34:{one['value']}")
        else:
            assert (frame.facility, frame.card) == (one["facility"], one["card"])
        if "packed_hex" in one:
            assert wiegand.packed(bytes.fromhex(one["packed_hex"]), one["bits"]) == frame


def _frame(layout: wiegand.Layout, facility: int, card: int) -> str:
    """The frame of a card, written from the layout by brute force: only right parities parse."""
    bits = ["0"] * layout.bits
    first, last = layout.card
    bits[first:last] = f"{card:0{last - first}b}"
    if layout.facility:
        first, last = layout.facility
        bits[first:last] = f"{facility:0{last - first}b}"
    for bit, odd, first, last in layout.parity:
        bits[bit] = str((bits[first : last + 1].count("1") - int(bits[bit])) % 2 ^ int(odd))
    return "".join(bits)


@settings(deadline=None)
@given(st.sampled_from(sorted(wiegand.LAYOUTS)), st.integers(0, 255), st.integers(0, 65535), st.data())
def test_every_card_is_read_and_one_wrong_bit_is_noticed(
    name: str, facility: int, card: int, data: st.DataObject
) -> None:
    layout = wiegand.LAYOUTS[name]
    text = _frame(layout, facility, card)
    frame = wiegand.parse(text, layout)
    assert frame.card == card
    assert frame.facility == (facility if layout.facility else None)
    assert (
        wiegand.packed(
            int(text.ljust(-(-len(text) // 8) * 8, "0"), 2).to_bytes(-(-len(text) // 8), "big"), len(text), layout
        )
        == frame
    )
    assert repr(frame) == f"Frame({frame.format}, ***)"
    bit = data.draw(st.integers(0, layout.bits - 1))
    covers = sum(first <= bit <= last for _, _, first, last in layout.parity)
    wrong = text[:bit] + str(1 - int(text[bit])) + text[bit + 1 :]
    assert covers >= 1
    with pytest.raises(wiegand.FrameError):
        wiegand.parse(wrong, layout)


def test_unknown_lengths_keep_their_bits() -> None:
    assert wiegand.parse("1" * 40).number == "raw40:FFFFFFFFFF"
    assert wiegand.parse("10001").number == "raw5:11"


@pytest.mark.parametrize(
    ("frame", "layout"), [("", None), ("102", None), ("1" * 513, None), ("1" * 34, wiegand.H10301)]
)
def test_what_is_no_frame(frame: str, layout: wiegand.Layout | None) -> None:
    with pytest.raises(wiegand.FrameError):
        wiegand.parse(frame, layout)


def test_the_site_reads_the_same_number() -> None:
    """Two parsers, written apart, must name a card alike: else an enrolled card would be unknown at the door."""
    from bposite.doors.wire import wiegand as the_sites

    for name, layout in wiegand.LAYOUTS.items():
        text = _frame(layout, 17, 4711)
        assert the_sites.parse(text, the_sites.LAYOUTS[name]).number == wiegand.parse(text, layout).number
