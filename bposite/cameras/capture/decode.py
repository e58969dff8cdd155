"""Encoded units to frames and to JPEG. Decoding takes one group of pictures, in memory, without touching a camera."""

from collections.abc import Sequence
from typing import cast

import av
import cv2
import msgspec
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from bposite.cameras.capture.units import AccessUnit, Codec

JPEG_QUALITY = 92
Pixels = NDArray[np.uint8]


class UndecodableError(Exception):
    """The bytes of the wanted frame do not decode."""


class Decoded(msgspec.Struct, frozen=True):
    """One frame and whether the decoder had to patch it (lost or damaged packets)."""

    frame: VideoFrame
    damaged: bool

    def pixels(self) -> Pixels:
        """Height x width x 3, blue-green-red."""
        return self.frame.to_ndarray(format="bgr24")  # type: ignore[return-value]  # bgr24 is always uint8


def decoder(codec: Codec, *, rough: bool = False, strict: bool = False) -> VideoCodecContext:
    """A fresh single-threaded decoder: threads cost more than they give for one group of pictures.

    `rough` leaves out the smoothing between blocks: a fifth quicker, good enough to measure and for the wall.
    `strict` makes every error in the bytes an exception instead of a patched picture.
    """
    context = VideoCodecContext.create(codec.name, "r")
    if not isinstance(context, VideoCodecContext):
        raise UndecodableError(f"{codec.name} is not a video codec")
    if codec.extradata:
        context.extradata = codec.extradata
    context.thread_count = 1
    if rough:
        context.options = {"skip_loop_filter": "all"}
    if strict:
        context.options = {"err_detect": "explode+crccheck+bitstream+buffer"}
    return context


def frame_at(codec: Codec, units: Sequence[AccessUnit], wanted: int) -> Decoded:
    """Frame number `wanted` of `units` (decoding order). UndecodableError when it does not come out.

    Starts at the last keyframe at or before it. A loss anywhere before the frame spoils it too, so the first run stops
    at any error; only then a second one lets the decoder patch what is missing, and the frame is called damaged.
    """
    key = max((i for i in range(wanted + 1) if units[i].unit.key), default=0)
    group = range(key, len(units))
    clean = _decoded(decoder(codec, strict=True), units, group, wanted)
    if clean is not None:
        return Decoded(clean, False)
    patched = _decoded(decoder(codec), units, group, wanted)
    if patched is None:
        raise UndecodableError("the frame of the moment does not decode")
    return Decoded(patched, True)


def _decoded(context: VideoCodecContext, units: Sequence[AccessUnit], group: range, wanted: int) -> VideoFrame | None:
    """The frame, or None when it does not come out or, with a strict decoder, anything before it is damaged.

    Packets are numbered through their presentation time, so the frame is found by number even when the encoder
    reorders; a decoder may hold it back until it is flushed.
    """
    strict = context.options.get("err_detect") is not None
    for number in [*group, None]:
        try:
            frames = context.decode(None if number is None else numbered(units[number], number))
        except av.FFmpegError:
            if strict:
                return None
            continue
        for frame in frames:
            if strict and frame.is_corrupt:
                return None
            if frame.pts == wanted:
                return frame
        if number is not None and number >= wanted and not context.has_b_frames:
            return _flushed(context, wanted)
    return None


def _flushed(context: VideoCodecContext, wanted: int) -> VideoFrame | None:
    try:
        return next((frame for frame in context.decode(None) if frame.pts == wanted), None)
    except av.FFmpegError:
        return None


def rough_frame(codec: Codec, key: AccessUnit) -> VideoFrame:
    """A keyframe, quickly, to measure it. UndecodableError when it does not decode."""
    context = decoder(codec, rough=True)
    try:
        frames = [*context.decode(numbered(key, 0)), *context.decode(None)]
    except av.FFmpegError as error:
        raise UndecodableError("the keyframe does not decode") from error
    if not frames:
        raise UndecodableError("the keyframe does not decode")
    return frames[0]


def small_pixels(frame: VideoFrame, width: int) -> Pixels:
    """The frame as blue-green-red pixels no wider than `width`, scaled before it is converted."""
    scale = min(1.0, width / frame.width)
    size = {"width": max(2, round(frame.width * scale)), "height": max(2, round(frame.height * scale))}
    small = frame.reformat(**size, format="bgr24", interpolation="AREA")
    return np.asarray(small.to_ndarray(), dtype=np.uint8)


def numbered(access: AccessUnit, number: int) -> "av.Packet[VideoStream]":
    """A packet that carries its number as its time, so that the decoded frame can be told by it."""
    packet = av.Packet(access.data)
    packet.pts = packet.dts = number
    return cast("av.Packet[VideoStream]", packet)


def jpeg(pixels: Pixels, quality: int = JPEG_QUALITY) -> bytes:
    """A JPEG file of the pixels (OpenCV)."""
    done, encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise UndecodableError("the picture could not be encoded")
    return encoded.tobytes()


def exact_jpeg(codec: Codec, units: Sequence[AccessUnit], wanted: int) -> tuple[bytes, bool]:
    """JPEG of frame `wanted` and whether it is damaged; a camera that sends JPEG gives its own file, unchanged."""
    if codec.name == "mjpeg":
        return units[wanted].data, False
    decoded = frame_at(codec, units, wanted)
    return jpeg(decoded.pixels()), decoded.damaged


def shrunk(pixels: Pixels, width: int) -> Pixels:
    """The picture no wider than `width`, same shape."""
    height = max(1, round(pixels.shape[0] * width / pixels.shape[1]))
    if pixels.shape[1] <= width:
        return pixels
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def pixels_of_jpeg(content: bytes) -> Pixels:
    """Pixels of a stored picture; UndecodableError when it is not one."""
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    if pixels is None:
        raise UndecodableError("the stored picture does not decode")
    return np.asarray(pixels, dtype=np.uint8)
