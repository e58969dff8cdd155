"""What screens and other features may read: pictures of entries, cameras and their health, what covers which door."""

from bposite.cameras.queries.cameras import (
    CameraRow,
    FailureRow,
    address_of,
    camera,
    cameras,
    cameras_of_door,
    covered_doors,
    covers_of_door,
    failures,
    open_failures,
    references,
)
from bposite.cameras.queries.frames import (
    FrameFilter,
    FrameInfo,
    frame,
    frames_for,
    frames_page,
    latest_frames,
    unfinished_positions,
    whole_entries,
)

__all__ = [
    "CameraRow",
    "FailureRow",
    "FrameFilter",
    "FrameInfo",
    "address_of",
    "camera",
    "cameras",
    "cameras_of_door",
    "covered_doors",
    "covers_of_door",
    "failures",
    "frame",
    "frames_for",
    "frames_page",
    "latest_frames",
    "open_failures",
    "references",
    "unfinished_positions",
    "whole_entries",
]
