"""Masks and redaction: parts of a picture that nobody shall see are blacked out or made of large squares."""

from collections.abc import Sequence

import cv2
import numpy as np

from bposite.cameras.capture.decode import Pixels

GREY = (72, 72, 72)
SQUARES_ACROSS = 32


def masked(pixels: Pixels, masks: Sequence[Sequence[Sequence[float]]]) -> Pixels:
    """A copy with every mask (corner points in shares of width and height) painted over."""
    copy = pixels.copy()
    height, width = copy.shape[:2]
    for mask in masks:
        corners = np.array([[round(x * width), round(y * height)] for x, y in mask], dtype=np.int32)
        cv2.fillPoly(copy, [corners], GREY)
    return copy


def redacted(pixels: Pixels, boxes: Sequence[Sequence[float]], keep: bool) -> Pixels:
    """A copy in which the boxes (left, top, width, height in shares) are made of so few squares that nobody can be
    told; with `keep` everything but the boxes is."""
    coarse = _coarse(pixels)
    inside, outside = (pixels, coarse) if keep else (coarse, pixels)
    copy = outside.copy()
    height, width = copy.shape[:2]
    for left, top, across, down in boxes:
        place = (
            slice(round(top * height), max(round((top + down) * height), round(top * height) + 1)),
            slice(round(left * width), max(round((left + across) * width), round(left * width) + 1)),
        )
        copy[place] = inside[place]
    return copy


def _coarse(pixels: Pixels) -> Pixels:
    """The whole picture as squares a thirty-second of its width, each of one averaged colour.

    The squares lie on a fixed grid and are averaged over the whole square, so that nothing can be put together again
    from several redacted copies of one scene.
    """
    height, width = pixels.shape[:2]
    size = (SQUARES_ACROSS, max(2, round(SQUARES_ACROSS * height / width)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST), dtype=np.uint8)
