"""Pictures of findings: masked on the phone, painted anew here. No file as it came is ever kept.

A picture can carry the place where it was taken, or text in a comment that an ordinary re-encoding copies; a small file
can unfold to gigabytes. So the size is read from the header first, and the pixels are pasted into a new picture.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

from bposite.cameras.capture.store import EvidenceStore
from bposite.plumbing.errors import Refusal
from bposite.plumbing.settings import current

FOLDER = "clean-desk"
LARGEST_FILE = 8 * 1024 * 1024
LARGEST_PICTURE = 24_000_000
SMALLEST_SIDE = 32
LONGEST_SIDE = 1600
_FORMATS = ("JPEG", "PNG", "WEBP")
_QUALITY = 82
_AGAIN = "Take another picture, or choose a JPEG, PNG or WebP file."


@dataclass(frozen=True, slots=True)
class Kept:
    """A picture in the store: `path` relative to its folder, SHA-256 of the stored JPEG file."""

    path: str
    sha256: str
    width: int
    height: int


def keep(data: bytes) -> Kept:
    """Check a picture, paint it anew and store it, durable; Refusal (field `photo`) when it cannot be read.

    The same pixels are stored once: keeping twice changes nothing.
    """
    picture = _painted_anew(_opened(data))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=_QUALITY, optimize=True)
    stored = store().put(out.getvalue(), ".jpg")
    return Kept(stored.path, stored.sha256, *picture.size)


def load(path: str, sha256: str) -> bytes | None:
    """A stored picture; None when its file is gone or is not what was stored."""
    try:
        data = store().path(path).read_bytes()
    except FileNotFoundError:
        return None
    return data if hashlib.sha256(data).hexdigest() == sha256 else None


def store() -> EvidenceStore:
    """The folder of clean desk pictures in the state directory."""
    return EvidenceStore(current().state_dir / FOLDER)


def _opened(data: bytes) -> Image.Image:
    if not data or len(data) > LARGEST_FILE:
        size = "empty" if not data else "larger than 8 MB"
        raise Refusal("photo_size", f"The picture is {size}.", field="photo", remedy=_AGAIN)
    try:
        picture = Image.open(io.BytesIO(data), formats=_FORMATS)
        width, height = picture.size
        if width * height > LARGEST_PICTURE or min(width, height) < SMALLEST_SIDE:
            raise Refusal("photo_pixels", f"The picture has {width} x {height} pixels.", field="photo", remedy=_AGAIN)
        picture.load()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise Refusal("photo_broken", "This is not a picture we can read.", field="photo", remedy=_AGAIN) from error
    return picture


def _painted_anew(picture: Image.Image) -> Image.Image:
    upright = ImageOps.exif_transpose(picture).convert("RGB")
    upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    fresh = Image.new("RGB", upright.size)
    fresh.paste(upright)
    return fresh
