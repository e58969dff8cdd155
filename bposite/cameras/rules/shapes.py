"""Masks and rectangles that people draw on a picture, in shares of its width and height (0 to 1)."""

from collections.abc import Sequence
from math import isfinite

Point = tuple[float, float]
Polygon = tuple[Point, ...]

MOST_MASKS, MOST_POINTS = 16, 24
SMALLEST_AREA = 0.0004


def _point(raw: Sequence[float]) -> Point:
    if len(raw) != 2 or not all(isinstance(value, int | float) and isfinite(value) for value in raw):
        raise ValueError("A point is two numbers between 0 and 1.")
    x, y = float(raw[0]), float(raw[1])
    if not (0 <= x <= 1 and 0 <= y <= 1):
        raise ValueError("A point lies outside of the picture.")
    return round(x, 4), round(y, 4)


def area(polygon: Polygon) -> float:
    """Area of a polygon as a share of the picture (shoelace formula)."""
    total = 0.0
    for (x1, y1), (x2, y2) in zip(polygon, (*polygon[1:], polygon[0]), strict=True):
        total += x1 * y2 - x2 * y1
    return abs(total) / 2


def checked_masks(raw: Sequence[Sequence[Sequence[float]]]) -> tuple[Polygon, ...]:
    """Masks as stored. ValueError in words for people when there are too many or one is no area."""
    if len(raw) > MOST_MASKS:
        raise ValueError(f"Draw at most {MOST_MASKS} masks.")
    masks = tuple(tuple(_point(point) for point in polygon) for polygon in raw)
    for mask in masks:
        if not 3 <= len(mask) <= MOST_POINTS:
            raise ValueError(f"A mask has 3 to {MOST_POINTS} corners.")
        if area(mask) < SMALLEST_AREA:
            raise ValueError("A mask is too small to cover anything.")
    return masks


Box = tuple[float, float, float, float]
MOST_BOXES = 40


def checked_boxes(raw: Sequence[Sequence[float]]) -> tuple[Box, ...]:
    """Rectangles (left, top, width, height in shares). ValueError in words when there is none or one is no area."""
    if not 1 <= len(raw) <= MOST_BOXES:
        raise ValueError(f"Draw 1 to {MOST_BOXES} rectangles.")
    boxes = []
    for box in raw:
        if len(box) != 4 or not all(isinstance(value, int | float) and isfinite(value) for value in box):
            raise ValueError("A rectangle is four numbers between 0 and 1.")
        left, top, width, height = (round(float(value), 4) for value in box)
        if not (left >= 0 and top >= 0 and left + width <= 1.0001 and top + height <= 1.0001):
            raise ValueError("A rectangle lies outside of the picture.")
        if width * height < SMALLEST_AREA:
            raise ValueError("A rectangle is too small to cover anything.")
        boxes.append((left, top, width, height))
    return tuple(boxes)
