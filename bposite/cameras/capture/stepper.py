"""Frame stepping in a stored clip: any frame as a JPEG, decoded by groups of pictures and kept for the next step."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from threading import Lock

import av
import msgspec

from bposite.cameras.capture.clip import ClipFile, read_clip
from bposite.cameras.capture.decode import Decoded, Pixels, UndecodableError, decoder, jpeg, numbered, shrunk

KEPT_CLIPS, KEPT_GROUPS = 4, 6
WIDEST = 1280
QUALITY = 85

Look = Callable[[Pixels], Pixels]


class Steps(msgspec.Struct, frozen=True):
    """The frames of a clip in the order of time: for each its number in the file and its offset in microseconds."""

    numbers: tuple[int, ...]
    offsets_us: tuple[int, ...]


def steps_of(clip: ClipFile) -> Steps:
    """Frames by time; encoders that reorder store them in another order."""
    order = sorted(range(len(clip.units)), key=lambda number: clip.offsets_us[number])
    return Steps(tuple(order), tuple(clip.offsets_us[number] for number in order))


class Stepper:
    """Small caches over stored clips for one process. `look` masks or redacts a frame before anybody sees it."""

    def __init__(self) -> None:
        self._clips: OrderedDict[Path, ClipFile] = OrderedDict()
        self._groups: OrderedDict[tuple[Path, int, str], dict[int, bytes]] = OrderedDict()
        self._lock = Lock()

    def steps(self, path: Path) -> Steps:
        """The frames of the clip at `path`. UndecodableError when it is not a clip; OSError when it is not there."""
        return steps_of(self._clip(path))

    def frame(self, path: Path, step: int, look: Look | None = None, mark: str = "") -> bytes:
        """Frame `step` (in order of time) as JPEG, at most 1280 pixels wide. IndexError when there is no such step.

        `mark` names the look, so that differently masked frames are not mixed up.
        """
        clip = self._clip(path)
        number = steps_of(clip).numbers[step]
        key = max((i for i in range(number + 1) if clip.units[i].unit.key), default=0)
        with self._lock:
            group = self._groups.get((path, key, mark))
            if group is None:
                group = _decode_group(clip, key, look)
                self._groups[path, key, mark] = group
                _trim(self._groups, KEPT_GROUPS)
        if number not in group:
            raise UndecodableError("this frame does not decode")
        return group[number]

    def _clip(self, path: Path) -> ClipFile:
        with self._lock:
            clip = self._clips.get(path)
            if clip is None:
                clip = _read(path)
                self._clips[path] = clip
                _trim(self._clips, KEPT_CLIPS)
        return clip


def _read(path: Path) -> ClipFile:
    if not path.is_file():
        raise FileNotFoundError(path)
    try:
        return read_clip(path)
    except (av.FFmpegError, IndexError) as error:
        raise UndecodableError("the stored clip cannot be read") from error


def _trim(cache: OrderedDict[Path, ClipFile] | OrderedDict[tuple[Path, int, str], dict[int, bytes]], most: int) -> None:
    while len(cache) > most:
        cache.popitem(last=False)


def _decode_group(clip: ClipFile, key: int, look: Look | None) -> dict[int, bytes]:
    """JPEGs of the group of pictures that starts at `key`, by frame number."""
    end = next((i for i in range(key + 1, len(clip.units)) if clip.units[i].unit.key), len(clip.units))
    context = decoder(clip.codec)
    frames: dict[int, bytes] = {}
    for number in [*range(key, end), None]:
        try:
            decoded = context.decode(None if number is None else numbered(clip.units[number], number))
        except av.FFmpegError:
            continue  # a damaged unit costs its own frame; the next ones may decode
        for frame in decoded:
            pixels = shrunk(Decoded(frame, False).pixels(), WIDEST)
            frames[frame.pts or 0] = jpeg(look(pixels) if look else pixels, QUALITY)
    return frames
