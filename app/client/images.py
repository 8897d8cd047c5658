"""A picture made ready for the model: upright, in the model's own size, as a data URL."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from app.model.image_tokens import Size, smart_resize
from app.model.profiles import PROFILES

JPEG_QUALITY = 90


class ImageError(Exception):
    """The file cannot be sent as a picture; the message is fit to show."""


@dataclass(frozen=True)
class Prepared:
    """What is sent."""

    data_url: str
    original: Size
    sent: Size
    encoded_bytes: int


def prepare(source: Path | bytes) -> Prepared:
    """Resize by the model's own rule, so that the server's resize changes nothing.

    Raises:
        ImageError: there is no such file, or it is no picture.
    """
    try:
        file = io.BytesIO(source) if isinstance(source, bytes) else source
        with Image.open(file) as opened:
            picture = _on_white(ImageOps.exif_transpose(opened))
    except FileNotFoundError:
        raise ImageError(f"There is no file {source}") from None
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        name = "This file" if isinstance(source, bytes) else str(source)
        raise ImageError(f"{name} cannot be read as a picture: {error}") from None
    original = Size(*picture.size)
    try:
        sent = smart_resize(original, PROFILES["7b"].min_pixels, PROFILES["7b"].max_pixels)
    except ValueError as error:
        raise ImageError(f"This picture cannot be asked about: {error}") from None
    encoded = io.BytesIO()
    picture.resize(sent, Image.Resampling.LANCZOS).save(encoded, "JPEG", quality=JPEG_QUALITY)
    data = base64.b64encode(encoded.getvalue()).decode()
    return Prepared(f"data:image/jpeg;base64,{data}", original, sent, encoded.tell())


def _on_white(picture: Image.Image) -> Image.Image:
    """Without transparency: what lies below it is often black, and so is the writing on it."""
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    layered = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered).convert("RGB")
