"""Drawn rooms with people who walk: what the demonstration's cameras see.

A room is drawn once, in one-point perspective, together with a depth for every pixel, so that furniture hides
who stands behind it and a doorway shows who stands beyond it. Each picture then costs one copy and a few sprites.
Metres: X to the right, Y up, Z away from the camera, which hangs 2.4 m above the floor.
"""

from __future__ import annotations

import math
import random
import time
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from figures import HEIGHT, STANDING, STEPS, WIDTH, Look, figure
from scenes import SCENES, Canvas, Door, Scene, View
from stamp import Picture

PACE = 1.25  # metres a second
STRIDE = 1.5  # metres of two steps
BODY = 1.74  # metres, of a figure of stature 1
LEAF_OPENS, LEAF_CLOSES = 0.25, 2.1  # seconds after the event
STROLL_EVERY = (14.0, 40.0)  # seconds between people who cross the room for reasons of their own
CROWD = 24  # figures in one room at most


Place = tuple[float, float, str, int]  # X, Z, view, step


class WalkError(ValueError):
    """A walk that this room cannot show; the message says why."""


@dataclass(frozen=True, slots=True)
class Step:
    """Where a walker is at a moment: time (seconds since 1970), X, Z."""

    at: float
    x: float
    z: float


@dataclass(frozen=True, slots=True)
class Walker:
    """One person's way through the room, and the door leaf it moves (None = none)."""

    look: Look
    way: tuple[Step, ...]
    door: int | None = None
    opens: float = 0.0
    waiting: str = "front"

    def here(self, now: float) -> Place | None:
        """X, Z, view and step at `now`, or None before and after the walk."""
        if not self.way[0].at <= now < self.way[-1].at:
            return None
        done = 0.0
        for one, two in zip(self.way, self.way[1:], strict=False):
            length = math.hypot(two.x - one.x, two.z - one.z)
            if now < two.at:
                if length < 0.01:
                    return one.x, one.z, self.waiting, STANDING
                return _between(one, two, (now - one.at) / (two.at - one.at), done, length)
            done += length
        return None


def _between(one: Step, two: Step, part: float, done: float, length: float) -> Place:
    x, z = one.x + (two.x - one.x) * part, one.z + (two.z - one.z) * part
    step = int((done + length * part) / STRIDE * STEPS) % STEPS
    if abs(two.x - one.x) > abs(two.z - one.z):
        return x, z, "right" if two.x > one.x else "left", step
    return x, z, "front" if two.z < one.z else "back", step


