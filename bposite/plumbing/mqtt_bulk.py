"""paho's client with one thing changed: what comes in is read in large pieces and PUBLISH is parsed in bulk.

The stock client makes five system calls and fifty function calls for each message. Everything but an incoming PUBLISH
(of QoS 0 or 1) is still handled by paho, packet by packet. This reaches into private parts of paho 2.2, so the version
is pinned, and a test compares what this client and the stock one make of the same stream.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct
from typing import Any

import msgspec
import paho.mqtt.client as paho
from paho.mqtt.enums import MQTTErrorCode

PIECE = 262_144
TOPICS = 10_000
_PUBLISH = 0x30
_PUBACK = b"\x40\x02"
_two = Struct("!H").unpack_from


class Message(msgspec.Struct, frozen=True, gc=False):
    """One PUBLISH as it came: ``payload`` is untouched bytes."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    dup: bool
    mid: int


class BulkClient(paho.Client):
    """``inbox`` collects what was published to us; ``ack_many`` acknowledges a part of it with one write."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.inbox: list[Message] = []
        self._rest = b""
        self._topics: dict[bytes, str] = {}

    def ack_many(self, messages: Sequence[Message]) -> None:
        """PUBACK for every message of QoS 1."""
        packet = b"".join([_PUBACK + one.mid.to_bytes(2, "big") for one in messages if one.qos])
        if packet:
            self._packet_queue(0x40, packet, 0, 1)

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:
        """Read what the socket has, up to a piece, and take it apart."""
        sock = self._sock
        if sock is None:
            return MQTTErrorCode.MQTT_ERR_NO_CONN
        try:
            piece = self._sock_recv(PIECE)
        except BlockingIOError:
            return MQTTErrorCode.MQTT_ERR_SUCCESS
        except OSError:
            return self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_CONN_LOST)
        if not piece:
            return self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_CONN_LOST)
        with self._msgtime_mutex:
            self._last_msg_in = paho.time_func()
        buffer = self._rest + piece if self._rest else piece
        code, end = self._take_apart(sock, buffer)
        self._rest = buffer[end:] if end < len(buffer) else b""
        return code

    def _create_socket(self) -> Any:
        self._rest = b""
        return super()._create_socket()

    def _take_apart(self, sock: Any, buffer: bytes) -> tuple[MQTTErrorCode, int]:
        """Whole packets of ``buffer``: PUBLISH into the inbox, others to paho. Returns where the rest begins."""
        at, size = 0, len(buffer)
        while size - at >= 2:
            head, length, body = buffer[at], buffer[at + 1], at + 2
            if length & 0x80:
                length, body = _length(buffer, at + 1)
                if length < 0:
                    return self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_PROTOCOL), size
            end = body + length
            if body < 0 or end > size:
                break
            if head & 0xF4 == _PUBLISH:
                code = self._publish(head, buffer, body, end)
            else:
                code = self._hand_over(head, buffer[body:end])
            if code > 0:
                return self._loop_rc_handle(code), size
            if self._sock is not sock:
                return MQTTErrorCode.MQTT_ERR_SUCCESS, size
            at = end
        return MQTTErrorCode.MQTT_ERR_SUCCESS, at

    def _publish(self, head: int, buffer: bytes, body: int, end: int) -> MQTTErrorCode:
        """Put one PUBLISH of QoS 0 or 1 into the inbox."""
        qos = head >> 1 & 1
        if end - body < 2 + 2 * qos:
            return MQTTErrorCode.MQTT_ERR_PROTOCOL
        start = body + 2 + _two(buffer, body)[0]
        name, mid = buffer[body + 2 : start], 0
        if qos:
            if start + 2 > end:
                return MQTTErrorCode.MQTT_ERR_PROTOCOL
            mid = _two(buffer, start)[0]
            start += 2
        elif start > end:
            return MQTTErrorCode.MQTT_ERR_PROTOCOL
        self.inbox.append(Message(self._topic(name), buffer[start:end], qos, head & 1 == 1, head & 8 == 8, mid))
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _hand_over(self, head: int, body: bytes) -> MQTTErrorCode:
        """Let paho handle one whole packet, as if it had read it itself."""
        packet = self._in_packet
        packet["command"], packet["packet"], packet["remaining_length"] = head, bytearray(body), len(body)
        packet["have_remaining"], packet["pos"], packet["to_process"] = 1, 0, 0
        code = self._packet_handle()
        self._in_packet = {
            "command": 0, "have_remaining": 0, "remaining_count": [], "remaining_mult": 1, "remaining_length": 0,
            "packet": bytearray(b""), "to_process": 0, "pos": 0,
        }  # fmt: skip
        return code

    def _topic(self, name: bytes) -> str:
        """A topic as text; a broken one must not kill the loop."""
        found = self._topics.get(name)
        if found is None:
            if len(self._topics) >= TOPICS:
                self._topics.clear()
            found = self._topics[name] = name.decode("utf-8", "backslashreplace")
        return found


def _length(buffer: bytes, at: int) -> tuple[int, int]:
    """The remaining length at ``at`` and where the body begins; body -1: not here yet; length -1: nonsense."""
    value = shift = 0
    for place in range(at, min(at + 4, len(buffer))):
        value |= (buffer[place] & 0x7F) << shift
        if not buffer[place] & 0x80:
            return value, place + 1
        shift += 7
    return (0, -1) if len(buffer) < at + 4 else (-1, at)
