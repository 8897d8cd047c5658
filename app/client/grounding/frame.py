"""The picture that an answer is about, as it was and as the model saw it."""

from __future__ import annotations

from dataclasses import dataclass

from app.model.image_tokens import Size
from app.model.profiles import CoordSpace


@dataclass(frozen=True, slots=True)
class Frame:
    """All that is needed to turn an answer's numbers into pixels of the original picture."""

    original: Size
    """Pixels of the picture as it was given, upright."""
    sent: Size
    """Pixels of the picture that the model saw."""
    coord_space: CoordSpace
    """What the numbers of the model count."""
