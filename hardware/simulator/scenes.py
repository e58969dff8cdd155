"""The rooms themselves: measures, colours and furniture as data, and the canvas that draws them once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import cv2
import numpy as np
from figures import Colour
from numpy.typing import NDArray
from stamp import Picture

EYE = 2.4  # metres above the floor
SHARP = 2  # drawn so many times larger, then averaged down
OPEN = 99.0  # depth of what has nothing behind it


class Door(NamedTuple):
    """A glass door in the back wall: left and right edge (X), height, what is beyond it."""

    left: float
    right: float
    height: float = 2.15
    beyond: str = "corridor"


class Box(NamedTuple):
    """A piece of furniture: a cuboid from (x0, y0, z0) to (x1, y1, z1) of one colour."""

    x0: float
    x1: float
    y0: float
    y1: float
    z0: float
    z1: float
    colour: Colour


class Sign(NamedTuple):
    """Text on the back wall, its middle at X and Y, letters `size` metres high."""

    text: str
    x: float
    y: float
    size: float
    colour: Colour


@dataclass(frozen=True, slots=True)
class Scene:
    """One room: width, length (Z of the back wall) and ceiling in metres, colours, and what stands in it."""

    width: float
    length: float
    ceiling: float
    wall: Colour
    floor: Colour
    doors: tuple[Door, ...]
    accent: Colour = (120, 120, 120)
    tiles: float = 0.0
    boxes: tuple[Box, ...] = ()
    signs: tuple[Sign, ...] = ()
    seats: tuple[tuple[float, float], ...] = ()
    lamps: tuple[tuple[float, float, float, Colour], ...] = ()
    strollers: tuple[float, float] | None = None
    brightness: float = 1.0


@dataclass(frozen=True, slots=True)
class View:
    """The camera's geometry for a picture of this size."""

    width: int
    height: int

    def scale(self, z: float) -> float:
        """Pixels a metre at depth z."""
        return 0.6 * self.width / max(z, 0.2)

    def exact(self, x: float, y: float, z: float) -> tuple[float, float]:
        """Where a point of the room is in the picture, in pixels."""
        scale = self.scale(z)
        return self.width / 2 + x * scale, 0.24 * self.height + (EYE - y) * scale

    def point(self, x: float, y: float, z: float) -> tuple[int, int]:
        """The same, rounded."""
        across, down = self.exact(x, y, z)
        return round(across), round(down)

    def body(self, x: float, z: float, stature: float, shape: float) -> tuple[int, int, int, int]:
        """Left, top, width and height of a standing figure's sprite; `shape` is its width to height."""
        high = max(4, round(stature * self.scale(z)))
        wide = max(2, round(high * shape))
        across, down = self.point(x, 0.0, z)
        return across - wide // 2, down - high, wide, high


@dataclass(frozen=True, slots=True)
class Leaf:
    """A door leaf as drawn over the doorway: pixels, opacity 0 to 1, place."""

    left: int
    top: int
    pixels: Picture
    opacity: NDArray[np.float32]


