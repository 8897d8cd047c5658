"""What it costs a robot to make one 12-megapixel photograph ready to be sent.

`python bench/client_images.py`: CPU time of one thread, so that a busy machine measures the same.
"""

from __future__ import annotations

import base64
import io
import statistics
import time
from collections.abc import Callable

import numpy as np
from PIL import Image

from app.client.images import prepare
from app.model.image_tokens import Size, smart_resize
from app.model.profiles import PROFILES, ProfileName

PHOTO = Size(4032, 3024)
ROUNDS = 7
ALLOWED_MS = 150


def photograph(seed: int = 1) -> bytes:
    """A JPEG with what photographs have: large shapes, fine texture, a sensor's noise."""
    rng = np.random.default_rng(seed)
    layers = np.zeros((PHOTO.height, PHOTO.width, 3), np.float32)
    for cells, strength in ((6, 60.0), (40, 30.0), (300, 15.0)):
        coarse = rng.normal(0, strength, (cells * 3 // 4, cells, 3)).clip(-127, 127) + 128
        grown = Image.fromarray(coarse.astype(np.uint8)).resize(PHOTO, Image.Resampling.BICUBIC)
        layers += np.asarray(grown, np.float32) - 128
    layers += rng.normal(0, 4, layers.shape).astype(np.float32) + 128
    file = io.BytesIO()
    Image.fromarray(layers.clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=92)
    return file.getvalue()


def plainly(photo: bytes, min_pixels: int, max_pixels: int) -> str:
    """The same without any care: all pixels decoded, then resized."""
    with Image.open(io.BytesIO(photo)) as opened:
        picture = opened.convert("RGB")
    sent = smart_resize(Size(*picture.size), min_pixels, max_pixels)
    file = io.BytesIO()
    picture.resize(sent, Image.Resampling.LANCZOS).save(file, "JPEG", quality=90)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"


def prepared(photo: bytes, min_pixels: int, max_pixels: int) -> str:
    return prepare(photo, min_pixels=min_pixels, max_pixels=max_pixels).data_url


def cpu_ms(make: Callable[[], str]) -> float:
    begun = time.process_time()
    make()
    return (time.process_time() - begun) * 1000


def row(name: ProfileName, photo: bytes) -> str:
    low, high = PROFILES[name].min_pixels, PROFILES[name].max_pixels
    # In turns, so that what disturbs one disturbs the other; the first turn warms up.
    rounds = [
        (cpu_ms(lambda: plainly(photo, low, high)), cpu_ms(lambda: prepared(photo, low, high)))
        for _ in range(ROUNDS + 1)
    ][1:]
    plain, ours = (statistics.median(one) for one in zip(*rounds, strict=True))
    sent = smart_resize(PHOTO, low, high)
    return (
        f"{name:5} sent as {sent.width}x{sent.height}: plain {plain:.0f} ms, "
        f"prepare {ours:.0f} ms of CPU (median), {plain / ours:.1f} times less; "
        f"{'within' if ours <= ALLOWED_MS else 'OVER'} {ALLOWED_MS} ms"
    )


def main() -> None:
    photo = photograph()
    print(f"photograph {PHOTO.width}x{PHOTO.height}, {len(photo) / 1e6:.1f} MB; {ROUNDS} rounds")
    print(row("7b", photo))
    print(row("tiny", photo))


if __name__ == "__main__":
    main()
