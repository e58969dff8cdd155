"""Pictures to access units: encoders, prerendered clips and what RTSP needs to know about either.

An access unit is one encoded picture as a list of NAL units (no start codes). H.264 follows ITU-T H.264 annex B
and ISO/IEC 14496-15 (avcC), H.265 the same for hvcC. Nothing here knows about sockets or clocks.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Protocol, cast

import av
import cv2
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream
from stamp import Picture

# NAL unit types that hold parameter sets: H.264 SPS 7, PPS 8; H.265 VPS 32, SPS 33, PPS 34
PARAMETER_SETS = {"h264": (7, 8), "hevc": (32, 33, 34)}
DROPPED = {"h264": (6, 9), "hevc": (35, 39, 40)}  # SEI and delimiters: of no use to a viewer, bytes saved


@dataclass(frozen=True, slots=True)
class Shape:
    """What a stream looks like: codec h264 or hevc, size in pixels, pictures a second, keyframe every `gop`."""

    codec: str = "h264"
    width: int = 640
    height: int = 360
    fps: float = 8.0
    gop: int = 16
    qp: int = 27


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One encoded picture: its index on the stream's time grid, whether it is a keyframe, its NAL units."""

    index: int
    key: bool
    nals: tuple[bytes, ...]


class Artist(Protocol):
    """Draws the picture with index `index`, captured at wall clock `at` (seconds since 1970), as BGR."""

    def draw(self, index: int, at: float) -> Picture: ...


class Source(Protocol):
    """Gives encoded pictures in rising order of their index."""

    shape: Shape
    parameter_sets: tuple[bytes, ...]

    def unit(self, index: int, at: float) -> AccessUnit: ...

    def want_key(self) -> None: ...


def nal_type(codec: str, nal: bytes) -> int:
    """The NAL unit's type number, of H.264 (5 bits) or H.265 (6 bits)."""
    return nal[0] & 31 if codec == "h264" else (nal[0] >> 1) & 63


def split_annex_b(data: bytes) -> list[bytes]:
    """NAL units between start codes; emulation prevention guarantees that 00 00 01 is found nowhere else."""
    parts = data.split(b"\x00\x00\x01")[1:]
    last = len(parts) - 1
    return [part if at == last else part.rstrip(b"\x00") for at, part in enumerate(parts)]


def split_lengths(data: bytes) -> list[bytes]:
    """NAL units of an MP4 sample, each behind a 4-byte length."""
    nals, at = [], 0
    while at + 4 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        nals.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    return nals


def useful(codec: str, nals: list[bytes]) -> tuple[bytes, ...]:
    """The NAL units worth sending: parameter sets and slices."""
    return tuple(nal for nal in nals if nal and nal_type(codec, nal) not in DROPPED[codec])


def open_encoder(shape: Shape) -> VideoCodecContext:
    """A one-picture-in, one-packet-out encoder with constant quality, so that equal pictures give equal bytes."""
    name = {"h264": "libx264", "hevc": "libx265"}[shape.codec]
    encoder = cast(VideoCodecContext, av.CodecContext.create(name, "w"))
    encoder.width, encoder.height, encoder.pix_fmt = shape.width, shape.height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, 90000), Fraction(shape.fps).limit_denominator(1000)
    encoder.gop_size, encoder.max_b_frames, encoder.thread_count = shape.gop, 0, 1
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency"} | _own_options(shape)
    return encoder


def _own_options(shape: Shape) -> dict[str, str]:
    if shape.codec == "h264":
        return {"qp": str(shape.qp), "forced-idr": "1", "x264-params": "threads=1:sliced-threads=0:scenecut=0"}
    parameters = (
        f"pools=none:wpp=0:frame-threads=1:log-level=none:bframes=0:scenecut=0:qp={shape.qp}:keyint={shape.gop}"
    )
    return {"x265-params": parameters, "forced-idr": "1"}


class Live:
    """Draws and encodes on demand. Several cameras may ask for the same picture; it is encoded once."""

    def __init__(self, artist: Artist, shape: Shape) -> None:
        self.artist = artist
        self.shape = shape
        self._encoder = open_encoder(shape)
        self._recent: dict[int, AccessUnit] = {}
        self._key_wanted = True
        self.parameter_sets = probe_parameter_sets(shape)

    def want_key(self) -> None:
        """Make the next picture a keyframe."""
        self._key_wanted = True

    def unit(self, index: int, at: float) -> AccessUnit:
        """The access unit of picture `index`; drawn and encoded when asked for the first time."""
        known = self._recent.get(index)
        if known is None:
            known = self._recent[index] = self._encode(index, at)
            if len(self._recent) > 64:
                del self._recent[next(iter(self._recent))]
        return known

    def _encode(self, index: int, at: float) -> AccessUnit:
        frame = to_frame(self.artist.draw(index, at))
        frame.pts = round(index * 90000 / self.shape.fps)
        if self._key_wanted:
            frame.pict_type = av.video.frame.PictureType.I
            self._key_wanted = False
        packets = self._encoder.encode(frame)
        nals = [nal for packet in packets for nal in split_annex_b(bytes(packet))]
        return AccessUnit(index, any(packet.is_keyframe for packet in packets), useful(self.shape.codec, nals))


