"""Numbers about one keyframe, for the verdicts in `rules.health`: small, grey, about two milliseconds."""

from collections.abc import Sequence
from hashlib import blake2b

import cv2
import msgspec
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from bposite.cameras.rules.health import Measures

WIDTH, HEIGHT = 320, 180
TILES = 4
STRONG_EDGE, WEAK_EDGE = 48.0, 20.0
TILE_EDGES = 60
TILE_LOST = 0.18
DIMMEST = 0.2

Grey = NDArray[np.uint8]
Gradient = NDArray[np.float32]


class Reference(msgspec.Struct, frozen=True):
    """The view of a camera when a person confirmed that it is right."""

    gradient: Gradient
    deviation: float
    sharpness: float


def grey_of(frame: VideoFrame) -> Grey:
    """The frame as 180 x 320 grey values."""
    small = frame.reformat(width=WIDTH, height=HEIGHT, format="gray", interpolation="AREA")
    return np.asarray(small.to_ndarray(), dtype=np.uint8)


def grey_of_pixels(pixels: NDArray[np.uint8]) -> Grey:
    """The same from blue-green-red or grey pixels, such as a stored reference."""
    small = cv2.resize(pixels, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    return np.asarray(small if small.ndim == 2 else cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), dtype=np.uint8)


def reference_of(grey: Grey) -> Reference:
    """What later pictures are compared with."""
    return Reference(_gradient(grey), float(grey.std()), _sharpness(grey))


def measure(grey: Grey, references: Sequence[Reference] = ()) -> Measures:
    """All numbers of one picture; of several references (day, night) the most similar one counts."""
    histogram = cv2.calcHist([grey], [0], None, [256], [0, 256]).ravel() / grey.size
    filled = histogram[histogram > 0]
    seen = Measures(
        mean=float(grey.mean()),
        deviation=float(grey.std()),
        entropy=float(-(filled * np.log2(filled)).sum()),
        bright_share=float(histogram[245:].sum()),
        dark_share=float(histogram[:20].sum()),
        sharpness=_sharpness(grey),
        digest=blake2b(grey.tobytes(), digest_size=8).hexdigest(),
    )
    return _compared(seen, _gradient(grey), references) if references else seen


def _sharpness(grey: Grey) -> float:
    return float(cv2.Laplacian(grey, cv2.CV_32F).var()) / max(float(grey.var()), 1.0)


def _gradient(grey: Grey) -> Gradient:
    smooth = cv2.GaussianBlur(grey, (5, 5), 0)
    across, down = cv2.spatialGradient(smooth)
    return np.asarray(cv2.magnitude(across.astype(np.float32), down.astype(np.float32)), dtype=np.float32)


def _compared(seen: Measures, now: Gradient, references: Sequence[Reference]) -> Measures:
    likeness, best = max(((_correlation(now, ref.gradient), ref) for ref in references), key=lambda pair: pair[0])
    contrast = min(1.0, max(DIMMEST, seen.deviation / max(best.deviation, 1.0)))
    return msgspec.structs.replace(
        seen,
        likeness=likeness,
        lost_tiles=_lost_tiles(now, best.gradient, WEAK_EDGE * contrast),
        relative_sharpness=seen.sharpness / max(best.sharpness, 1e-6),
    )


def _correlation(left: Gradient, right: Gradient) -> float:
    """Pearson's correlation of two gradients (1: same view, 0: nothing in common)."""
    return float(cv2.matchTemplate(left, right, cv2.TM_CCOEFF_NORMED)[0, 0])


def _lost_tiles(now: Gradient, then: Gradient, weak: float) -> float:
    """Share of the tiles with structure in the reference whose edges are no longer near where they were."""
    near = cv2.dilate(now, np.ones((5, 5), np.uint8)) > weak
    strong = then > STRONG_EDGE
    kept = near & strong
    had = [_tile_sum(strong, number) for number in range(TILES * TILES)]
    told = [i for i, count in enumerate(had) if count >= TILE_EDGES]
    lost = sum(_tile_sum(kept, i) < TILE_LOST * had[i] for i in told)
    return lost / len(told) if told else 0.0


def _tile_sum(mask: NDArray[np.bool_], number: int) -> int:
    rows, columns = HEIGHT // TILES, WIDTH // TILES
    row, column = divmod(number, TILES)
    return int(np.count_nonzero(mask[row * rows : (row + 1) * rows, column * columns : (column + 1) * columns]))
