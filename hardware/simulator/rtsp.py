"""An RTSP 1.0 server (RFC 2326) for live streams: TCP interleaved and UDP, Basic and Digest sign-in.

It knows requests, transports and viewers; what is sent, and when, is the camera's business (`Stream`).
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import hashlib
import hmac
import random
import re
import secrets
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, cast

from media import Source
from rtp import Stamper, describe

METHODS = "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, GET_PARAMETER, SET_PARAMETER, TEARDOWN"
SLOW_VIEWER = 4_000_000  # bytes queued for a viewer before pictures are left out for it
MAX_REQUEST = 65536


class Stream(Protocol):
    """A camera as the server sees it."""

    name: str
    source: Source
    ssrc: int

    def answers(self) -> str:
        """normal, dead or refuse."""
        ...

    def loss(self) -> float:
        """Share of packets lost on UDP."""
        ...

    def join(self, viewer: Viewer) -> None: ...

    def leave(self, viewer: Viewer) -> None: ...


@dataclass(frozen=True, slots=True)
class Login:
    """Who may watch: user, password, and the scheme offered (basic, digest or both)."""

    user: str
    password: str
    scheme: str = "both"
    realm: str = "camera"
    nonce: str = field(default_factory=lambda: secrets.token_hex(16))

    def challenge(self) -> str:
        """The WWW-Authenticate lines of a 401 answer."""
        digest = f'WWW-Authenticate: Digest realm="{self.realm}", nonce="{self.nonce}", algorithm=MD5\r\n'
        basic = f'WWW-Authenticate: Basic realm="{self.realm}"\r\n'
        return {"basic": basic, "digest": digest}.get(self.scheme, digest + basic)

    def admits(self, method: str, header: str) -> bool:
        """Whether an Authorization header proves the password for a request with this method."""
        kind, _, rest = header.partition(" ")
        if kind.lower() == "basic" and self.scheme != "digest":
            return self._basic(rest.strip())
        return kind.lower() == "digest" and self.scheme != "basic" and self._digest(method, rest)

    def _basic(self, token: str) -> bool:
        with contextlib.suppress(binascii.Error):
            given = base64.b64decode(token, validate=True)
            return hmac.compare_digest(given, f"{self.user}:{self.password}".encode())
        return False

    def _digest(self, method: str, rest: str) -> bool:
        given = {key.lower(): value for key, value in re.findall(r'(\w+)="?([^",]*)"?', rest)}
        if given.get("username") != self.user or given.get("nonce") != self.nonce:
            return False
        secret = _md5(f"{self.user}:{self.realm}:{self.password}")
        action = _md5(method + ":" + given.get("uri", ""))
        want = _md5(f"{secret}:{self.nonce}:{action}")
        return hmac.compare_digest(want.encode(), given.get("response", "").encode())


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()  # the scheme's own hash, RFC 2617


class Viewer(asyncio.Protocol):
    """One connection: parses requests, answers them and carries the packets of one stream."""

    def __init__(self, streams: Mapping[str, Stream], login: Login | None) -> None:
        self._streams, self._login = streams, login
        self._transport: asyncio.Transport | None = None
        self._waiting = b""
        self._channel: int | None = None
        self._udp: list[asyncio.DatagramTransport] = []
        self._targets: list[tuple[str, int]] = []
        self._session = secrets.token_hex(8)
        self._stream: Stream | None = None
        self._stamper = Stamper(0, random.getrandbits(15))
        self._tasks: set[asyncio.Task[None]] = set()
        self.started = False
        self.waits_for_key = True
        self.playing_since = 0.0
        self.reported_at: float | None = None
        self.packets = self.octets = 0

    # connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the connection."""
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave the stream and close the UDP sockets."""
        if self._stream:
            self._stream.leave(self)
        for socket in self._udp:
            socket.close()

    def cut(self) -> None:
        """Drop the connection without a word, as a camera does that reboots."""
        if self._transport:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Take requests out of the byte stream; the viewer's own RTCP on interleaved channels is skipped."""
        self._waiting += data
        while self._waiting and self._take_one():
            pass
        if len(self._waiting) > MAX_REQUEST:
            self.cut()

    def _take_one(self) -> bool:
        if self._waiting.startswith(b"$"):
            size = 4 + int.from_bytes(self._waiting[2:4], "big")
            if len(self._waiting) < max(4, size):
                return False
            self._waiting = self._waiting[size:]
            return True
        head, found, rest = self._waiting.partition(b"\r\n\r\n")
        if not found:
            return False
        lines = head.decode("latin-1").split("\r\n")
        headers = {key.strip().lower(): value.strip() for key, _, value in (line.partition(":") for line in lines[1:])}
        length = headers.get("content-length", "0")
        self._waiting = rest[int(length) if re.fullmatch("[0-9]{1,6}", length) else 0 :]
        self._request(lines[0], headers)
        return True

    # requests

    def _request(self, line: str, headers: dict[str, str]) -> None:
        method, url = [*line.split(), "", ""][:2]
        stream = self._find(url)
        state = stream.answers() if stream else "normal"
        if state == "dead":
            return None
        if self._login and method != "OPTIONS" and not self._login.admits(method, headers.get("authorization", "")):
            return self._reply(headers, "401 Unauthorized", self._login.challenge())
        if method != "OPTIONS" and (stream is None or state == "refuse"):
            return self._reply(headers, "404 Not Found")
        if method == "OPTIONS":
            self._reply(headers, extra=f"Public: {METHODS}\r\n")
        elif stream:
            self._dispatch(method, url, stream, headers)
        return None

    def _dispatch(self, method: str, url: str, stream: Stream, headers: dict[str, str]) -> None:
        if method == "DESCRIBE":
            body = describe(stream.source, "127.0.0.1", stream.name)
            base = url.rstrip("/") + "/"
            self._reply(headers, extra=f"Content-Base: {base}\r\nContent-Type: application/sdp\r\n", body=body)
        elif method == "SETUP":
            self._setup(stream, headers)
        elif method == "PLAY" and self._stream:
            self._reply(headers, extra=f"Session: {self._session}\r\nRange: npt=now-\r\n")
            self._stream.join(self)
        elif method in ("PAUSE", "TEARDOWN"):
            self._reply(headers, extra=f"Session: {self._session}\r\n")
            stream.leave(self)
            if method == "TEARDOWN" and self._transport:
                self._transport.close()
        elif method in ("GET_PARAMETER", "SET_PARAMETER"):
            self._reply(headers, extra=f"Session: {self._session}\r\n")
        else:
            self._reply(headers, "455 Method Not Valid in This State")

    def _find(self, url: str) -> Stream | None:
        path = re.sub(r"^rtsps?://[^/]*", "", url).strip("/")
        return self._streams.get(path) or self._streams.get(path.rpartition("/")[0])

    def _setup(self, stream: Stream, headers: dict[str, str]) -> None:
        wish = headers.get("transport", "")
        self._stamper.ssrc = stream.ssrc
        channels = re.search(r"interleaved=([0-9]{1,3})-", wish)
        ports = re.search(r"client_port=([0-9]{1,5})-([0-9]{1,5})", wish)
        if "RTP/AVP/TCP" in wish:
            self._stream, self._channel = stream, int(channels[1]) if channels else 0
            pair = f"{self._channel}-{self._channel + 1}"
            self._accept(headers, f"RTP/AVP/TCP;unicast;interleaved={pair}", stream)
        elif ports:
            self._stream = stream
            task = asyncio.get_running_loop().create_task(
                self._open_udp(stream, headers, (int(ports[1]), int(ports[2])))
            )
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            self._reply(headers, "461 Unsupported Transport")

    async def _open_udp(self, stream: Stream, headers: dict[str, str], ports: tuple[int, int]) -> None:
        assert self._transport
        peer = str(self._transport.get_extra_info("peername")[0])
        here = str(self._transport.get_extra_info("sockname")[0])
        loop = asyncio.get_running_loop()
        for port in ports:
            socket, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=(here, 0))
            self._udp.append(socket)
            self._targets.append((peer, port))
        own = "-".join(str(socket.get_extra_info("sockname")[1]) for socket in self._udp)
        self._accept(headers, f"RTP/AVP;unicast;client_port={ports[0]}-{ports[1]};server_port={own}", stream)

    def _accept(self, headers: dict[str, str], transport: str, stream: Stream) -> None:
        lines = f"Session: {self._session};timeout=60\r\nTransport: {transport};ssrc={stream.ssrc:08X}\r\n"
        self._reply(headers, extra=lines)

    def _reply(self, headers: dict[str, str], code: str = "200 OK", extra: str = "", body: str = "") -> None:
        length = f"Content-Length: {len(body.encode())}\r\n" if body else ""
        head = (
            f"RTSP/1.0 {code}\r\nCSeq: {headers.get('cseq', '0')}\r\nServer: bposite test camera\r\n{extra}{length}\r\n"
        )
        if self._transport and not self._transport.is_closing():
            self._transport.write((head + body).encode())

    # packets

    def report(self, packet: bytes) -> None:
        """Send one RTCP packet."""
        if self._udp:
            self._udp[1].sendto(packet, self._targets[1])
        elif self._transport and self._channel is not None:
            self._transport.write(struct.pack(">BBH", 36, self._channel + 1, len(packet)) + packet)

    def picture(self, timestamp: int, payloads: list[bytes]) -> None:
        """Send one access unit. A viewer that does not read gets gaps, like from a real camera."""
        if not self._transport or self._transport.is_closing():
            return
        if not self._udp and self._transport.get_write_buffer_size() > SLOW_VIEWER:
            return
        last = len(payloads) - 1
        packets = [self._stamper.packet(part, timestamp, at == last) for at, part in enumerate(payloads)]
        self.packets += len(packets)
        self.octets += sum(map(len, payloads))
        if self._udp:
            self._send_udp(packets)
        elif self._channel is not None:
            head = self._channel
            self._transport.write(b"".join(struct.pack(">BBH", 36, head, len(one)) + one for one in packets))

    def _send_udp(self, packets: list[bytes]) -> None:
        loss = self._stream.loss() if self._stream else 0.0
        for packet in packets:
            if not loss or random.random() >= loss:
                self._udp[0].sendto(packet, self._targets[0])


async def serve(host: str, port: int, streams: Mapping[str, Stream], login: Login | None) -> asyncio.Server:
    """Listen on host and port (0 = any free one) for viewers of these streams."""
    return await asyncio.get_running_loop().create_server(lambda: Viewer(streams, login), host, port)
