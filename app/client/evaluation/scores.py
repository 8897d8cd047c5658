"""Measures of box quality, each a quotient of two sums over questions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.client.evaluation.matching import area, iou, match, overlap
from app.client.evaluation.results import Result

HALF = 0.5
"""The IoU from which a box counts as found, unless said otherwise."""


@dataclass(frozen=True)
class Score:
    """One answered question."""

    picture: str
    truth: tuple[float, ...]
    """Of each true box: the IoU of the box answered for it, 0 if there is none."""
    answered: tuple[tuple[float, float], ...]
    """Of each answered box: its IoU with its true box, and how much of it is in a crowd."""
    first: float | None
    """If one box was asked for: the IoU of the first answered, 0 if there is none."""
    unreadable: bool
    in_part: bool


def score(result: Result) -> Score:
    """Compare an answer with the truth."""
    question, boxes = result.question, result.boxes
    matched = match(question.boxes, boxes)
    of_answered = dict(matched.values())
    crowded = [
        max((overlap(box, crowd) / area(box) for crowd in question.crowds if area(box)), default=0)
        for box in boxes
    ]
    first = iou(question.boxes[0], boxes[0]) if boxes else 0.0
    return Score(
        picture=question.picture,
        truth=tuple(matched[i][1] if i in matched else 0.0 for i in range(len(question.boxes))),
        answered=tuple((of_answered.get(j, 0.0), crowded[j]) for j in range(len(boxes))),
        first=first if question.single else None,
        unreadable=result.unreadable,
        in_part=bool(result.problems) and not result.unreadable,
    )


Parts = tuple[float, float]
"""Numerator and denominator."""


def mean_iou(score: Score) -> Parts:
    """Over true boxes; one that was not found counts 0."""
    return sum(score.truth), len(score.truth)


def single_iou(score: Score) -> Parts:
    """Over questions for one box."""
    return (0, 0) if score.first is None else (score.first, 1)


def single_accuracy(score: Score) -> Parts:
    """Of questions for one box: those whose first answered box is right (RefCOCO's measure)."""
    return (0, 0) if score.first is None else (score.first >= HALF, 1)


def recall(score: Score, threshold: float = HALF) -> Parts:
    """Of true boxes: those found."""
    return sum(found >= threshold for found in score.truth), len(score.truth)


def precision(score: Score, threshold: float = HALF) -> Parts:
    """Of answered boxes: those that are right; wrong ones in a crowd do not count (pycocotools)."""
    right = sum(found >= threshold for found, _ in score.answered)
    wrong = sum(found < threshold and crowd < threshold for found, crowd in score.answered)
    return right, right + wrong


def unreadable(score: Score) -> Parts:
    """Answers without a box that do not say that there is none, either."""
    return score.unreadable, 1


def in_part(score: Score) -> Parts:
    """Answers of which something was left out: it broke off, repeats itself, lies outside."""
    return score.in_part, 1


MEASURES: dict[str, Callable[[Score], Parts]] = {
    "mean IoU": mean_iou,
    "mean IoU, one box asked for": single_iou,
    "right at 0.5, one box asked for": single_accuracy,
    "precision at 0.5": precision,
    "recall at 0.5": recall,
    "unreadable answers": unreadable,
    "answers read in part": in_part,
}


def ratio(parts: Sequence[Parts]) -> float | None:
    """Sum by sum; ``None`` where nothing was counted."""
    counted = sum(below for _, below in parts)
    return sum(above for above, _ in parts) / counted if counted else None
