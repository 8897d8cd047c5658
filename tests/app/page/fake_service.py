"""A service in the OpenAI API's form on loopback: real HTTP, real SSE, answers by the question.

The word that begins a question says how it is answered: ``slow`` (20 words, 10 a second), ``held``
(the last four of 20 words when the test says so), ``stuck`` (no byte, ever), ``endless``,
``error 503 home_lost`` (that status and code), ``broken`` (half an answer), ``long`` (cut by the
token limit). Anything else is repeated; detection prompts find boxes, which a test may hold back.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.support.waiting import until

KEY = "k3yThatNoBrowserMayEverSee0123456789abcdefg"
MODEL = "personal-cloud-hub/tiny-vl"
BOXES = [
    {"bbox_2d": [10, 12, 90, 100], "label": "red square"},
    {"bbox_2d": [120, 40, 200, 110], "label": "red square"},
    {"bbox_2d": [60, 120, 110, 180], "label": "blue <circle>"},
]
POINTS = [{"point_2d": [50, 60], "label": "blue circle"}]


@dataclass
class FakeService:
    """What a test sets and sees."""

    url: str = ""
    model: str = MODEL
    health: int = 200
    """Status of every route while it is not 200, as of a gateway whose home is down."""
    keys: set[str] = field(default_factory=lambda: {KEY})
    asked: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    left: list[str] = field(default_factory=list[str])
    """Questions whose client went away before the answer was whole."""
    written: list[str] = field(default_factory=list[str])
    """Questions whose answer was sent whole."""
    looks: int = 0
    boxes: int = 9
    """So many are written; the rest of an answer with more is held."""
    go_on: bool = False
    """Answers that are held may be finished."""

    @property
    def questions(self) -> list[str]:
        return [_text(body) for body in self.asked]

    def until(self, condition: Callable[[FakeService], object]) -> None:
        until(lambda: condition(self), shown=lambda: f"{self.questions=} {self.left=}")

    async def models(self, request: Request) -> Response:
        self.looks += 1
        if refusal := self._refusal(request):
            return refusal
        card = {"id": "vlm", "object": "model", "root": self.model, "max_model_len": 4096}
        return JSONResponse({"object": "list", "data": [card]})

    async def alive(self, request: Request) -> Response:
        return Response(status_code=self.health)

    async def chat(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        body = await request.json()
        self.asked.append(body)
        text = _text(body)
        if refusal := re.match(r"error (\d+) ?(\w*)", text):
            return _error(int(refusal[1]), "told to fail", refusal[2])
        if text.startswith("stuck"):
            return await self._stuck(request, text)
        headers = {
            "X-Request-Id": f"req-{len(self.asked)}",
            "Server-Timing": "gateway;dur=1.5, upstream;dur=21",
        }
        return StreamingResponse(self._answer(text), 200, headers, "text/event-stream")

    def _refusal(self, request: Request) -> Response | None:
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.keys:
            return _error(401, "No valid API key.", "invalid_api_key")
        if self.health == 200:
            return None
        return _error(self.health, "Home does not answer.", "home_unavailable")

    async def _stuck(self, request: Request, text: str) -> Response:
        while not await request.is_disconnected():
            await asyncio.sleep(0.02)
        self.left.append(text)
        return Response(status_code=499)

    async def _answer(self, text: str) -> AsyncGenerator[str]:
        count = 0
        try:
            async for piece in self._pieces(text):
                count += 1
                yield _event({"choices": [{"index": 0, "delta": {"content": piece}}]})
            if text.startswith("broken"):
                raise ConnectionResetError
            reason = "length" if text.startswith("long") else "stop"
            yield _event({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
            usage = {"prompt_tokens": 321, "completion_tokens": count, "total_tokens": 321 + count}
            yield _event({"choices": [], "usage": usage})
            yield "data: [DONE]\n\n"
            self.written.append(text)
        except (asyncio.CancelledError, GeneratorExit):
            self.left.append(text)
            raise

    async def _pieces(self, text: str) -> AsyncGenerator[str]:
        if text.startswith(("Locate every", "Point to every")):
            items = BOXES if text.startswith("Locate") else POINTS
            for i, item in enumerate(items):
                if i >= self.boxes:
                    await self._told_to_go_on()
                yield ("[" if i == 0 else ", ") + json.dumps(item)
            yield "]"
            return
        if text.startswith(("slow", "held")):
            for i in range(20):
                if i == 16 and text.startswith("held"):
                    await self._told_to_go_on()
                yield f"word{i} "
                await asyncio.sleep(0.1)
            return
        if text.startswith("endless"):
            while True:
                yield "and on "
                await asyncio.sleep(0.05)
        yield "You said: "
        yield text

    async def _told_to_go_on(self) -> None:
        while not self.go_on:
            await asyncio.sleep(0.02)


def _text(body: dict[str, Any]) -> str:
    content = body["messages"][-1]["content"]
    return content if isinstance(content, str) else content[-1]["text"]


def _event(part: dict[str, Any]) -> str:
    chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "vlm", **part}
    return f"data: {json.dumps(chunk)}\n\n"


def _error(status: int, message: str, code: str) -> Response:
    retry = {"Retry-After": "30"} if status in (429, 503) else {}
    error = {"message": message, "type": "fake", "code": code or None}
    return JSONResponse({"error": error}, status, retry)


@contextmanager
def serving() -> Generator[FakeService]:
    """On a free port, in a thread of this process."""
    fake = FakeService()
    routes = [
        Route("/v1/models", fake.models),
        Route("/health", fake.alive),
        Route("/v1/chat/completions", fake.chat, methods=["POST"]),
    ]
    config = uvicorn.Config(Starlette(routes=routes), port=0, log_level="critical", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    until(lambda: server.started or not thread.is_alive())
    assert server.started
    fake.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/v1"
    try:
        yield fake
    finally:
        server.should_exit = server.force_exit = True
        thread.join(10)


if __name__ == "__main__":
    with serving() as fake:
        print(fake.url, flush=True)  # noqa: T201
        threading.Event().wait()
