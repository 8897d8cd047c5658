"""A detection as arrays."""

from __future__ import annotations

import numpy as np

from app.client import Box, Detection, Point
from app.model.image_tokens import Size


def test_boxes_and_points_are_arrays() -> None:
    found = Detection(
        (Box("cup", (1, 2, 3.5, 4), "", 0.5), Box("컵", (5, 6, 7, 8), "")),
        (Point("lid", (9, 10), ""),),
        Size(20, 20),
        "",
        (),
    )
    assert found.xyxy.dtype == found.scores.dtype == found.xy.dtype == np.float32
    assert found.xyxy.tolist() == [[1, 2, 3.5, 4], [5, 6, 7, 8]]
    assert found.labels.tolist() == ["cup", "컵"]
    np.testing.assert_array_equal(found.scores, np.array([0.5, np.nan], np.float32))
    assert found.xy.tolist() == [[9, 10]]


def test_nothing_found_has_arrays_of_the_same_shape() -> None:
    nothing = Detection((), (), Size(20, 20), "[]", ())
    assert nothing.xyxy.shape == (0, 4)
    assert nothing.xy.shape == (0, 2)
    assert (nothing.labels.shape, nothing.scores.shape) == ((0,), (0,))
