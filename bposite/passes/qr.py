"""Pass code to QR symbol and picture to pass code: the only place of the feature that knows about pictures.

A 36-letter code fills QR version 2 at level M exactly: 25 x 25 modules, so at
20 mm one module is 0.8 mm wide and a fixed-focus camera reads it at 150 mm.
"""

from __future__ import annotations

import cv2
import numpy as np
import qrcode
from numpy.typing import NDArray
from qrcode.constants import ERROR_CORRECT_M
from qrcode.exceptions import DataOverflowError

MODULES = 25
QUIET_ZONE = 4
_VERSION = 2
# A detector looks at the middle of the picture first: that is where people hold
# a pass, and a smaller picture can be enlarged, which is worth more than size.
# (share of the picture, enlargement), cheapest and most likely first.
_LOOKS = ((0.5, 2), (0.75, 2), (1.0, 2), (0.5, 3), (1.0, 1))
_LARGEST_SIDE = 2400

Picture = NDArray[np.uint8]


def modules(code: str) -> tuple[tuple[bool, ...], ...]:
    """The symbol of `code` as 25 rows of 25 modules, True = dark, without the quiet zone.

    Raises ValueError when `code` does not fit version 2-M (it is then no pass code).
    """
    symbol = qrcode.QRCode(version=_VERSION, error_correction=ERROR_CORRECT_M, border=0)
    symbol.add_data(code)
    try:
        symbol.make(fit=False)
    except DataOverflowError as error:
        raise ValueError("only a pass code goes into the symbol of a pass") from error
    return tuple(tuple(bool(cell) for cell in row) for row in symbol.get_matrix())


def svg_path(code: str) -> str:
    """The dark modules as one SVG path in a `0 0 33 33` view box (quiet zone of 4 modules included)."""
    parts = []
    for y, row in enumerate(modules(code)):
        x = 0
        while x < MODULES:
            run = next((i for i in range(x, MODULES) if not row[i]), MODULES) - x
            if run:
                parts.append(f"M{x + QUIET_ZONE} {y + QUIET_ZONE}h{run}v1h-{run}z")
            x += run + 1
    return "".join(parts)


def draw(code: str, *, pixels_per_module: int) -> Picture:
    """The symbol as a grey picture (0 and 255), each module exactly `pixels_per_module` pixels, quiet zone included."""
    dark = np.array(modules(code), dtype=bool)
    grey = np.where(np.pad(dark, QUIET_ZONE), 0, 255).astype(np.uint8)
    return np.kron(grey, np.ones((pixels_per_module, pixels_per_module), dtype=np.uint8))


def png(code: str, *, pixels_per_module: int = 8) -> bytes:
    """The symbol as a PNG file; `pixels_per_module` in whole pixels, so that every edge is sharp."""
    done, data = cv2.imencode(".png", draw(code, pixels_per_module=pixels_per_module))
    if not done:
        raise ValueError("the QR symbol could not be written as PNG")
    return data.tobytes()


def find(picture: Picture) -> str | None:
    """The text of the first QR symbol in `picture` (grey or BGR, 8 bit), or None.

    Tries the middle of the picture first, enlarged twice: measured with OpenCV 5 this
    reads symbols of 3 pixels a module, where the plain detector needs about 6.
    """
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY) if picture.ndim == 3 else picture
    detector = cv2.QRCodeDetectorAruco()
    for share, enlargement in _LOOKS:
        look = _enlarged(_middle(np.asarray(grey, dtype=np.uint8), share), enlargement)
        text, _, _ = detector.detectAndDecode(look)
        if text:
            return str(text)
    return None


def _middle(grey: Picture, share: float) -> Picture:
    height, width = grey.shape
    top, left = int(height * (1 - share) / 2), int(width * (1 - share) / 2)
    return grey[top : height - top, left : width - left]


def _enlarged(grey: Picture, factor: int) -> Picture:
    if max(grey.shape) * factor > _LARGEST_SIDE:
        return grey
    larger = cv2.resize(grey, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    return np.asarray(larger, dtype=np.uint8)
