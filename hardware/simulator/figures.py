"""Small drawn people: one look each (clothes, hair, skin), seen from the front, the back or the side, walking.

Figures are drawn once per look, view and step at twice their size and kept; a room scales them as it needs.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]
Point = tuple[float, float]
Sprite = NDArray[np.uint8]  # (height, width, 4): blue, green, red, opacity

HEIGHT, WIDTH = 192, 96  # of a kept sprite, pixels
OVER = 2  # drawn so many times larger, then averaged down
STEPS = 8  # pictures of one full stride
STANDING = -1
VIEWS = ("front", "back", "left", "right", "seated")

SKINS: Sequence[Colour] = (
    (140, 172, 214),
    (108, 146, 196),
    (84, 118, 168),
    (62, 90, 138),
    (46, 66, 104),
    (156, 190, 232),
)
HAIRS: Sequence[Colour] = (
    (28, 26, 30),
    (34, 34, 40),
    (40, 52, 74),
    (30, 34, 44),
    (52, 84, 120),
    (36, 40, 58),
    (140, 142, 146),
)
TOPS: Sequence[Colour] = (
    (150, 98, 52), (86, 70, 52), (196, 186, 176), (92, 120, 70), (78, 72, 150),
    (60, 60, 66), (168, 150, 92), (70, 108, 176), (122, 84, 120), (206, 200, 196),
)  # fmt: skip
TROUSERS: Sequence[Colour] = ((52, 46, 42), (74, 60, 48), (60, 62, 66), (104, 96, 88), (40, 38, 40))
STYLES = ("short", "short", "short", "long", "bun", "scarf", "turban", "short")
LANYARDS: dict[str, Colour] = {"staff": (176, 112, 40), "visitor": (44, 92, 226)}


@dataclass(frozen=True, slots=True)
class Look:
    """How one person looks; the same seed gives the same look on every camera."""

    skin: Colour
    hair: Colour
    top: Colour
    trousers: Colour
    style: str
    lanyard: Colour
    stature: float

    @staticmethod
    def of(seed: str, kind: str = "staff") -> Look:
        """The look that belongs to a seed such as a staff number; visitors wear a red lanyard."""
        dice = random.Random(seed)
        skin, hair, top = dice.choice(SKINS), dice.choice(HAIRS), dice.choice(TOPS)
        lanyard = LANYARDS.get(kind, LANYARDS["staff"])
        return Look(skin, hair, top, dice.choice(TROUSERS), dice.choice(STYLES), lanyard, dice.uniform(0.93, 1.06))


class Brush:
    """Draws shapes on a large canvas and into its opacity at once; lengths in parts of the figure's height."""

    def __init__(self, times: int = OVER) -> None:
        self._high, self._wide = HEIGHT * times, WIDTH * times
        self.colour = np.full((self._high, self._wide, 3), 40, np.uint8)
        self.opacity = np.zeros((self._high, self._wide), np.uint8)

    def _at(self, point: Point) -> tuple[int, int]:
        return round(self._wide / 2 + point[0] * self._high), round(point[1] * self._high)

    def limb(self, points: Sequence[Point], width: float, colour: Colour) -> None:
        """A bent limb with round ends."""
        thick = max(1, round(width * self._high))
        for one, two in pairwise(points):
            cv2.line(self.colour, self._at(one), self._at(two), colour, thick)
            cv2.line(self.opacity, self._at(one), self._at(two), 255, thick)

    def oval(self, centre: Point, radii: Point, colour: Colour, span: tuple[int, int] = (0, 360)) -> None:
        """A filled ellipse or, with a span of degrees, a slice of it."""
        axes = round(radii[0] * self._high), round(radii[1] * self._high)
        cv2.ellipse(self.colour, self._at(centre), axes, 0, *span, colour, -1)
        cv2.ellipse(self.opacity, self._at(centre), axes, 0, *span, 255, -1)

    def shape(self, points: Sequence[Point], colour: Colour) -> None:
        """A filled polygon."""
        corners = np.array([self._at(point) for point in points], np.int32)
        cv2.fillPoly(self.colour, [corners], colour)
        cv2.fillPoly(self.opacity, [corners], 255)

    def sprite(self, width: int = WIDTH, height: int = HEIGHT) -> Sprite:
        """The finished figure, lit from the upper left, scaled to its kept size."""
        light = np.linspace(1.12, 0.82, self._wide)[None, :, None] * np.linspace(1.06, 0.9, self._high)[:, None, None]
        lit = (self.colour * light).clip(0, 255).astype(np.uint8)
        both = np.dstack((lit, self.opacity))
        return np.asarray(cv2.resize(both, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


@lru_cache(maxsize=512)
def figure(look: Look, view: str, step: int) -> Sprite:
    """The sprite of a look from one of VIEWS at a step of 0 to 7, or STANDING."""
    brush = Brush()
    swing = 0.0 if step == STANDING else math.sin(2 * math.pi * step / STEPS)
    lift = 0.0 if step == STANDING else math.cos(2 * math.pi * step / STEPS)
    if view in ("left", "right"):
        _from_side(brush, look, swing, lift)
        sprite = brush.sprite()
        return sprite if view == "right" else np.ascontiguousarray(sprite[:, ::-1])
    if view == "seated":
        _seated(brush, look, swing)
    else:
        _from_front(brush, look, swing, lift, back=view == "back")
    return brush.sprite()


def _darker(colour: Colour, by: float = 0.8) -> Colour:
    return int(colour[0] * by), int(colour[1] * by), int(colour[2] * by)


def _from_front(brush: Brush, look: Look, swing: float, lift: float, *, back: bool) -> None:
    for side in (-1, 1):
        raised = max(0.0, side * swing) * 0.045
        foot = (side * 0.052, 0.955 - raised)
        brush.limb(
            [(side * 0.05, 0.5), (side * 0.054, 0.74 - raised / 2), foot],
            0.078,
            _darker(look.trousers, 0.9 + 0.05 * side),
        )
        brush.oval((foot[0], foot[1] + 0.018), (0.036, 0.02), (30, 30, 34))
    for side in (-1, 1):
        sway = -side * swing * 0.03
        hand = (side * 0.15, 0.5 + sway)
        brush.limb([(side * 0.115, 0.215), (side * 0.145, 0.36), hand], 0.058, _darker(look.top, 0.86))
        brush.oval(hand, (0.026, 0.03), look.skin)
    _trunk(brush, look, 0.128)
    if not back:
        _lanyard(brush, look)
    _head(brush, look, 0.0, back=back)


def _trunk(brush: Brush, look: Look, half: float) -> None:
    brush.limb([(0, 0.12), (0, 0.2)], 0.06, _darker(look.skin, 0.85))
    outline = [(-half * 0.55, 0.165), (-half, 0.2), (-half * 0.86, 0.36), (-half * 0.8, 0.54)]
    brush.shape([*outline, *[(-x, y) for x, y in reversed(outline)]], look.top)
    brush.limb([(-half * 0.8, 0.535), (half * 0.8, 0.535)], 0.022, _darker(look.trousers, 0.7))


def _lanyard(brush: Brush, look: Look) -> None:
    for side in (-1, 1):
        brush.limb([(side * 0.045, 0.175), (0, 0.34)], 0.012, look.lanyard)
    brush.shape([(-0.026, 0.34), (0.026, 0.34), (0.026, 0.405), (-0.026, 0.405)], (236, 236, 236))
    brush.shape([(-0.026, 0.34), (0.026, 0.34), (0.026, 0.355), (-0.026, 0.355)], look.lanyard)


def _head(brush: Brush, look: Look, lean: float, *, back: bool, side: bool = False) -> None:
    centre = (lean, 0.085)
    if look.style == "long":
        brush.oval((lean - (0.014 if side else 0), 0.11), (0.056, 0.088), look.hair)
    if look.style == "scarf":
        brush.oval((lean, 0.1), (0.06, 0.085), look.top)
    brush.oval(centre, (0.045, 0.062), look.hair if back and look.style != "scarf" else look.skin)
    if look.style == "scarf":
        brush.oval(centre, (0.05, 0.07), _darker(look.top, 0.92), (180, 360))
        if back:
            brush.oval(centre, (0.05, 0.068), _darker(look.top, 0.92))
        return
    if look.style == "turban":
        brush.oval((lean, 0.052), (0.06, 0.044), look.lanyard)
        if not back:
            brush.oval((lean, 0.125), (0.04, 0.03), look.hair)
        return
    brush.oval((lean - (0.008 if side else 0), 0.062), (0.05, 0.045), look.hair, (180, 360))
    brush.oval(
        (lean - (0.02 if side else 0), 0.055 if not side else 0.06),
        (0.049 if not side else 0.036, 0.022 if not side else 0.026),
        look.hair,
    )
    if look.style == "bun":
        brush.oval((lean - (0.045 if side else 0), 0.02 if not side else 0.06), (0.024, 0.022), look.hair)


def _from_side(brush: Brush, look: Look, swing: float, lift: float) -> None:
    for far in (True, False):
        sign = -1 if far else 1
        thigh, shin = sign * swing * 0.42, sign * swing * 0.42 - max(0.0, -sign * lift) * 0.5
        knee = (math.sin(thigh) * 0.23, 0.51 + math.cos(thigh) * 0.23)
        foot = (knee[0] + math.sin(shin) * 0.22, knee[1] + math.cos(shin) * 0.22)
        brush.limb([(0, 0.51), knee, foot], 0.084, _darker(look.trousers, 0.78 if far else 1.0))
        brush.oval((foot[0] + 0.022, min(0.975, foot[1] + 0.016)), (0.05, 0.02), (30, 30, 34))
        if far:
            _arm(brush, look, swing, 0.72)
    brush.limb([(0, 0.12), (0, 0.2)], 0.055, _darker(look.skin, 0.85))
    brush.limb([(0.002, 0.235), (0, 0.37), (-0.004, 0.48)], 0.135, look.top)
    _arm(brush, look, -swing, 0.86)
    _head(brush, look, 0.008, back=False, side=True)


def _arm(brush: Brush, look: Look, swing: float, shade: float) -> None:
    elbow = (math.sin(swing * 0.5) * 0.15, 0.22 + math.cos(swing * 0.5) * 0.15)
    hand = (elbow[0] + math.sin(swing * 0.5 + 0.25) * 0.14, elbow[1] + math.cos(swing * 0.5 + 0.25) * 0.13)
    brush.limb([(0, 0.22), elbow, hand], 0.058, _darker(look.top, shade))
    brush.oval(hand, (0.026, 0.028), look.skin)


def _seated(brush: Brush, look: Look, swing: float) -> None:
    """From behind, at a desk: chair back below the shoulders, hands a little up and down with `swing`."""
    for side in (-1, 1):
        hand = (side * 0.13, 0.42 + side * swing * 0.008)
        brush.limb([(side * 0.115, 0.235), (side * 0.155, 0.36), hand], 0.058, _darker(look.top, 0.86))
    _trunk(brush, look, 0.128)
    brush.shape([(-0.12, 0.36), (0.12, 0.36), (0.105, 0.62), (-0.105, 0.62)], (62, 58, 56))
    brush.limb([(0, 0.62), (0, 0.78)], 0.03, (48, 46, 46))
    for side in (-1, 1):
        brush.limb([(0, 0.77), (side * 0.11, 0.82)], 0.022, (48, 46, 46))
    _head(brush, look, swing * 0.004, back=True)
    if look.style in ("short", "bun", "long"):  # a headset: this is a contact centre
        brush.oval((0.05, 0.09), (0.014, 0.024), (30, 30, 32))
        brush.oval((-0.05, 0.09), (0.014, 0.024), (30, 30, 32))


def portrait(look: Look) -> NDArray[np.uint8]:
    """Head and shoulders from the front before a plain wall, 240 x 300 pixels, BGR: a photo for the reception."""
    brush = Brush(times=10)
    _from_front(brush, look, 0.0, 0.0, back=False)
    for side in (-1, 1):
        brush.oval((side * 0.017, 0.092), (0.0055, 0.0045), (38, 34, 34))
        brush.limb([(side * 0.010, 0.082), (side * 0.025, 0.081)], 0.004, _darker(look.hair, 0.9))
    brush.limb([(-0.012, 0.122), (0.0, 0.1245), (0.012, 0.122)], 0.0035, _darker(look.skin, 0.6))
    brush.limb([(0.0, 0.098), (0.003, 0.108)], 0.003, _darker(look.skin, 0.84))
    figure_large = brush.sprite(WIDTH * 10, HEIGHT * 10)
    half, top = 240, 0
    part = figure_large[top : top + 600, WIDTH * 5 - half : WIDTH * 5 + half]
    wall = np.linspace(214, 188, 600)[:, None, None] * np.array([1.0, 0.99, 0.97])
    opacity = part[..., 3:].astype(np.float32) / 255
    picture = np.asarray(wall * (1 - opacity) + part[..., :3] * opacity, np.uint8)
    return np.asarray(cv2.resize(picture, (240, 300), interpolation=cv2.INTER_AREA), np.uint8)
