"""RTP packets put together again give the access unit; reports carry the camera's clock; faults are checked."""

from __future__ import annotations

import struct

import pytest
from faults import FaultError, Faults
from hypothesis import given, settings
from hypothesis import strategies as st
from media import AccessUnit, Shape, nal_type, probe_parameter_sets, split_annex_b, split_lengths
from rtp import MTU, NTP_EPOCH, Stamper, payloads, sender_report


def _joined(codec: str, parts: list[bytes]) -> list[bytes]:
    """The receiver's side of RFC 6184 and RFC 7798: fragments to NAL units."""
    nals: list[bytes] = []
    for part in parts:
        kind = nal_type(codec, part)
        if codec == "h264" and kind == 28:
            head, body = bytes(((part[0] & 0xE0) | (part[1] & 31),)), part[2:]
            first = part[1] & 0x80
        elif codec == "hevc" and kind == 49:
            head, body = bytes(((part[0] & 0x81) | ((part[2] & 63) << 1), part[1])), part[3:]
            first = part[2] & 0x80
        else:
            nals.append(part)
            continue
        if first:
            nals.append(head + body)
        else:
            nals[-1] += body
    return nals


@settings(deadline=None)
@given(st.sampled_from(["h264", "hevc"]), st.lists(st.integers(3, 5000), min_size=1, max_size=4))
def test_fragments_join_to_the_same_nal_units(codec: str, sizes: list[int]) -> None:
    head = b"\x65\x88" if codec == "h264" else b"\x26\x01"
    nals = tuple(head + bytes(at % 251 for at in range(size)) for size in sizes)
    parts = payloads(codec, AccessUnit(0, True, nals))
    assert max(map(len, parts)) <= MTU
    assert tuple(_joined(codec, parts)) == nals


def test_sequence_numbers_run_over() -> None:
    stamper = Stamper(7, 65535)
    packets = [stamper.packet(b"x", 2**32 + 5, last=True) for _ in range(2)]
    heads = [struct.unpack(">BBHII", one[:12]) for one in packets]
    assert [head[2] for head in heads] == [65535, 0]
    assert all(head[1] == 96 | 0x80 and head[3] == 5 and head[4] == 7 for head in heads)


@settings(deadline=None)
@given(st.floats(1.6e9, 2.0e9))
def test_a_report_carries_the_clock_to_a_microsecond(wall: float) -> None:
    packet = sender_report(9, wall, 1234, 5, 6)
    kind, length, ssrc, seconds, fraction, timestamp = struct.unpack(">xBHIIII", packet[:20])
    assert (kind, length, ssrc, timestamp) == (200, 6, 9, 1234)
    assert seconds - NTP_EPOCH + fraction / 2**32 == pytest.approx(wall, abs=1e-6)
    assert len(packet) % 4 == 0


def test_nal_units_are_found_in_both_framings() -> None:
    assert split_annex_b(b"\x00\x00\x00\x01\x67\xaa\x00\x00\x01\x65\xbb\x00") == [b"\x67\xaa", b"\x65\xbb\x00"]
    assert split_lengths(b"\x00\x00\x00\x02\x67\xaa\x00\x00\x00\x01\x65") == [b"\x67\xaa", b"\x65"]


@pytest.mark.parametrize(("codec", "count"), [("h264", 2), ("hevc", 3)])
def test_parameter_sets_are_known_before_the_first_picture(codec: str, count: int) -> None:
    assert len(probe_parameter_sets(Shape(codec, 320, 180))) == count


@pytest.mark.parametrize(
    "changes",
    [
        {"skew": "3"},
        {"picture": "pink"},
        {"nonsense": 1},
        {"reports": 1},
        {"every": 0},
        {"every": True},
        {"skew": True},
    ],
)
def test_a_bad_fault_changes_nothing(changes: dict[str, object]) -> None:
    with pytest.raises(FaultError):
        Faults().changed({"latency": 1.0} | changes)


def test_faults_add_up() -> None:
    faults = Faults().changed({"skew": 3}).changed({"picture": "black"})
    assert (faults.skew, faults.picture, faults.reports) == (3.0, "black", True)
