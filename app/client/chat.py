"""Ask the service, one thread's way: answers as generators.

Made of :mod:`.asynchronous`: edit that, then run ``python -m tests.app.client.unasync``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from typing import Self, TypeVar, cast

import httpx2
import openai
from openai.types.chat import ChatCompletionChunk

from app.client.answering import Answering, Watcher, unwatched
from app.client.connection import Connection
from app.client.detecting import Detecting, detection_of, picture_for
from app.client.events import Event, Finished, Sent, Waiting
from app.client.failures import FAILURES, in_words, no_models, wait_before_retry
from app.client.grounding.found import Detection
from app.client.images import Source
from app.client.pictures.sources import reusable
from app.client.proxies import unusable
from app.client.request import (
    Asked,
    Message,
    Options,
    Timeouts,
    arguments,
    body_bytes,
    question,
)
from app.client.served import KNOWN_SECONDS, ServedModel, chosen, served_model, served_models
from app.model.profiles import CoordSpace

T = TypeVar("T")


class Client:
    """A connection to the service, used by one thread at a time, closed as a context manager."""

    def __init__(self, connection: Connection, *, timeouts: Timeouts = Timeouts()) -> None:  # noqa: B008
        self._connection, self._timeouts = connection, timeouts
        self._served: ServedModel | None = None
        self._looked_up = 0.0
        """By the monotonic clock."""

        def shorten(response: httpx2.Response) -> None:
            """The headers are here: from now on, it is the time between two bytes that counts."""
            response.request.extensions["timeout"]["read"] = timeouts.between_bytes

        self._openai = openai.OpenAI(
            base_url=connection.base_url,
            api_key=connection.api_key,
            max_retries=0,  # the SDK does not tell that it waits
            timeout=openai.Timeout(timeouts.first_byte, connect=timeouts.connect),
            http_client=self._http(shorten),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._openai.close()

    def served(self, on_event: Watcher = unwatched) -> ServedModel:
        """The model that answers; looked up again after :data:`.served.KNOWN_SECONDS`.

        Raises:
            ServiceError: see :meth:`stream`.
        """
        return self._patiently(self._look_up, on_event)

    def stream(
        self,
        messages: Sequence[Message],
        options: Options = Options(),  # noqa: B008
        on_event: Watcher = unwatched,
    ) -> Generator[str]:
        """The answer, piece by piece. Closing the generator stops the work at the server.

        Raises:
            ServiceError: there is no answer, or it broke off; the message says why and what to do.
        """

        def as_given() -> Asked:
            model = options.model or (self._served or self._look_up()).name
            return arguments(messages, options, model)

        return self._stream(as_given, on_event)

    def _stream(self, prepared: Callable[[], Asked], on_event: Watcher) -> Generator[str]:
        """``prepared`` is called before each try, as the model may be another one by then."""
        sent: Asked | None = None

        def begin() -> tuple[openai.Stream[ChatCompletionChunk], Answering]:
            nonlocal sent
            asked = prepared()
            if asked != sent:
                on_event(Sent(body_bytes(asked)))
            sent = asked
            answering = Answering(on_event)  # counts from here
            response = cast(
                "openai.Stream[ChatCompletionChunk]",
                self._openai.chat.completions.create(**asked),
            )
            return response, answering

        response, answering = self._patiently(begin, on_event)
        try:
            with response:
                answering.accepted(response.response.headers)
                for chunk in response:
                    if piece := answering.piece(chunk):
                        yield piece
        except FAILURES as error:
            raise in_words(error, self._connection, self._timeouts) from None
        answering.finished()

    def ask(
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
            served = self.served(on_event)
            pictures = [picture_for(image, served, on_event)]
        pieces = self.stream([question(text, *pictures)], options, on_event)
        return "".join(pieces)

    def detect(
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
        seen = reusable(image)
        detecting: Detecting | None = None
        whole: bool | None = None

        def watch(event: Event) -> None:
            nonlocal whole
            if isinstance(event, Finished):
                whole = not event.cut
            on_event(event)

        def prepared() -> Asked:
            nonlocal detecting
            served = self._look_up()
            if detecting is None or detecting.served != served:
                detecting = Detecting(
                    seen,
                    what,
                    served,
                    points=points,
                    coord_space=coord_space,
                    watch=on_event,
                )
            return arguments(detecting.messages, detecting.options, served.name)

        answer = "".join(self._stream(prepared, watch))
        assert detecting is not None  # noqa: S101  # an answer was asked for
        return detection_of(answer, detecting.frame, whole=whole)

    def _look_up(self) -> ServedModel:
        """Once; the SDK's own errors leave it, so that whoever asks can be patient."""
        if self._served is None or time.monotonic() - self._looked_up > KNOWN_SECONDS:
            begun = time.monotonic()
            self._served = chosen(self._models(), self._connection.model)
            self._looked_up = begun
        return self._served

    def _models(self) -> Sequence[ServedModel]:
        """Of a service that has no list, the one that the connection names."""
        name = self._connection.model
        try:
            answer = self._openai.models.with_raw_response.list()
            models = served_models(answer.http_response.json())
        except openai.NotFoundError:
            if name is None:
                raise
            return [served_model({"id": name})]
        except ValueError:
            raise no_models(self._connection) from None
        if not models:
            raise no_models(self._connection)
        return models

    def _http(self, shorten: Callable[[httpx2.Response], None]) -> httpx2.Client:
        """Through the proxy that the environment names, if it names one."""
        try:
            return openai.DefaultHttpxClient(event_hooks={"response": [shorten]})
        except (ValueError, ImportError, httpx2.InvalidURL) as error:
            raise unusable(self._connection.base_url, error) from None

    def _patiently(self, call: Callable[[], T], watch: Watcher) -> T:
        """Tried again while that is safe and the patience lasts."""
        attempt, patience = 1, self._timeouts.patience
        while True:
            try:
                return call()
            except FAILURES as error:
                told = in_words(error, self._connection, self._timeouts)
            wait = wait_before_retry(told, attempt)
            if wait is None or wait > patience:
                raise told
            watch(Waiting(wait, str(told), attempt))
            time.sleep(wait)
            attempt, patience = attempt + 1, patience - wait
