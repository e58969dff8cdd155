"""The rolling ring on disk: what lets an event that was held back for an hour still find its frame.

One folder a camera, one file a minute, appended in records of at most a second or one group of pictures.
A record carries its own length and checksum, so a file cut off by a kill or a full disk reads up to its
last whole record. Files are deleted oldest first. The ring is never evidence and is not fsynced: it
survives the death of the process, and evidence is copied out of it.
"""

import os
import zlib
from collections.abc import Iterator
from errno import ENOSPC
from pathlib import Path
from struct import Struct
from threading import Lock
from typing import BinaryIO

import msgspec

from bposite.cameras.capture.units import AccessUnit, Codec, Stretch, joined
from bposite.cameras.rules.clock import Unit

MAGIC = b"bpr1"
SUFFIX = ".ring"
BEGAN = "began"
FILE_US = 60_000_000
RECORD_US = 1_000_000
LONGEST_GROUP_US = 12_000_000
_HEAD = Struct("<4sIIIqq")


class _Meta(msgspec.Struct, array_like=True):
    """What a record says of its units; their bytes follow it."""

    session: int
    codec: Codec
    units: list[Unit]


class Record(msgspec.Struct, frozen=True):
    """Where a record lies and what span of arrivals it covers."""

    path: Path
    offset: int
    meta_size: int
    data_size: int
    checksum: int
    first_us: int
    last_us: int


_meta_encoder = msgspec.msgpack.Encoder()
_meta_decoder = msgspec.msgpack.Decoder(_Meta)


def encode_record(session: int, codec: Codec, units: list[AccessUnit]) -> list[bytes]:
    """The pieces of one record, ready for one gathered write. `units` must not be empty."""
    meta = _meta_encoder.encode(_Meta(session, codec, [access.unit for access in units]))
    checksum = zlib.crc32(meta)
    for access in units:
        checksum = zlib.crc32(access.data, checksum)
    size = sum(len(access.data) for access in units)
    first, last = units[0].unit.arrival_us, units[-1].unit.arrival_us
    return [_HEAD.pack(MAGIC, len(meta), size, checksum, first, last), meta, *(access.data for access in units)]


def scan(path: Path) -> Iterator[Record]:
    """Records of a file by their heads, up to the first that is not whole. A file deleted meanwhile has none."""
    try:
        with path.open("rb") as file:
            yield from _scan_open(path, file)
    except FileNotFoundError:
        return


def _scan_open(path: Path, file: BinaryIO) -> Iterator[Record]:
    total, offset = os.fstat(file.fileno()).st_size, 0
    while offset + _HEAD.size <= total:
        file.seek(offset)
        magic, meta_size, data_size, checksum, first, last = _HEAD.unpack(file.read(_HEAD.size))
        end = offset + _HEAD.size + meta_size + data_size
        if magic != MAGIC or end > total:
            return
        yield Record(path, offset + _HEAD.size, meta_size, data_size, checksum, first, last)
        offset = end


def load(record: Record) -> Stretch | None:
    """The units of a record, or None when its bytes are damaged or its file is gone."""
    try:
        with record.path.open("rb") as file:
            file.seek(record.offset)
            raw = file.read(record.meta_size + record.data_size)
    except FileNotFoundError:
        return None
    if len(raw) != record.meta_size + record.data_size or zlib.crc32(raw) != record.checksum:
        return None
    meta = _meta_decoder.decode(raw[: record.meta_size])
    view, at, units = memoryview(raw), record.meta_size, []
    for unit in meta.units:
        units.append(AccessUnit(unit, bytes(view[at : at + unit.size])))
        at += unit.size
    return Stretch(meta.session, meta.codec, tuple(units))


