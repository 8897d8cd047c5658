"""What a caller gives as a picture: a file's path, its bytes, or an open file."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.client.errors import ImageError
from app.client.pictures.png import SIGNATURE, without_side_data

Source = Path | str | bytes | bytearray | memoryview | BinaryIO | Image.Image | NDArray[np.uint8]
"""A file, its bytes, an open file, a Pillow image, or an array (H, W, 3) of RGB values."""

JPEG_START = b"\xff\xd8\xff"
SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".jfif", ".webp", ".bmp", ".gif", ".tif", ".tiff"),
    *(".heic", ".heif", ".avif", ".jp2"),
)
"""Of the files that people are offered to choose from, or that are looked for in a folder."""
MAX_FILE_BYTES = 500_000_000
BEGINNING_BYTES = 16
"""Enough to tell a format by."""


def name(source: object) -> str:
    """For a message."""
    return os.fspath(source) if isinstance(source, (Path, str)) else "This picture"


def reusable(source: Source) -> Source:
    """Something that can be decoded more than once: of an open file its bytes.

    Raises:
        ImageError: the file cannot be read.
    """
    return _read_whole(source) if hasattr(source, "read") else source


def file_of(source: object) -> tuple[Path | io.BytesIO, bytes]:
    """A path that Pillow opens and closes, or the bytes; and how the file begins.

    Raises:
        ImageError: there is no such file, or it cannot be read.
    """
    match source:
        case bytes() | bytearray() | memoryview():
            with _failures_in_words():
                data = bytes(source)  # pyright: ignore[reportUnknownArgumentType]
        case str() if source.lstrip()[:5].lower() == "data:" or "://" in source[:12]:
            raise ImageError(
                f"{source[:40]} is an address, not a file. Download or decode it, and give its "
                "bytes."
            )
        case str() | Path():
            path = Path(source)
            begin = _beginning(path)
            if not begin.startswith((JPEG_START, SIGNATURE)):
                return path, begin
            with _failures_in_words(str(path)):
                data = path.read_bytes()
        case _:
            data = _read_whole(source)
    if not data:
        raise ImageError("The picture is empty: 0 bytes.")
    if data.startswith(SIGNATURE):
        data = without_side_data(data)
    return io.BytesIO(data), data[:BEGINNING_BYTES]


def _beginning(path: Path) -> bytes:
    """Of a file that can be opened at all."""
    try:
        if path.is_dir():
            raise ImageError(f"{path} is a folder, not a picture.")
        if path.exists() and not path.is_file():
            raise ImageError(f"{path} is no file: a device or a pipe.")
        size = path.stat().st_size
        with path.open("rb") as file:
            begin = file.read(BEGINNING_BYTES)
    except FileNotFoundError:
        raise ImageError(f"There is no file {path}.") from None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise ImageError(f"{str(path)[:200]} cannot be opened: {why}.") from None
    if size == 0:
        raise ImageError(f"{path} is empty: 0 bytes.")
    if size > MAX_FILE_BYTES:
        raise ImageError(
            f"{path} has {size // 10**6} MB; at most {MAX_FILE_BYTES // 10**6} are read. Save it "
            "as JPEG."
        )
    return begin


def _read_whole(source: object) -> bytes:
    """An open file may be at any place, of text, or no file at all."""
    read: Callable[[], object] | None = getattr(source, "read", None)
    with suppress(Exception):
        # As Pillow does. Who has just written a picture to a file is at its end.
        source.seek(0)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    with _failures_in_words():
        data = read() if read is not None else None
    if not isinstance(data, bytes):
        raise ImageError(
            f"{type(source).__name__} is no picture. Give a file's path, its bytes, a file opened "
            "for reading bytes, a Pillow image, or an array (height, width, 3) of uint8."
        )
    return data


@contextmanager
def _failures_in_words(what: str = "The file") -> Generator[None]:
    """A file may be compressed, in an archive or far away: reading it raises anything."""
    try:
        yield
    except Exception as error:  # noqa: BLE001
        raise ImageError(
            f"{what} cannot be read: {error} ({type(error).__name__}). Open it again, or give the "
            "picture's bytes."
        ) from None
