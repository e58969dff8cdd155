"""The evidence store: files under their own SHA-256, written once, durable before anybody hears of them."""

import hashlib
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

PART = ".part"
CHUNK = 1 << 20
ABANDONED_S = 3600


class Stored(msgspec.Struct, frozen=True):
    """A file of the store: `path` relative to it, hash of its content, size in bytes."""

    path: str
    sha256: str
    size: int


class EvidenceStore:
    """A folder of files named by their content. Storing the same content again changes nothing."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)

    def put(self, content: bytes, ending: str) -> Stored:
        """Store bytes; on return they survive a power cut. OSError when the disk is full; nothing is left then."""

        def write(path: Path) -> None:
            path.write_bytes(content)

        return self.put_file(write, ending)

    def put_file(self, write: Callable[[Path], None], ending: str) -> Stored:
        """Store what `write` writes to the path it is given."""
        with self._part(ending) as part:
            write(part)
            digest, size = file_digest(part)
            place = self.root / digest[:2] / f"{digest[2:]}{ending}"
            place.parent.mkdir(exist_ok=True)
            sync(part)
            part.replace(place)
            sync(place.parent)
        return Stored(str(place.relative_to(self.root)), digest, size)

    @contextmanager
    def _part(self, ending: str) -> Iterator[Path]:
        part = self.root / f"{secrets.token_hex(8)}{PART}{ending}"
        try:
            yield part
        finally:
            part.unlink(missing_ok=True)

    def path(self, relative: str) -> Path:
        """Absolute place of a stored file. ValueError for a path that leads out of the store."""
        place = (self.root / relative).resolve()
        if not place.is_relative_to(self.root.resolve()):
            raise ValueError("the path leads out of the evidence store")
        return place

    def remove(self, relative: str) -> bool:
        """Delete a stored file (retention, erasure); False when it was gone already."""
        place = self.path(relative)
        existed = place.exists()
        place.unlink(missing_ok=True)
        return existed

    def sweep(self) -> int:
        """Delete parts that a killed process left behind an hour ago or earlier; returns how many."""
        parts = [part for part in self.root.glob(f"*{PART}*") if time.time() - part.stat().st_mtime > ABANDONED_S]
        for part in parts:
            part.unlink(missing_ok=True)
        return len(parts)


def file_digest(path: Path) -> tuple[str, int]:
    """SHA-256 in hexadecimal and size of a file."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return digest.hexdigest(), size


def sync(path: Path) -> None:
    """Make a file or the entries of a folder durable."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
