"""From what a caller gives as a picture to pixels in memory."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from app.client.errors import ImageError
from app.client.png import SIGNATURE, without_texts

Source = Path | str | bytes | bytearray | memoryview | BinaryIO | Image.Image | NDArray[np.uint8]
"""A file, its bytes, an open file, a Pillow image, or an array (H, W, 3) of RGB values."""

SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".jfif", ".webp", ".bmp", ".gif", ".tif", ".tiff"),
    *(".heic", ".heif", ".avif", ".jp2"),
)
"""Of the files that people are offered to choose from, or that are looked for in a folder."""
FORMATS = ("JPEG", "PNG", "HEIF", "WEBP", "AVIF", "GIF", "BMP", "TIFF", "JPEG2000")
"""Those that a message names."""
_PLUGINS = (*FORMATS, "DIB", "PPM", "ICO", "QOI")
"""No others: some of Pillow's start programs (EPS) or read a thumbnail for the picture."""
MOST_PIXELS = 200_000_000
"""Of a JPEG, which is decoded at a fraction of its size: above any camera's."""
DECODED_PIXELS = 110_000_000
"""What is decoded: four bytes a pixel, in memory twice while it is turned."""
BUFFERED_PIXELS = 64_000_000
"""… by a decoder that has buffers of its own."""
_BUFFERED = ("HEIF", "WEBP", "AVIF", "JPEG2000")
MAX_FILE_BYTES = 500_000_000
ORIENTATION = 0x0112
STRIP_ROWS = 256

pillow_heif.register_heif_opener(thumbnails=False)  # pyright: ignore[reportUnknownMemberType]


@contextmanager
def damage_in_words(source: object) -> Generator[None]:
    """A decoder's failure as an :class:`ImageError`.

    The decoders of a dozen formats raise anything for a damaged file: OSError, ValueError,
    SyntaxError, struct.error, zlib.error, KeyError, MemoryError.
    """
    try:
        yield
    except ImageError:
        raise
    except Exception as error:  # noqa: BLE001
        why = str(error) or type(error).__name__
        raise ImageError(
            f"{name(source)} is damaged or not whole: {why}. Save or copy it again."
        ) from None


def opened(source: Source) -> Image.Image:
    """The picture with its size; of a file only the header is decoded.

    Raises:
        ImageError: it is no picture, or too large.
    """
    match source:
        case np.ndarray():
            return _of_array(source)
        case Image.Image():
            with damage_in_words(source):
                # A copy: the caller's stays as it is, and open.
                picture = source.copy()
        case _:
            picture = _of_file(source)
    if 0 in picture.size:
        picture.close()
        raise ImageError(f"{name(source)} has no pixels: {picture.width}x{picture.height}.")
    most = MOST_PIXELS if picture.format in ("JPEG", "MPO") else _decoded_pixels(picture)
    if picture.width * picture.height > most:
        picture.close()
        raise _too_large(source, f"{picture.width}x{picture.height}", most)
    return picture


def decoded(picture: Image.Image, source: Source) -> Image.Image:
    """In RGB, as it is stored; ``picture`` is not used any more.

    Raises:
        ImageError: it is damaged, or too large to be decoded at this size.
    """
    if picture.width * picture.height > DECODED_PIXELS:
        size = f"{picture.width}x{picture.height}"
        raise _too_large(source, size, DECODED_PIXELS)
    with damage_in_words(source):
        picture.load()
        rgb = _in_rgb(picture, source)
        if rgb is not picture:
            picture.close()
        return rgb


def orientation(picture: Image.Image, source: Source) -> int:
    """EXIF's number from 1 to 8.

    A PNG has it behind the pixels. Decoders of TIFF and HEIF turn the picture themselves.
    """
    if picture.format in ("TIFF", "HEIF"):
        return 1
    with damage_in_words(source):
        number = picture.getexif().get(ORIENTATION, 1)
        return number if number in range(1, 9) else 1


def turned(picture: Image.Image, number: int) -> Image.Image:
    """Upright, with no EXIF data left; ``number`` is EXIF's, of the picture as it is stored."""
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
    upright = picture.transpose(turns[number]) if number in turns else picture.copy()
    upright.info.clear()  # so that nobody turns it again
    return upright


def name(source: object) -> str:
    """For a message."""
    return os.fspath(source) if isinstance(source, (Path, str)) else "This picture"


def _of_file(source: object) -> Image.Image:
    file = _file(source)
    try:
        with warnings.catch_warnings():
            # Pillow's own limit warns; ours, which is larger, refuses.
            warnings.simplefilter("ignore")
            return Image.open(file, formats=_PLUGINS)
    except UnidentifiedImageError:
        raise ImageError(
            f"{name(source)} is no picture that can be read: it is none of {', '.join(FORMATS)}. "
            "Save it as JPEG or PNG."
        ) from None
    except Image.DecompressionBombError:
        raise _too_large(source, "far too many", MOST_PIXELS) from None
    except Exception as error:  # noqa: BLE001  # as in damage_in_words
        raise ImageError(f"{name(source)} is no picture that can be read: {error}.") from None


