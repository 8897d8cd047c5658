"""A picture made ready to be sent: upright, in the model's own size, as JPEG or PNG."""

from __future__ import annotations

import base64
import io
import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from app.client.errors import ImageError
from app.model.image_tokens import Size, smart_resize

Source = Path | str | bytes | Image.Image | NDArray[np.uint8]
"""A file, its bytes, a Pillow image, or an array (H, W, 3) of RGB values."""
MediaType = Literal["image/jpeg", "image/png"]

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")
"""Of the files that people are offered to choose from, or that are looked for in a folder."""
MOST_PIXELS = 200_000_000
"""Above any camera's. What a file claims beyond that is taken for a decompression bomb."""
MAX_BYTES = 14_000_000
"""Of one encoded picture: in base64 it takes 4/3 of that, and the gateway's cap is 20 MB."""
ORIENTATION = 0x0112
DAMAGE = (OSError, ValueError, SyntaxError, EOFError, RuntimeError)
"""What Pillow's decoders raise; the last is AVIF's."""
JPEG_QUALITY = 90
FLAT_COLOURS = 4096
"""A picture with fewer colours than this in its sample is drawn, not photographed."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is sent of a picture."""

    data: bytes
    media_type: MediaType
    original: Size
    """Upright, as a person sees it: boxes are told in these pixels."""
    sent: Size
    """As the model sees it: its own boxes count these pixels."""

    @property
    def data_url(self) -> str:
        return f"data:{self.media_type};base64,{base64.b64encode(self.data).decode()}"


def prepare(
    source: Source, *, min_pixels: int, max_pixels: int, max_bytes: int = MAX_BYTES
) -> Prepared:
    """Resize by the model's own rule, so that the server's resize changes nothing, and encode.

    Raises:
        ImageError: it is no picture, is damaged, or has sides that the model refuses.
    """
    with _opened(source) as opened:
        turned = _orientation(opened, source) in (5, 6, 7, 8)
        width, height = opened.size
        original = Size(height, width) if turned else Size(width, height)
        try:
            sent = smart_resize(original, min_pixels, max_pixels)
        except ValueError as error:
            raise ImageError(f"{_name(source)} cannot be asked about: {error}") from None
        size = size_to_encode(original, sent, min_pixels, max_pixels)
        # The JPEG decoder leaves out what the resize would average away.
        opened.draft("RGB", (size.height, size.width) if turned else (size.width, size.height))
        picture = _upright(opened, source)
    data, media_type = _encoded(
        picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0), max_bytes
    )
    return Prepared(data, media_type, original, sent)


def size_to_encode(original: Size, sent: Size, min_pixels: int, max_pixels: int) -> Size:
    """``sent``, unless the server would resize that once more.

    The rule has no rest at some very long sizes: rounding takes them over the aspect or a bound.
    The server, which starts from what it gets, then comes to ``sent`` from the original only.
    """
    try:
        stays = smart_resize(sent, min_pixels, max_pixels) == sent
    except ValueError:
        stays = False
    return sent if stays else original


def upright(source: Source) -> Image.Image:
    """The whole picture in RGB as a person sees it; what boxes are drawn on.

    Raises:
        ImageError: see :func:`prepare`.
    """
    with _opened(source) as opened:
        return _upright(opened, source)


def _opened(source: Source) -> Image.Image:
    """Only the header is read."""
    if isinstance(source, np.ndarray):
        return _of_array(source)
    if isinstance(source, Image.Image):
        return _of_image(source)
    if isinstance(source, bytes) and not source:
        raise ImageError("The picture is empty: 0 bytes.")
    try:
        with warnings.catch_warnings():
            # Pillow's own limit warns; ours, which is larger, refuses.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            opened = Image.open(io.BytesIO(source) if isinstance(source, bytes) else source)
    except FileNotFoundError:
        raise ImageError(f"There is no file {_name(source)}.") from None
    except IsADirectoryError:
        raise ImageError(f"{_name(source)} is a folder, not a picture.") from None
    except Image.DecompressionBombError:
        raise _bomb(source, None) from None
    except DAMAGE as error:  # UnidentifiedImageError is an OSError
        if not isinstance(source, bytes) and Path(source).stat().st_size == 0:
            raise ImageError(f"{_name(source)} is empty: 0 bytes.") from None
        raise ImageError(f"{_name(source)} is no picture that can be read: {error}") from None
    if opened.width * opened.height > MOST_PIXELS:
        raise _bomb(source, opened.size)
    return opened


