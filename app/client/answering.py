"""An answer while it comes: its pieces, and the events of its progress."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from httpx2 import Headers
from openai.types.chat import ChatCompletionChunk

from app.client.errors import ServiceError
from app.client.events import Accepted, Event, Finished, FirstToken

Watcher = Callable[[Event], object]
_TIMING = re.compile(r"([\w-]+)\s*;[^,]*?dur=([0-9.]+)")


class Answering:
    """One answer, from the request's being sent."""

    def __init__(self, watch: Watcher) -> None:
        self._watch = watch
        self._sent = time.monotonic()
        self._first: float | None = None
        self._finish_reason: str | None = None
        self._prompt_tokens: int | None = None
        self._completion_tokens: int | None = None

    def accepted(self, headers: Headers) -> None:
        self._watch(Accepted(self._seconds(), headers.get("x-request-id"), hops(headers)))

    def piece(self, chunk: ChatCompletionChunk) -> str:
        """The chunk's text; may be empty."""
        if chunk.usage is not None:
            self._prompt_tokens = chunk.usage.prompt_tokens
            self._completion_tokens = chunk.usage.completion_tokens
        if not chunk.choices:
            return ""
        [choice, *_] = chunk.choices
        self._finish_reason = choice.finish_reason or self._finish_reason
        text = choice.delta.content or ""
        if text and self._first is None:
            self._first = self._seconds()
            self._watch(FirstToken(self._first))
        return text

    def finished(self) -> None:
        """The stream has ended.

        Raises:
            ServiceError: without the answer's end, as when a hop on the way closes it in good form.
        """
        if self._finish_reason is None:
            raise ServiceError(
                "The answer ended before it was whole. Ask again; if that changes nothing, check "
                "that the address is a service's and ends in /v1."
            )
        seconds = self._seconds()
        speed = None
        if self._first is not None and (self._completion_tokens or 0) > 1 and seconds > self._first:
            speed = ((self._completion_tokens or 0) - 1) / (seconds - self._first)
        self._watch(
            Finished(
                seconds, self._prompt_tokens, self._completion_tokens, speed, self._finish_reason
            )
        )

    def _seconds(self) -> float:
        return time.monotonic() - self._sent


def hops(headers: Headers) -> dict[str, float]:
    """Seconds of each entry of ``Server-Timing`` that has a duration."""
    told = ", ".join(headers.get_list("server-timing"))
    return {name: float(milliseconds) / 1000 for name, milliseconds in _TIMING.findall(told)}


def unwatched(_: Event) -> None:
    """Nobody looks."""
