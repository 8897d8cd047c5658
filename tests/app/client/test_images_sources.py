"""Files, open files and Pillow images, at any place and in any state."""

from __future__ import annotations

import bz2
import gzip
import http.client
import io
import lzma
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from app.client import ImageError
from app.client.images import prepare, upright
from tests.app.client.picture_files import BOUNDS, chunk, encoded, two_halves

PNG = encoded(two_halves(), "PNG")


def test_an_open_file_is_read() -> None:
    assert prepare(io.BytesIO(PNG), **BOUNDS) == prepare(PNG, **BOUNDS)
    assert prepare(bytearray(PNG), **BOUNDS) == prepare(PNG, **BOUNDS)


def test_an_open_file_is_read_from_its_beginning_wherever_it_is(tmp_path: Path) -> None:
    file = io.BytesIO()
    two_halves().save(file, "PNG")
    assert file.tell() == len(PNG)
    assert prepare(file, **BOUNDS) == prepare(file, **BOUNDS) == prepare(PNG, **BOUNDS)
    (tmp_path / "picture.png").write_bytes(PNG)
    with (tmp_path / "picture.png").open("rb") as opened:
        opened.read(100)
        assert upright(opened).size == (560, 280)


class Line(io.RawIOBase):
    """What cannot go back, as a pipe."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data, self._data = self._data, b""
        return data


def test_a_file_that_cannot_go_back_is_read_from_where_it_is() -> None:
    assert upright(Line(PNG)).size == (560, 280)  # pyright: ignore[reportArgumentType]


class Failing:
    def __init__(self, error: Exception) -> None:
        self._error = error

    def read(self) -> bytes:
        raise self._error


@pytest.mark.parametrize(
    "error",
    [
        EOFError("Compressed file ended"),
        zipfile.BadZipFile("Bad CRC-32"),
        lzma.LZMAError("Corrupt input data"),
        zlib.error("Error -3"),
        http.client.IncompleteRead(b"x", 9),
        OSError(5, "Input/output error"),
        RuntimeError("File is encrypted"),
        KeyError("it"),
    ],
)
def test_whatever_the_reading_of_a_file_raises_is_told(error: Exception) -> None:
    source: Any = Failing(error)
    for use in (lambda: upright(source), lambda: prepare(source, **BOUNDS)):
        with pytest.raises(ImageError) as told:
            use()
        assert str(told.value) == (
            f"The file cannot be read: {error} ({type(error).__name__}). Open it again, or give "
            "the picture's bytes."
        )


@pytest.mark.parametrize("module", [gzip, bz2, lzma])
def test_a_compressed_file_that_breaks_off_is_told(module: Any) -> None:
    whole = module.compress(PNG)
    assert upright(module.open(io.BytesIO(whole))).size == (560, 280)
    with pytest.raises(ImageError, match="The file cannot be read: Compressed file ended before"):
        upright(module.open(io.BytesIO(whole[:-20])))


def test_a_file_that_reads_only_so_many_bytes_is_told() -> None:
    class Sized:
        def read(self, size: int) -> bytes:
            return PNG[:size]

    with pytest.raises(ImageError, match=r"The file cannot be read: .*'size' \(TypeError\)"):
        upright(Sized())  # pyright: ignore[reportArgumentType]


def test_bytes_that_were_given_back_are_told() -> None:
    view = memoryview(PNG)
    view.release()
    with pytest.raises(
        ImageError, match="The file cannot be read: operation forbidden on released"
    ):
        upright(view)


# --- Pillow images


def test_a_closed_pillow_image_is_told_as_closed(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(PNG)
    closed = [two_halves(), Image.open(path), Image.open(io.BytesIO(PNG))]
    for image in closed:
        image.close()
    for source in (path, io.BytesIO(PNG)):
        with Image.open(source) as image:
            closed.append(image)
    with path.open("rb") as file:
        closed.append(Image.open(file))
    assert len(closed) == 6
    for image in closed:
        with pytest.raises(ImageError) as error:
            upright(image)
        assert str(error.value) == (
            "This Pillow image is closed: its pixels are gone. Give it before it is closed, or "
            "give its file."
        )


def test_a_pillow_image_whose_file_alone_is_closed_is_read() -> None:
    with Image.open(io.BytesIO(PNG)) as image:
        image.load()
    assert upright(image).size == (560, 280)


# --- large ones


def test_a_jpeg_has_up_to_200_million_pixels(tmp_path: Path) -> None:
    """More than Pillow's own limit, which is 179 million."""
    data = encoded(Image.new("L", (19_000, 10_000), 128), "JPEG", quality=10)
    (tmp_path / "large.jpg").write_bytes(data)
    for source in (data, tmp_path / "large.jpg"):
        assert prepare(source, **BOUNDS).original == (19_000, 10_000)
    with pytest.raises(ImageError) as error:
        upright(data)
    assert str(error.value) == (
        "This picture claims 19000x10000 pixels; more than 110 million are not decoded. Make it "
        "smaller first."
    )


def test_another_picture_above_pillows_limit_is_told_the_limit_that_holds() -> None:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 19_000, 10_000, 8, 2, 0, 0, 0))
    with pytest.raises(ImageError, match="claims 190000000 pixels; more than 110 million are not"):
        upright(PNG[:8] + header + PNG[33:])
