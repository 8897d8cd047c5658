"""Grey of 16 or 32 bits as grey of 8, which Pillow's own conversion would cut off at 255."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

USUAL_TOPS = (1.0, 255.0, 65_535.0)
TOLERANCE = 0.05
"""Filters overshoot: shares of 1.01 are shares."""
DARKEST = 0.25
"""Of a usual range; a picture whose values reach less of it would be all but black."""
CUT = 200
"""One value in 200 at either end may be noise."""
NO_DATA = (-999.0, -9999.0, -99_999.0, -32_768.0)
"""What programs write where nothing was measured."""


def value_range(values: Values) -> tuple[float, float]:
    """What becomes black, and what becomes white; what is beyond is clipped.

    ``values`` are finite, one or more. Noise at the ends aside, the range is

    - a usual one, 0 to 1, 255 or 65,535, where the values lie in it with a twentieth to spare, and
      reach a quarter of it or more: such a picture is shown as it is;
    - else from the least to the largest value. Before, a value at an end that lies far from all
      others is left out: it says that there are no data, and would squeeze the picture;
    - if all values are the same and in no usual range, one in which 0 is black, others are grey.
    """
    inner = _without_noise(np.sort(values))
    rest = _without_noise(_without_far_ends(inner))
    for low, high in ((inner[0], inner[-1]), (rest[0], rest[-1])):
        for top in USUAL_TOPS:
            if low >= -TOLERANCE * top and DARKEST * top <= high <= (1 + TOLERANCE) * top:
                return 0.0, top
    low, high = float(rest[0]), float(rest[-1])
    if low < high:
        return low, high
    return low - abs(low), low + (abs(low) or 1.0)


def shades(values: Values, low: float, high: float) -> NDArray[np.uint8]:
    """Of 0 to 255. No value (NaN) is black."""
    shares = (np.nan_to_num(values, nan=low).clip(low, high) - low) / (high - low)
    return (shares * 255).round().astype(np.uint8)


def _without_noise(ordered: Values) -> Values:
    cut = len(ordered) // CUT
    inner = ordered[cut : len(ordered) - cut]
    # In a drawing what is not the background may be as rare as noise.
    return inner if inner[0] < inner[-1] else ordered


def _without_far_ends(ordered: Values) -> Values:
    for _ in range(2):  # of two kinds of no data at one end, both
        ordered = _without_far_least(ordered, NO_DATA)
        ordered = -_without_far_least(-ordered[::-1], ())[::-1]
    return ordered


def _without_far_least(ordered: Values, no_data: tuple[float, ...]) -> Values:
    """Far is ten times as wide as all other values, or a tenth for a value that is known."""
    rest = ordered[np.searchsorted(ordered, ordered[0], "right") :]
    if not rest.size:
        return ordered
    gap, spread = rest[0] - ordered[0], rest[-1] - rest[0]
    is_far = gap > spread * (0.1 if ordered[0] in no_data else 10)
    return rest if spread > 0 and is_far else ordered
