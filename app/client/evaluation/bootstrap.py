"""95 % intervals by drawing pictures anew, since answers about one picture err together.

Percentile bootstrap over clusters: Efron and Tibshirani, An Introduction to the Bootstrap, 13.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.client.evaluation.scores import Parts, ratio

DRAWS = 2000
LEAST_PICTURES = 5
"""An interval from fewer says nothing."""


@dataclass(frozen=True)
class Estimate:
    """A value and where it lies with 95 % confidence."""

    value: float | None
    interval: tuple[float, float] | None
    over: float
    """What was counted: boxes, questions."""


def estimate(pictures: Sequence[str], parts: Sequence[Parts]) -> Estimate:
    """Of one measure; both arguments have one item per question."""
    value = ratio(parts)
    over = sum(below for _, below in parts)
    if value is None:
        return Estimate(None, None, over)
    return Estimate(value, _interval(_ratios(pictures, parts)), over)


def difference(
    pictures: Sequence[str], before: Sequence[Parts], after: Sequence[Parts]
) -> Estimate:
    """After minus before, on the same questions: both are drawn together."""
    a, b = ratio(before), ratio(after)
    over = sum(below for _, below in before)
    if a is None or b is None:
        return Estimate(None, None, over)
    drawn = _ratios(pictures, after) - _ratios(pictures, before)
    return Estimate(b - a, _interval(drawn), over)


def _ratios(pictures: Sequence[str], parts: Sequence[Parts]) -> NDArray[np.float64]:
    """Of each draw; the same pictures are drawn each time. NaN where nothing was counted."""
    number = {name: i for i, name in enumerate(dict.fromkeys(pictures))}
    sums = np.zeros((len(number), 2))
    np.add.at(sums, [number[name] for name in pictures], np.asarray(parts, dtype=np.float64))
    rng = np.random.default_rng(0)
    shares = np.full(len(number), 1 / len(number))
    ratios = np.empty(DRAWS)
    for draw in range(DRAWS):
        above, below = rng.multinomial(len(number), shares) @ sums
        ratios[draw] = above / below if below else np.nan
    return ratios if len(number) >= LEAST_PICTURES else np.full(DRAWS, np.nan)


def _interval(drawn: NDArray[np.float64]) -> tuple[float, float] | None:
    known = drawn[~np.isnan(drawn)]
    if not len(known):
        return None
    low, high = np.quantile(known, (0.025, 0.975))
    return float(low), float(high)
