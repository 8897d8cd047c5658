"""A decoded picture of any mode in RGB, as viewers show it, on white or else on black."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

import numpy as np
from PIL import Image
from PIL.IcoImagePlugin import IcoImageFile
from PIL.TiffImagePlugin import TiffImageFile

from app.client.errors import ImageError
from app.client.pictures.png import SIGNATURE
from app.client.pictures.shades import Values, shades, value_range
from app.client.pictures.sources import name

STRIP_PIXELS = 2**19
SAMPLE_VALUES = 2**18
"""From so many the range of a picture's values is taken."""
_BITS, _PHOTOMETRIC = 258, 262
"""Tags of TIFF."""


def in_rgb(picture: Image.Image, original: Image.Image, source: object) -> Image.Image:
    """``original`` is the picture as Pillow opened it: a copy has neither format nor tags.

    Raises:
        ImageError: it has no values.
    """
    if picture.mode.startswith(("I", "F")):
        return _of_wide_values(picture, original, source)
    if not picture.has_transparency_data or _has_unused_alpha(picture, original):
        return picture if picture.mode == "RGB" else picture.convert("RGB")
    transparent: int | bytes | tuple[int, ...] | None = picture.info.get("transparency")
    if isinstance(transparent, tuple) and max(transparent) > 255:
        # Of a PNG with 16 bits, of which Pillow keeps the upper ones; of this it keeps all.
        picture.info["transparency"] = tuple(value >> 8 for value in transparent)
    # What lies below full transparency is often black, and so is the writing on it.
    rgb = _on("white", picture)
    if rgb.getextrema() != ((255, 255),) * 3:
        return rgb
    del rgb  # before another one takes memory
    on_black = _on("black", picture)  # a white logo; one that is transparent throughout stays white
    return on_black if on_black.getbbox() else Image.new("RGB", picture.size, "white")


def _on(ground: str, picture: Image.Image) -> Image.Image:
    """In front of a colour, as far as it is transparent."""
    rgb = Image.new("RGB", picture.size)
    for box in strips(picture):
        strip = picture.crop(box)
        # Pillow takes grey with premultiplied alpha no other way.
        strip = (strip.convert("LA") if strip.mode == "La" else strip).convert("RGBA")
        behind = Image.new("RGBA", strip.size, ground)
        rgb.paste(Image.alpha_composite(behind, strip).convert("RGB"), box)
    return rgb


def _has_unused_alpha(picture: Image.Image, original: Image.Image) -> bool:
    """Programs leave a bitmap's fourth byte at 0; viewers take a picture of these as opaque."""
    if original.format not in ("BMP", "DIB", "ICO") or picture.mode != "RGBA":
        return False
    return picture.getchannel("A").getextrema() == (0, 0) and not _is_png_in_icon(original)


def _is_png_in_icon(original: Image.Image) -> bool:
    if not isinstance(original, IcoImageFile) or original.ico.buf.closed:
        return False
    offset = cast("int", original.ico.entry[0].offset)  # pyright: ignore[reportUnknownMemberType]
    original.ico.buf.seek(offset)
    return original.ico.buf.read(len(SIGNATURE)) == SIGNATURE


def _of_wide_values(picture: Image.Image, original: Image.Image, source: object) -> Image.Image:
    """Of 16 bits, which are shown as they are, or of 32 (:func:`.shades.value_range`)."""
    tags: Mapping[int, Any] = original.tag_v2 if isinstance(original, TiffImageFile) else {}
    if picture.mode.startswith("I;16"):
        low, high = 0.0, 4095.0 if tags.get(_BITS) == (12,) else 65_535.0
    elif picture.mode == "I" and original.format == "PPM":  # Pillow makes 16 bits of it
        low, high = 0.0, 65_535.0
    else:
        low, high = value_range(_sample(picture, source))
    transparent: int | None = picture.info.get("transparency")
    rgb = Image.new("RGB", picture.size)
    for box in strips(picture):
        values = np.asarray(picture.crop(box), np.float64)
        strip = shades(values, low, high)
        if tags.get(_PHOTOMETRIC) == 0:
            strip = np.where(np.isnan(values), strip, 255 - strip)
        if transparent is not None:
            strip[values == transparent] = 255
        rgb.paste(Image.fromarray(strip).convert("RGB"), box)
    return rgb


def _sample(picture: Image.Image, source: object) -> Values:
    """Finite values, evenly taken; one at least of each strip that has any."""
    # Odd, so that it does not take the same columns of each row.
    step = picture.width * picture.height // SAMPLE_VALUES | 1
    parts = (np.asarray(picture.crop(box), np.float64) for box in strips(picture))
    # Copies, for what is only viewed keeps the whole strip in memory.
    values = np.concatenate([part[np.isfinite(part)][::step].copy() for part in parts])
    if not values.size:
        raise ImageError(f"{name(source)} has no values: all of them are NaN or infinite.")
    return values


def strips(picture: Image.Image) -> Iterator[tuple[int, int, int, int]]:
    """So that a copy in another mode takes little memory, however wide the picture is."""
    rows = max(1, STRIP_PIXELS // picture.width)
    for top in range(0, picture.height, rows):
        yield 0, top, picture.width, min(top + rows, picture.height)
