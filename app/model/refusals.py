"""vLLM's refusals in OpenAI's shape: ``type`` and ``code`` as clients know them, not a number.

So is the error that ends a stream. Loaded by vLLM itself, which has a flag for it
(``--middleware``). vLLM 0.32 writes the status as ``code`` and has a ``type`` of its own. All else
passes as it comes, piece by piece.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

Message = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

CODES = {
    "input_text": "context_length_exceeded",
    "input_tokens": "context_length_exceeded",
    "model": "model_not_found",
}
"""OpenAI's, by the ``param`` that vLLM names."""


EVENT, END = b"data: ", b"\n\n"


def in_openais_shape(body: bytes) -> bytes:
    """An error's body; one of another shape stays as it is."""
    try:
        told = json.loads(body)["error"]
        message, param, refused = told["message"], told["param"], told["code"] < 500
    except (ValueError, KeyError, TypeError):
        return body
    error = {
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


class OpenAIErrors:
    """ASGI middleware."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        start: Message | None = None
        body = b""

        async def sending(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start" and message["status"] // 100 == 4:
                start = message
                return
            if start is None:
                piece = message.get("body", b"")
                await send({**message, "body": in_a_stream(piece)} if piece else message)
                return
            body += message.get("body", b"")
            if not message.get("more_body"):
                whole = in_openais_shape(body)
                length = (b"content-length", str(len(whole)).encode())
                others = [pair for pair in start["headers"] if pair[0].lower() != length[0]]
                await send({**start, "headers": [*others, length]})
                await send({"type": "http.response.body", "body": whole})

        await self._app(scope, receive, sending)