def _bomb(source: Source, size: tuple[int, int] | None) -> ImageError:
    claimed = f"{size[0]}x{size[1]}" if size else "far too many"
    return ImageError(
        f"{_name(source)} claims {claimed} pixels; more than {MOST_PIXELS // 10**6} million are "
        "not decoded. Make it smaller first."
    )


def _of_image(image: Image.Image) -> Image.Image:
    """A copy: the caller's stays as it is, and open. One that was only opened is decoded here."""
    try:
        return image.copy()
    except DAMAGE as error:
        raise _damaged(image, error) from None


def _of_array(array: NDArray[np.uint8]) -> Image.Image:
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3 or 0 in array.shape:
        raise ImageError(
            f"An array of shape {array.shape} and type {array.dtype} is no picture; give "
            "(height, width, 3) of uint8, in the order red, green, blue."
        )
    return Image.fromarray(np.ascontiguousarray(array))


def _orientation(opened: Image.Image, source: Source) -> int:
    """EXIF's number from 1 to 8; a PNG has it behind the pixels, a TIFF is told as turned."""
    if opened.format == "TIFF":
        return 1
    try:
        return opened.getexif().get(ORIENTATION, 1)
    except DAMAGE as error:
        raise _damaged(source, error) from None


def _upright(opened: Image.Image, source: Source) -> Image.Image:
    """The first frame, decoded."""
    try:
        return ImageOps.exif_transpose(_in_rgb(opened))
    except DAMAGE as error:
        raise _damaged(source, error) from None


def _damaged(source: Source, error: Exception) -> ImageError:
    return ImageError(f"{_name(source)} is damaged or not whole: {error}. Save or copy it again.")


def _in_rgb(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith(("I", "F")):
        return _of_wide_values(picture)
    if not picture.has_transparency_data:
        return picture if picture.mode == "RGB" else picture.convert("RGB")
    # What lies below full transparency is often black, and so is the writing on it.
    layered = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered).convert("RGB")


def _of_wide_values(picture: Image.Image) -> Image.Image:
    """16 or 32 bits of grey: Pillow's own conversion would cut them off at 255."""
    values = np.asarray(picture).astype(np.float64)
    top = 65_535 if picture.mode.startswith("I") else max(float(values.max()), 1.0)
    return Image.fromarray((values.clip(0, top) * (255 / top)).astype(np.uint8)).convert("RGB")


def _encoded(picture: Image.Image, max_bytes: int) -> tuple[bytes, MediaType]:
    """PNG keeps the edges of what was drawn, JPEG makes a photograph five times smaller."""
    if _is_flat(picture):
        data = _bytes(picture, "PNG", compress_level=3)
        if len(data) <= max_bytes:
            return data, "image/png"
    for quality in (JPEG_QUALITY, 75, 50):
        data = _bytes(picture, "JPEG", quality=quality)
        if len(data) <= max_bytes:
            return data, "image/jpeg"
    raise ImageError(
        f"The picture takes {len(data)} bytes even at low quality; {max_bytes} may be sent."
    )


def _is_flat(picture: Image.Image) -> bool:
    sample = picture.resize((128, 128), Image.Resampling.NEAREST)
    return len(sample.getcolors(128 * 128) or ()) < FLAT_COLOURS


def _bytes(picture: Image.Image, form: str, **options: int) -> bytes:
    file = io.BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()


def _name(source: Source) -> str:
    return os.fspath(source) if isinstance(source, (Path, str)) else "This"
