"""Drawn pictures of coloured shapes, with the boxes of what is visible in them.

What the twin's small model is trained on, and what boxes are measured against: the same seed and
size give the same picture on every machine.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from app.model.image_tokens import Size

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (214, 39, 40),
    "orange": (245, 140, 20),
    "yellow": (250, 220, 40),
    "green": (40, 150, 60),
    "blue": (35, 90, 210),
    "purple": (130, 60, 170),
    "pink": (245, 130, 190),
}
SHAPES = ("square", "circle", "triangle", "star", "cross")
LEAST_VISIBLE = 0.7
"""Of each shape's area, after what lies over it."""

_Point = tuple[float, float]
_OUTLINES: dict[str, list[_Point]] = {
    "square": [(-1, -1), (1, -1), (1, 1), (-1, 1)],
    "circle": [(math.cos(a * math.pi / 36), math.sin(a * math.pi / 36)) for a in range(72)],
    "triangle": [(0, -1), (1, 0.85), (-1, 0.85)],
    "star": [
        (r * math.sin(i * math.pi / 5), -r * math.cos(i * math.pi / 5))
        for i, r in enumerate([1.1, 0.45] * 5)
    ],
    "cross": [
        *((-0.35, -1), (0.35, -1), (0.35, -0.35), (1, -0.35), (1, 0.35), (0.35, 0.35)),
        *((0.35, 1), (-0.35, 1), (-0.35, 0.35), (-1, 0.35), (-1, -0.35), (-0.35, -0.35)),
    ],
}


@dataclass(frozen=True, slots=True)
class Shape:
    """One shape and the box of its visible part."""

    colour: str
    shape: str
    xyxy: tuple[int, int, int, int]
    """Pixels of the picture: left, top, and the first column and row after it."""

    @property
    def name(self) -> str:
        return f"{self.colour} {self.shape}"


@dataclass(frozen=True)
class Scene:
    """A picture, and the shapes in it from left to right."""

    image: Image.Image
    objects: tuple[Shape, ...]
    owners: np.ndarray
    """(height, width) uint8: the number of the shape that is seen at a pixel, from 1; 0 is none."""


def draw(seed: int, size: Size) -> Scene:
    """One to five shapes on a quiet background; sizes are shares of the picture's shorter side."""
    rng = random.Random(seed)  # noqa: S311
    image = _background(rng, size)
    owners = Image.new("L", size)
    placed: list[tuple[str, str]] = []
    areas = [0]
    for _ in range(rng.choice((1, 2, 2, 3, 3, 4, 5))):
        for _ in range(20):
            colour, shape = rng.choice(list(COLOURS)), rng.choice(SHAPES)
            outline = _outline(rng, shape, size)
            if (colour, shape) in placed:
                continue
            with_it = owners.copy()
            ImageDraw.Draw(with_it).polygon(outline, fill=len(placed) + 1)
            seen = with_it.histogram()
            covered = [seen[i + 1] < LEAST_VISIBLE * areas[i + 1] for i in range(len(placed))]
            if any(covered):
                continue
            owners = with_it
            placed.append((colour, shape))
            areas.append(seen[len(placed)])
            ImageDraw.Draw(image).polygon(outline, fill=_shade(rng, COLOURS[colour], 25))
            break
    seen_by = np.asarray(owners)
    boxes = [_box(seen_by, i + 1) for i in range(len(placed))]
    order = sorted(range(len(placed)), key=lambda i: boxes[i][0])
    renumbered = [0] * 256
    for new, old in enumerate(order):
        renumbered[old + 1] = new + 1
    shapes = tuple(Shape(*placed[i], boxes[i]) for i in order)
    return Scene(image, shapes, np.asarray(owners.point(renumbered)))


def _outline(rng: random.Random, shape: str, size: Size) -> list[_Point]:
    radius = math.exp(rng.uniform(math.log(0.09), math.log(0.27))) * min(size)
    turn = math.radians(rng.uniform(-15, 15))
    x = rng.uniform(radius, size.width - radius)
    y = rng.uniform(radius, size.height - radius)
    across, along = math.cos(turn) * radius, math.sin(turn) * radius
    return [(x + a * across - b * along, y + a * along + b * across) for a, b in _OUTLINES[shape]]


def _background(rng: random.Random, size: Size) -> Image.Image:
    """Plain, shaded, striped or grainy; greys and pale colours, which no shape has."""
    light = rng.choice((rng.uniform(15, 90), rng.uniform(150, 245)))
    first = _shade(rng, (light, light, light), 12)
    second = _shade(rng, first, 20)
    kind = rng.choice(("plain", "shaded", "striped", "grainy"))
    if kind == "plain":
        return Image.new("RGB", size, first)
    if kind == "grainy":
        coarse = Size(max(1, size.width // 8), max(1, size.height // 8))
        grain = np.frombuffer(rng.randbytes(coarse.width * coarse.height), np.uint8)
        mask = Image.fromarray(grain.reshape(coarse.height, coarse.width)).resize(size)
    elif kind == "shaded":
        mask = Image.linear_gradient("L").rotate(rng.choice((0, 90, 180, 270))).resize(size)
    else:
        mask = Image.new("L", size)
        step = max(2, round(min(size) * rng.uniform(0.03, 0.1)))
        for x in range(0, size.width, 2 * step):
            ImageDraw.Draw(mask).rectangle((x, 0, x + step - 1, size.height), fill=255)
    return Image.composite(Image.new("RGB", size, second), Image.new("RGB", size, first), mask)


def _shade(
    rng: random.Random, colour: tuple[float, float, float], by: float
) -> tuple[int, int, int]:
    """A colour like this one: lighter or darker, and a little off in each channel."""
    lighter = rng.uniform(-by, by)
    red, green, blue = (
        min(255, max(0, round(c + lighter + rng.uniform(-by / 3, by / 3)))) for c in colour
    )
    return red, green, blue


def _box(owners: np.ndarray, number: int) -> tuple[int, int, int, int]:
    mask = owners == number
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
