"""What is said of places, beside the picture."""
# ruff: noqa: PLC0415  # what AppTest runs as a script imports for itself

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

CUP = '{"bbox_2d": [1, 2, 14, 15], "label": "cup"}'
LOST = '{"bbox_2d": null, "label": "cup"}'
LIMIT = "what may have followed: the answer reached its limit of tokens"


def shown(answer: str, ending: str) -> AppTest:
    def page(answer: str, ending: str) -> None:
        from app.client.grounding.frame import Frame
        from app.client.page.answer import show_turn
        from app.client.page.english import ENGLISH
        from app.client.page.samples import sample
        from app.client.page.turns import Question, Turn
        from app.model.image_tokens import Size

        question = Question(mode="boxes", text="cup", pictures=(sample(1),))
        frame = Frame(original=Size(640, 480), sent=Size(640, 480), coord_space="pixels")
        turn = Turn.model_validate(
            {"question": question, "answer": answer, "ending": ending, "frame": frame}
        )
        show_turn(turn, 1, ENGLISH, lambda _: None)

    at = AppTest.from_function(page, args=(answer, ending), default_timeout=30).run()
    assert not at.exception
    return at


@pytest.mark.parametrize(
    ("answer", "ending", "said", "left_out"),
    [
        (f"[{CUP}]", "whole", "Found: 1", []),
        ("[]", "whole", "Nothing like that was found in this picture.", []),
        (
            f"[{CUP}, {LOST}]",
            "whole",
            "Found: 1, perhaps not all; what was left out is listed below.",
            [f"no numbers where a place should be: {LOST}"],
        ),
        (
            f"[{LOST}]",
            "whole",
            "The answer names places, and none of them can be read; they are listed below.",
            [f"no numbers where a place should be: {LOST}"],
        ),
        (
            f"[{CUP},",
            "cut",
            "Found: 1, perhaps not all; what was left out is listed below.",
            [LIMIT],
        ),
    ],
)
def test_how_many_were_found_and_what_was_left_out(
    answer: str, ending: str, said: str, left_out: list[str]
) -> None:
    at = shown(answer, ending)
    assert said in [each.value for each in at.markdown]
    told = [each.value for each in at.caption]
    assert [each.replace("\\", "") for each in told] == [
        f"Left out of the answer: {each}" for each in left_out
    ]


def test_a_cut_answer_about_places_is_told_without_a_setting_that_does_not_count_for_it() -> None:
    [warning] = shown(f"[{CUP},", "cut").warning
    told = "The answer reached the token limit and was cut; there may be more in the picture."
    assert warning.value == told
