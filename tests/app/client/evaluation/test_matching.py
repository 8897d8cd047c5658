"""Overlap and matching: known values, and what holds for any boxes."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.client.evaluation.matching import XYXY, iou, match

Boxes = list[XYXY]


def boxes(most: int) -> st.SearchStrategy[Boxes]:
    side = st.integers(0, 30)
    span = st.tuples(side, side).map(sorted)
    box = st.tuples(span, span).map(
        lambda s: (float(s[0][0]), float(s[1][0]), float(s[0][1]), float(s[1][1]))
    )
    return st.lists(box, max_size=most)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ((0, 0, 10, 10), (0, 0, 10, 10), 1.0),
        ((0, 0, 10, 10), (5, 0, 15, 10), 1 / 3),
        ((0, 0, 10, 10), (2, 2, 8, 8), 0.36),
        ((0, 0, 10, 10), (5, 5, 15, 15), 25 / 175),
        ((0, 0, 10, 10), (10, 0, 20, 10), 0.0),
        ((0, 0, 10, 10), (8, 8, 2, 2), 0.0),
        ((3, 3, 3, 3), (3, 3, 3, 3), 0.0),
    ],
)
def test_overlap_of_known_boxes(a: XYXY, b: XYXY, expected: float) -> None:
    assert iou(a, b) == pytest.approx(expected)


@given(boxes(2).filter(lambda b: len(b) == 2))
def test_overlap_is_symmetric_and_a_share(pair: Boxes) -> None:
    a, b = pair
    assert 0 <= iou(a, b) == iou(b, a) <= 1
    assert (iou(a, b) == 1) == (a == b and a[0] < a[2] and a[1] < a[3])


def test_the_best_pair_is_matched_first_and_each_box_is_used_once() -> None:
    truth: Boxes = [(0, 0, 10, 10), (4, 0, 14, 10)]
    answered: Boxes = [(4, 0, 14, 10), (40, 40, 50, 50)]
    assert match(truth, answered) == {1: (0, 1.0)}
    assert match(truth, [*answered, (0, 0, 10, 5)]) == {1: (0, 1.0), 0: (2, 0.5)}


@given(boxes(5), boxes(5))
def test_a_matching_is_one_to_one_and_leaves_no_pair_that_could_be_made(
    truth: Boxes, answered: Boxes
) -> None:
    matched = match(truth, answered)
    used = [j for j, _ in matched.values()]
    assert len(used) == len(set(used))
    assert all(found == iou(truth[i], answered[j]) > 0 for i, (j, found) in matched.items())
    for i, j in itertools.product(range(len(truth)), range(len(answered))):
        if i not in matched and j not in used:
            assert iou(truth[i], answered[j]) == 0


@given(boxes(4), boxes(4), st.sampled_from([0.3, 0.5, 0.7]))
def test_pairs_above_a_threshold_do_not_depend_on_weaker_ones(
    truth: Boxes, answered: Boxes, threshold: float
) -> None:
    strong = {i: pair for i, pair in match(truth, answered).items() if pair[1] >= threshold}
    kept = [answered[j] for j, _ in strong.values()]
    again = match([truth[i] for i in strong], kept)
    assert sorted(found for _, found in again.values()) == sorted(f for _, f in strong.values())


@given(boxes(4), boxes(4))
def test_where_true_boxes_are_apart_half_covered_ones_are_all_found(
    truth: Boxes, answered: Boxes
) -> None:
    apart = [b for i, b in enumerate(truth) if all(iou(b, o) == 0 for o in truth[:i])]
    matched = match(apart, answered)
    for i, true in enumerate(apart):
        best = max((iou(true, box) for box in answered), default=0.0)
        if best > 0.5:
            assert matched[i][1] == best
