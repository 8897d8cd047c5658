"""Eight clients that ask one question after another, and what became of each question.

Each asks about a picture of its own, so an answer that belongs to another client is noticed. A
right answer begins with the boxes that the client gets when it asks alone. What follows them only
makes the stream last: it depends on what else the model works on, as batches round differently.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

import httpx2

from app.model.drawn import draw
from app.model.image_tokens import Size
from tests.twin.conftest import HubUnderTest
from tests.twin.questions import attached, chat

CLIENTS = 8
EVERY_SECONDS = 2.5
"""At most, for each client: two keys may ask 240 times a minute together."""
SILENCE_SECONDS = 60
"""Longer than any fault here lasts: a client that waits so long was forgotten."""
TOLERANCE_PIXELS = 3
"""By which a coordinate may differ when other questions are in the same batch."""

COMPLETIONS = "/v1/chat/completions"

Outcome = Literal["right", "failed", "wrong"]


@dataclass(frozen=True, slots=True)
class Request:
    """One question's end; times are of the monotonic clock, in seconds."""

    client: int
    begun: float
    ended: float
    outcome: Outcome
    detail: str = ""
    """What the client saw, such as ``503 home_unavailable``."""


@dataclass(frozen=True)
class Boxes:
    """The names and corners in an answer's list."""

    labels: tuple[str, ...]
    corners: tuple[float, ...]

    def agrees(self, other: Boxes) -> bool:
        return self.labels == other.labels and all(
            abs(one - two) <= TOLERANCE_PIXELS
            for one, two in zip(self.corners, other.corners, strict=True)
        )


@dataclass
class Streams:
    """Running clients and everything that they have seen."""

    requests: list[Request] = field(default_factory=list[Request])

    def since(self, begun: float) -> list[Request]:
        """Ended after this moment, in the order of their ends."""
        return [one for one in list(self.requests) if one.ended >= begun]

    def all_answered_since(self, begun: float) -> bool:
        """Whether each client got a right answer to a question that it asked after this moment."""
        right = (one for one in list(self.requests) if one.outcome == "right")
        return len({one.client for one in right if one.begun >= begun}) == CLIENTS


@contextmanager
def steady_streams(hub: HubUnderTest) -> Generator[Streams]:
    """Eight clients with both keys, until the end of the block."""
    keys = list(hub.api_keys().values())
    questions = [_question(client) for client in range(CLIENTS)]
    with hub.http(keys[0]) as http:
        expected = [_boxes(_text(http.post(COMPLETIONS, json=one).text)) for one in questions]
    assert None not in expected, expected
    assert not any(one.agrees(two) for one, two in pairwise(_known(expected)))
    streams, stop = Streams(), threading.Event()

    def ask_until_stopped(client: int) -> None:
        judge = _known(expected)[client].agrees
        with hub.http(keys[client % len(keys)]) as http:
            http.timeout = SILENCE_SECONDS
            while not stop.is_set():
                begun = time.monotonic()
                outcome, detail = ask(http, questions[client], judge)
                ended = time.monotonic()
                streams.requests.append(Request(client, begun, ended, outcome, detail))
                stop.wait(max(0, begun + EVERY_SECONDS - ended))

    with ThreadPoolExecutor(CLIENTS) as clients:
        running = clients.map(ask_until_stopped, range(CLIENTS))
        try:
            yield streams
        finally:
            stop.set()
            list(running)


def ask(
    http: httpx2.Client, question: dict[str, Any], judge: Callable[[Boxes], bool]
) -> tuple[Outcome, str]:
    """Ask, read the stream to its end, and say what the client saw."""
    text = ""
    try:
        with http.stream("POST", COMPLETIONS, json=question) as answer:
            if answer.status_code != 200:
                answer.read()
                return _refusal(answer)
            for piece in answer.iter_text():
                text += piece
    except httpx2.TimeoutException:
        return "wrong", f"nothing for {SILENCE_SECONDS} s"
    except httpx2.TransportError:
        boxes = _boxes(_text(text))
        right = boxes is None or judge(boxes)
        broken = "broken off" if text else "no connection"
        return ("failed", broken) if right else ("wrong", f"another answer: {text[:300]}")
    return _judged(text, judge)


def _judged(text: str, judge: Callable[[Boxes], bool]) -> tuple[Outcome, str]:
    if not text.endswith("data: [DONE]\n\n"):
        return "wrong", f"ends without its end: {text[-100:]!r}"
    if (error := _error(text)) is not None:
        code = _code(error)
        return ("failed", f"{code} in the stream") if code else ("wrong", error[:200])
    boxes = _boxes(_text(text))
    return ("right", "") if boxes and judge(boxes) else ("wrong", f"another answer: {text[:300]}")


def _refusal(answer: httpx2.Response) -> tuple[Outcome, str]:
    """OpenAI's shape, a 503 with Retry-After; or Cloud Run's own 503 and 504 (docs/api.md)."""
    status, body = answer.status_code, answer.text
    if code := _code(body):
        when_is_told = status != 503 or "Retry-After" in answer.headers
        return "failed" if when_is_told else "wrong", f"{status} {code}"
    if status in {503, 504} and "{" not in body:
        return "failed", f"{status} of Cloud Run"
    return "wrong", body[:200]


def _code(body: str) -> str | None:
    """Of an error in OpenAI's shape, as docs/api.md promises it."""
    try:
        error = json.loads(body)["error"]
        complete = all(isinstance(error[key], str) for key in ("message", "type", "code"))
        return error["code"] if complete and "param" in error else None
    except (ValueError, KeyError, TypeError):
        return None


def _question(client: int) -> dict[str, Any]:
    picture = attached(draw(client, Size(640, 480)).image)  # 3 kB, or up to 180 kB with noise
    content = [picture, {"type": "text", "text": "Detect every object."}]
    return chat(content, stream=True, max_tokens=100, ignore_eos=True)


def _events(stream: str) -> list[str]:
    """The data of those that have come whole."""
    return [event.removeprefix("data: ") for event in stream.split("\n\n")[:-1]]


def _error(stream: str) -> str | None:
    """The event that says that the answer failed."""
    return next((one for one in _events(stream) if one.startswith('{"error"')), None)


def _text(stream: str) -> str:
    """What the model has written, as far as whole events of it have come."""
    choices = [json.loads(one).get("choices") for one in _events(stream) if one.startswith("{")]
    return "".join(one[0]["delta"].get("content") or "" for one in choices if one)


def _boxes(text: str) -> Boxes | None:
    """The list that an answer begins with; ``None`` while it has not ended."""
    written, end, _ = text.partition("}]")
    if not end:
        return None
    found = json.loads(written + end)
    corners = tuple(corner for one in found for corner in one["bbox_2d"])
    return Boxes(tuple(one["label"] for one in found), corners)


def _known(expected: Sequence[Boxes | None]) -> list[Boxes]:
    return [one for one in expected if one is not None]
