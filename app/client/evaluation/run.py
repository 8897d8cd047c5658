"""Ask a served model all questions of a set."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from functools import partial

from app.client.asynchronous import AsyncClient
from app.client.batch import ask_each
from app.client.errors import ImageError, ServiceError
from app.client.evaluation.questions import GroundingSet, Question
from app.client.evaluation.results import Failure, Result
from app.client.events import Event, Finished, FirstToken
from app.model.profiles import CoordSpace

GIVE_UP_AFTER = 10
"""Failures of the service one after the other: it will not come back during this run."""


async def ask_all(  # noqa: PLR0913, PLR0917
    client: AsyncClient,
    grounding: GroundingSet,
    questions: Iterable[Question],
    keep: Callable[[Result], None],
    concurrency: int,
    coord_space: CoordSpace | None = None,
) -> None:
    """Ask, some at once, and hand over each result as soon as it is there.

    Raises:
        ClientError: what the model's coordinates count is not known, or the service has failed
            many times in a row.
    """
    await ask_each(
        questions,
        lambda question: _ask(client, grounding, question, coord_space),
        keep,
        service_failed=lambda result: result.failure is not None and result.failure.of == "service",
        concurrency=concurrency,
        give_up_after=GIVE_UP_AFTER,
    )


async def _ask(
    client: AsyncClient,
    grounding: GroundingSet,
    question: Question,
    coord_space: CoordSpace | None,
) -> Result:
    events: list[Event] = []
    try:
        picture = await asyncio.to_thread(grounding.picture, question.picture)
        detect = partial(client.detect, coord_space=coord_space) if coord_space else client.detect
        found = await detect(picture, question.what, on_event=events.append)
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
