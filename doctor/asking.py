"""The questions that a client asks, in growing order, within a bounded time."""

from __future__ import annotations

import base64
import io
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2
from PIL import Image

from app.model.profiles import SERVED_NAME
from doctor.observations import Reply, Requests

CONNECT_SECONDS = 5
START_SECONDS = 20
"""A gateway that was scaled to zero starts, and holds the request until home has answered."""
ANSWER_SECONDS = 10
LARGE_SECONDS = 15
SIZES_KB = (1, 2, 64, 1000, 8000)
"""And the largest that is allowed. The first two lie on either side of one packet."""
NO_SUCH_MODEL = "doctor"


class Asker:
    """One client of the service; no request is begun after ``deadline`` (time.monotonic())."""

    def __init__(self, url: str, key: str, body_mb: int, deadline: float) -> None:
        self._url, self._key, self._body_mb, self._deadline = url, key, body_mb, deadline

    def all(self) -> Requests:
        """Each question, until one fails."""
        health = self._ask("GET /health", "GET", "/health", START_SECONDS, key=False)
        if not health.good:
            # Whose mistake it is shows only with a key.
            return Requests(health=health, models=self._models() if health.status else None)
        models = self._models()
        if not models.good:
            return Requests(health=health, models=models)
        generation = self._ask("one token", "POST", CHAT, ANSWER_SECONDS, _chat("Hello"))
        if not generation.good:
            return Requests(health=health, models=models, generation=generation)
        picture = self._ask("a picture", "POST", CHAT, ANSWER_SECONDS, _chat([_picture()]))
        bodies: list[Reply] = []
        for kb in (*SIZES_KB, self._body_mb * 1000):
            if time.monotonic() > self._deadline:
                break
            told = f"a request of {kb} kB" if kb < 1000 else f"a request of {kb // 1000} MB"
            bodies.append(self._ask(told, "POST", CHAT, LARGE_SECONDS, _padded(kb * 1000)))
            if bodies[-1].status is None:
                break
        return Requests(
            health=health,
            models=models,
            generation=generation,
            picture=picture,
            bodies=tuple(bodies),
        )

    def _models(self) -> Reply:
        return self._ask("GET /v1/models with the key", "GET", "/v1/models", ANSWER_SECONDS)

    def _ask(  # noqa: PLR0913  # what a request is made of
        self,
        asked: str,
        method: str,
        path: str,
        seconds: float,
        body: bytes | None = None,
        *,
        key: bool = True,
    ) -> Reply:
        headers = {"Authorization": f"Bearer {self._key}"} if key else {}
        left = max(self._deadline - time.monotonic(), 1)
        limit = httpx2.Timeout(min(seconds, left), connect=CONNECT_SECONDS)
        begun = time.monotonic()
        try:
            answer = httpx2.request(
                method,
                f"{self._url}{path}",
                headers={**headers, "Content-Type": "application/json"},
                content=body,
                timeout=limit,
            )
        except httpx2.TransportError as error:
            took = time.monotonic() - begun
            connected = not isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout)
            failure = _words(error, took)
            return Reply(asked=asked, seconds=took, failure=failure, connected=connected)
        code, words = _error(answer)
        return Reply(
            asked=asked,
            seconds=time.monotonic() - begun,
            status=answer.status_code,
            code=code,
            in_gateways_form="x-request-id" in answer.headers,
            words=words,
            clock_ahead=_ahead(answer.headers.get("date")),
        )


CHAT = "/v1/chat/completions"


def _chat(content: Any) -> bytes:
    question = {
        "model": SERVED_NAME,
        "max_tokens": 1,
        "messages": [{"role": "user", "content": content}],
    }
    return json.dumps(question).encode()


def _picture() -> Mapping[str, Any]:
    file = io.BytesIO()
    Image.new("RGB", (64, 64), "teal").save(file, "PNG")
    url = f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
    return {"type": "image_url", "image_url": {"url": url}}


def _padded(size: int) -> bytes:
    """For a model that there is none of: vLLM reads all of it, and does no work for it."""
    head = f'{{"model": "{NO_SUCH_MODEL}", "messages": [], "padding": "'.encode()
    return head + b"x" * (size - len(head) - 2) + b'"}'


def _error(answer: httpx2.Response) -> tuple[str, str]:
    """Code and words of an error in OpenAI's form, or nothing and what else was said."""
    if answer.is_success:
        return "", ""
    try:
        error = answer.json()["error"]
        return str(error.get("code") or ""), str(error.get("message", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        return "", " ".join(answer.text.split())


def _ahead(date: str | None) -> float | None:
    if date is None:
        return None
    return (parsedate_to_datetime(date) - datetime.now(UTC)).total_seconds()


def _words(error: httpx2.TransportError, seconds: float) -> str:
    if isinstance(error, httpx2.TimeoutException):
        return f"no answer in {seconds:.0f} s"
    return str(error) or type(error).__name__
