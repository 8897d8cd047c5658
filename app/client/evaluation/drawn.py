"""The built-in set: drawn pictures that nothing was trained on, at sizes that cameras have."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from PIL import Image

from app.client.evaluation.questions import GroundingSet, Question
from app.model.drawn import Shape, draw
from app.model.image_tokens import Size

SIZES = (Size(640, 480), Size(1920, 1080), Size(4032, 3024))
FIRST_SEED = 900_000
"""The small model's training begins at seed 1,000,000."""
PICTURES = 30
"""Of each size."""


def grounding_set(sizes: Sequence[Size] = SIZES, pictures: int = PICTURES) -> GroundingSet:
    """Of each picture: up to two of its shapes, one kind of shape, and one colour."""
    questions: list[Question] = []
    for i, size in enumerate(sizes):
        first = FIRST_SEED + i * pictures  # one seed is one scene, whatever the size
        for seed in range(first, first + pictures):
            name = f"drawn-{size.width}x{size.height}-{seed}"
            for query, what, found in _asked(draw(seed, size).objects):
                tags = {"query": query, "picture": f"{size.width}x{size.height}"}
                boxes = tuple(s.xyxy for s in found)
                questions.append(Question(f"{name}/{what}", name, what, boxes, tags=tags))
    return GroundingSet("drawn", tuple(questions), _picture)


def _asked(shapes: Sequence[Shape]) -> list[tuple[str, str, list[Shape]]]:
    """Kind of query, what is asked for, and what is right."""
    one = shapes[0]
    return [
        *(("one shape", shape.name, [shape]) for shape in shapes[:2]),
        ("kind", one.shape, [s for s in shapes if s.shape == one.shape]),
        ("colour", f"{one.colour} shape", [s for s in shapes if s.colour == one.colour]),
    ]


@lru_cache(maxsize=4)
def _picture(name: str) -> Image.Image:
    _, size, seed = name.split("-")
    width, height = map(int, size.split("x"))
    return draw(int(seed), Size(width, height)).image
