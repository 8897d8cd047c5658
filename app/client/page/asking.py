"""One question under way, beside the page: the page looks at it, and may stop it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import aclosing

from app.client.detecting import Detecting
from app.client.errors import ClientError, ServiceError
from app.client.events import Event, Finished
from app.client.grounding.frame import Frame
from app.client.page.conversation import conversation
from app.client.page.service import Service
from app.client.page.turns import Ending, Question, Turn
from app.client.request import Message, Options
from app.client.served import ServedModel
from app.model.profiles import CoordSpace

UNWATCHED_SECONDS = 90
"""A browser asks for news up to five times a second, and at least once a minute when its window is
hidden. One that was closed asks no more, and the GPU is not kept busy for it."""


class Asking:
    """Begins at once."""

    def __init__(
        self,
        service: Service,
        asked: Question,
        earlier: Sequence[Turn],
        options: Options,
        coord_space: CoordSpace | None = None,
    ) -> None:
        self.question = asked
        self.events: list[tuple[float, Event]] = []
        """With the seconds since the question was put."""
        self._earlier, self._options = tuple(earlier), options
        self._coord_space: CoordSpace | None = coord_space
        self._pieces: list[str] = []
        self._frame: Frame | None = None
        self._trouble: ClientError | None = None
        self._begun = self._watched = time.monotonic()
        self._ended: float | None = None
        self._future: Future[None] = service.start(self._answer(service))

    @property
    def running(self) -> bool:
        return not self._future.done()

    @property
    def seconds(self) -> float:
        """Since the question was put, until its end."""
        return (self._ended or time.monotonic()) - self._begun

    @property
    def unwatched_seconds(self) -> float:
        """Since somebody last looked at what there is."""
        return time.monotonic() - self._watched

    def stop(self) -> None:
        """Close the connection, wherever the request is; the server stops working on it."""
        self._future.cancel()

    def so_far(self) -> Turn:
        """What there is by now."""
        self._watched = time.monotonic()
        trouble = self._trouble
        return Turn(
            question=self.question,
            answer="".join(self._pieces),
            ending=self._ending(),
            trouble="" if trouble is None else str(trouble),
            status=trouble.status if isinstance(trouble, ServiceError) else None,
            code=trouble.code if isinstance(trouble, ServiceError) else None,
            frame=self._frame,
        )

    def _ending(self) -> Ending:
        if self._trouble is not None:
            return "failed"
        match self.events[-1:]:
            case [(_, Finished(cut=True))]:
                return "cut"
            case [(_, Finished())]:
                return "whole"
            case _:
                return "stopped"

    def _watch(self, event: Event) -> None:
        self.events.append((time.monotonic() - self._begun, event))

    async def _answer(self, service: Service) -> None:
        try:
            served = await service.served()
            messages, options = await asyncio.to_thread(self._prepared, served)
            async with aclosing(service.client.stream(messages, options, self._watch)) as pieces:
                async for piece in pieces:
                    self._pieces.append(piece)
                    if self.unwatched_seconds > UNWATCHED_SECONDS:
                        return
        except ClientError as error:
            self._trouble = error
        finally:
            self._ended = time.monotonic()

    def _prepared(self, served: ServedModel) -> tuple[list[Message], Options]:
        asked = self.question
        if asked.mode == "chat" or asked.picture is None:
            return conversation(self._earlier, asked, served, self._watch), self._options
        detecting = Detecting(
            asked.picture,
            asked.text,
            served,
            points=asked.mode == "points",
            coord_space=self._coord_space,
            watch=self._watch,
        )
        self._frame = detecting.frame
        return detecting.messages, detecting.options
