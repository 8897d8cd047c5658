"""Greys of 12, 16 and 32 bits: a picture that is shown, and neither black nor white."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from app.client import ImageError
from app.client.images import prepare, upright
from app.client.pictures.shades import value_range
from tests.app.client.picture_files import BOUNDS, chunk, colour, encoded, png, tiff, with_chunk

LEAST = float(np.finfo(np.float32).min)


def bars(values: list[float], dtype: Any) -> Image.Image:
    """Each value 20 pixels wide."""
    array = np.array([values], np.float64).astype(dtype)
    return Image.fromarray(array.repeat(40, axis=0).repeat(20, axis=1))


def greys(image: Image.Image, count: int) -> list[int]:
    """In the middle of each bar."""
    row = np.asarray(image)[image.height // 2, :, 0]
    return [int(row[(2 * bar + 1) * image.width // (2 * count)]) for bar in range(count)]


@pytest.mark.parametrize("form", ["PNG", "TIFF", "PPM"])
def test_sixteen_bits_are_scaled_and_not_cut_off(form: str) -> None:
    data = encoded(bars([0, 1000, 32_768, 65_535], np.uint16), form)
    assert greys(upright(data), 4) == [0, 4, 128, 255]
    dark = encoded(bars([0, 1000, 4000], np.uint16), form)
    assert greys(upright(dark), 3) == [0, 4, 16]


@pytest.mark.parametrize(
    ("values", "shades"),
    [
        ([np.nan, 0.0, 0.5, 1.0], [0, 0, 128, 255]),
        ([np.inf, 0.0, 0.5, 1.0], [255, 0, 128, 255]),
        ([-1.0, -0.5, 0.0, 1.0], [0, 64, 128, 255]),
        ([0.0, 51.0, 102.0, 255.0], [0, 51, 102, 255]),
        ([0.0, 16_448.0, 32_896.0, 65_535.0], [0, 64, 128, 255]),
        ([0.0, 25_000.0, 50_000.0, 100_000.0], [0, 64, 128, 255]),
    ],
)
def test_the_values_of_a_float_picture_fill_the_shades(
    values: list[float], shades: list[int]
) -> None:
    assert greys(upright(encoded(bars(values, np.float32), "TIFF")), 4) == shades


@pytest.mark.parametrize(
    ("values", "dtype", "shades"),
    [
        ([0, 0.25, 0.5, 0.75, 1.01], np.float32, [0, 64, 128, 191, 255]),
        ([-0.02, 0.25, 0.5, 0.75, 1], np.float32, [0, 64, 128, 191, 255]),
        ([0, 60, 120, 200, 255.4], np.float32, [0, 60, 120, 200, 255]),
        ([0, 0.1, 0.2, 0.25, 0.3], np.float32, [0, 26, 51, 64, 77]),
    ],
)
def test_values_a_little_beyond_a_usual_range_are_clipped(
    values: list[float], dtype: Any, shades: list[int]
) -> None:
    assert greys(upright(encoded(bars(values, dtype), "TIFF")), 5) == shades


@pytest.mark.parametrize(
    ("values", "dtype", "shades"),
    [
        ([0, 1, 2, 3.5, 5], np.float32, [0, 51, 102, 178, 255]),  # depth in metres
        ([0, 1000, 2000, 3500, 5000], np.int32, [0, 51, 102, 178, 255]),  # in millimetres
        ([0, 100, 200, 250, 300], np.int32, [0, 85, 170, 212, 255]),
        ([0, 0.001, 0.002, 0.003, 0.004], np.float32, [0, 64, 128, 191, 255]),
        ([1500, 1525, 1550, 1575, 1600], np.float32, [0, 64, 128, 191, 255]),
    ],
)
def test_values_of_no_usual_range_are_stretched(
    values: list[float], dtype: Any, shades: list[int]
) -> None:
    assert greys(upright(encoded(bars(values, dtype), "TIFF")), 5) == pytest.approx(shades, abs=1)


@pytest.mark.parametrize(
    ("no_data", "dtype"),
    [
        (-9999, np.float32),
        (-9999, np.int32),
        (-32_768, np.int32),
        (-(2**31), np.int32),
        (LEAST, np.float32),
        (-np.inf, np.float32),
    ],
)
@pytest.mark.parametrize(
    ("values", "shades"),
    [
        ([100, 200, 300, 400], [0, 85, 170, 255]),
        ([0, 3000, 6000, 9000], [0, 85, 170, 255]),
        ([0, 51, 102, 255], [0, 51, 102, 255]),
    ],
)
def test_where_there_are_no_data_it_is_black_and_the_rest_is_seen(
    no_data: float, dtype: Any, values: list[int], shades: list[int]
) -> None:
    image = upright(encoded(bars([no_data, *values], dtype), "TIFF"))
    assert greys(image, 5) == [0, *shades]


def test_values_far_above_all_others_do_not_squeeze_them() -> None:
    image = upright(encoded(bars([0, 0.25, 0.5, 0.75, 3.4e38], np.float32), "TIFF"))
    assert greys(image, 5) == [0, 64, 128, 191, 255]
    image = upright(encoded(bars([LEAST, -9999, 100, 200, 300], np.float32), "TIFF"))
    assert greys(image, 5) == [0, 0, 0, 128, 255]


@pytest.mark.parametrize("size", [(100, 40), (2000, 1500)])
def test_single_pixels_far_beyond_all_others_change_nothing(size: tuple[int, int]) -> None:
    array = np.linspace(0, 1, size[0], dtype=np.float32)[None, :].repeat(size[1], axis=0)
    array[3, 3], array[5, 5], array[7, 7] = 3.4e38, -700, 40
    image = upright(encoded(Image.fromarray(array), "TIFF"))
    assert [colour(image, x, 0.5)[0] for x in (0.25, 0.5, 0.75)] == pytest.approx(
        [64, 128, 191], abs=2
    )


def test_noise_of_a_few_pixels_does_not_squeeze_the_others() -> None:
    array = np.linspace(0, 5, 100, dtype=np.float32)[None, :].repeat(100, axis=0)
    array[10, 10:30] = np.linspace(6, 40, 20)
    image = upright(encoded(Image.fromarray(array), "TIFF"))
    assert [colour(image, x, 0.5)[0] for x in (0.25, 0.5, 0.75)] == pytest.approx(
        [64, 128, 191], abs=3
    )


def test_what_is_rare_is_seen_on_an_empty_ground() -> None:
    array = np.zeros((100, 100), np.float32)
    array[50, 25], array[50, 50] = 3.5, 7
    image = upright(encoded(Image.fromarray(array), "TIFF"))
    assert [colour(image, x, 0.5)[0] for x in (0.1, 0.25, 0.5)] == [0, 128, 255]


@pytest.mark.parametrize(
    ("value", "dtype", "shade"),
    [
        (200, np.int32, 200),
        (0.5, np.float32, 128),
        (0, np.float32, 0),
        (5.0, np.float32, 128),
        (-7.0, np.float32, 128),
        (100_000, np.int32, 128),
    ],
)
def test_a_single_value_is_a_grey(value: float, dtype: Any, shade: int) -> None:
    assert greys(upright(encoded(bars([value], dtype), "TIFF")), 1) == [shade]


def test_a_picture_without_any_value_is_told() -> None:
    with pytest.raises(ImageError, match="has no values"):
        prepare(encoded(bars([np.nan, np.inf], np.float32), "TIFF"), **BOUNDS)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=1))
def test_a_range_has_always_room_between_black_and_white(values: list[float]) -> None:
    low, high = value_range(np.array(values))
    assert low < high
    assert np.isfinite(high - low)


@pytest.mark.parametrize(
    ("pixels", "tags"),
    [
        (np.array([[0, 16_384, 65_535]] * 3, "<u2"), {258: 16}),
        (np.array([[0, 0.25, 1]] * 3, "<f4"), {258: 32, 339: 3}),
        (np.array([[0, 64, 255]] * 3, "u1"), {258: 8}),
    ],
)
def test_a_tiff_in_which_0_is_white_is_no_negative(pixels: Any, tags: dict[int, int]) -> None:
    data = tiff(pixels.tobytes(), (3, 3), {262: 0, **tags})
    for source in (data, Image.open(io.BytesIO(data))):
        assert greys(upright(source), 3) == [255, 191, 0]


def test_where_0_is_white_no_value_is_black_all_the_same() -> None:
    pixels = np.array([[np.nan, 0.25, 1]] * 3, "<f4")
    data = tiff(pixels.tobytes(), (3, 3), {262: 0, 258: 32, 339: 3})
    assert greys(upright(data), 3) == [0, 191, 0]


def test_twelve_bits_are_not_black() -> None:
    row = bytes([0x00, 0x08, 0x00, 0xFF, 0xF0, 0x00])  # 0, 0x800, 0xFFF, 0
    assert greys(upright(tiff(row * 4, (4, 4), {258: 12})), 4) == [0, 128, 255, 0]


def test_the_transparent_shade_of_sixteen_bits_is_white_as_that_of_eight() -> None:
    grey = encoded(bars([0, 9, 40_000], np.uint16), "PNG")
    data = with_chunk(grey, chunk(b"tRNS", struct.pack(">H", 9)))
    for source in (data, Image.open(io.BytesIO(data))):
        assert greys(upright(source), 3) == [0, 255, 156]


def test_the_transparent_colour_of_sixteen_bits_is_white() -> None:
    row = struct.pack(">12H", *(0x1234, 0x5678, 0x9ABC) * 2, *(0xFFFF, 0, 0) * 2)
    data = png(16, 2, row, chunk(b"tRNS", row[:6]))
    image = upright(data)
    assert [image.getpixel((x, 1)) for x in (1, 2)] == [(255, 255, 255), (255, 0, 0)]


@pytest.mark.parametrize(("depth", "row"), [(2, b"\x05"), (4, b"\x00\x77"), (1, b"\x30")])
def test_the_transparent_shade_of_fewer_bits_is_white(depth: int, row: bytes) -> None:
    transparent = {1: 1, 2: 1, 4: 7}[depth]
    image = upright(png(depth, 0, row, chunk(b"tRNS", bytes([0, transparent]))))
    assert [image.getpixel((x, 1)) for x in (1, 3)] == [(0, 0, 0), (255, 255, 255)]
