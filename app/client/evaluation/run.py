"""Ask a served model all questions of a set."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from app.client.asynchronous import AsyncClient
from app.client.errors import ImageError, ServiceError
from app.client.evaluation.questions import GroundingSet, Question
from app.client.evaluation.results import Failure, Result
from app.client.events import Event, Finished, FirstToken

GIVE_UP_AFTER = 10
"""Failures of the service one after the other: it will not come back during this run."""


async def ask_all(
    client: AsyncClient,
    grounding: GroundingSet,
    questions: Iterable[Question],
    keep: Callable[[Result], None],
    concurrency: int,
) -> None:
    """Ask, some at once, and hand over each result as soon as it is there.

    Raises:
        ServiceError: the service has failed many times in a row.
    """
    todo = iter(questions)
    in_a_row = 0

    async def work() -> None:
        nonlocal in_a_row
        for question in todo:
            result = await _ask(client, grounding, question)
            keep(result)
            failed = result.failure is not None and result.failure.of == "service"
            in_a_row = in_a_row + 1 if failed else 0
            if in_a_row >= GIVE_UP_AFTER:
                return

    async with asyncio.TaskGroup() as group:
        for _ in range(concurrency):
            group.create_task(work())
    if in_a_row >= GIVE_UP_AFTER:
        raise ServiceError(
            f"The service failed {in_a_row} times in a row; the rest was not asked. "
            "The same command takes up where this one stopped."
        )


async def _ask(client: AsyncClient, grounding: GroundingSet, question: Question) -> Result:
    events: list[Event] = []
    try:
        picture = await asyncio.to_thread(grounding.picture, question.picture)
        found = await client.detect(picture, question.what, on_event=events.append)
    except ImageError as error:
        return Result(question, failure=Failure("picture", str(error)))
    except ServiceError as error:
        return Result(question, failure=Failure("service", str(error)))
    return Result(
        question,
        answer=found.raw,
        boxes=tuple(box.xyxy for box in found.boxes),
        problems=found.problems,
        picture=(found.picture.width, found.picture.height),
        seconds=next((e.seconds for e in events if isinstance(e, Finished)), None),
        first_token=next((e.seconds for e in events if isinstance(e, FirstToken)), None),
    )
