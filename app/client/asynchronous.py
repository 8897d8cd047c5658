"""Ask the service from an event loop.

:mod:`.chat` is the same for one thread, made of this file by
``python -m tests.app.client.unasync``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Self, TypeVar, cast

import httpx2
import openai
from openai.types.chat import ChatCompletionChunk

from app.client.answering import Answering, Watcher, unwatched
from app.client.connection import Connection
from app.client.detecting import Detecting, picture_for
from app.client.events import Sent, Waiting
from app.client.failures import FAILURES, in_words, no_models, wait_before_retry
from app.client.grounding.found import Detection
from app.client.images import Source
from app.client.proxies import unusable
from app.client.request import Message, Options, Timeouts, arguments, body_bytes, question
from app.client.served import ServedModel, chosen, served_models
from app.model.profiles import CoordSpace

T = TypeVar("T")


class AsyncClient:
    """A connection to the service, for any number of tasks of one loop."""

    def __init__(self, connection: Connection, *, timeouts: Timeouts = Timeouts()) -> None:  # noqa: B008
        self._connection, self._timeouts = connection, timeouts
        self._served: ServedModel | None = None

        async def shorten(response: httpx2.Response) -> None:
            """The headers are here: from now on, it is the time between two bytes that counts."""
            response.request.extensions["timeout"]["read"] = timeouts.between_bytes

        self._openai = openai.AsyncOpenAI(
            base_url=connection.base_url,
            api_key=connection.api_key,
            max_retries=0,  # the SDK does not tell that it waits
            timeout=openai.Timeout(timeouts.first_byte, connect=timeouts.connect),
            http_client=self._http(shorten),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._openai.close()

    async def served(self, on_event: Watcher = unwatched) -> ServedModel:
        """The model that answers; asked for once.

        Raises:
            ServiceError: see :meth:`stream`.
        """
        if self._served is None:
            listing = self._openai.models.with_raw_response
            answer = await self._patiently(listing.list, on_event)
            try:
                models = served_models(answer.http_response.json())
            except ValueError:
                raise no_models(self._connection) from None
            if not models:
                raise no_models(self._connection)
            self._served = chosen(models, self._connection.model)
        return self._served

    async def stream(
        self,
        messages: Sequence[Message],
        options: Options = Options(),  # noqa: B008
        on_event: Watcher = unwatched,
    ) -> AsyncGenerator[str]:
        """The answer, piece by piece. Closing the generator stops the work at the server.

        Raises:
            ServiceError: there is no answer, or it broke off; the message says why and what to do.
        """
        model = options.model or (await self.served(on_event)).name
        asked = arguments(messages, options, model)
        on_event(Sent(body_bytes(asked)))

        async def begin() -> tuple[openai.AsyncStream[ChatCompletionChunk], Answering]:
            answering = Answering(on_event)  # counts from here
            response = cast(
                "openai.AsyncStream[ChatCompletionChunk]",
                await self._openai.chat.completions.create(**asked),
            )
            return response, answering

        response, answering = await self._patiently(begin, on_event)
        try:
            async with response:
                answering.accepted(response.response.headers)
                async for chunk in response:
                    if piece := answering.piece(chunk):
                        yield piece
        except FAILURES as error:
            raise in_words(error, self._connection, self._timeouts) from None
        answering.finished()

    async def ask(
        self,
        text: str,
        image: Source | None = None,
        options: Options = Options(),  # noqa: B008
        on_event: Watcher = unwatched,
    ) -> str:
        """The whole answer to one question, about a picture if there is one.

        Raises:
            ImageError: the picture cannot be sent.
            ServiceError: see :meth:`stream`.
        """
        pictures = []
        if image is not None:
            served = await self.served(on_event)
            pictures = [await asyncio.to_thread(picture_for, image, served, on_event)]
        pieces = self.stream([question(text, *pictures)], options, on_event)
        return "".join([piece async for piece in pieces])

    async def detect(
        self,
        image: Source,
        what: str,
        *,
        points: bool = False,
        coord_space: CoordSpace | None = None,
        on_event: Watcher = unwatched,
    ) -> Detection:
        """Boxes (or points) of everything that is a ``what``, in the picture's own pixels.

        ``coord_space`` says what the model's numbers count; it is needed for models that this
        library does not know.

        Raises:
            ImageError: the picture cannot be sent.
            ServiceError: see :meth:`stream`.
            ClientError: ``coord_space`` is needed.
        """
        served = await self.served(on_event)
        detecting = await asyncio.to_thread(
            Detecting,
            image,
            what,
            served,
            points=points,
            coord_space=coord_space,
            watch=on_event,
        )
        pieces = self.stream(detecting.messages, detecting.options, on_event)
        return detecting.read("".join([piece async for piece in pieces]))

    def _http(self, shorten: Callable[[httpx2.Response], Awaitable[None]]) -> httpx2.AsyncClient:
        """Through the proxy that the environment names, if it names one."""
        try:
            return openai.DefaultAsyncHttpxClient(event_hooks={"response": [shorten]})
        except (ValueError, ImportError, httpx2.InvalidURL) as error:
            raise unusable(self._connection.base_url, error) from None

    async def _patiently(self, call: Callable[[], Awaitable[T]], watch: Watcher) -> T:
        """Tried again while that is safe and the patience lasts."""
        attempt, patience = 1, self._timeouts.patience
        while True:
            try:
                return await call()
            except FAILURES as error:
                told = in_words(error, self._connection, self._timeouts)
            wait = wait_before_retry(told, attempt)
            if wait is None or wait > patience:
                raise told
            watch(Waiting(wait, str(told), attempt))
            await asyncio.sleep(wait)
            attempt, patience = attempt + 1, patience - wait
