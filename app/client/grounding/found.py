"""What was found in a picture, in the picture's own pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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

    @property
    def xyxy(self) -> NDArray[np.float32]:
        """The boxes' left, top, right, bottom: shape (N, 4), pixels of the original picture."""
        return np.array([box.xyxy for box in self.boxes], np.float32).reshape(-1, 4)

    @property
    def labels(self) -> NDArray[np.str_]:
        """The boxes' names: shape (N,)."""
        return np.array([box.label for box in self.boxes], np.str_)

    @property
    def scores(self) -> NDArray[np.float32]:
        """The boxes' scores, 0 to 1, NaN where the answer has none: shape (N,)."""
        scores = [np.nan if box.score is None else box.score for box in self.boxes]
        return np.array(scores, np.float32)

    @property
    def xy(self) -> NDArray[np.float32]:
        """The points' places: shape (M, 2), pixels of the original picture."""
        return np.array([point.xy for point in self.points], np.float32).reshape(-1, 2)
