"""A JPEG that has lost nothing but its end marker, as some cameras and downloads leave it.

Pillow refuses it. With an end marker added, libjpeg decodes also what has lost half of its pixels,
and fills these with grey without a word; so it is tried whether pixels are missing.
"""

from __future__ import annotations

import io
import re
import zlib

from PIL.JpegImagePlugin import JpegImageFile

from app.client.pictures.rgb import strips

END = b"\xff\xd9"
_FILLERS = (bytes(range(0xFE, 0x80, -1)), b"\x55" * 128)
"""Bits that are read as pixels if any are missing."""
_MARKER = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])")
_FRAMES, _SCAN, _END = (0xC0, 0xC1, 0xC2, 0xC9, 0xCA), 0xDA, 0xD9


def with_end(data: bytes, most_pixels: int) -> bytes | None:
    """``None`` if more is missing than the end, or it is too large to be tried.

    Raises whatever Pillow raises for a damaged file.
    """
    begun = data.removesuffix(END[:1])
    width, height = JpegImageFile(io.BytesIO(begun)).size
    if width * height > most_pixels or not _has_all_scans(begun):
        return None
    whole = begun + END
    picture = _fingerprint(whole)
    is_whole = all(_fingerprint(begun + filler + END) == picture for filler in _FILLERS)
    return whole if is_whole else None


def _has_all_scans(data: bytes) -> bool:
    """A progressive JPEG has several; each brings some of the 64 coefficients, or bits of them."""
    missing: set[tuple[int, int]] | None = None
    at = 2  # behind the marker of the start
    while match := _MARKER.search(data, at):
        [marker] = match[1]
        if marker == _END:
            return False
        at = match.end() + int.from_bytes(data[match.end() : match.end() + 2], "big")
        content = data[match.end() + 2 : at]
        if marker in _FRAMES:
            missing = {(colour, place) for colour in content[6::3] for place in range(64)}
        elif marker == _SCAN and missing:
            first, last, bits = content[-3:]
            if bits & 0x0F == 0:
                places = range(first, last + 1)
                missing -= {(colour, place) for colour in content[1:-3:2] for place in places}
    return missing == set()


def _fingerprint(data: bytes) -> int:
    picture, checksum = JpegImageFile(io.BytesIO(data)), 0
    picture.load()
    for box in strips(picture):
        checksum = zlib.crc32(picture.crop(box).tobytes(), checksum)
    return checksum