class DiskRing:
    """The rolling ring of one camera. One writer; `read` may be called from other threads."""

    def __init__(self, folder: Path, budget_bytes: int) -> None:
        """`folder` is made when absent; what an earlier process left there is taken over."""
        self._folder, self._budget = folder, budget_bytes
        folder.mkdir(parents=True, exist_ok=True)
        found = sorted(folder.glob(f"*{SUFFIX}"))
        self._files: list[tuple[Path, int]] = [(path, path.stat().st_size) for path in found]
        self._total = sum(size for _, size in self._files)
        self.began_us = _first_ever(folder, found)
        self._lock = Lock()
        self._handle: int | None = None
        self._started_us = 0

    def append(self, session: int, codec: Codec, units: list[AccessUnit]) -> None:
        """Write one record. OSError (such as a full disk) leaves the file as it was before.

        A full disk first costs the ring its own oldest file: recording goes on with a shorter memory.
        """
        pieces = encode_record(session, codec, units)
        size = sum(map(len, pieces))
        handle = self._turn(units[0])
        self._make_room(size)
        try:
            self._write(handle, pieces, size)
        except OSError:
            if not self.drop_oldest():
                raise
            self._write(handle, pieces, size)

    def _turn(self, first: AccessUnit) -> int:
        """The open file; a new one each minute, at a keyframe, so that every file can be decoded by itself."""
        arrival = first.unit.arrival_us
        if self._handle is not None and not (first.unit.key and arrival - self._started_us >= FILE_US):
            return self._handle
        self.close()
        if self.began_us is None:
            self.began_us = arrival
            (self._folder / BEGAN).write_text(str(arrival))
        path = self._folder / f"{arrival:017d}{SUFFIX}"
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._started_us = arrival
        with self._lock:
            self._files.append((path, 0))
        return self._handle

    def _make_room(self, size: int) -> None:
        while self._total + size > self._budget and self.drop_oldest():
            pass

    def _write(self, handle: int, pieces: list[bytes], size: int) -> None:
        path, before = self._files[-1]
        try:
            written = os.writev(handle, pieces[:1000])
            if written != size:
                written += os.write(handle, b"".join(pieces)[written:])
            if written != size:
                raise OSError(ENOSPC, "short write: the disk is full")
        except OSError:
            os.ftruncate(handle, before)
            raise
        with self._lock:
            self._files[-1] = (path, before + size)
            self._total += size

    def drop_oldest(self) -> bool:
        """Delete the oldest file; False when only the one being written is left."""
        with self._lock:
            if len(self._files) <= 1:
                return False
            path, size = self._files.pop(0)
            self._total -= size
        path.unlink(missing_ok=True)
        return True

    def read(self, start_us: int, end_us: int) -> list[Stretch]:
        """Whole groups of pictures around arrivals [start, end], in order, one stretch a connection."""
        parts = [load(record) for record in self._records(start_us - LONGEST_GROUP_US, end_us)]
        stretches = [whole.from_key() for whole in joined([part for part in parts if part is not None])]
        return [trimmed for whole in stretches if (trimmed := _from_group_of(whole, start_us)).units]

    def _records(self, start_us: int, end_us: int) -> Iterator[Record]:
        with self._lock:
            paths = [path for path, _ in self._files]
        starts = [int(path.stem) for path in paths]
        for path, begins, ends in zip(paths, starts, [*starts, end_us + 1][1:], strict=True):
            if begins <= end_us and ends >= start_us:
                yield from (r for r in scan(path) if r.first_us <= end_us and r.last_us >= start_us)

    @property
    def oldest_us(self) -> int | None:
        """Arrival of the oldest unit kept, None while there is none."""
        with self._lock:
            return int(self._files[0][0].stem) if self._files else None

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return self._total

    def close(self) -> None:
        """Close the file being written; a later `append` starts a new one."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def _first_ever(folder: Path, files: list[Path]) -> int | None:
    """When this camera was recorded for the first time: what lies before it was never there, not overwritten."""
    note = folder / BEGAN
    text = note.read_text() if note.exists() else ""
    if text.isascii() and text.isdigit():
        return int(text)
    return int(files[0].stem) if files else None


def _from_group_of(stretch: Stretch, start_us: int) -> Stretch:
    """The stretch from the last keyframe at or before `start_us` on."""
    keys = [i for i, access in enumerate(stretch.units) if access.unit.key and access.unit.arrival_us <= start_us]
    return Stretch(stretch.session, stretch.codec, stretch.units[keys[-1] :]) if keys else stretch
