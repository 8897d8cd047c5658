"""What was found in a picture, in the picture's own pixels."""

from __future__ import annotations

from dataclasses import dataclass

from app.model.image_tokens import Size


@dataclass(frozen=True, slots=True)
class Box:
    """A bounding box."""

    label: str
    xyxy: tuple[float, float, float, float]
    """Left, top, right, bottom; pixels of the original picture, from its upper left corner.
    Inside the picture, and never empty."""
    raw: str
    """The piece of the answer it was read from."""
    score: float | None = None
    """From 0 to 1, where the answer has one."""


@dataclass(frozen=True, slots=True)
class Point:
    """A place."""

    label: str
    xy: tuple[float, float]
    """Pixels of the original picture, inside it."""
    raw: str
    """The piece of the answer it was read from."""
    score: float | None = None
    """From 0 to 1, where the answer has one."""


@dataclass(frozen=True, slots=True)
class Detection:
    """Everything that one answer tells, in the answer's order."""

    boxes: tuple[Box, ...]
    points: tuple[Point, ...]
    picture: Size
    raw: str
    """The whole answer."""
    problems: tuple[str, ...]
    """What was left out of it, and why; in words."""
