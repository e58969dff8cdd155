"""Where pictures come from. `CameraSource` is the port; PyAV opens RTSP, HTTP MJPEG and files behind it.

OpenCV never opens a camera here: it serialises all openings of a process, so one dead camera would stop the
others, and even the decoding of what is already in memory.
"""

import os
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from fractions import Fraction
from typing import Any, Protocol

import av
import msgspec
from av.container import InputContainer
from av.video.stream import VideoStream

from bposite.cameras.capture.units import AccessUnit, Codec
from bposite.cameras.rules.address import Address, scrub
from bposite.cameras.rules.clock import Unit

CODECS = ("h264", "hevc", "mjpeg")
_WALL = struct.Struct("<q")
_ANNEX_B = {"h264": "h264_mp4toannexb", "hevc": "hevc_mp4toannexb"}


class SourceSpec(msgspec.Struct, frozen=True):
    """How to open a camera. `transport` is tcp or udp (RTSP only); times in seconds."""

    address: Address
    transport: str = "tcp"
    open_timeout_s: float = 5.0
    read_timeout_s: float = 5.0


class SourceError(Exception):
    """A camera could not be opened or went away. The message holds no credentials."""


class Connection(Protocol):
    """An open stream: its codec, and units as they arrive until it ends or fails with SourceError."""

    codec: Codec

    def units(self) -> Iterator[AccessUnit]:
        """Units as they arrive. Blocks; ends when the source ends or `close` was called from another thread."""
        ...

    def close(self) -> None:
        """Give the connection back; safe to call twice."""
        ...


class CameraSource(Protocol):
    """Anything that can be connected to for a stream of encoded pictures."""

    def connect(self) -> Connection:
        """Open the stream. Raises SourceError after the open timeout at the latest."""
        ...


def source_for(spec: SourceSpec) -> CameraSource:
    """The source that fits the scheme of the address."""
    if spec.address.url.startswith("file:"):
        return FileSource(spec)
    return NetworkSource(spec)


def wall_us() -> int:
    """This machine's wall clock in microseconds since the epoch."""
    return time.time_ns() // 1000


class NetworkSource:
    """RTSP over TCP or UDP (any encoder, NVR or restreamer), or MJPEG over HTTP."""

    def __init__(self, spec: SourceSpec) -> None:
        self._spec = spec

    def connect(self) -> "NetworkConnection":
        """Open the stream without probing: the session description already names codec and parameter sets."""
        http = self._spec.address.url.startswith("http")
        options = {"analyzeduration": "0", "probesize": "32"}
        if not http:
            options |= {"rtsp_transport": self._spec.transport, "allowed_media_types": "video"}
        container = open_input(self._spec, options, "mpjpeg" if http else None)
        return NetworkConnection(container, timed=not http, lossy=not http and self._spec.transport == "udp")


def open_input(spec: SourceSpec, options: dict[str, str], form: str | None) -> InputContainer:
    """PyAV's container for an address; every failure is a SourceError without credentials."""
    try:
        container = av.open(
            spec.address.full(), format=form, options=options, timeout=(spec.open_timeout_s, spec.read_timeout_s)
        )
    except (av.FFmpegError, OSError, ValueError) as error:
        raise SourceError(scrub(str(error))) from None
    if not container.streams.video:
        container.close()
        raise SourceError("the address answers, but sends no video")
    return container


def codec_of(stream: VideoStream) -> Codec:
    """Codec of an open stream; SourceError for one that nothing here can store."""
    context = stream.codec_context
    name = context.name
    if name not in CODECS:
        raise SourceError(f"the stream is {name}; only H.264, H.265 and MJPEG are supported")
    return Codec(name, context.width or 0, context.height or 0, context.extradata or b"")


