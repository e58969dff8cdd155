"""The QR symbol: exact size, exact pixels, and readable the way a door camera sees it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bposite.passes import qr
from bposite.passes.rules import encode

CODE = encode(bytes(range(16)))
codes = st.binary(min_size=16, max_size=16).map(encode)


def on_a_table(code: str, *, pixels_per_module: int, turn: float) -> qr.Picture:
    """A camera picture, 640 x 480: the symbol near the middle, turned, blurred, dim and noisy."""
    symbol = qr.draw(code, pixels_per_module=pixels_per_module)
    side = symbol.shape[0]
    picture = np.full((480, 640), 150, np.uint8)
    top, left = 240 - side // 2 + 13, 320 - side // 2 - 21
    picture[top : top + side, left : left + side] = symbol // 2 + 50
    turning = cv2.getRotationMatrix2D((320, 240), turn, 1.0)
    picture = np.asarray(cv2.warpAffine(picture, turning, (640, 480), borderValue=150), np.uint8)
    noise = np.random.default_rng(7).normal(0, 4, picture.shape)
    return np.clip(cv2.GaussianBlur(picture, (3, 3), 0) + noise, 0, 255).astype(np.uint8)


@given(codes)
@settings(max_examples=20, deadline=None)
def test_every_code_gives_25_by_25_modules_in_whole_pixels(code: str) -> None:
    rows = qr.modules(code)
    assert len(rows) == 25
    assert {len(row) for row in rows} == {25}
    picture = qr.draw(code, pixels_per_module=3)
    assert picture.shape == (99, 99)
    assert set(np.unique(picture)) == {0, 255}
    small = picture[1::3, 1::3][4:-4, 4:-4]
    assert np.array_equal(small == 0, np.array(rows))


@pytest.mark.parametrize(("pixels", "at_least"), [(3, 0.8), (4, 0.97), (6, 0.97)])
def test_a_camera_reads_it_turned_blurred_and_noisy(pixels: int, at_least: float) -> None:
    random = np.random.default_rng(20261123)
    read = [
        qr.find(on_a_table(code, pixels_per_module=pixels, turn=float(random.uniform(-25, 25)))) == code
        for code in (encode(random.bytes(16)) for _ in range(40))
    ]
    assert sum(read) / len(read) >= at_least


def test_a_colour_picture_is_read_too() -> None:
    grey = on_a_table(CODE, pixels_per_module=5, turn=4.0)
    assert qr.find(np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), np.uint8)) == CODE


def test_a_picture_without_a_symbol_gives_nothing() -> None:
    assert qr.find(np.full((480, 640), 127, np.uint8)) is None


def test_the_drawn_path_covers_exactly_the_dark_modules() -> None:
    dark = sum(sum(row) for row in qr.modules(CODE))
    runs = [int(part.split("h")[1].split("v")[0]) for part in qr.svg_path(CODE).split("M")[1:]]
    assert sum(runs) == dark


def test_the_png_is_read_back() -> None:
    data = np.frombuffer(qr.png(CODE), np.uint8)
    picture = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    assert qr.find(np.asarray(picture, np.uint8)) == CODE


def test_what_is_no_pass_code_does_not_fit() -> None:
    with pytest.raises(ValueError):
        qr.modules("a link with data is never put into a pass https://example.org")
