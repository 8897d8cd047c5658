"""What is wrong at a hop."""

from __future__ import annotations

from dataclasses import dataclass

from doctor.hops import Hop


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Something wrong at a hop."""

    hop: Hop
    cause: str
    remedy: str
    harmless: bool = False
    """It breaks nothing by itself."""
    explains: bool = False
    """A request did not get through for it, although the path is whole."""
