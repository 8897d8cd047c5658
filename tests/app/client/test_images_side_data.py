"""Sound pixels beside which something is missing or wrong, as viewers show them."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from app.client import ImageError
from app.client.images import prepare, upright
from tests.app.client.picture_files import (
    BOUNDS,
    RED,
    XMP,
    chunk,
    encoded,
    photo,
    tiff,
    two_halves,
    with_chunk,
)

SIDE_DATA = {
    b"pHYs": struct.pack(">IIB", 2835, 2835, 1),
    b"gAMA": struct.pack(">I", 45_455),
    b"tIME": bytes([7, 233, 1, 1, 1, 1, 1]),
    b"cHRM": bytes(32),
    b"sRGB": b"\0",
    b"eXIf": b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0",
    b"iTXt": b"XML:com.adobe.xmp\0\0\0\0\0" + XMP,
    b"tRNS": struct.pack(">3H", *RED),
    b"acTL": struct.pack(">II", 2, 0),
}


def damaged(part: bytes) -> bytes:
    """With a wrong checksum."""
    return part[:-1] + bytes([part[-1] ^ 1])


@pytest.mark.parametrize("kind", SIDE_DATA)
@pytest.mark.parametrize("place", ["before", "behind"])
def test_a_png_with_a_wrong_checksum_beside_its_pixels_is_the_same_picture(
    kind: bytes, place: str
) -> None:
    data = encoded(two_halves(), "PNG")
    part = damaged(chunk(kind, SIDE_DATA[kind]))
    whole = with_chunk(data, part) if place == "before" else data[:-12] + part + data[-12:]
    assert prepare(whole, **BOUNDS) == prepare(data, **BOUNDS)


@pytest.mark.parametrize("kind", SIDE_DATA)
def test_a_png_with_too_short_a_chunk_beside_its_pixels_is_the_same_picture(kind: bytes) -> None:
    data = encoded(two_halves(), "PNG")
    for part in (chunk(kind, SIDE_DATA[kind][:1]), chunk(kind, b"")):
        assert prepare(with_chunk(data, part), **BOUNDS) == prepare(data, **BOUNDS)


def test_a_png_that_breaks_off_in_a_chunk_behind_its_pixels_is_whole() -> None:
    data = encoded(two_halves(), "PNG")
    assert upright(data[:-12] + chunk(b"pHYs", SIDE_DATA[b"pHYs"])[:-9]).size == (560, 280)


def test_a_png_with_a_wrong_checksum_of_its_palette_is_refused() -> None:
    data = encoded(two_halves().convert("P"), "PNG")
    at = data.index(b"PLTE") - 4
    end = at + 12 + struct.unpack(">I", data[at : at + 4])[0]
    with pytest.raises(ImageError, match=r"begins as PNG, but is damaged"):
        upright(data[:at] + damaged(data[at:end]) + data[end:])


def test_a_tiff_whose_exif_data_lie_behind_its_end_is_read_without_a_warning() -> None:
    """A warning is an error in these tests."""
    directory = ImageFileDirectory_v2()
    directory.tagtype[34_665] = 4
    directory[34_665] = 0xFFFFFFF0
    data = encoded(two_halves(), "TIFF", tiffinfo=directory)
    for source in (data, Image.open(io.BytesIO(data))):
        assert upright(source).size == (560, 280)


# --- the end of a JPEG


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"quality": 100}])
@pytest.mark.parametrize("lost", [1, 2])
def test_a_jpeg_without_its_last_two_bytes_is_whole(options: dict[str, Any], lost: int) -> None:
    data = encoded(photo((400, 300)), "JPEG", **options)
    assert data.endswith(b"\xff\xd9")
    short = data[:-lost]
    assert prepare(short, **BOUNDS) == prepare(data, **BOUNDS)
    for source in (short, io.BytesIO(short), Image.open(io.BytesIO(short))):
        assert upright(source).tobytes() == upright(data).tobytes()


def test_a_large_jpeg_without_its_end_is_made_smaller_all_the_same() -> None:
    data = encoded(photo((900, 700)).resize((3601, 2801)), "JPEG")
    assert prepare(data[:-2], **BOUNDS) == prepare(data, **BOUNDS)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.99])
def test_a_jpeg_that_has_lost_pixels_is_refused(options: dict[str, Any], share: float) -> None:
    data = encoded(photo((400, 300)), "JPEG", **options)
    with pytest.raises(ImageError, match="is damaged or not whole: image file is truncated"):
        upright(data[: int(len(data) * share)])


def test_a_progressive_jpeg_whose_last_scan_is_missing_is_refused() -> None:
    data = encoded(photo((400, 300)), "JPEG", progressive=True)
    last_scan = data.rindex(b"\xff\xc4")  # with its tables
    with pytest.raises(ImageError, match="is damaged or not whole: image file is truncated"):
        upright(data[:last_scan])


# --- bitmaps


def bitmap(alpha: int) -> bytes:
    """A BMP of 32 bits with a mask for alpha, all red."""
    pixels = bytes([RED[2], RED[1], RED[0], alpha]) * 1600
    masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    fields = struct.pack("<IiiHHIIiiII", 108, 40, 40, 1, 32, 3, len(pixels), 0, 0, 0, 0)
    header = (fields + masks).ljust(108, b"\0")
    return b"BM" + struct.pack("<IHHI", 122 + len(pixels), 0, 0, 122) + header + pixels


def icon(alpha: int) -> bytes:
    """With a bitmap of 32 bits, all red."""
    pixels = bytes([RED[2], RED[1], RED[0], alpha]) * 1024
    header = struct.pack("<IiiHHIIiiII", 40, 32, 64, 1, 32, 0, 0, 0, 0, 0, 0)
    body = header + pixels + bytes(128)
    entry = struct.pack("<BBBBHHII", 32, 32, 0, 0, 1, 32, len(body), 22)
    return struct.pack("<HHH", 0, 1, 1) + entry + body


@pytest.mark.parametrize("make", [bitmap, icon])
def test_a_bitmap_whose_alpha_is_0_everywhere_is_opaque(make: Any) -> None:
    for source in (make(0), Image.open(io.BytesIO(make(0)))):
        assert upright(source).getpixel((5, 5)) == RED


def test_a_bitmap_with_some_alpha_is_transparent_elsewhere() -> None:
    data = bytearray(bitmap(0))
    data[-1] = 255  # of the pixel at the top on the right
    image = upright(bytes(data))
    assert [image.getpixel(place) for place in ((39, 0), (5, 5))] == [RED, (255, 255, 255)]


@pytest.mark.parametrize("make", [bitmap, icon])
def test_another_alpha_of_a_bitmap_counts(make: Any) -> None:
    assert upright(make(255)).getpixel((5, 5)) == RED
    [red, green, blue] = np.asarray(upright(make(51)))[5, 5].tolist()  # a fifth of red, on white
    assert (red, green, blue) == pytest.approx((248, 208, 208), abs=1)


@pytest.mark.parametrize("form", ["PNG", "ICO"])
def test_a_transparent_png_stays_transparent_in_an_icon_too(form: str) -> None:
    data = encoded(Image.new("RGBA", (32, 32), (*RED, 0)), form)
    assert upright(data).getpixel((5, 5)) == (255, 255, 255)


def test_a_tiff_of_grey_with_premultiplied_alpha_is_shown_on_white() -> None:
    pixels = bytes([51, 51, 100, 255]) * 8  # white, a fifth of it opaque; and an opaque grey
    data = tiff(pixels, (4, 4), {258: (8, 8), 277: 2, 338: 1})
    for source in (data, Image.open(io.BytesIO(data))):
        image = upright(source)
        assert [image.getpixel((x, 1)) for x in (0, 1)] == [(255, 255, 255), (100, 100, 100)]


# --- kinds that are not read


@pytest.mark.parametrize(
    ("pixels", "tags"),
    [
        (np.ones((4, 4), "<f8"), {258: 64, 339: 3}),
        (np.ones((4, 4, 3), "<f4"), {258: (32, 32, 32), 262: 2, 277: 3, 339: (3, 3, 3)}),
        (np.ones((4, 4, 2), "<u2"), {258: (16, 16), 277: 2, 338: 2}),
    ],
)
def test_a_tiff_of_a_rare_kind_is_not_told_to_be_none(pixels: Any, tags: dict[int, Any]) -> None:
    with pytest.raises(ImageError) as error:
        upright(tiff(pixels.tobytes(), (4, 4), tags))
    assert str(error.value) == (
        "This picture cannot be read: it begins as TIFF, but is damaged, or of a rare kind, such "
        "as 64 bits, colours of 32 bits, or grey of 16 bits with transparency. Save it as JPEG or "
        "PNG."
    )


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "TIFF", "WEBP", "HEIF", "AVIF", "JPEG2000"])
def test_a_file_that_breaks_off_at_once_is_told_by_its_format(form: str) -> None:
    with pytest.raises(ImageError, match=f"begins as {form}, but is damaged|cannot be read as a"):
        upright(encoded(two_halves(), form)[:16])
