"""The number in the picture: readable through every codec and size, and never invented."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stamp import VALUE_BITS, crc8, read_clock, read_frame_number, write_number


def _picture(width: int, height: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**VALUE_BITS - 1), st.sampled_from([(320, 180), (640, 360), (768, 432), (1920, 1080)]))
def test_what_is_written_is_read_after_jpeg(number: int, size: tuple[int, int]) -> None:
    picture = _picture(*size)
    write_number(picture, number)
    encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 70])[1]
    assert read_frame_number(cv2.imdecode(encoded, cv2.IMREAD_COLOR)) == number
    assert read_frame_number(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)) == number


@pytest.mark.parametrize("size", [(320, 180), (1280, 720)])
def test_a_scaled_picture_still_tells(size: tuple[int, int]) -> None:
    picture = _picture(640, 360)
    write_number(picture, 123_456_789)
    assert read_frame_number(cv2.resize(picture, size, interpolation=cv2.INTER_AREA)) == 123_456_789


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1))
def test_noise_black_and_grey_are_no_number(seed: int) -> None:
    assert read_frame_number(np.zeros((180, 320, 3), np.uint8)) is None
    assert read_frame_number(np.full((180, 320, 3), 128, np.uint8)) is None
    assert read_frame_number(_picture(320, 180, seed)) is None


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**VALUE_BITS - 1), st.integers(4, 59))
def test_one_wrong_cell_is_noticed(number: int, cell: int) -> None:
    picture = np.zeros((180, 320), np.uint8)
    write_number(picture, number)
    strip = picture[175:, cell * 5 : cell * 5 + 5]
    strip[...] = 252 - strip
    assert read_frame_number(picture) is None


def test_the_clock_is_in_seconds() -> None:
    picture = _picture(640, 360)
    write_number(picture, 1_795_469_401_234)
    assert read_clock(picture) == pytest.approx(1_795_469_401.234)


def test_numbers_that_do_not_fit_are_refused() -> None:
    with pytest.raises(OverflowError):
        write_number(_picture(320, 180), 2**VALUE_BITS)


def test_crc8_is_the_standard_one() -> None:
    assert crc8(b"123456789") == 0xF4  # the check value of CRC-8 with polynomial 0x07
