"""From what a caller gives as a picture to pixels in memory."""

from __future__ import annotations

import io
import re
from collections.abc import Generator
from contextlib import contextmanager, nullcontext, suppress

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image, ImageFile, UnidentifiedImageError
from PIL.JpegImagePlugin import JpegImageFile, jpeg_factory

from app.client.errors import ImageError
from app.client.pictures import jpeg
from app.client.pictures.orientation import stored_orientation
from app.client.pictures.quiet import without_warnings
from app.client.pictures.rgb import in_rgb
from app.client.pictures.sources import JPEG_START, Source, file_of, name

FORMATS = ("JPEG", "PNG", "HEIF", "WEBP", "AVIF", "GIF", "BMP", "TIFF", "JPEG2000")
"""Those that a message names."""
_PLUGINS = (*FORMATS, "DIB", "PPM", "ICO", "QOI")
"""No others: some of Pillow's start programs (EPS) or read a thumbnail for the picture."""
_BEGINNINGS = {
    "JPEG": rb"\xff\xd8\xff",
    "PNG": rb"\x89PNG\r\n",
    "GIF": rb"GIF8[79]a",
    "TIFF": rb"II[*+]\0|MM\0[*+]",
    "WEBP": rb"RIFF....WEBP",
    "HEIF": rb"....ftyp(?:hei|hev|mif1|msf1)",
    "AVIF": rb"....ftypavi",
    "JPEG2000": rb"\0\0\0\x0cjP|\xff\x4f\xff\x51",
}
_NOT_READ = {"TIFF": ", such as 64 bits, colours of 32 bits, or grey of 16 bits with transparency"}
MOST_PIXELS = 200_000_000
"""Of a JPEG, which is decoded at a fraction of its size: above any camera's."""
DECODED_PIXELS = 110_000_000
"""What is decoded: four bytes a pixel, in memory twice while it is turned."""
BUFFERED_PIXELS = 64_000_000
"""… by a decoder that has buffers of its own."""
_BUFFERED = ("HEIF", "WEBP", "AVIF", "JPEG2000")

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
            _check_size(source, source, DECODED_PIXELS)
            return _copied(source)
        case _:
            picture = _of_file(source)
    try:
        is_jpeg = picture.format in ("JPEG", "MPO")
        _check_size(picture, source, MOST_PIXELS if is_jpeg else _decoded_pixels(picture))
    except ImageError:
        picture.close()
        raise
    return picture


def decoded(
    picture: Image.Image, source: Source, size: tuple[int, int] | None = None
) -> Image.Image:
    """In RGB, as it is stored; ``picture`` is not used any more.

    With ``size`` it is as small as its decoder can make it without going below that: what a resize
    would average away is left out.

    Raises:
        ImageError: it is damaged, or too large to be decoded at this size.
    """
    if size:
        picture.draft("RGB", size)
    _check_size(picture, source, DECODED_PIXELS)
    with damage_in_words(source):
        pixels = _loaded(picture, size)
        rgb = in_rgb(pixels, _as_opened(picture, source), source)
        if rgb is not picture:
            picture.close()
        return rgb


def orientation(picture: Image.Image, source: Source) -> int:
    """EXIF's number from 1 to 8; only now ``picture`` has its size.

    A PNG has the number behind the pixels. Decoders of TIFF and HEIF turn the picture themselves,
    one of a TIFF that tells it only by XMP while it decodes.
    """
    form = _as_opened(picture, source).format
    if form == "TIFF" and not isinstance(picture.info.get("xmp", b""), bytes):
        del picture.info["xmp"]  # the decoder would fail at it
    if form in ("PNG", "TIFF"):
        with damage_in_words(source):
            _loaded(picture)
    if form in ("TIFF", "HEIF"):
        return 1
    return stored_orientation(picture.info, xmp_counts=form != "AVIF")


def _as_opened(picture: Image.Image, source: object) -> Image.Image:
    """With format and tags, which a copy has not."""
    return source if isinstance(source, Image.Image) else picture


def _copied(source: Image.Image) -> Image.Image:
    """The caller's stays as it is, and open."""
    with damage_in_words(source):
        try:
            return _loaded(source).copy()
        except (AssertionError, AttributeError, ValueError) as error:
            has_no_file = isinstance(source, ImageFile.ImageFile) and source.fp is None
            if has_no_file or "closed" in str(error):
                raise ImageError(
                    "This Pillow image is closed: its pixels are gone. Give it before it is "
                    "closed, or give its file."
                ) from None
            raise


def _loaded(picture: Image.Image, size: tuple[int, int] | None = None) -> Image.Image:
    """``picture``, or another if its file lacks only its end."""
    try:
        # A TIFF's decoder reads EXIF data, and may warn of them.
        with without_warnings() if picture.format == "TIFF" else nullcontext():
            picture.load()
    except OSError:
        whole = None
        if isinstance(picture, JpegImageFile) and picture.fp:
            with suppress(Exception):
                picture.fp.seek(0)
                whole = jpeg.with_end(picture.fp.read(), DECODED_PIXELS)
        if whole is None:
            raise
        picture = JpegImageFile(io.BytesIO(whole))
        if size:
            picture.draft("RGB", size)
        picture.load()
    return picture


def _of_file(source: object) -> Image.Image:
    file, begin = file_of(source)
    try:
        with without_warnings():
            if isinstance(file, io.BytesIO) and begin.startswith(JPEG_START):
                # Not by Image.open(), which refuses what has more than 179 million pixels.
                return jpeg_factory(file)
            return Image.open(file, formats=_PLUGINS)
    except (UnidentifiedImageError, SyntaxError):
        raise _unidentified(source, begin) from None
    except Image.DecompressionBombError as error:
        claimed = re.search(r"\d+", str(error))
        raise _too_large(
            source, claimed[0] if claimed else "far too many", DECODED_PIXELS
        ) from None
    except Exception as error:  # noqa: BLE001  # as in damage_in_words
        raise ImageError(
            f"{name(source)} cannot be read as a picture: {error}. Save it as JPEG or PNG."
        ) from None


def _unidentified(source: object, begin: bytes) -> ImageError:
    for form, beginning in _BEGINNINGS.items():
        if re.match(beginning, begin, re.DOTALL):
            return ImageError(
                f"{name(source)} cannot be read: it begins as {form}, but is damaged, or of a rare "
                f"kind{_NOT_READ.get(form, '')}. Save it as JPEG or PNG."
            )
    return ImageError(
        f"{name(source)} is no picture that can be read: it is none of {', '.join(FORMATS)}. "
        "Save it as JPEG or PNG."
    )


def _check_size(picture: Image.Image, source: object, most: int) -> None:
    size = f"{picture.width}x{picture.height}"
    if 0 in picture.size:
        raise ImageError(f"{name(source)} has no pixels: {size}.")
    if picture.width * picture.height > most:
        raise _too_large(source, size, most)


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
