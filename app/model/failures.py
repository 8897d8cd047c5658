"""Each failure is a line of vLLM's log with the ``X-Request-Id`` that the client got.

Loaded by vLLM itself (``--middleware``). vLLM 0.32 names no request beside a failure; its option
``--enable-request-id-headers`` gives answers a header and changes nothing in the log.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # in the image the modules have other names
    from app.model.refusals import App, Message, Receive, Send

log = logging.getLogger("vllm.hub_failures")
"""Below vLLM's logger, whose handler it has."""
IN_A_STREAM = b'data: {"error"'


class FailuresByRequest:
    """ASGI middleware."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":  # its start and its end
            await self._app(scope, receive, send)
            return
        status = 200

        async def sending(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            body = message.get("body", b"")
            if body and (status >= 500 or body.startswith(IN_A_STREAM)):
                log.error("Request %s: %s", request_id(scope), body.decode(errors="replace"))
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception as error:
            # The traceback is uvicorn's to log, in the next lines.
            log.error("Request %s: %r", request_id(scope), error)  # noqa: TRY400
            raise


def request_id(scope: Message) -> str:
    return dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
