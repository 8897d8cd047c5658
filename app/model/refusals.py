"""vLLM's refusals in OpenAI's shape: ``type`` and ``code`` as clients know them, not a number.

So is the error that ends a stream. Loaded by vLLM itself, which has a flag for it
(``--middleware``). vLLM 0.32 writes the status as ``code`` and has a ``type`` of its own. All else
passes as it comes, piece by piece.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

Message = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]
App = Callable[[Message, Receive, Send], Awaitable[None]]
CODES: dict[str | None, str] = {
    "input_text": "context_length_exceeded",
    "input_tokens": "context_length_exceeded",
    "model": "model_not_found",
}
"""OpenAI's, by the ``param`` that vLLM names."""


EVENT, END = b"data: ", b"\n\n"
SEQUENCE_NUMBER = re.compile(rb'"sequence_number": ?(\d+)')
BROKEN_OFF = {
    "message": "The model server failed in the middle of this answer.",
    "type": "server_error",
    "param": None,
    "code": "model_failed",
}


def in_openais_shape(body: bytes) -> bytes:
    """An error's body; one of another shape stays as it is."""
    try:
        whole = json.loads(body)
    except ValueError:
        return body
    match whole:
        case {"error": {"message": message, "param": param, "code": int(status)}}:
            refused = status < 500
        case {"detail": str(message)}:  # FastAPI's own, of a body that is not text in UTF-8
            param, refused = None, True
        case _:
            return body
    error: dict[str, Any] = {
        "message": message,
        "type": "invalid_request_error" if refused else "server_error",
        "param": param and param.removeprefix("body."),
        "code": CODES.get(param, "invalid_request") if refused else "model_failed",
    }
    return json.dumps({"error": error}).encode()


def in_a_stream(event: bytes) -> bytes:
    """One server-sent event, as vLLM sends each by itself."""
    if not event.startswith(EVENT + b'{"error"'):
        return event
    return EVENT + in_openais_shape(event.removeprefix(EVENT)).removesuffix(END) + END


def broken_off(path: str, last: bytes) -> bytes:
    """The end of a stream that vLLM leaves without one; ``last`` is the event before.

    The Responses API has an event of its own for it, with the next number
    (https://platform.openai.com/docs/api-reference/responses-streaming/error).
    """
    if not path.startswith("/v1/responses"):
        return EVENT + json.dumps({"error": BROKEN_OFF}).encode() + END + EVENT + b"[DONE]" + END
    numbered = SEQUENCE_NUMBER.search(last)
    number = int(numbered[1]) + 1 if numbered else 0
    error = {**BROKEN_OFF, "type": "error", "sequence_number": number}
    return b"event: error\n" + EVENT + json.dumps(error).encode() + END


def is_a_stream(start: Message) -> bool:
    return any(
        name.lower() == b"content-type" and value.startswith(b"text/event-stream")
        for name, value in start.get("headers", ())
    )


class OpenAIErrors:
    """ASGI middleware."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        start: Message | None = None
        body = b""
        last: bytes | None = None  # event of a stream that has begun and not ended

        async def sending(message: Message) -> None:
            nonlocal start, body, last
            if message["type"] == "http.response.start" and is_a_stream(message):
                last = b""
            if message["type"] == "http.response.start" and message["status"] // 100 == 4:
                start = message
                return
            if start is None:
                piece = message.get("body", b"")
                if last is not None and message["type"] == "http.response.body":
                    last = (piece or last) if message.get("more_body") else None
                await send({**message, "body": in_a_stream(piece)} if piece else message)
                return
            body += message.get("body", b"")
            if not message.get("more_body"):
                whole = in_openais_shape(body)
                length = (b"content-length", str(len(whole)).encode())
                others = [pair for pair in start["headers"] if pair[0].lower() != length[0]]
                await send({**start, "headers": [*others, length]})
                await send({"type": "http.response.body", "body": whole})

        try:
            await self._app(scope, receive, sending)
        except Exception:
            if last is not None:
                end = broken_off(scope["path"], last)
                await send({"type": "http.response.body", "body": end})
            raise
