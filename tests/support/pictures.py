"""Pictures as files, those among them that no program makes."""

from __future__ import annotations

import io
import zlib

from PIL import Image


def saved(kind: str) -> bytes:
    file = io.BytesIO()
    Image.effect_noise((64, 64), 80).convert("RGB").save(file, kind)
    return file.getvalue()


def png_that_lies(width: int, height: int) -> bytes:
    """A picture of one pixel, whose head says more."""
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x01\x00\x00\x00\x00"

    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(kind + data).to_bytes(4, "big")
        return len(data).to_bytes(4, "big") + kind + data + checksum

    parts = (("IHDR", header), ("IDAT", zlib.compress(b"\0\0")), ("IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind.encode(), data) for kind, data in parts)
