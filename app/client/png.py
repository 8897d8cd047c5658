"""A PNG without its texts and its colour profile.

Pillow refuses a file whose texts or profile unpack to more than 1 MB, to bound its memory. Screen
shots have such profiles, and programs write whole workflows into texts; neither changes a pixel.
"""

from __future__ import annotations

SIGNATURE = b"\x89PNG\r\n\x1a\n"
TEXTS = (b"tEXt", b"zTXt", b"iCCP")
MAX_ITXT_BYTES = 100_000
"""An international text may hold the camera's orientation (XMP), which is small."""
_FRAME = 12
"""Bytes of a chunk around its data: length, kind, checksum."""


def without_texts(data: bytes) -> bytes:
    """The same pixels. What is behind a chunk that breaks off is kept as it is."""
    kept = [SIGNATURE]
    at = len(SIGNATURE)
    while at + _FRAME <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        kind = data[at + 4 : at + 8]
        end = at + _FRAME + length
        if not _is_text(kind, data[at + 8 : min(end, at + 8 + 256)], length):
            kept.append(data[at:end])
        at = end
    kept.append(data[at:])
    return b"".join(kept)


def _is_text(kind: bytes, begin: bytes, length: int) -> bool:
    if kind != b"iTXt":
        return kind in TEXTS
    _, _, behind = begin.partition(b"\0")
    is_compressed = behind[:1] != b"\0"
    return is_compressed or length > MAX_ITXT_BYTES