def reusable(source: Source) -> Source:
    """Something that can be decoded more than once: of an open file its bytes.

    Raises:
        ImageError: the file cannot be read.
    """
    return _read_whole(source) if hasattr(source, "read") else source


def _file(source: object) -> Path | io.BytesIO:
    """A path that Pillow opens and closes, or the bytes."""
    match source:
        case bytes() | bytearray() | memoryview():
            data = bytes(source)  # pyright: ignore[reportUnknownArgumentType]
        case str() if source.lstrip()[:5].lower() == "data:" or "://" in source[:12]:
            raise ImageError(
                f"{source[:40]} is an address, not a file. Download or decode it, and give its "
                "bytes."
            )
        case str() | Path():
            path = Path(source)
            if not _is_png(path):
                return path
            data = path.read_bytes()
        case _:
            data = _read_whole(source)
    if not data:
        raise ImageError("The picture is empty: 0 bytes.")
    if data.startswith(SIGNATURE):
        data = without_texts(data)
    return io.BytesIO(data)


def _is_png(path: Path) -> bool:
    """Of a file that can be opened at all."""
    try:
        if path.is_dir():
            raise ImageError(f"{path} is a folder, not a picture.")
        if path.exists() and not path.is_file():
            raise ImageError(f"{path} is no file: a device or a pipe.")
        size = path.stat().st_size
        with path.open("rb") as file:
            begin = file.read(len(SIGNATURE))
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
    return begin == SIGNATURE


def _read_whole(source: object) -> bytes:
    """An open file may be at any place, of text, or no file at all."""
    read: Callable[[], object] | None = getattr(source, "read", None)
    try:
        data = read() if read is not None else None
    except (OSError, ValueError) as error:
        raise ImageError(f"The file cannot be read: {error}.") from None
    if not isinstance(data, bytes):
        raise ImageError(
            f"{type(source).__name__} is no picture. Give a file's path, its bytes, a file opened "
            "for reading bytes, a Pillow image, or an array (height, width, 3) of uint8."
        )
    return data


def _too_large(source: object, claimed: str, most: int) -> ImageError:
    return ImageError(
        f"{name(source)} claims {claimed} pixels; more than {most // 10**6} million are not "
        "decoded. Make it smaller first."
    )


def _decoded_pixels(picture: Image.Image) -> int:
    return BUFFERED_PIXELS if picture.format in _BUFFERED else DECODED_PIXELS


def _of_array(array: NDArray[np.uint8]) -> Image.Image:
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3 or 0 in array.shape:
        raise ImageError(
            f"An array of shape {array.shape} and type {array.dtype} is no picture; give "
            "(height, width, 3) of uint8, in the order red, green, blue."
        )
    return Image.fromarray(np.ascontiguousarray(array))


def _in_rgb(picture: Image.Image, source: Source) -> Image.Image:
    if picture.mode.startswith(("I", "F")):
        return _of_wide_values(picture, source)
    if not picture.has_transparency_data:
        return picture if picture.mode == "RGB" else picture.convert("RGB")
    # What lies below full transparency is often black, and so is the writing on it.
    on_white = Image.new("RGB", picture.size, "white")
    for box in _strips(picture):
        strip = picture.crop(box).convert("RGBA")
        white = Image.new("RGBA", strip.size, "white")
        on_white.paste(Image.alpha_composite(white, strip).convert("RGB"), box)
    return on_white


def _of_wide_values(picture: Image.Image, source: Source) -> Image.Image:
    """Grey of 16 or 32 bits, which Pillow's own conversion would cut off at 255.

    16 bits go from 0 to 65,535. Of the others, black is 0 or the least value, and white the usual
    maximum above the largest value (1, 255, 65,535), or else that value. No value (NaN) is black.
    """
    low, high = 0.0, 65_535.0
    if not picture.mode.startswith("I;16"):
        low, high = _range(picture, source)
    grey = Image.new("L", picture.size)
    for box in _strips(picture):
        values = np.nan_to_num(np.asarray(picture.crop(box), np.float64), nan=low)
        shares = (values.clip(low, high) - low) / (high - low)
        grey.paste(Image.fromarray((shares * 255).astype(np.uint8)), box)
    return grey.convert("RGB")


def _range(picture: Image.Image, source: Source) -> tuple[float, float]:
    low, high = np.inf, -np.inf
    for box in _strips(picture):
        values = np.asarray(picture.crop(box), np.float64)
        values = values[np.isfinite(values)]
        if values.size:
            low, high = min(low, float(values.min())), max(high, float(values.max()))
    if low > high:
        raise ImageError(f"{name(source)} has no values: all of them are NaN or infinite.")
    if low < 0:
        return low, max(high, low + 1e-9 * abs(low))
    usual = (1.0, 255.0, 65_535.0)
    return 0.0, next((top for top in usual if high <= top), high)


def _strips(picture: Image.Image) -> Iterator[tuple[int, int, int, int]]:
    """So that a copy in another mode takes little memory."""
    for top in range(0, picture.height, STRIP_ROWS):
        yield 0, top, picture.width, min(top + STRIP_ROWS, picture.height)
