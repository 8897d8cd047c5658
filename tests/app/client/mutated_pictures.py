"""Pictures of each format, damaged at random with a fixed seed: a program of its own, so that its
memory can be measured. It prints the number of files, those refused, and the most memory in MB.
"""

from __future__ import annotations

import io
import random
import re
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image

from app.client.errors import ImageError
from app.client.images import prepare, upright

FORMATS = ("JPEG", "PNG", "HEIF", "WEBP", "AVIF", "GIF", "BMP", "TIFF", "JPEG2000", "PPM", "ICO")
SECONDS = 25


def originals() -> list[bytes]:
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)
    photo = Image.fromarray(pixels).resize((160, 120), Image.Resampling.BICUBIC)
    exif = Image.Exif()
    exif[0x0112] = 6
    files: list[bytes] = []
    for form in FORMATS:
        file = io.BytesIO()
        with_exif = {} if form in ("GIF", "BMP", "JPEG2000", "PPM", "ICO") else {"exif": exif}
        photo.save(file, form, **with_exif)
        files.append(file.getvalue())
    file = io.BytesIO()
    photo.save(file, "JPEG", progressive=True)
    files.append(file.getvalue())
    for values in (np.linspace(-1, 1, 12_000, dtype=np.float32), np.arange(12_000, dtype=np.int32)):
        file = io.BytesIO()
        Image.fromarray(values.reshape(100, 120)).save(file, "TIFF")
        files.append(file.getvalue())
    return files


def mutated(data: bytes, rng: random.Random) -> bytes:
    damaged = bytearray(data)
    # Headers are where one byte changes most.
    reach = rng.choice((64, 512, len(data)))
    for _ in range(rng.randint(1, 8)):
        damaged[rng.randrange(min(reach, len(damaged)))] = rng.randrange(256)
    kind = rng.randrange(4)
    at = rng.randrange(len(damaged))
    if kind == 0:
        del damaged[at:]
    elif kind == 1:
        del damaged[at : at + rng.randint(1, 64)]
    elif kind == 2:
        damaged[at:at] = rng.randbytes(rng.randint(1, 64))
    return bytes(damaged)


def main(rounds: int) -> None:
    rng, files, refused = random.Random(7), 0, 0  # noqa: S311
    begun = time.monotonic()
    for data in originals() * rounds:
        if time.monotonic() - begun > SECONDS:
            break
        damaged = mutated(data, rng)
        files += 1
        try:
            if rng.randrange(2):
                prepare(damaged, min_pixels=3136, max_pixels=1_016_064)
            else:
                upright(damaged)
        except ImageError:
            refused += 1
    [most] = re.findall(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    print(files, refused, int(most) // 1024)  # noqa: T201


main(int(sys.argv[1]))