class NetworkConnection:
    """A live stream. `timed` says whether its presentation times mean anything (MJPEG over HTTP has none).

    Two habits of libavformat are undone here (tests/cameras/test_capture.py measures both):
    its H.264/H.265 parser gives a picture out only when the first packet of the next one has come, so the moment at
    which picture n comes out is the arrival of picture n + 1; and the first producer time of a connection is copied
    onto the picture before it, so that one is not used (the media timeline dates that picture just as well).
    """

    def __init__(self, container: InputContainer, *, timed: bool, lossy: bool) -> None:
        self._container, self._timed = container, timed
        self._stream = container.streams.video[0]
        try:
            self.codec = msgspec.structs.replace(codec_of(self._stream), lossy=lossy)
        except SourceError:
            container.close()
            raise
        self._held_back = timed and self.codec.name in _ANNEX_B
        base = self._stream.time_base or Fraction(1, 90_000)
        self._tick, self._ticks = base.numerator * 1_000_000, base.denominator
        self._last_us = 0
        self._came_us: int | None = None
        self._clock_seen = False

    def units(self) -> Iterator[AccessUnit]:
        """See `Connection.units`."""
        first = True
        try:
            for packet in self._container.demux(self._stream):
                if packet.size:
                    yield self._unit(packet, first)
                    first = False
        except (av.FFmpegError, OSError) as error:
            raise SourceError(scrub(str(error))) from None

    def _unit(self, packet: "av.Packet[Any]", first: bool) -> AccessUnit:
        data = bytes(packet)
        key = packet.is_keyframe or self.codec.name == "mjpeg"
        unit = Unit(self._arrival(), self._camera_time(packet), self._media_time(packet, first), key, len(data))
        return AccessUnit(unit, data)

    def _arrival(self) -> int:
        """When this picture began to arrive; strictly rising, so that units can be told apart by it."""
        came, self._came_us = self._came_us, wall_us()
        arrival = came if came is not None and self._held_back else self._came_us
        self._last_us = max(arrival, self._last_us + 1)
        return self._last_us

    def _camera_time(self, packet: "av.Packet[Any]") -> int | None:
        if not packet.has_sidedata("prft"):
            return None
        if not self._clock_seen:
            self._clock_seen = True
            return None
        return int(_WALL.unpack_from(packet.get_sidedata("prft"))[0])

    def _media_time(self, packet: "av.Packet[Any]", first: bool) -> int | None:
        """Presentation time in microseconds. RTP counts from the first packet, which may come without one."""
        if not self._timed:
            return None
        if packet.pts is None:
            return 0 if first else None
        return packet.pts * self._tick // self._ticks

    def close(self) -> None:
        """See `Connection.close`."""
        self._container.close()


class FileSource:
    """A video file played in a loop at its own speed: for demonstrations and for recordings of other systems."""

    def __init__(self, spec: SourceSpec) -> None:
        self._spec = spec

    def connect(self) -> "FileConnection":
        """Open the file."""
        path = self._spec.address.url.removeprefix("file://")
        if not os.path.exists(path):
            raise SourceError(f"there is no file {os.path.basename(path)}")
        plain = SourceSpec(Address(path))
        return FileConnection(plain, open_input(plain, {}, None))


class FileConnection:
    """An endlessly repeated file; presentation times go on rising over the repetitions."""

    def __init__(self, spec: SourceSpec, container: InputContainer) -> None:
        self._spec = spec
        self._closed = threading.Event()
        with closing(container):
            self.codec = codec_of(container.streams.video[0])
            self._pause_us = int(1_000_000 / (container.streams.video[0].average_rate or Fraction(25)))

    def units(self) -> Iterator[AccessUnit]:
        """See `Connection.units`."""
        origin, count = wall_us(), 0
        while not self._closed.is_set():
            with closing(open_input(self._spec, {}, None)) as container:
                for data, key in annex_b(container):
                    media = count * self._pause_us
                    if self._closed.wait(max(0, origin + media - wall_us()) / 1_000_000):
                        return
                    yield AccessUnit(Unit(wall_us(), None, media, key, len(data)), data)
                    count += 1

    def close(self) -> None:
        """See `Connection.close`."""
        self._closed.set()


def annex_b(container: InputContainer) -> Iterator[tuple[bytes, bool]]:
    """Pictures of a file as (bytes, is keyframe), start codes instead of lengths for H.264 and H.265."""
    stream = container.streams.video[0]
    name = _ANNEX_B.get(stream.codec_context.name)
    packets = (packet for packet in container.demux(stream) if packet.size)
    if name is None:
        yield from ((bytes(packet), True) for packet in packets)
        return
    bitstream = av.BitStreamFilterContext(name, stream)
    for packet in packets:
        yield from ((bytes(out), out.is_keyframe) for out in bitstream.filter(packet))
