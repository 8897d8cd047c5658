"""Every kind of picture that people have, and what only looks like one."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from app.client import ImageError
from app.client.images import MAX_BYTES, Prepared, prepare, size_to_encode, upright
from app.model.image_tokens import Size, smart_resize
from app.model.profiles import PROFILES
from tests.app.client.picture_files import (
    BLUE,
    BOUNDS,
    GREY,
    RED,
    WHITE,
    chunk,
    colour,
    encoded,
    near,
    photo,
    two_halves,
)


def sent(prepared: Prepared) -> Image.Image:
    return Image.open(io.BytesIO(prepared.data))


def test_file_bytes_image_and_array_are_the_same_picture(tmp_path: Path) -> None:
    image = two_halves()
    file = tmp_path / "picture.png"
    image.save(file)
    ways = [file, str(file), file.read_bytes(), image, np.asarray(image)]
    prepared = [prepare(way, **BOUNDS) for way in ways]
    assert prepared == [prepared[0]] * 5
    assert prepared[0].original == (560, 280)
    assert prepared[0].data_url.startswith("data:image/png;base64,iVBOR")


@pytest.mark.parametrize("size", [(4032, 3024), (3024, 4032), (640, 480), (100, 30), (57, 1999)])
def test_what_is_sent_has_a_size_that_the_server_leaves_as_it_is(size: tuple[int, int]) -> None:
    prepared = prepare(Image.new("RGB", size), **BOUNDS)
    assert prepared.original == size
    assert sent(prepared).size == prepared.sent
    assert smart_resize(prepared.sent, **BOUNDS) == prepared.sent


@settings(max_examples=500)
@given(
    st.integers(1, 12_000),
    st.integers(1, 9_000),
    st.sampled_from([(p.min_pixels, p.max_pixels) for p in PROFILES.values()]),
)
@example(12_000, 60, (3136, 1_016_064))  # becomes 12012x56, which is over 200:1
@example(1600, 40, (31_360, 50_176))  # becomes more tokens than the small model takes
def test_the_server_comes_to_the_size_that_boxes_are_read_in(
    width: int, height: int, bounds: tuple[int, int]
) -> None:
    original = Size(width, height)
    assume(max(original) <= 200 * min(original))
    seen = smart_resize(original, *bounds)
    assert smart_resize(size_to_encode(original, seen, *bounds), *bounds) == seen


def test_a_picture_that_no_resize_suits_goes_as_it_is() -> None:
    prepared = prepare(Image.new("RGB", (12_000, 60)), **BOUNDS)
    assert (prepared.sent, sent(prepared).size) == ((12_012, 56), (12_000, 60))


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
def test_usual_formats_are_read(form: str) -> None:
    image = sent(prepare(encoded(two_halves(), form), **BOUNDS))
    assert near(colour(image, 0.1, 0.5), RED)
    assert near(colour(image, 0.9, 0.5), BLUE)


def test_of_an_animation_the_first_frame_is_sent() -> None:
    frames = [Image.new("RGB", (56, 56), c) for c in (RED, BLUE)]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert near(colour(sent(prepare(data, **BOUNDS)), 0.5, 0.5), RED)


def test_cmyk_palette_and_grey_become_rgb() -> None:
    for data in (
        encoded(two_halves().convert("CMYK"), "JPEG", quality=95),
        encoded(two_halves().convert("P", palette=Image.Palette.ADAPTIVE), "PNG"),
    ):
        image = sent(prepare(data, **BOUNDS))
        assert image.mode == "RGB"
        assert near(colour(image, 0.1, 0.5), RED)
    grey = sent(prepare(encoded(Image.new("L", (56, 56), 128), "PNG"), **BOUNDS))
    assert near(colour(grey, 0.5, 0.5), GREY)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_transparency_is_shown_on_white(mode: str) -> None:
    image = Image.new("RGBA", (56, 56), (0, 0, 0, 0)).convert(mode)
    data = encoded(image, "TIFF" if mode == "LA" else "PNG") if mode != "PA" else None
    source = image if data is None else data
    assert near(colour(sent(prepare(source, **BOUNDS)), 0.5, 0.5), WHITE)


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_a_white_drawing_on_transparency_is_shown_on_black(form: str) -> None:
    logo = Image.new("RGBA", (56, 56), (255, 255, 255, 0))
    logo.paste((255, 255, 255, 255), (14, 14, 42, 42))
    file = io.BytesIO()
    logo.save(file, form, lossless=True)
    shown = upright(file.getvalue())
    assert shown.getpixel((28, 28)) == (255, 255, 255)
    assert shown.getpixel((2, 2)) == (0, 0, 0)
    nothing = upright(Image.new("RGBA", (56, 56), (0, 0, 0, 0)))
    assert nothing.getpixel((2, 2)) == (255, 255, 255)


def test_a_palettes_transparent_colour_is_shown_on_white() -> None:
    data = encoded(Image.new("P", (56, 56), 0), "PNG", transparency=0)
    assert near(colour(sent(prepare(data, **BOUNDS)), 0.5, 0.5), WHITE)


def test_drawings_go_as_png_and_photographs_as_jpeg() -> None:
    drawing = prepare(two_halves(), **BOUNDS)
    assert (drawing.media_type, sent(drawing).format) == ("image/png", "PNG")
    photograph = prepare(photo(), **BOUNDS)
    assert (photograph.media_type, sent(photograph).format) == ("image/jpeg", "JPEG")


def test_a_picture_is_held_to_the_bytes_that_may_be_sent() -> None:
    free = prepare(photo(), **BOUNDS)
    held = prepare(photo(), **BOUNDS, max_bytes=len(free.data) * 2 // 3)
    assert len(held.data) <= len(free.data) * 2 // 3
    assert held.sent == free.sent
    with pytest.raises(ImageError, match=r"takes \d+ bytes even at low quality; 500 may be sent"):
        prepare(photo(), **BOUNDS, max_bytes=500)


def test_the_largest_picture_fits_the_gateways_body_in_base64() -> None:
    assert MAX_BYTES * 4 / 3 < 20_000_000 - 100_000


def test_the_callers_image_stays_as_it_is() -> None:
    image = two_halves()
    before = image.tobytes()
    prepare(image, **BOUNDS)
    assert (image.tobytes(), image.size) == (before, (560, 280))


def bomb() -> bytes:
    """A PNG of a few bytes that claims 60,000 by 60,000 pixels."""
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b""))


def broken_avif() -> bytes:
    """Its frame is whole, what it holds is not."""
    data = encoded(photo((120, 90)), "AVIF")
    start = data.index(b"mdat") + 4
    return data[:start] + b"\0" * (len(data) - start)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (b"", "The picture is empty: 0 bytes."),
        (b"%PDF-1.7 not a picture", "is no picture that can be read"),
        (encoded(photo(), "JPEG")[:20_000], "is damaged or not whole"),
        (encoded(two_halves(), "PNG")[:-40], "is damaged or not whole"),
        (bomb(), "not decoded. Make it smaller first"),
        (encoded(Image.new("RGB", (2010, 10)), "PNG"), "longer than 200 times"),
        (Image.open(io.BytesIO(encoded(photo(), "JPEG")[:20_000])), "is damaged or not whole"),
        (broken_avif(), "is damaged or not whole"),
        (np.zeros((8, 8), np.uint8), "(height, width, 3) of uint8"),
        (np.zeros((8, 8, 4), np.uint8), "(height, width, 3) of uint8"),
        (np.zeros((8, 8, 3), np.float32), "(height, width, 3) of uint8"),
        (np.zeros((0, 8, 3), np.uint8), "(height, width, 3) of uint8"),
    ],
)
def test_what_is_no_picture_is_refused_in_words(source: Any, words: str) -> None:
    with pytest.raises(ImageError) as error:
        prepare(source, **BOUNDS)
    assert words in str(error.value)


def test_files_that_are_not_there_empty_or_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"There is no file .*missing\.png"):
        prepare(tmp_path / "missing.png", **BOUNDS)
    with pytest.raises(ImageError, match=r"is a folder, not a picture"):
        prepare(tmp_path, **BOUNDS)
    (tmp_path / "empty.png").touch()
    with pytest.raises(ImageError, match=r"empty\.png is empty: 0 bytes"):
        prepare(tmp_path / "empty.png", **BOUNDS)


# --- what people have


def heic(image: Image.Image) -> bytes:
    return encoded(image, "HEIF", quality=90)


@pytest.mark.parametrize("name", ["IMG_0001.HEIC", "IMG_0001.jpg"])
def test_an_iphones_picture_is_read_also_under_another_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(heic(two_halves()))
    for image in (sent(prepare(tmp_path / name, **BOUNDS)), upright(tmp_path / name)):
        assert near(colour(image, 0.1, 0.5), RED)
        assert near(colour(image, 0.9, 0.5), BLUE)


BIG_CHUNKS = {
    "profile": chunk(b"iCCP", b"display\0\0" + zlib.compress(bytes(3_000_000))),
    "compressed text": chunk(b"zTXt", b"workflow\0\0" + zlib.compress(bytes(1_200_000))),
    "text": chunk(b"tEXt", b"workflow\0" + b"x" * 1_200_000),
    "international text": chunk(b"iTXt", b"workflow\0\1\0\0\0" + zlib.compress(bytes(1_200_000))),
}


@pytest.mark.parametrize("kind", BIG_CHUNKS)
@pytest.mark.parametrize("place", ["before", "behind"])
def test_a_png_with_a_large_profile_or_text_is_the_same_picture(kind: str, place: str) -> None:
    data = encoded(two_halves(), "PNG")
    at = 33 if place == "before" else len(data) - 12  # behind IHDR, before IEND
    fat = data[:at] + BIG_CHUNKS[kind] + data[at:]
    assert prepare(fat, **BOUNDS) == prepare(data, **BOUNDS)


@pytest.mark.parametrize("size", [(60_000, 300), (70_000, 350), (300, 60_000)])
def test_of_a_very_long_picture_no_more_is_sent_than_the_server_takes(
    size: tuple[int, int],
) -> None:
    prepared = prepare(Image.new("L", size), **BOUNDS)
    width, height = sent(prepared).size
    assert width * height <= 16 * 2**20
    assert smart_resize(Size(width, height), **BOUNDS) == prepared.sent
    assert prepared.original == size


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (
            io.BytesIO(b"no picture"),
            "This picture is no picture that can be read: it is none of JPEG, PNG",
        ),
        (bytearray(b"no picture"), "Save it as JPEG or PNG"),
        (io.StringIO("text"), "StringIO is no picture"),
        (None, "NoneType is no picture. Give a file's path"),
        (7, "int is no picture"),
        ("data:image/png;base64,iVBORw0KGgo=", "is an address, not a file"),
        ("https://example.com/cup.jpg", "is an address, not a file"),
        ("a\0b.png", "cannot be opened: "),
        ("x" * 5000, "cannot be opened: File name too long"),
        ("/dev/zero", "is no file: a device or a pipe"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "Save it as JPEG or PNG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "Save it as JPEG or PNG"),
        (Image.new("RGB", (0, 5)), "has no pixels: 0x5"),
    ],
)
def test_whatever_is_given_is_refused_in_words(source: Any, words: str) -> None:
    for use in (lambda: prepare(source, **BOUNDS), lambda: upright(source)):
        with pytest.raises(ImageError) as error:
            use()
        assert words in str(error.value)
        assert " object at 0x" not in str(error.value)


def test_mutated_files_of_each_format_raise_nothing_else_and_take_little_memory() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.app.client.mutated_pictures", "60"],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    files, refused, megabytes = map(int, done.stdout.split())
    assert files > 100
    assert 0 < refused < files
    assert megabytes < 1000


def transparent_png_on_its_side() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.new("LA", (6000, 4000), (9, 99))
    return encoded(image, "PNG", exif=exif, compress_level=1)


def float_tiff() -> bytes:
    values = np.linspace(0, 5, 24_000_000, dtype=np.float32)
    return encoded(Image.fromarray(values.reshape(6000, 4000)), "TIFF")


def float_tiff_60_000_pixels_wide() -> bytes:
    values = np.linspace(0, 5, 24_000_000, dtype=np.float32)
    return encoded(Image.fromarray(values.reshape(400, 60_000)), "TIFF")


def jpeg_without_its_end() -> bytes:
    return encoded(Image.new("RGB", (4000, 6000), RED), "JPEG")[:-2]


@pytest.mark.parametrize(
    "make",
    [
        transparent_png_on_its_side,
        float_tiff,
        float_tiff_60_000_pixels_wide,
        jpeg_without_its_end,
    ],
)
def test_a_picture_is_in_memory_twice_at_most(make: Callable[[], bytes]) -> None:
    """So that the 110 million pixels that are decoded at most take less than a gigabyte.

    The costliest kinds, with 24 million pixels.
    """
    program = (
        "import re, sys\n"
        "from app.client.images import prepare, upright\n"
        "status = lambda: open('/proc/self/status').read()\n"
        "used = lambda: int(re.search(r'VmHWM:\\s+(\\d+)', status())[1]) * 1024\n"
        "before = used()\n"
        "bounds = {'min_pixels': 3136, 'max_pixels': 1016064}\n"
        "assert prepare(sys.argv[1], **bounds).original == upright(sys.argv[1]).size\n"
        "print(used() - before)\n"
    )
    with tempfile.NamedTemporaryFile() as file:
        file.write(make())
        file.flush()
        done = subprocess.run(
            [sys.executable, "-c", program, file.name],
            cwd=Path(__file__).parents[3],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) < 8 * 24_000_000 + 60_000_000
