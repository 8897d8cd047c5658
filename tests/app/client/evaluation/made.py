"""Made-up runs for the tests of reports."""

from __future__ import annotations

from collections.abc import Sequence

from app.client.evaluation.matching import XYXY
from app.client.evaluation.questions import Question
from app.client.evaluation.results import Failure, Result, Run

RUN = Run(
    set="val",
    digest="abc",
    label="7B",
    model="Qwen/Qwen2.5-VL-7B-Instruct",
    min_pixels=3136,
    max_pixels=1_016_064,
    concurrency=2,
    begun="2026-11-24 02:40 UTC",
)
DOWN = Failure("service", "The server at home does not answer.")


def result(
    number: int,
    boxes: Sequence[XYXY] = ((0, 0, 10, 10),),
    *,
    what: str = "cat",
    failure: Failure | None = None,
    answer: str = "[…]",
    problems: tuple[str, ...] = (),
) -> Result:
    """One cat at (0, 0, 10, 10) of a picture of its own, 100 by 100."""
    question = Question(
        str(number), f"{number}.jpg", what, ((0, 0, 10, 10),), tags={"category": what}
    )
    if failure:
        return Result(question, failure=failure)
    return Result(
        question,
        answer=answer,
        boxes=tuple(boxes),
        problems=problems,
        picture=(100, 100),
        seconds=1.0 + number,
        first_token=0.5,
    )
