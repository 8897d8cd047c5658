"""A picture made ready to be sent: upright, in the model's own size, as JPEG or PNG."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import Literal

from PIL import Image

from app.client.errors import ImageError
from app.client.pictures.decoding import decoded, opened, orientation
from app.client.pictures.orientation import turned
from app.client.pictures.sources import SUFFIXES, Source, name
from app.model.image_tokens import MAX_IMAGE_PIXELS, Size, smart_resize

__all__ = ["SUFFIXES", "Prepared", "Source", "prepare", "size_to_encode", "upright"]

MediaType = Literal["image/jpeg", "image/png"]

MAX_BYTES = 14_000_000
"""Of one encoded picture: in base64 it takes 4/3 of that, and the gateway's cap is 20 MB."""
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
    with opened(source) as picture:
        number = orientation(picture, source)
        is_on_its_side = number in (5, 6, 7, 8)
        width, height = picture.size
        original = Size(height, width) if is_on_its_side else Size(width, height)
        try:
            sent = smart_resize(original, min_pixels, max_pixels)
            size = size_to_encode(original, sent, min_pixels, max_pixels)
        except ValueError as error:
            raise ImageError(f"{name(source)} cannot be asked about: {error}.") from None
        stored = (size.height, size.width) if is_on_its_side else (size.width, size.height)
        rgb = decoded(picture, source, stored)
    small = rgb.resize(stored, Image.Resampling.LANCZOS, reducing_gap=2.0)
    data, media_type = _encoded(turned(small, number), max_bytes)
    return Prepared(data, media_type, original, sent)


def size_to_encode(original: Size, sent: Size, min_pixels: int, max_pixels: int) -> Size:
    """``sent``, unless the server would resize that once more.

    For some very elongated pictures ``smart_resize`` is not idempotent: rounding takes its result
    over the aspect or a bound. Then it is a size that the server resizes to ``sent``: the
    original's, or a smaller one of its shape where the original has more than the server takes.

    Raises:
        ValueError: there is no such size.
    """

    def becomes_sent(size: Size) -> bool:
        try:
            return smart_resize(size, min_pixels, max_pixels) == sent
        except ValueError:
            return False

    if becomes_sent(sent):
        return sent
    for tenths in range(10, 0, -1):
        size = Size(original.width * tenths // 10, original.height * tenths // 10)
        if size.width * size.height <= MAX_IMAGE_PIXELS and becomes_sent(size):
            return size
    raise ValueError(
        f"the model's resize of {original.width}x{original.height} is not stable. Cut it into parts"
    )


def upright(source: Source) -> Image.Image:
    """The whole picture in RGB as a person sees it; what boxes are drawn on.

    Raises:
        ImageError: see :func:`prepare`.
    """
    with opened(source) as picture:
        number = orientation(picture, source)
        rgb = decoded(picture, source)
    return turned(rgb, number)


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
