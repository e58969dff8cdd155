"""Masks and redaction: parts of a picture that nobody shall see are blacked out or made of large squares."""

from collections.abc import Sequence

import cv2
import numpy as np

from bposite.cameras.capture.decode import Pixels

GREY = (72, 72, 72)
SQUARES = 14

Box = tuple[int, int, int, int]


def masked(pixels: Pixels, masks: Sequence[Sequence[Sequence[float]]]) -> Pixels:
    """A copy with every mask (corner points in shares of width and height) painted over."""
    copy = pixels.copy()
    height, width = copy.shape[:2]
    for mask in masks:
        corners = np.array([[round(x * width), round(y * height)] for x, y in mask], dtype=np.int32)
        cv2.fillPoly(copy, [corners], GREY)
    return copy


def pixelated(pixels: Pixels, boxes: Sequence[Box]) -> Pixels:
    """A copy in which each box (x, y, width, height in pixels) is made of so few squares that nobody can be told."""
    copy = pixels.copy()
    for x, y, width, height in boxes:
        part: Pixels = copy[max(y, 0) : y + height, max(x, 0) : x + width]
        if part.size:
            columns = max(2, min(SQUARES, part.shape[1] // 8))
            rows = max(2, round(columns * part.shape[0] / part.shape[1]))
            small = cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA)
            part[:] = cv2.resize(small, (part.shape[1], part.shape[0]), interpolation=cv2.INTER_NEAREST)
    return copy
