"""The bulk reader against the stock client: the same bytes, cut anywhere, give the same messages."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as paho
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bposite.plumbing.mqtt_bulk import BulkClient

CONNACK = b"\x20\x02\x00\x00"
SUBACK = b"\x90\x03\x00\x01\x01"
PINGRESP = b"\xd0\x00"
Told = list[tuple[bytes, bytes, int, bool, bool, int]]


def publish(topic: bytes, payload: bytes, qos: int, retain: bool, dup: bool, mid: int) -> bytes:
    """A PUBLISH packet."""
    body = struct.pack("!H", len(topic)) + topic + (struct.pack("!H", mid) if qos else b"") + payload
    length, rest = b"", len(body)
    while True:
        rest, digit = rest >> 7, rest & 0x7F
        length += bytes([digit | (0x80 if rest else 0)])
        if not rest:
            break
    return bytes([0x30 | (8 if dup else 0) | qos << 1 | retain]) + length + body


def feed(client: Any, pieces: list[bytes]) -> int:
    """Give a client what a broker sends, piece by piece; the last code that reading gave."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    client._create_socket = lambda: ours
    client.connect("127.0.0.1", 1)
    theirs.recv(1000)
    code = 0
    for piece in pieces:
        theirs.sendall(piece)
        for _ in range(len(piece) + 1):
            code = client.loop_read()
            if code:
                break
    theirs.close()
    return code


def stock() -> tuple[paho.Client, Told]:
    """paho as it is."""
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="x", manual_ack=True)
    told: Told = []
    client.on_message = lambda _c, _d, m: told.append((m._topic, bytes(m.payload), m.qos, m.retain, m.dup, m.mid))
    return client, told


def bulk() -> BulkClient:
    """Ours."""
    return BulkClient(paho.CallbackAPIVersion.VERSION2, client_id="x", manual_ack=True)


def seen(client: BulkClient) -> Told:
    """What ours has understood."""
    return [(m.topic.encode(), m.payload, m.qos, m.retain, m.dup, m.mid) for m in client.inbox]


TOPIC = st.text("abc/+é", min_size=1, max_size=20).map(str.encode).filter(lambda one: b"+" not in one)
PUBLISH = st.builds(
    publish, TOPIC, st.binary(max_size=400), st.integers(0, 1), st.booleans(), st.booleans(), st.integers(1, 65535)
)
OTHER = st.sampled_from([SUBACK, PINGRESP])


@settings(max_examples=60, deadline=None)
@given(st.lists(PUBLISH | OTHER, max_size=12), st.data())
def test_same_messages_however_the_stream_is_cut(packets: list[bytes], data: st.DataObject) -> None:
    stream = CONNACK + b"".join(packets)
    cuts = sorted(data.draw(st.sets(st.integers(1, max(len(stream) - 1, 1)), max_size=6)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    theirs, told = stock()
    feed(theirs, pieces)
    ours = bulk()
    feed(ours, pieces)
    assert seen(ours) == told


def test_a_large_message_and_a_thousand_small_ones() -> None:
    packets = [publish(b"t", b"x" * 200_000, 1, False, False, 1)]
    packets += [publish(b"t", b"%d" % n, 1, False, False, n) for n in range(2, 1002)]
    stream = CONNACK + b"".join(packets)
    ours = bulk()
    feed(ours, [stream[at : at + 65_536] for at in range(0, len(stream), 65_536)])
    assert [len(m.payload) for m in ours.inbox[:1]] == [200_000]
    assert [m.payload for m in ours.inbox[1:]] == [b"%d" % n for n in range(2, 1002)]


@pytest.mark.parametrize(
    "nonsense",
    [b"\x32\xff\xff\xff\xff\x01", b"\x32\x03\x00\x05a", b"\x30\x01\x00", b"\x30\x04\x00\x09ab", b"\xf0\x00"],
)
def test_nonsense_ends_the_connection_and_nothing_else(nonsense: bytes) -> None:
    ours = bulk()
    code = feed(ours, [CONNACK + publish(b"t", b"good", 1, False, False, 7) + nonsense])
    assert code != 0
    assert [m.payload for m in ours.inbox] == [b"good"]


def test_many_acknowledgements_are_one_write() -> None:
    ours = bulk()
    written: list[bytes] = []
    feed(ours, [CONNACK + b"".join(publish(b"t", b"x", qos, False, False, 258) for qos in (1, 0, 1))])
    queue: Callable[..., Any] = lambda _command, packet, _mid, _qos: written.append(packet)  # noqa: E731
    ours._packet_queue = queue  # type: ignore[method-assign]
    ours.ack_many(ours.inbox)
    assert written == [b"\x40\x02\x01\x02" * 2]