class Room:
    """One camera's room. `doors` maps door ids to "slot" or "slot:far" (far: the camera hangs before the door)."""

    def __init__(self, scene: str, doors: dict[str, str], width: int, height: int) -> None:
        if scene not in SCENES:
            raise ValueError(f"there is no scene {scene!r}; known are {', '.join(SCENES)}")
        self._scene: Scene = SCENES[scene]
        self._view = View(width, height)
        canvas = Canvas(self._view, self._scene)
        self._ground, self._depth, self._leaves = canvas.finish()
        self._doors = {door: (int(at.partition(":")[0]), at.endswith(":far")) for door, at in doors.items()}
        self._dice = random.Random(f"{scene}{sorted(doors)}")
        self._walkers: list[Walker] = []
        self._next_stroll = time.time() + self._dice.uniform(2, 10)
        self._grounds = [self._with_seated(scene, step) for step in (0, 2)]

    def walk(self, order: dict[str, Any]) -> None:
        """Send a person through. Order: door, direction (in, out), at (the moment of the badge, seconds since 1970),
        and optionally passes (false: turned away), seed (whose look), kind (staff, visitor), waits (seconds before
        the door opens; 0 for a forced door). Raises WalkError."""
        slot, far = self._slot(str(order.get("door", "")))
        direction = order.get("direction", "in")
        if direction not in ("in", "out"):
            raise WalkError(f"direction is in or out, not {direction!r}")
        try:
            at, waits = float(order["at"]), float(order.get("waits", 0.7))
        except (KeyError, TypeError, ValueError):
            raise WalkError("at is the moment of the badge in seconds since 1970") from None
        look = Look.of(str(order.get("seed", at)), str(order.get("kind", "staff")))
        comes = (direction == "in") != far
        way = self._way(self._scene.doors[slot], at, waits, comes=comes, passes=bool(order.get("passes", True)))
        opens = at + waits - 0.45 if order.get("passes", True) else math.inf
        self._walkers = [*self._walkers[-CROWD:], Walker(look, tuple(way), slot, opens, "front" if comes else "back")]

    def _slot(self, door: str) -> tuple[int, bool]:
        if door not in self._doors:
            raise WalkError(f"door {door!r} is not in this picture; there are {', '.join(self._doors) or 'none'}")
        return self._doors[door]

    def _way(self, door: Door, at: float, waits: float, *, comes: bool, passes: bool) -> list[Step]:
        wall, middle = self._scene.length, (door.left + door.right) / 2
        side = self._dice.choice((-1, 1))
        corner = (side * (self._scene.width / 2 + 0.6), self._dice.uniform(4.2, 5.2))
        near, far = (middle + 0.25 * side, wall - 0.45), (middle + 0.15 * side, wall + 0.55)
        inside, outside = [near, corner], [far, (middle, wall + 4.0)]
        coming, going = (outside, inside) if comes else (inside, outside)
        before = _timed([*reversed(coming)], at - 0.5, backwards=True)
        wait = Step(at + (waits if passes else 1.9), *coming[0])
        away = [coming[0], (middle, wall), *going] if passes else [coming[0], coming[1]]
        return [*before, wait, *_timed(away, wait.at, backwards=False)[1:]]

    def draw(self, index: int, at: float) -> Picture:
        """The room at wall clock `at` (seconds since 1970), as BGR."""
        picture = self._grounds[int(at * 1.4) % 2].copy()
        self._stroll(at)
        self._walkers = [one for one in self._walkers if one.way[-1].at > at]
        placed = [(found, one) for one in self._walkers if (found := one.here(at))]
        placed.sort(key=lambda pair: -pair[0][1])
        wall = self._scene.length
        for found, one in placed:
            if found[1] > wall:
                self._put(picture, one.look, found)
        self._draw_leaves(picture, at)
        self._draw_lights(picture, at)
        for found, one in placed:
            if found[1] <= wall:
                self._put(picture, one.look, found)
        return picture

    def _with_seated(self, scene: str, step: int) -> Picture:
        """The background with everyone who sits at a desk: they hardly move, so they are drawn only once."""
        picture = self._ground.copy()
        for number, (x, z) in sorted(enumerate(self._scene.seats), key=lambda seat: -seat[1][1]):
            self._put(picture, Look.of(f"{scene}-{number}"), (x, z, "seated", step), fixed=True)
        return picture

    def _stroll(self, at: float) -> None:
        """Now and then somebody crosses the room, away from its doors."""
        if not self._scene.strollers or at < self._next_stroll:
            return
        self._next_stroll = at + self._dice.uniform(*STROLL_EVERY)
        edge = self._scene.width / 2 + 0.8
        side, z = self._dice.choice((-1, 1)), self._dice.uniform(*self._scene.strollers)
        way = _timed([(-side * edge, z), (side * edge, z + self._dice.uniform(-0.4, 0.4))], at, backwards=False)
        self._walkers.append(Walker(Look.of(str(self._dice.random())), tuple(way)))

    def _put(self, picture: Picture, look: Look, found: Place, *, fixed: bool = False) -> None:
        """Draw a figure; a fixed one also hides whoever passes behind it later."""
        x, z, view, step = found
        left, top, wide, high = self._view.body(x, z, BODY * look.stature, WIDTH / HEIGHT)
        sprite = np.asarray(cv2.resize(figure(look, view, step), (wide, high), interpolation=cv2.INTER_AREA), np.uint8)
        height, width = picture.shape[:2]
        x0, y0 = max(0, left), max(0, top)
        x1, y1 = min(width, left + wide), min(height, top + high)
        if x0 >= x1 or y0 >= y1:
            return
        part = sprite[y0 - top : y1 - top, x0 - left : x1 - left]
        depth = self._depth[y0:y1, x0:x1]
        seen = depth > z if not fixed else depth >= z
        opacity = np.where(seen, part[..., 3], 0).astype(np.uint16)[..., None]
        here = picture[y0:y1, x0:x1]
        here[...] = ((part[..., :3] * opacity + here * (255 - opacity)) // 255).astype(np.uint8)
        if fixed:
            depth[opacity[..., 0] > 127] = z

    def _draw_leaves(self, picture: Picture, at: float) -> None:
        """Glass door leaves slide aside while somebody passes, and dull what is behind them."""
        for slot, leaf in enumerate(self._leaves):
            opened = max((_openness(at - one.opens) for one in self._walkers if one.door == slot), default=0.0)
            shift = round(leaf.pixels.shape[1] * 0.92 * opened)
            keep = leaf.pixels.shape[1] - shift
            if keep <= 0:
                continue
            here = picture[leaf.top : leaf.top + leaf.pixels.shape[0], leaf.left : leaf.left + keep]
            glass = leaf.pixels[:, shift:]
            opacity = leaf.opacity[:, shift:, None]
            here[...] = (here * (1 - opacity) + glass * opacity).astype(np.uint8)

    def _draw_lights(self, picture: Picture, at: float) -> None:
        """Small lamps that blink, each at its own pace: servers, printers, readers."""
        for number, (x, y, z, colour) in enumerate(self._scene.lamps):
            if math.sin(at * (2.1 + number * 0.37 % 3) + number) > -0.3:
                centre = self._view.point(x, y, z)
                cv2.circle(picture, centre, max(1, round(self._view.scale(z) * 0.02)), colour, -1, cv2.LINE_AA)


def _openness(since: float) -> float:
    """How far a leaf is open, 0 to 1, so many seconds after it began to open."""
    if since < 0 or since > LEAF_CLOSES:
        return 0.0
    return min(1.0, since / 0.45, (LEAF_CLOSES - since) / 0.5)


def _timed(points: list[tuple[float, float]], at: float, *, backwards: bool) -> list[Step]:
    """Steps along points at walking pace, starting at `at`, or (backwards) ending at it."""
    lengths = [math.dist(one, two) / PACE for one, two in pairwise(points)]
    clock = at - sum(lengths) if backwards else at
    steps = [Step(clock, *points[0])]
    for length, point in zip(lengths, points[1:], strict=True):
        clock += length
        steps.append(Step(clock, *point))
    return steps
