"""Asking a set, with a client that says what it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import pytest
from PIL import Image

from app.client.asynchronous import AsyncClient
from app.client.errors import ImageError, ServiceError
from app.client.evaluation.questions import GroundingSet, Question
from app.client.evaluation.results import Failure, Result
from app.client.evaluation.run import ask_all
from app.client.events import Event, Finished, FirstToken
from app.client.grounding.found import Box, Detection
from app.model.image_tokens import Size

FOUND = Detection(
    (Box("cat", (1, 2, 3, 4), "{…}"),), (), Size(8, 6), "[{…}, {", ("the answer breaks off",)
)


@dataclass
class Client:
    """Fails as told, by what it is asked for; answers once so many are asked at once."""

    failures: dict[str, Exception] = field(default_factory=dict[str, Exception])
    at_once: int = 1
    waiting: int = 0
    enough: asyncio.Event = field(default_factory=asyncio.Event)

    async def detect(
        self, image: Image.Image, what: str, *, on_event: Callable[[Event], object]
    ) -> Detection:
        if what in self.failures:
            raise self.failures[what]
        self.waiting += 1
        if self.waiting >= self.at_once:
            self.enough.set()
        await asyncio.wait_for(self.enough.wait(), 10)
        on_event(FirstToken(0.25))
        on_event(Finished(1.5, 10, 20, 16.0, "stop"))
        return FOUND


def ask(client: Client, whats: list[str], concurrency: int = 1) -> list[Result]:
    def picture(name: str) -> Image.Image:
        return Image.new("RGB", (8, 6))

    questions = tuple(Question(str(i), "a", w, ((0, 0, 1, 1),)) for i, w in enumerate(whats))
    kept: list[Result] = []
    grounding = GroundingSet("set", questions, picture)
    asked = ask_all(cast("AsyncClient", client), grounding, questions, kept.append, concurrency)
    asyncio.run(asked)
    return kept


def test_an_answer_is_kept_with_its_boxes_problems_and_times() -> None:
    [result] = ask(Client(), ["cat"])
    assert result == Result(
        result.question,
        answer="[{…}, {",
        boxes=((1, 2, 3, 4),),
        problems=("the answer breaks off",),
        picture=(8, 6),
        seconds=1.5,
        first_token=0.25,
    )


def test_each_kind_of_failure_is_kept_as_what_it_is() -> None:
    client = Client({"dog": ServiceError("off"), "ant": ImageError("too thin")})
    kept = ask(client, ["dog", "ant", "cat"])
    assert [r.failure for r in kept] == [
        Failure("service", "off"),
        Failure("picture", "too thin"),
        None,
    ]


def test_as_many_are_asked_at_once_as_was_said() -> None:
    client = Client(at_once=3)
    assert len(ask(client, ["cat"] * 6, concurrency=3)) == 6


def test_failures_in_a_row_end_a_run_but_scattered_ones_do_not() -> None:
    scattered = ["dog"] * 9 + ["cat"] + ["dog"] * 9
    assert len(ask(Client({"dog": ServiceError("off")}), scattered)) == 19
    with pytest.raises(ServiceError, match="failed 10 times in a row"):
        ask(Client({"dog": ServiceError("off")}), ["dog"] * 30)
