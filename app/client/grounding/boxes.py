"""From a model's numbers to pixels of the original picture."""

from __future__ import annotations

import math

from app.client.grounding.found import Box, Detection, Point
from app.client.grounding.parse import Unreadable, items
from app.model.image_tokens import Size
from app.model.profiles import CoordSpace


def read(answer: str, *, original: Size, sent: Size, coord_space: CoordSpace) -> Detection:
    """Everything complete in an answer, also in one that still grows; never raises.

    ``sent`` is the size of the picture that the model saw, ``original`` of the one it was made
    from. The sides are scaled by factors of their own, because the resize rounds each for itself.
    """
    whole = sent if coord_space == "pixels" else Size(1000, 1000)
    x_factor, y_factor = original.width / whole.width, original.height / whole.height
    boxes: list[Box] = []
    points: list[Point] = []
    problems: list[str] = []
    seen = set[tuple[str, tuple[float, ...]]]()
    repeated = 0
    for item in items(answer):
        if isinstance(item, Unreadable):
            problems.append(item.why)
            continue
        if (item.label, item.numbers) in seen:
            repeated += 1
            continue
        seen.add((item.label, item.numbers))
        if not all(map(math.isfinite, item.numbers)):
            problems.append(f"not a place in the picture: {item.raw}")
            continue
        xs = sorted(min(max(x * x_factor, 0.0), float(original.width)) for x in item.numbers[0::2])
        ys = sorted(min(max(y * y_factor, 0.0), float(original.height)) for y in item.numbers[1::2])
        if len(item.numbers) == 2:
            points.append(Point(item.label, (xs[0], ys[0]), item.raw))
        elif xs[0] < xs[1] and ys[0] < ys[1]:
            boxes.append(Box(item.label, (xs[0], ys[0], xs[1], ys[1]), item.raw))
        else:
            problems.append(f"a box with nothing in it, or outside the picture: {item.raw}")
    if repeated:
        problems.append(f"said again, word for word: {repeated} items")
    return Detection(tuple(boxes), tuple(points), original, answer, tuple(problems))
