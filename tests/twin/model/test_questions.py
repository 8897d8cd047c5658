"""What the small model is taught to say."""

from __future__ import annotations

import random
import re

import pytest

from app.model.drawn import Shape, draw
from app.model.image_tokens import Size
from twin.model.questions import GREETING, ask, boxes, count, describe, points
from twin.model.words import JSON_PIECES, NUMBERS, PIECES, WORDS

RED, BLUE, ORANGE = (
    Shape("red", "square", (10, 20, 31, 40)),
    Shape("blue", "cross", (100, 5, 130, 35)),
    Shape("orange", "star", (150, 5, 180, 35)),
)


def test_boxes_and_points_are_the_json_that_the_schema_asks_for() -> None:
    assert boxes([RED, BLUE]) == (
        '[{"bbox_2d":[10,20,31,40],"label":"red square"},'
        '{"bbox_2d":[100,5,130,35],"label":"blue cross"}]'
    )
    assert points([RED]) == '[{"point_2d":[20,30],"label":"red square"}]'
    assert boxes([]) == "[]"


@pytest.mark.parametrize(
    ("number", "sentence"),
    [(0, "There are no crosses."), (1, "There is one cross."), (3, "There are three crosses.")],
)
def test_counts_are_sentences(number: int, sentence: str) -> None:
    assert count("cross", number) == sentence


def test_a_picture_is_described_from_left_to_right() -> None:
    assert describe([RED]) == "I see a red square."
    assert describe([RED, BLUE, ORANGE]) == "I see a red square, a blue cross and an orange star."


def test_most_questions_and_all_answers_are_made_of_known_pieces() -> None:
    rng = random.Random(1)  # noqa: S311
    known = {*WORDS, *NUMBERS, *JSON_PIECES, *(f" {w}" for w in WORDS)}
    unknown = set[str]()
    for seed in range(300):
        asked = ask(rng, draw(seed, Size(64, 48)).objects)
        if asked.answer == GREETING:
            continue  # small talk is spelt
        pieces = re.findall(PIECES, f"{asked.question}\n{asked.answer}")
        unknown |= {p for p in pieces if len(p) > 1 and p not in known}
    assert unknown == set()
