"""A clip is the camera's own bytes in another container: nothing is decoded, nothing is encoded again."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import msgspec
from av.container import OutputContainer
from av.stream import Stream as MuxStream

from bposite.cameras.capture.decode import Decoded, frame_at
from bposite.cameras.capture.source import annex_b
from bposite.cameras.capture.units import AccessUnit, Codec
from bposite.cameras.rules.clock import Unit

TICKS = Fraction(1, 90_000)
TICKS_PER_US = 0.09
CONTAINER = {"h264": "mp4", "hevc": "mp4", "mjpeg": "matroska"}
ENDING = {"mp4": ".mp4", "matroska": ".mkv"}


class ClipFile(msgspec.Struct, frozen=True):
    """A clip as read back: frames of `codec` in decoding order, moments relative to the first, microseconds."""

    codec: Codec
    units: tuple[AccessUnit, ...]
    offsets_us: tuple[int, ...]

    def frame(self, number: int) -> Decoded:
        """Frame `number` in decoding order; UndecodableError when it does not decode."""
        return frame_at(self.codec, self.units, number)


def ending(codec: Codec) -> str:
    """File name ending of a clip of this codec."""
    return ENDING[CONTAINER[codec.name]]


def write_clip(path: Path, codec: Codec, units: Sequence[AccessUnit], moments: Sequence[int]) -> None:
    """Write `units` (decoding order, first one a keyframe) with the `moments` (microseconds) they were taken at.

    The index is put in front, so that a browser plays it at once. OSError when the disk is full.
    """
    form = CONTAINER[codec.name]
    options = {"movflags": "faststart"} if form == "mp4" else {}
    with av.open(str(path), "w", format=form, options=options) as container:
        stream = container.add_mux_stream(
            codec.name, width=codec.width or 16, height=codec.height or 16, time_base=TICKS
        )
        if codec.name == "hevc":
            stream.codec_tag = "hvc1"  # the tag that Safari asks for
        for packet in _packets(stream, units, moments):
            _mux(container, packet)


def _mux(container: OutputContainer, packet: "av.Packet[MuxStream]") -> None:
    try:
        container.mux_one(packet)
    except av.FFmpegError as error:
        raise OSError(error.errno or 5, f"the clip could not be written: {error.strerror}") from error


def _packets(
    stream: MuxStream, units: Sequence[AccessUnit], moments: Sequence[int]
) -> Iterator["av.Packet[MuxStream]"]:
    """Packets with rising decoding times; presentation times carry the true moments."""
    shown = _rising([round((at - min(moments)) * TICKS_PER_US) for at in moments])
    decoded = sorted(shown)
    delay = max(early - late for early, late in zip(decoded, shown, strict=True))
    lengths = [after - before for before, after in pairwise(decoded)] or [1]
    for access, pts, dts, length in zip(units, shown, decoded, [*lengths, lengths[-1]], strict=False):
        packet = av.Packet(access.data)
        packet.stream, packet.time_base, packet.is_keyframe = stream, TICKS, access.unit.key
        packet.pts, packet.dts, packet.duration = pts, dts - delay, length  # without one the last frame is cut off
        yield packet


def _rising(ticks: list[int]) -> list[int]:
    """The same ticks, but no two alike: containers refuse equal times (frames of one millisecond after a burst)."""
    used: set[int] = set()
    for i, tick in enumerate(ticks):
        while tick in used:
            tick += 1
        used.add(tick)
        ticks[i] = tick
    return ticks


def read_clip(path: Path) -> ClipFile:
    """Read a clip back for frame stepping. OSError or av.FFmpegError when the file is not there or not a clip."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        codec = Codec(context.name, context.width, context.height, b"")
        offsets = [_offset(packet) for packet in container.demux(stream) if packet.size]
    with av.open(str(path)) as container:
        pieces = list(annex_b(container))
    units = tuple(AccessUnit(Unit(0, None, None, key, len(data)), data) for data, key in pieces)
    first = min(offsets, default=0)
    return ClipFile(codec, units, tuple(at - first for at in offsets))


def _offset(packet: "av.Packet[av.VideoStream]") -> int:
    return int((packet.pts or 0) * packet.time_base * 1_000_000)
