"""What each test camera is to show, read from the command line or a JSON file, and the makers of it."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from faults import Faults
from media import Artist, Clip, Live, Shape, Source, write_clip
from pictures import Clocked, Footage, Numbered, Overlay, TestPattern
from rooms import Room


@dataclass(frozen=True, slots=True)
class Plan:
    """One camera. kind: test (live pattern with absolute index), clip (prerendered, index starts again with the
    clip), file (an MP4 as it is), room (drawn room with people and clock), footage (real pedestrians with clock)."""

    path: str
    kind: str = "test"
    name: str = ""
    scene: str = ""
    zone: str = "UTC"
    file: Path | None = None
    doors: dict[str, str] = field(default_factory=dict)
    shape: Shape = field(default_factory=Shape)
    faults: Faults = field(default_factory=Faults)


def read_plans(options: argparse.Namespace) -> list[Plan]:
    """The cameras asked for. Raises FaultError, ValueError or OSError with a message for the operator."""
    if options.config:
        return [_plan(row) for row in json.loads(options.config.read_text("utf-8"))]
    width, _, height = options.size.partition("x")
    shape = Shape(options.codec, int(width), int(height), options.fps, options.gop)
    changes = {name: json.loads(value) for name, _, value in (one.partition("=") for one in options.fault)}
    faults = Faults().changed(changes)
    return [
        Plan(f"cam{at}", options.kind, f"Camera {at}", "lobby", file=options.file, shape=shape, faults=faults)
        for at in range(options.cameras)
    ]


def _plan(row: dict[str, Any]) -> Plan:
    shape = Shape(**{key: row[key] for key in ("codec", "width", "height", "fps", "gop", "qp") if key in row})
    known = {key: row[key] for key in ("path", "kind", "name", "scene", "zone", "doors") if key in row}
    file = Path(row["file"]) if row.get("file") else None
    return Plan(**known, file=file, shape=shape, faults=Faults().changed(row.get("faults", {})))


class Maker:
    """Makes sources; cameras that show the same test pictures share one encoder, rooms have one each."""

    def __init__(self, cache: Path | None, footage: Path | None, clip_seconds: float) -> None:
        self._cache, self._footage, self._clip_seconds = cache, footage, clip_seconds
        self._shared: dict[tuple[str, Shape, Path | None], Source] = {}
        self._rooms: dict[str, Room] = {}

    def source(self, plan: Plan) -> Source:
        """The faultless source of a camera."""
        if plan.kind in ("room", "footage"):
            return Live(self.artist(plan), plan.shape)
        key = (plan.kind, plan.shape, plan.file)
        if key not in self._shared:
            self._shared[key] = Live(self.artist(plan), plan.shape) if plan.kind == "test" else Clip(self._file(plan))
        return self._shared[key]

    def room(self, plan: Plan) -> Room | None:
        """The room that a camera shows, where people can be sent through; None for other kinds."""
        if plan.kind != "room" and not (plan.kind == "footage" and not self._footage_there()):
            return None
        if plan.path not in self._rooms:
            self._rooms[plan.path] = Room(plan.scene or "lobby", plan.doors, plan.shape.width, plan.shape.height)
        return self._rooms[plan.path]

    def artist(self, plan: Plan) -> Artist:
        """Who draws a camera's pictures."""
        if plan.kind == "test":
            return TestPattern(plan.shape)
        if plan.kind in ("clip", "file"):
            return Footage(self._file(plan), plan.shape)
        overlay = Overlay(plan.name, plan.zone, plan.shape.width)
        room = self.room(plan)
        if room is not None:
            return Clocked(room, overlay)
        return Clocked(Footage(self._footage_path(), plan.shape), overlay)

    def _footage_there(self) -> bool:
        return self._footage is not None and self._footage.is_file()

    def _footage_path(self) -> Path:
        if self._footage is None or not self._footage.is_file():
            raise FileNotFoundError(f"no footage at {self._footage}: give --footage a video file")
        return self._footage

    def _file(self, plan: Plan) -> Path:
        if plan.kind == "file":
            if plan.file is None:
                raise ValueError("a camera of kind file needs a file")
            return plan.file
        return self._prerendered(plan.shape)

    def _prerendered(self, shape: Shape) -> Path:
        """The clip for this shape, made on first use and kept in the cache folder."""
        folder = self._cache or Path(tempfile.gettempdir()) / "bposite-clips"
        folder.mkdir(parents=True, exist_ok=True)
        there = self._footage_there()
        mark = hashlib.sha256(repr((shape, self._clip_seconds, there, "2")).encode()).hexdigest()[:16]
        path = folder / f"{shape.codec}-{shape.width}x{shape.height}-{mark}.mp4"
        if not path.exists():
            print(f"making {path.name} ({self._clip_seconds:g} s), once", file=sys.stderr, flush=True)
            artist: Artist = Numbered(Footage(self._footage_path(), shape)) if there else TestPattern(shape)
            write_clip(path, artist, shape, round(self._clip_seconds * shape.fps))
        return path
