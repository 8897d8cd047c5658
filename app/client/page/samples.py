"""Pictures to try the page with: drawn, of what the twin's small model knows."""

from __future__ import annotations

import io

from app.model.drawn import draw
from app.model.image_tokens import Size

SEEDS = (128, 167, 325)
"""Each with a red square and a blue circle in it, which the page's first questions are about."""
SIZE = Size(448, 336)


def sample(number: int) -> bytes:
    """PNG; the same number is the same picture everywhere."""
    file = io.BytesIO()
    draw(SEEDS[number], SIZE).image.save(file, "PNG")
    return file.getvalue()
