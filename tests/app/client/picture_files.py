"""Pictures and their files, for the tests."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image, ImageDraw
from PIL.TiffImagePlugin import ImageFileDirectory_v2

BOUNDS = {"min_pixels": 3136, "max_pixels": 1_016_064}
RED, BLUE, GREY, WHITE = (220, 20, 20), (20, 20, 220), (128, 128, 128), (255, 255, 255)
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
    b'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
)
"""It tells that the camera was on its side."""


def two_halves(size: tuple[int, int] = (560, 280)) -> Image.Image:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", size, RED)
    ImageDraw.Draw(image).rectangle((size[0] // 2, 0, *size), fill=BLUE)
    return image


def photo(size: tuple[int, int] = (1200, 900)) -> Image.Image:
    """Smooth and noisy, with many colours, as cameras make them."""
    rng = np.random.default_rng(1)
    coarse = Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8))
    smooth = np.asarray(coarse.resize(size, Image.Resampling.BICUBIC)).astype(int)
    noisy = smooth + rng.integers(-12, 12, smooth.shape)
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


def encoded(image: Image.Image, form: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def colour(image: Image.Image, x: float, y: float) -> Any:
    return image.convert("RGB").getpixel((round(x * image.width), round(y * image.height)))


def near(one: Any, other: tuple[int, ...]) -> bool:
    return all(abs(a - b) < 16 for a, b in zip(one, other, strict=True))


def chunk(kind: bytes, data: bytes) -> bytes:
    """Of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(depth: int, kind: int, row: bytes, *parts: bytes) -> bytes:
    """Four by four pixels; ``kind`` is IHDR's colour type."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 4, depth, kind, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress((b"\0" + row) * 4))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(parts) + pixels + chunk(b"IEND", b"")


def with_chunk(png: bytes, part: bytes) -> bytes:
    """Behind IHDR."""
    return png[:33] + part + png[33:]


def tiff(pixels: bytes, size: tuple[int, int], tags: dict[int, Any]) -> bytes:
    """Neither compressed nor in strips: what Pillow does not write."""
    directory = ImageFileDirectory_v2()
    # 273, where the pixels are: Pillow counts it from the end of the directory.
    every = {256: size[0], 257: size[1], 259: 1, 262: 1, 273: 0, 277: 1, 278: size[1]}
    for tag, value in (every | {279: len(pixels)} | tags).items():
        directory[tag] = value
    return b"II*\0\x08\0\0\0" + directory.tobytes(8) + pixels
