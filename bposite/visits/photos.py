"""A guest's photo: what a browser sent, checked and painted anew. Only the fresh picture is ever stored.

A picture file can unfold to a thousand times its size, carry the place where it was
taken, or hide text in a comment that an ordinary re-encoding copies. So: the size
is read from the header first, and the pixels are pasted into a new picture.
"""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from bposite.plumbing.errors import Refusal
from bposite.plumbing.settings import current

LARGEST_FILE = 8 * 1024 * 1024
LARGEST_PICTURE = 24_000_000  # pixels: what phone cameras take, and 72 MB while it is decoded
SMALLEST_SIDE = 96
SIDE = (480, 600)  # what is stored: width and height, 4 to 5
_FORMATS = ("JPEG", "PNG", "WEBP")
_QUALITY = 86
_AGAIN = "Take another picture, or choose a JPEG, PNG or WebP file."


def store(data: bytes) -> str:
    """Check, paint anew and store a photo; returns the SHA-256 of the stored JPEG file (its name).

    Refusal (field `photo`) when it is too large, no picture, or broken.
    """
    picture = _painted_anew(_opened(data))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=_QUALITY, optimize=True)
    digest = hashlib.sha256(out.getvalue()).hexdigest()
    _write(path_of(digest), out.getvalue())
    return digest


def path_of(digest: str) -> Path:
    """Where the photo with this digest lies, or would lie."""
    return current().state_dir / "photos" / digest[:2] / f"{digest}.jpg"


def load(digest: str) -> bytes | None:
    """The photo as JPEG; None when the file is gone or is not what was stored."""
    try:
        data = path_of(digest).read_bytes()
    except FileNotFoundError:
        return None
    return data if hashlib.sha256(data).hexdigest() == digest else None


def _opened(data: bytes) -> Image.Image:
    if not data:
        raise Refusal("photo_empty", "The picture is empty.", field="photo", remedy=_AGAIN)
    if len(data) > LARGEST_FILE:
        raise Refusal("photo_large", "The picture has more than 8 MB.", field="photo", remedy=_AGAIN)
    try:
        picture = Image.open(io.BytesIO(data), formats=_FORMATS)
        width, height = picture.size
        if width * height > LARGEST_PICTURE:
            raise Refusal("photo_pixels", f"The picture has {width} x {height} pixels.", field="photo", remedy=_AGAIN)
        if min(width, height) < SMALLEST_SIDE:
            raise Refusal("photo_small", f"The picture has {width} x {height} pixels.", field="photo", remedy=_AGAIN)
        picture.load()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise Refusal("photo_broken", "This is not a picture we can read.", field="photo", remedy=_AGAIN) from error
    return picture


def _painted_anew(picture: Image.Image) -> Image.Image:
    upright = ImageOps.exif_transpose(picture).convert("RGB")
    fitted = ImageOps.fit(upright, SIDE, Image.Resampling.LANCZOS, centering=(0.5, 0.4))
    fresh = Image.new("RGB", SIDE)
    fresh.paste(fitted)
    return fresh


def _write(path: Path, data: bytes) -> None:
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    with partial.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
