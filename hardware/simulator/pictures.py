"""What test cameras show, and the ways in which a picture can go bad."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

import av
import cv2
import numpy as np
from media import Artist, Shape
from stamp import Picture, write_number

WHITE = (240, 240, 240)


class TestPattern:
    """A moving pattern with the absolute frame index as text and as a strip that programs read."""

    __test__ = False  # not a test case, whatever its name says to a test runner

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self._font = cv2.FontFace("sans")
        self._ground = _gradient(shape.width, shape.height)

    def draw(self, index: int, at: float) -> Picture:
        """BGR picture of `index`; a ball goes round once in four seconds, so that motion is seen."""
        picture = self._ground.copy()
        height, width = picture.shape[:2]
        angle = 2 * np.pi * index / (4 * self.shape.fps)
        centre = (int(width / 2 + width / 3 * np.cos(angle)), int(height / 2 + height / 4 * np.sin(angle)))
        cv2.circle(picture, centre, height // 12, (60, 160, 250), -1, cv2.LINE_AA)
        size = max(10, height // 9)
        cv2.putText(picture, f"frame {index}", (width // 24, height // 5), WHITE, self._font, size, weight=600)
        write_number(picture, index)
        return picture


def _gradient(width: int, height: int) -> Picture:
    across = np.linspace(40, 120, width)[None, :, None]
    down = np.linspace(0, 60, height)[:, None, None]
    picture = across + down + np.array([30, 10, 0])
    noise = np.random.default_rng(7).normal(0, 3, (height, width, 1))
    return np.asarray((picture + noise).clip(0, 255), np.uint8)


class Overlay:
    """The line that cameras burn in: name on the left, date and clock with milliseconds on the right, strip below.

    The strip carries the same clock, in milliseconds since 1970.
    """

    def __init__(self, name: str, zone: str, width: int) -> None:
        self._name, self._zone = name, ZoneInfo(zone)
        self._size = max(9, round(width / 44))
        self._font = cv2.FontFace("sans")

    def write(self, picture: Picture, at: float) -> None:
        """Burn name, clock and strip for the moment `at` (seconds since 1970) into the picture, in place."""
        milliseconds = round(at * 1000)
        moment = datetime.fromtimestamp(milliseconds // 1000, self._zone)
        clock = f"{moment:%Y-%m-%d %H:%M:%S}.{milliseconds % 1000:03d} {moment:%Z}"
        width, pad = picture.shape[1], self._size // 2
        bar = picture[: self._size + 2 * pad]
        bar[...] = bar // 3
        baseline = self._size + pad - self._size // 8
        self._text(picture, self._name, (pad * 2, baseline))
        # a fixed left edge: the digits must not dance as their widths change
        self._text(picture, clock, (width - round(self._size * 16.2), baseline))
        write_number(picture, milliseconds)

    def _text(self, picture: Picture, text: str, origin: tuple[int, int]) -> None:
        cv2.putText(picture, text, origin, WHITE, self._font, self._size, weight=500)


class Clocked:
    """Any artist's picture under a camera overlay."""

    def __init__(self, artist: Artist, overlay: Overlay) -> None:
        self._artist, self._overlay = artist, overlay

    def draw(self, index: int, at: float) -> Picture:
        """The artist's picture with name, clock and strip burnt in."""
        picture = self._artist.draw(index, at)
        self._overlay.write(picture, at)
        return picture


class Footage:
    """Real footage from a file, decoded as it plays and scaled to the stream's size; starts again at its end."""

    def __init__(self, path: Path, shape: Shape) -> None:
        self._path, self._shape = path, shape
        self._pictures = self._play()

    def draw(self, index: int, at: float) -> Picture:
        """The footage's next picture (its own order; `index` and `at` only tell that time went on)."""
        return next(self._pictures)

    def _play(self) -> Iterator[Picture]:
        while True:
            with av.open(str(self._path)) as container:
                for frame in container.decode(video=0):
                    picture = cast(Picture, frame.to_ndarray(format="bgr24"))
                    yield _fill(picture, self._shape.width, self._shape.height)


def _fill(picture: Picture, width: int, height: int) -> Picture:
    """The picture cut to the wanted shape around its middle and scaled to it."""
    rows, columns = picture.shape[:2]
    keep = min(rows, columns * height // width)
    top = (rows - keep) // 2
    return cast(Picture, cv2.resize(picture[top : top + keep], (width, height), interpolation=cv2.INTER_AREA))


class Numbered:
    """Any artist's picture with the frame index burnt in, as the test pattern has it."""

    def __init__(self, artist: Artist) -> None:
        self._artist = artist

    def draw(self, index: int, at: float) -> Picture:
        """The artist's picture with the index in the strip."""
        picture = self._artist.draw(index, at)
        write_number(picture, index)
        return picture


class Spoiled:
    """Another artist's picture with a fault of the lens or the sensor: black, covered or frozen."""

    def __init__(self, artist: Artist, kind: str) -> None:
        self._artist, self._kind = artist, kind
        self._kept: Picture | None = None

    def draw(self, index: int, at: float) -> Picture:
        """The picture as the broken camera shows it."""
        if self._kind == "frozen":
            if self._kept is None:
                self._kept = self._artist.draw(index, at)
            return self._kept
        picture = self._artist.draw(index, at)
        return np.zeros_like(picture) if self._kind == "black" else _covered(picture)


def _covered(picture: Picture) -> Picture:
    """A hand or a bag on the lens: next to no light, a dull red-brown blur, a little of the room's brightness."""
    level = float(picture.mean()) / 255
    height, width = picture.shape[:2]
    blob = np.linspace(0.6, 1.0, width)[None, :, None] * np.linspace(1.0, 0.7, height)[:, None, None]
    covered = blob * np.array([14.0, 18.0, 34.0]) * (0.5 + level)
    return np.asarray(covered, np.uint8)
