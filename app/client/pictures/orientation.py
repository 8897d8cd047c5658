"""How a camera was held, and the picture turned upright.

One rule for files and for Pillow images: EXIF's orientation counts (in a TIFF, its own tag), and
XMP's where there is no such tag, in the order of Pillow and of Windows (System.Photo.Orientation).
In HEIC and AVIF the container's rotation alone counts, as their standards say. Data that cannot be
read turn nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from PIL import Image

from app.client.pictures.quiet import without_warnings

ORIENTATION = 0x0112
_IN_XMP = re.compile(rb'tiff:Orientation(?:="|>)([0-9])')
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def stored_orientation(info: Mapping[Any, Any], *, xmp_counts: bool = True) -> int:
    """EXIF's number from 1 to 8, of a Pillow image's ``info``."""
    number = _of_exif(info.get("exif"))
    if number is None and xmp_counts:
        number = _of_xmp(info.get("xmp") or info.get("XML:com.adobe.xmp"))
    return number if isinstance(number, int) and 1 <= number <= 8 else 1


def turned(picture: Image.Image, number: int) -> Image.Image:
    """Upright, with no EXIF data left; ``number`` is EXIF's, of the picture as it is stored."""
    upright = picture.transpose(_TURNS[number]) if number in _TURNS else picture.copy()
    upright.info.clear()  # so that nobody turns it again
    return upright


def _of_exif(data: object) -> object:
    if not isinstance(data, bytes):
        return None
    exif = Image.Exif()
    try:
        with without_warnings():
            exif.load(data)
            return exif.get(ORIENTATION)
    except Exception:  # noqa: BLE001  # whatever a few bytes beside the pixels are, these are sound
        return None


def _of_xmp(data: object) -> int | None:
    if isinstance(data, str):
        data = data.encode(errors="replace")
    match = _IN_XMP.search(data) if isinstance(data, bytes) else None
    return int(match[1]) if match else None
