"""A PNG with nothing in it but what its pixels look like.

Pillow refuses a file for what is beside its pixels: a text or a colour profile that unpacks to more
than 1 MB, a chunk that is too short, or a wrong checksum. Viewers show such a file. Screen shots
have such profiles, and programs write whole workflows into texts.
"""

from __future__ import annotations

import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_XMP_BYTES = 100_000
"""The camera's orientation may be in an international text (XMP), which is small."""
_XMP = b"XML:com.adobe.xmp\0\0"  # not compressed
_FRAME = 12
"""Bytes of a chunk around its data: length, kind, checksum."""
_LOOKS = (b"tRNS", b"eXIf", b"iTXt")
"""Chunks beside the pixels that change how a picture looks."""
_TRANSPARENT_BYTES = {0: 2, 2: 6}
"""Of tRNS in a picture of greys, and of red, green and blue; a palette has one for each colour."""


def without_side_data(data: bytes) -> bytes:
    """The same pixels, transparency and orientation.

    Of the chunks that a decoder may pass over, those are kept that change how the picture looks;
    with a wrong checksum these, too, are passed over, as libpng does. What is behind a chunk that
    breaks off is kept as it is. Of an animation the first frame stays.
    """
    bits, colours = data[24:26] if len(data) > 25 else (8, 2)
    kept = [SIGNATURE]
    at = len(SIGNATURE)
    while at + _FRAME <= len(data):
        end = at + _FRAME + int.from_bytes(data[at : at + 4], "big")
        kind = data[at + 4 : at + 8]
        may_be_passed_over = kind[0] & 0x20
        if not may_be_passed_over:
            kept.append(data[at:end])
        elif kind in _LOOKS and data[end - 4 : end] == _checksum(data[at + 4 : end - 4]):
            kept.append(
                _chunk(kind, _as_pillow_takes_it(kind, data[at + 8 : end - 4], bits, colours))
            )
        at = end
    kept.append(data[at:])
    return b"".join(kept)


def _as_pillow_takes_it(kind: bytes, content: bytes, bits: int, colours: int) -> bytes | None:
    """``None``: not at all."""
    if kind == b"iTXt":
        return content if content.startswith(_XMP) and len(content) <= MAX_XMP_BYTES else None
    if kind == b"tRNS" and colours in _TRANSPARENT_BYTES:
        if len(content) < _TRANSPARENT_BYTES[colours]:
            return None
        if bits in (1, 2, 4):
            # Pillow compares it with the shade of 8 bits that it makes of the pixel.
            most = 2**bits - 1
            return ((content[1] & most) * 255 // most).to_bytes(2, "big")
    return content


def _chunk(kind: bytes, content: bytes | None) -> bytes:
    if content is None:
        return b""
    return len(content).to_bytes(4, "big") + kind + content + _checksum(kind + content)


def _checksum(kind_and_content: bytes) -> bytes:
    return zlib.crc32(kind_and_content).to_bytes(4, "big")
