"""A camera on its side: one rule for every format, for a file as for a Pillow image."""

from __future__ import annotations

import io
import warnings
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from app.client.images import prepare, upright
from tests.app.client.picture_files import (
    BLUE,
    BOUNDS,
    RED,
    XMP,
    chunk,
    colour,
    encoded,
    near,
    two_halves,
    with_chunk,
)

UPRIGHT, ON_ITS_SIDE = (560, 280), (280, 560)


def exif_of(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def ways(data: bytes) -> list[Any]:
    """The same picture, as it may be given."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, of EXIF data
        fresh, used = (Image.open(io.BytesIO(data)) for _ in range(2))
        used.load()
    return [data, io.BytesIO(data), fresh, used]


def sizes(data: bytes) -> set[tuple[int, int]]:
    """That a person sees, by each way and both functions."""
    prepared = [prepare(way, **BOUNDS).original for way in ways(data)]
    return {(size.width, size.height) for size in prepared} | {
        upright(way).size for way in ways(data)
    }


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("size", [(560, 280), (4000, 2000)])
def test_a_turned_camera_is_turned_back(orientation: int, size: tuple[int, int]) -> None:
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = two_halves(size)
    if orientation in turns:
        stored = stored.transpose(turns[orientation])
    data = encoded(stored, "JPEG", exif=exif_of(orientation), quality=95)
    prepared = prepare(data, **BOUNDS)
    assert prepared.original == size
    for image in (Image.open(io.BytesIO(prepared.data)), upright(data)):
        assert image.width > image.height
        assert near(colour(image, 0.1, 0.5), RED)
        assert near(colour(image, 0.9, 0.5), BLUE)


@pytest.mark.parametrize("form", ["TIFF", "PNG", "WEBP", "AVIF"])
def test_a_turned_picture_of_any_format_is_turned_back_once(form: str) -> None:
    data = encoded(two_halves().transpose(Image.Transpose.ROTATE_90), form, exif=exif_of(6))
    prepared = prepare(data, **BOUNDS)
    assert sizes(data) == {UPRIGHT}
    image = Image.open(io.BytesIO(prepared.data))
    assert near(colour(image, 0.1, 0.5), RED)
    assert near(colour(image, 0.9, 0.5), BLUE)


def test_a_heic_is_turned_once() -> None:
    """Its own decoder turns it, and says so by the orientation 1."""
    assert sizes(encoded(two_halves(), "HEIF", exif=exif_of(6))) == {UPRIGHT}


def with_xmp(form: str, tag: int | None) -> bytes:
    options: dict[str, Any] = {"xmp": XMP} if tag is None else {"xmp": XMP, "exif": exif_of(tag)}
    if form == "PNG":
        options["pnginfo"] = PngInfo()
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", XMP.decode())
    if form == "TIFF":
        directory = ImageFileDirectory_v2()
        directory[700] = XMP
        if tag is not None:
            directory[0x0112] = tag
        options = {"tiffinfo": directory}
    return encoded(two_halves(), form, **options)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize(
    ("tag", "size"), [(None, ON_ITS_SIDE), (1, UPRIGHT), (6, ON_ITS_SIDE), (3, UPRIGHT)]
)
def test_the_tag_counts_and_without_it_xmp(
    form: str, tag: int | None, size: tuple[int, int]
) -> None:
    assert sizes(with_xmp(form, tag)) == {size}


def test_xmp_does_not_turn_an_avif_whose_container_has_a_rotation_of_its_own() -> None:
    assert sizes(with_xmp("AVIF", None)) == {UPRIGHT}


def test_a_tiff_whose_xmp_is_no_bytes_is_read() -> None:
    directory = ImageFileDirectory_v2()
    directory.tagtype[700] = 2
    directory[700] = "x"
    assert upright(encoded(two_halves(), "TIFF", tiffinfo=directory)).size == UPRIGHT


@pytest.mark.parametrize("exif", [b"Exif\0\0garbage", b"Exif\0\0MM\0*\xff\xff\xff\xff", b"x"])
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_exif_data_that_cannot_be_read_turn_nothing(form: str, exif: bytes) -> None:
    assert sizes(encoded(two_halves(), form, exif=exif)) == {UPRIGHT}


def test_where_exif_data_cannot_be_read_xmp_counts() -> None:
    assert sizes(encoded(two_halves(), "JPEG", exif=b"Exif\0\0garbage", xmp=XMP)) == {ON_ITS_SIDE}


def test_a_pngs_orientation_behind_its_pixels_counts() -> None:
    data = encoded(two_halves(), "PNG")
    exif = chunk(b"eXIf", exif_of(6).tobytes()[6:])
    assert sizes(with_chunk(data, exif)) == {ON_ITS_SIDE}
    assert sizes(data[:-12] + exif + data[-12:]) == {ON_ITS_SIDE}