def to_frame(picture: Picture) -> av.VideoFrame:
    """A BGR picture (h, w, 3) as a YUV 4:2:0 video frame; OpenCV converts in a fraction of libswscale's time."""
    planes = cast(Picture, cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420))
    return av.VideoFrame.from_ndarray(planes, format="yuv420p")


def probe_parameter_sets(shape: Shape) -> tuple[bytes, ...]:
    """The parameter sets that an encoder for `shape` will send, found by encoding one grey picture."""
    encoder = open_encoder(shape)
    frame = to_frame(np.full((shape.height, shape.width, 3), 128, np.uint8))
    frame.pts = 0
    nals = [nal for packet in [*encoder.encode(frame), *encoder.encode(None)] for nal in split_annex_b(bytes(packet))]
    return tuple(nal for nal in nals if nal_type(shape.codec, nal) in PARAMETER_SETS[shape.codec])


class Clip:
    """A prerendered file, kept in RAM as access units and played for ever; picture i is file picture i % length."""

    def __init__(self, path: Path) -> None:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            context = stream.codec_context
            codec = "hevc" if context.name in ("hevc", "h265") else "h264"
            rate = stream.average_rate
            if rate is None or context.extradata is None:
                raise ValueError(f"{path} has no frame rate or no parameter sets")
            units = [
                (packet.is_keyframe, useful(codec, split_lengths(bytes(packet))))
                for packet in container.demux(stream)
                if packet.size
            ]
            self.parameter_sets = _extradata_sets(codec, context.extradata)
            gap = next((at for at, (key, _) in enumerate(units) if key and at), len(units))
            self.shape = Shape(codec, context.width, context.height, float(rate), gap)
        self._units = [(key, (self.parameter_sets + nals) if key else nals) for key, nals in units]

    @property
    def length(self) -> int:
        """Number of pictures before the clip starts again."""
        return len(self._units)

    def want_key(self) -> None:
        """A prerendered clip keeps its own keyframes; the viewer waits for the next one."""

    def unit(self, index: int, at: float) -> AccessUnit:
        """The access unit of picture `index`; `at` plays no part in a prerendered clip."""
        key, nals = self._units[index % len(self._units)]
        return AccessUnit(index, key, nals)


def _extradata_sets(codec: str, extra: bytes) -> tuple[bytes, ...]:
    """Parameter sets of an avcC (ISO/IEC 14496-15, 5.3.3) or hvcC (8.3.3) record."""
    return tuple(_avcc_sets(extra) if codec == "h264" else _hvcc_sets(extra))


def _avcc_sets(extra: bytes) -> list[bytes]:
    found: list[bytes] = []
    at = 5
    for mask in (31, 255):  # count of SPS (5 bits), then of PPS
        count, at = extra[at] & mask, at + 1
        at = _take(extra, at, count, found)
    return found


def _hvcc_sets(extra: bytes) -> list[bytes]:
    found: list[bytes] = []
    at = 23
    for _ in range(extra[22]):
        count = int.from_bytes(extra[at + 1 : at + 3], "big")
        at = _take(extra, at + 3, count, found)
    return found


def _take(extra: bytes, at: int, count: int, into: list[bytes]) -> int:
    for _ in range(count):
        size = int.from_bytes(extra[at : at + 2], "big")
        into.append(extra[at + 2 : at + 2 + size])
        at += 2 + size
    return at


def write_clip(path: Path, artist: Artist, shape: Shape, pictures: int) -> None:
    """Draw and encode `pictures` pictures into an MP4 file at `path` (for `Clip`); written beside, then renamed."""
    part = path.with_suffix(".part.mp4")
    name = {"h264": "libx264", "hevc": "libx265"}[shape.codec]
    with av.open(str(part), "w", format="mp4") as container:
        stream = cast(VideoStream, container.add_stream(name, rate=Fraction(shape.fps).limit_denominator(1000)))
        stream.width, stream.height, stream.pix_fmt = shape.width, shape.height, "yuv420p"
        stream.codec_context.gop_size, stream.codec_context.max_b_frames = shape.gop, 0
        stream.codec_context.options = {"preset": "veryfast"} | _own_options(shape)
        for index in range(pictures):
            container.mux(stream.encode(to_frame(artist.draw(index, index / shape.fps))))
        container.mux(stream.encode(None))
    part.replace(path)
