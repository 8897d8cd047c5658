"""From a model's numbers to pixels of the original picture."""

from __future__ import annotations

import math

from app.client.grounding.answers.items import Item, Unreadable, shortened
from app.client.grounding.answers.parse import items
from app.client.grounding.found import Box, Detection, Point
from app.client.grounding.frame import Frame
from app.model.image_tokens import Size

FRACTIONS = Size(1, 1)
THOUSANDTHS = Size(1000, 1000)


def read(
    answer: str, frame: Frame, *, whole: bool | None = None, most: int | None = None
) -> Detection:
    """Every place in an answer, also in one that still grows; never raises.

    ``whole``: whether the model ended the answer itself, or a limit of tokens did. Then a number at
    its end may lack a digit, and more places may have followed; both are told. Without it the
    answer's end is judged by its looks. ``most``: how many places it was allowed to have; one that
    has so many may lack others, which is told.

    Each group of coordinates becomes a box or a point, or an entry in ``problems``. The sides are
    scaled by factors of their own, because the resize rounds each for itself. Numbers that are
    shares of the picture's sides (:func:`.answers.items.is_of_shares`) are read as such.
    """
    original = frame.original
    boxes: list[Box] = []
    points: list[Point] = []
    problems: list[str] = []
    seen = set[tuple[str, tuple[float, ...]]]()
    repeated = 0
    for item in items(answer, whole=whole):
        if isinstance(item, Unreadable):
            problems.append(item.why)
            continue
        if (item.label, item.numbers) in seen:
            repeated += 1
            continue
        seen.add((item.label, item.numbers))
        if not all(map(math.isfinite, item.numbers)):
            problems.append(f"not a place in the picture: {shortened(item.piece.text)}")
            continue
        edges = _edges(item, frame)
        x_factor, y_factor = original.width / edges.width, original.height / edges.height
        xs = sorted(min(max(x * x_factor, 0.0), float(original.width)) for x in item.numbers[0::2])
        ys = sorted(min(max(y * y_factor, 0.0), float(original.height)) for y in item.numbers[1::2])
        if len(item.numbers) == 2:
            points.append(Point(item.label, (xs[0], ys[0]), item.piece.text, item.score))
        elif xs[0] < xs[1] and ys[0] < ys[1]:
            boxes.append(Box(item.label, (xs[0], ys[0], xs[1], ys[1]), item.piece.text, item.score))
        else:
            problems.append(
                f"a box with nothing in it, or outside the picture: {shortened(item.piece.text)}"
            )
    if whole is False:
        problems.append("what may have followed: the answer reached its limit of tokens")
    if len(boxes) + len(points) == most:
        problems.append(f"what may be there beyond {most} places, as many as an answer may have")
    if repeated:
        problems.append(f"said again, word for word: {repeated} items")
    return Detection(tuple(boxes), tuple(points), original, answer, tuple(problems))


def _edges(item: Item, frame: Frame) -> Size:
    """What the right and lower edge of the picture are in the item's numbers."""
    if item.fractions:
        return FRACTIONS
    return frame.sent if frame.coord_space == "pixels" else THOUSANDTHS
