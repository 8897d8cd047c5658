"""Measures of made-up answers, by numbers worked out by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.client.evaluation.bootstrap import difference, estimate
from app.client.evaluation.matching import XYXY
from app.client.evaluation.plot import curve, histogram
from app.client.evaluation.questions import Question
from app.client.evaluation.report import percentile_95
from app.client.evaluation.results import Result
from app.client.evaluation.scores import (
    Parts,
    Score,
    in_part,
    mean_iou,
    precision,
    ratio,
    recall,
    score,
    single_accuracy,
    single_iou,
    unreadable,
)

A: XYXY = (0, 0, 10, 10)
A_HALF: XYXY = (0, 0, 10, 5)
A_POOR: XYXY = (0, 0, 10, 4)
B: XYXY = (50, 50, 60, 60)
FAR: XYXY = (90, 90, 99, 99)


def scored(
    truth: Sequence[XYXY], answered: Sequence[XYXY], crowds: Sequence[XYXY] = (), picture: str = "a"
) -> Score:
    question = Question("q", picture, "cat", tuple(truth), tuple(crowds))
    return score(Result(question, boxes=tuple(answered)))


def of(measure: Callable[[Score], Parts], *scores: Score) -> float | None:
    return ratio([measure(s) for s in scores])


def test_a_perfect_answer_has_the_best_of_everything() -> None:
    found = scored([A, B], [B, A])
    assert (of(mean_iou, found), of(precision, found), of(recall, found)) == (1, 1, 1)


def test_mean_iou_counts_a_box_that_was_not_found_as_nothing() -> None:
    assert of(mean_iou, scored([A, B], [A_HALF])) == 0.25
    assert of(mean_iou, scored([A, B], [A_HALF]), scored([A], [A])) == 0.5


def test_a_box_is_found_from_half_overlap_on() -> None:
    exactly, below = scored([A], [A_HALF]), scored([A], [A_POOR])
    assert (of(recall, exactly), of(precision, exactly)) == (1, 1)
    assert (of(recall, below), of(precision, below)) == (0, 0)


def test_a_second_answer_for_the_same_object_is_wrong() -> None:
    assert scored([A], [A, A]).answered == ((1.0, 0.0), (0.0, 0.0))
    assert of(precision, scored([A], [A, A])) == 0.5


def test_where_one_box_is_asked_for_the_first_answered_counts() -> None:
    assert of(single_iou, scored([A], [FAR, A])) == 0
    assert of(single_iou, scored([A], [A_HALF, FAR])) == 0.5
    right, wrong, silent = scored([A], [A_HALF]), scored([A], [A_POOR]), scored([A], [])
    assert of(single_accuracy, right, right, wrong, silent) == 0.5
    assert of(single_accuracy, scored([A, B], [A])) is None


def test_answers_in_a_crowd_are_neither_right_nor_wrong() -> None:
    crowd: XYXY = (80, 80, 100, 100)
    assert of(precision, scored([A], [A, FAR])) == 0.5
    assert of(precision, scored([A], [A, FAR], [crowd])) == 1
    half_outside: XYXY = (60, 80, 100, 100)
    outside: XYXY = (58, 80, 100, 100)
    assert of(precision, scored([A], [A, half_outside], [crowd])) == 1
    assert of(precision, scored([A], [A, outside], [crowd])) == 0.5
    assert of(recall, scored([A], [FAR], [crowd])) == 0


def test_a_true_object_in_a_crowd_still_counts() -> None:
    assert of(precision, scored([A], [A], [(0, 0, 50, 50)])) == 1
    assert scored([A], [A], [(0, 0, 50, 50)]).first is None


def test_nothing_answered_has_no_precision_and_no_recall() -> None:
    assert of(precision, scored([A], [])) is None
    assert of(recall, scored([A], [])) == 0


def test_an_unreadable_answer_is_counted_and_found_nothing() -> None:
    bad = score(Result(Question("q", "a", "cat", (A,)), answer="I see a cat", problems=("cut",)))
    assert of(unreadable, bad, scored([A], [A])) == 0.5
    assert of(in_part, bad, scored([A], [A])) == 0
    assert of(mean_iou, bad, scored([A], [A])) == 0.5


def test_an_answer_read_in_part_is_counted_and_what_was_read_is_measured() -> None:
    question = Question("q", "a", "cat", (A,))
    cut = score(Result(question, answer="[{", boxes=(A,), problems=("it breaks off",)))
    assert of(in_part, cut, scored([A], [A])) == 0.5
    assert of(unreadable, cut) == 0
    assert of(mean_iou, cut) == 1


def test_plotted_numbers_are_those_of_the_measures() -> None:
    scores = [scored([A, B], [A_HALF]), scored([A], [A])]
    bins = histogram(scores)
    assert (bins[0], bins[10], bins[19], sum(bins)) == (1, 1, 1, 3)
    at = {round(t, 2): (p, r) for t, p, r in curve(scores)}
    assert at[0.5] == (1, 2 / 3)
    assert at[0.55] == (0.5, 1 / 3)


box = st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(10, 20), st.integers(10, 20)).map(
    lambda b: (float(b[0]), float(b[1]), float(b[2]), float(b[3]))
)
answers = st.builds(scored, st.lists(box, min_size=1, max_size=4), st.lists(box, max_size=4))


@given(st.lists(answers, min_size=1, max_size=4))
def test_a_stricter_threshold_never_finds_more(scores: list[Score]) -> None:
    for column in (1, 2):
        values = [row[column] for row in curve(scores)]
        known = [v for v in values if v is not None]
        assert known == sorted(known, reverse=True)
        assert all(0 <= v <= 1 for v in known)


@given(st.lists(answers, min_size=1, max_size=4))
def test_the_order_of_questions_changes_no_value(scores: list[Score]) -> None:
    turned = scores[::-1]
    for measure in (mean_iou, precision, recall, single_iou):
        assert of(measure, *scores) == pytest.approx(of(measure, *turned))


def test_the_95th_percentile_is_the_nearest_rank() -> None:
    assert percentile_95([float(i) for i in range(1, 101)]) == 95
    assert percentile_95([3.0]) == 3
    assert percentile_95([1.0, 2.0]) == 2


def test_an_interval_holds_the_value_and_is_the_same_each_time() -> None:
    pictures = [f"p{i}" for i in range(100)]
    parts = [(i % 2, 1) for i in range(100)]
    found = estimate(pictures, parts)
    assert found == estimate(pictures, parts)
    assert found.value == 0.5
    assert found.over == 100
    assert found.interval is not None
    # Binomial: 0.5 plus and minus 1.96 * sqrt(0.25 / 100).
    assert found.interval == pytest.approx((0.402, 0.598), abs=0.015)


def test_answers_about_one_picture_count_as_one_draw() -> None:
    parts = [(i // 10 % 2, 1) for i in range(100)]
    alone = estimate([f"p{i}" for i in range(100)], parts).interval
    together = estimate([f"p{i // 10}" for i in range(100)], parts).interval
    assert alone is not None
    assert together is not None
    assert together[1] - together[0] > 2.5 * (alone[1] - alone[0])


def test_few_pictures_have_no_interval() -> None:
    assert estimate(["a", "b", "c", "d"], [(1, 1)] * 4).interval is None
    assert estimate([], []).value is None


def test_a_constant_difference_is_certain_however_much_pictures_differ() -> None:
    pictures = [f"p{i}" for i in range(50)]
    before = [(i / 50, 1.0) for i in range(50)]
    after = [(i / 50 - 0.1, 1.0) for i in range(50)]
    found = difference(pictures, before, after)
    assert found.value == pytest.approx(-0.1)
    assert found.interval == pytest.approx((-0.1, -0.1))