@dataclass(slots=True)
class Canvas:
    """Draws one scene: background and depth."""

    view: View
    scene: Scene
    large: View = field(init=False)
    picture: Picture = field(init=False)
    depth: NDArray[np.float32] = field(init=False)

    def __post_init__(self) -> None:
        self.large = View(self.view.width * SHARP, self.view.height * SHARP)
        self.picture = np.zeros((self.large.height, self.large.width, 3), np.uint8)
        self.depth = np.full((self.view.height, self.view.width), OPEN, np.float32)

    def finish(self) -> tuple[Picture, NDArray[np.float32], list[Leaf]]:
        """Background (BGR), depth in metres, and the door leaves."""
        self._shell()
        for door in self.scene.doors:
            self._doorway(door)
        for sign in self.scene.signs:
            self._sign(sign)
        for box in sorted(self.scene.boxes, key=lambda one: -one.z0):
            self._box(box)
        small = cv2.resize(self._lit(), (self.view.width, self.view.height), interpolation=cv2.INTER_AREA)
        picture = np.asarray(small, np.uint8)
        return picture, self.depth, [self._leaf(door) for door in self.scene.doors]

    def _face(
        self, corners: Sequence[tuple[float, float, float]], colour: Colour, shade: float, depth: float = 0
    ) -> None:
        tone = tuple(min(255.0, part * shade) for part in colour)
        cv2.fillPoly(self.picture, [np.array([self.large.point(*one) for one in corners], np.int32)], tone, cv2.LINE_AA)
        if depth:
            outline = np.array([self.view.point(*one) for one in corners], np.int32)
            mask = np.zeros(self.depth.shape, np.uint8)
            cv2.fillPoly(mask, [outline], 1)
            self.depth[mask > 0] = depth

    def _shell(self) -> None:
        scene, half, near = self.scene, self.scene.width / 2, 0.8
        far, top = scene.length, scene.ceiling
        self._face([(-half, 0, near), (half, 0, near), (half, 0, far), (-half, 0, far)], scene.floor, 1.0)
        self._tiles()
        self._face([(-half, top, near), (half, top, near), (half, top, far), (-half, top, far)], (226, 228, 228), 0.92)
        for side, shade in ((-half, 0.86), (half, 0.78)):
            self._face([(side, 0, near), (side, top, near), (side, top, far), (side, 0, far)], scene.wall, shade)
            self._face([(side, 0, near), (side, 0.1, near), (side, 0.1, far), (side, 0, far)], scene.accent, 0.6)
        back = [(-half, 0.0, far), (half, 0.0, far), (half, top, far), (-half, top, far)]
        self._face(back, scene.wall, 1.0, far)
        self._face([(-half, 0, far), (half, 0, far), (half, 0.1, far), (-half, 0.1, far)], scene.accent, 0.7)
        self._lights()

    def _lights(self) -> None:
        top, step = self.scene.ceiling - 0.01, 2.2
        for row in range(int(self.scene.length / step)):
            z = 1.6 + row * step
            for x in (-self.scene.width / 4, self.scene.width / 4):
                panel = [(x - 0.6, top, z), (x + 0.6, top, z), (x + 0.6, top, z + 0.7), (x - 0.6, top, z + 0.7)]
                self._face(panel, (252, 254, 255), 1.0)

    def _tiles(self) -> None:
        if not self.scene.tiles:
            return
        half, line = self.scene.width / 2, tuple(part * 0.9 for part in self.scene.floor)
        for row in np.arange(1.0, self.scene.length, self.scene.tiles):
            ends = self.large.point(-half, 0, row), self.large.point(half, 0, row)
            cv2.line(self.picture, *ends, line, 1, cv2.LINE_AA)
        for column in np.arange(-half, half, self.scene.tiles):
            ends = self.large.point(column, 0, 1.0), self.large.point(column, 0, self.scene.length)
            cv2.line(self.picture, *ends, line, 1, cv2.LINE_AA)

    def _doorway(self, door: Door) -> None:
        wall, left, right, top = self.scene.length, door.left, door.right, door.height
        frame = [
            (left - 0.09, 0, wall),
            (right + 0.09, 0, wall),
            (right + 0.09, top + 0.09, wall),
            (left - 0.09, top + 0.09, wall),
        ]
        self._face(frame, (96, 92, 90), 0.8)
        opening = [(left, 0.0, wall), (right, 0.0, wall), (right, top, wall), (left, top, wall)]
        self._face(opening, *BEYOND[door.beyond], OPEN)
        ground = [(left, 0, wall), (right, 0, wall), (right, 0.55, wall), (left, 0.55, wall)]
        self._face(ground, BEYOND[door.beyond][0], BEYOND[door.beyond][1] * 0.72)
        reader = [
            (right + 0.22, 1.05, wall),
            (right + 0.36, 1.05, wall),
            (right + 0.36, 1.3, wall),
            (right + 0.22, 1.3, wall),
        ]
        self._face(reader, (40, 38, 36), 1.0)
        lamp = [
            (right + 0.26, 1.24, wall),
            (right + 0.32, 1.24, wall),
            (right + 0.32, 1.27, wall),
            (right + 0.26, 1.27, wall),
        ]
        self._face(lamp, (90, 200, 80), 1.0)

    def _leaf(self, door: Door) -> Leaf:
        wall = self.scene.length
        left, top = self.view.point(door.left, door.height, wall)
        right, bottom = self.view.point(door.right, 0, wall)
        wide, high, edge = right - left, bottom - top, max(2, (right - left) // 16)
        pixels = np.full((high, wide, 3), (214, 210, 196), np.uint8)
        opacity = np.full((high, wide), 0.16, np.float32)
        frame = np.zeros((high, wide), bool)
        frame[:edge], frame[-edge * 2 :], frame[:, :edge], frame[:, -edge:] = True, True, True, True
        frame[high // 2 : high // 2 + edge, wide // 2 :] = True  # the push bar
        frame[:, wide // 2 - edge // 2 : wide // 2 + edge // 2 + 1] = True
        pixels[frame], opacity[frame] = (84, 80, 78), 0.95
        return Leaf(left, top, pixels, opacity)

    def _sign(self, sign: Sign) -> None:
        size = round(sign.size * self.large.scale(self.scene.length) * 1.35)
        font = cv2.FontFace("sans")
        rect = cv2.getTextSize((0, 0), sign.text, (0, 0), font, size, 600)
        across, down = self.large.point(sign.x, sign.y, self.scene.length)
        cv2.putText(self.picture, sign.text, (across - rect[2] // 2, down + size // 3), sign.colour, font, size, 600)

    def _box(self, box: Box) -> None:
        x0, x1, y0, y1, z0, z1, colour = box
        if y1 < EYE:
            self._face([(x0, y1, z0), (x1, y1, z0), (x1, y1, z1), (x0, y1, z1)], colour, 1.08, z0)
        if x0 > 0:
            self._face([(x0, y0, z0), (x0, y1, z0), (x0, y1, z1), (x0, y0, z1)], colour, 0.8, z0)
        if x1 < 0:
            self._face([(x1, y0, z0), (x1, y1, z0), (x1, y1, z1), (x1, y0, z1)], colour, 0.8, z0)
        self._face([(x0, y0, z0), (x1, y0, z0), (x1, y1, z0), (x0, y1, z0)], colour, 0.92, z0)

    def _lit(self) -> Picture:
        """Light falls off towards the corners, and a sensor has a little grain."""
        height, width = self.picture.shape[:2]
        across, down = np.linspace(-1, 1, width)[None, :], np.linspace(-1, 1, height)[:, None]
        falloff = (1 - 0.16 * (across**2 + down**2)) * self.scene.brightness
        grain = np.random.default_rng(3).normal(0, 2.2, (height, width))
        return np.asarray((self.picture * falloff[..., None] + grain[..., None]).clip(0, 255), np.uint8)


BEYOND: dict[str, tuple[Colour, float]] = {
    "corridor": ((206, 206, 200), 1.0),
    "day": ((236, 226, 206), 1.05),
    "dark": ((96, 92, 88), 1.0),
    "shutter": ((168, 168, 160), 1.0),
}

WOOD, PALE, STEEL, DARK = (96, 132, 168), (196, 200, 200), (150, 146, 140), (64, 62, 60)
GREEN, SCREEN = (70, 120, 78), (150, 116, 60)


def _desk(x: float, z: float, top: Colour = PALE) -> tuple[Box, ...]:
    """A desk with a screen, 1.4 m wide, its near edge at z."""
    return (
        Box(x - 0.7, x + 0.7, 0.7, 0.75, z, z + 0.7, top),
        Box(x - 0.68, x - 0.62, 0.0, 0.7, z, z + 0.68, STEEL),
        Box(x + 0.62, x + 0.68, 0.0, 0.7, z, z + 0.68, STEEL),
        Box(x - 0.3, x + 0.3, 0.85, 1.22, z + 0.5, z + 0.53, DARK),
        Box(x - 0.27, x + 0.27, 0.88, 1.19, z + 0.49, z + 0.5, SCREEN),
    )


def _bays(columns: Sequence[float], rows: Sequence[float], top: Colour = PALE) -> tuple[Box, ...]:
    return tuple(box for z in rows for x in columns for box in _desk(x, z, top))


def _plant(x: float, z: float) -> tuple[Box, ...]:
    return (
        Box(x - 0.2, x + 0.2, 0, 0.45, z, z + 0.4, (70, 80, 96)),
        Box(x - 0.28, x + 0.28, 0.45, 1.0, z + 0.02, z + 0.38, GREEN),
        Box(x - 0.16, x + 0.18, 1.0, 1.4, z + 0.06, z + 0.3, (80, 138, 88)),
    )


def _rack(x: float, z: float) -> tuple[Box, ...]:
    lines = tuple(Box(x - 0.27, x + 0.27, y, y + 0.05, z - 0.01, z, (70, 66, 62)) for y in np.arange(0.2, 1.9, 0.14))
    return (Box(x - 0.32, x + 0.32, 0, 2.05, z, z + 0.9, (46, 44, 44)), *lines)


def _shelf(x: float, z: float) -> tuple[Box, ...]:
    cartons = tuple(
        Box(
            x - 0.6 + at * 0.42, x - 0.28 + at * 0.42, y, y + 0.34, z + 0.05, z + 0.45, (92 + 9 * at, 142, 178 - 6 * at)
        )
        for y in (0.18, 0.83, 1.48)
        for at in range(3)
    )
    boards = tuple(Box(x - 0.7, x + 0.7, y, y + 0.05, z, z + 0.5, (120, 92, 60)) for y in (0.12, 0.77, 1.42))
    posts = tuple(Box(x + side, x + side + 0.05, 0, 1.95, z, z + 0.05, (150, 96, 40)) for side in (-0.7, 0.65))
    return (*boards, *cartons, *posts)


SCENES: dict[str, Scene] = {
    "entrance": Scene(
        8.6, 8.5, 3.1, (206, 210, 208), (158, 164, 170), (Door(-2.6, -0.9, 2.3, "day"), Door(1.3, 2.5, 2.2, "day")),
        accent=(120, 104, 84), tiles=0.8, strollers=None,
        boxes=(
            *_plant(-3.8, 8.0), *_plant(3.9, 8.0),
            Box(-2.9, -2.75, 0, 1.0, 6.4, 7.6, STEEL), Box(-0.75, -0.6, 0, 1.0, 6.4, 7.6, STEEL),
            Box(1.0, 1.15, 0, 1.0, 6.4, 7.6, STEEL), Box(2.65, 2.8, 0, 1.0, 6.4, 7.6, STEEL),
            Box(-2.6, -0.9, 0, 0.02, 7.7, 8.4, DARK), Box(1.3, 2.5, 0, 0.02, 7.7, 8.4, DARK),
        ),
        signs=(Sign("VISITORS", -1.75, 2.62, 0.16, (92, 78, 60)), Sign("STAFF", 1.9, 2.62, 0.16, (92, 78, 60))),
    ),
    "lobby": Scene(
        9.0, 8.5, 3.1, (196, 204, 212), (150, 158, 168), (Door(1.9, 3.1),),
        accent=(140, 100, 60), tiles=0.9, strollers=(6.0, 6.8),
        boxes=(
            Box(-3.9, -1.0, 0, 1.1, 6.9, 7.5, WOOD), Box(-4.0, -0.9, 1.1, 1.15, 6.8, 7.6, (214, 218, 220)),
            Box(-3.0, -2.5, 1.15, 1.5, 7.3, 7.34, DARK), Box(-1.9, -1.4, 1.15, 1.5, 7.3, 7.34, DARK),
            Box(3.5, 4.3, 0, 0.42, 5.0, 6.8, (110, 92, 70)), Box(4.15, 4.4, 0.42, 0.85, 5.0, 6.8, (110, 92, 70)),
            *_plant(3.95, 7.7), *_plant(-0.3, 8.0),
        ),
        signs=(
            Sign("Pune Contact Centre", -2.2, 2.35, 0.26, (128, 88, 44)),
            Sign("RECEPTION", -2.2, 1.85, 0.13, (120, 116, 110)),
            Sign("OPERATIONS B", 2.5, 2.45, 0.13, (120, 116, 110)),
        ),
        seats=(),
    ),
    "ops-a": Scene(
        9.4, 9.0, 2.9, (222, 222, 216), (122, 112, 104), (Door(-0.75, 0.75),),
        accent=(64, 110, 190), tiles=0.6, strollers=(4.0, 4.4),
        boxes=_bays((-3.5, -2.0, 2.0, 3.5), (5.0, 7.2)),
        signs=(
            Sign("Northwind Retail", -2.9, 2.05, 0.22, (52, 96, 178)),
            Sign("Clear desk, clear screen", 2.9, 2.05, 0.15, (110, 110, 110)),
        ),
        seats=((-3.5, 4.7), (-2.0, 4.7), (3.5, 4.7), (-2.0, 6.9), (2.0, 6.9), (3.5, 6.9)),
    ),
    "ops-a-west": Scene(
        7.6, 7.8, 2.9, (216, 220, 222), (112, 108, 112), (Door(1.1, 2.3),),
        accent=(64, 110, 190), tiles=0.6, strollers=(4.6, 5.0),
        boxes=(
            *_bays((-2.6, -1.1), (5.2,)), Box(-3.4, -2.7, 0, 1.05, 7.1, 7.7, (190, 190, 188)),
            Box(-3.35, -2.75, 1.05, 1.25, 7.15, 7.65, DARK), Box(-2.3, -0.2, 0.95, 2.05, 7.72, 7.78, (240, 240, 240)),
        ),
        signs=(Sign("A west", 1.7, 2.45, 0.15, (52, 96, 178)),),
        seats=((-2.6, 4.9), (-1.1, 4.9)), lamps=((-2.9, 1.1, 7.1, (90, 220, 90)),),
    ),
    "card-room": Scene(
        7.4, 7.6, 2.8, (236, 236, 234), (188, 184, 178), (Door(-0.6, 0.6),),
        accent=(60, 60, 190), tiles=0.6,
        boxes=(
            *_bays((-2.6, 2.6), (4.6, 6.3), (222, 222, 220)), Box(1.0, 2.4, 0.2, 1.8, 7.3, 7.55, (170, 160, 150)),
            *(
                Box(1.03 + at * 0.34, 1.33 + at * 0.34, y, y + 0.46, 7.28, 7.3, (188, 178, 166))
                for y in (0.25, 0.77, 1.29) for at in range(4)
            ),
        ),
        signs=(Sign("Card room: no phones, no paper", 0.0, 2.42, 0.15, (50, 50, 190)),),
        seats=((-2.6, 4.3), (2.6, 4.3), (2.6, 6.0)),
    ),
    "ops-b": Scene(
        9.0, 8.6, 2.9, (214, 218, 210), (104, 116, 106), (Door(-2.7, -1.5),),
        accent=(96, 128, 40), tiles=0.6, strollers=(4.0, 4.4),
        boxes=(*_bays((0.4, 1.9, 3.4), (4.9, 6.9), (186, 196, 192)), *_plant(-4.0, 7.6)),
        signs=(Sign("Meridian Bank", 1.6, 2.05, 0.24, (84, 112, 32)),),
        seats=((0.4, 4.6), (3.4, 4.6), (0.4, 6.6), (1.9, 6.6)),
    ),
    "server-room": Scene(
        6.4, 7.4, 2.7, (150, 146, 140), (124, 120, 116), (Door(-0.55, 0.55, 2.1, "corridor"),),
        accent=(110, 96, 80), tiles=0.6, brightness=0.82,
        boxes=tuple(box for z in (4.3, 5.3, 6.3) for x in (-2.3, 2.3) for box in _rack(x, z)),
        lamps=tuple(
            (x + dx, y, 4.28, colour)
            for x in (-2.3, 2.3)
            for dx, y, colour in (
                (-0.2, 0.62, (90, 230, 90)), (-0.1, 0.9, (90, 230, 90)), (0.1, 1.18, (60, 190, 240)),
                (0.2, 1.46, (90, 230, 90)), (-0.15, 1.6, (230, 180, 60)),
            )
        ),
    ),
    "goods": Scene(
        9.0, 9.0, 3.2, (176, 180, 184), (138, 142, 146), (Door(-1.3, 1.3, 2.6, "day"),),
        accent=(40, 160, 210), tiles=0.0, brightness=0.93,
        boxes=(
            *_shelf(-3.6, 6.8), *_shelf(-3.6, 5.0), *_shelf(3.6, 6.8), Box(2.7, 3.9, 0, 0.15, 4.6, 5.6, WOOD),
            Box(2.8, 3.8, 0.15, 0.8, 4.7, 5.5, (96, 146, 182)), Box(-1.3, 1.3, 0, 0.02, 8.0, 8.1, (40, 190, 230)),
        ),
        signs=(Sign("GOODS BAY", 0.0, 2.9, 0.2, (60, 60, 60)),),
    ),
    "plaza": Scene(
        12.0, 12.0, 4.5, (214, 200, 176), (164, 168, 166), (Door(-1.6, 1.6, 2.6, "dark"),),
        accent=(120, 120, 116), tiles=1.2, strollers=(5.0, 8.0),
        boxes=(*_plant(-3.4, 10.6), *_plant(3.4, 10.6), Box(-5.6, -3.9, 0, 0.45, 7.0, 7.6, STEEL)),
        signs=(Sign("TOWER 4", 0.0, 3.2, 0.34, (110, 96, 80)),),
    ),
}  # fmt: skip
