"""The public front: takes a request, waits for an instance, streams the answer back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from contextlib import AsyncExitStack
from typing import Any, Protocol

import httpx
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from twin.cloud_run.instance import InstanceError
from twin.cloud_run.service import Service

MAX_REQUEST_BYTES = 32 * 2**20
"""HTTP/1: Cloud Run's quota."""
HOP_BY_HOP = {
    *("connection", "keep-alive", "proxy-connection", "te", "trailer"),
    *("transfer-encoding", "upgrade"),
}
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


class Services(Protocol):
    """Where the one service is found."""

    @property
    def only(self) -> Service | None: ...


class TooLargeError(Exception):
    """The request's body is over the limit."""


def client() -> httpx.AsyncClient:
    """Connections to the container, without a time-out of their own: the service has one."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=100)
    http = httpx.AsyncClient(timeout=None, limits=limits, trust_env=False)  # noqa: S113
    http.headers.clear()  # What a request carries is the client's: no Accept-Encoding of httpx's.
    return http


def application(services: Services, http: httpx.AsyncClient) -> Starlette:
    """The ASGI application behind the public socket."""

    async def answer(request: Request) -> Response:
        service = services.only
        if service is None or service.revision is None:
            return PlainTextResponse("404. That's an error. No service is deployed.\n", 404)
        if int(request.headers.get("content-length", 0)) > MAX_REQUEST_BYTES:
            return PlainTextResponse("Request Entity Too Large\n", 413)
        deadline = asyncio.get_running_loop().time() + service.revision.timeout_seconds
        held = AsyncExitStack()
        try:
            async with asyncio.timeout_at(deadline):
                url = await held.enter_async_context(service.slot())
                upstream = await held.enter_async_context(_Forwarded(http, request, url))
        except BaseException as error:
            await held.aclose()
            if (told := _refusal(error)) is None:
                raise
            print(repr(error), flush=True)
            return told
        return _Streamed(upstream, held, deadline)

    return Starlette(routes=[Route("/{path:path}", answer, methods=METHODS)])


def _refusal(error: BaseException) -> Response | None:
    """What Cloud Run answers in place of the container; ``None`` for a fault of this program."""
    match error:
        case TimeoutError():
            return PlainTextResponse("upstream request timeout\n", 504)
        case TooLargeError():
            return PlainTextResponse("Request Entity Too Large\n", 413)
        case InstanceError():
            return PlainTextResponse("Service Unavailable: no instance could be started\n", 503)
        case ClientDisconnect():
            return Response(status_code=499)  # which nobody reads
        case httpx.HTTPError():
            return PlainTextResponse("upstream connect error or disconnect\n", 503)
        case _:
            return None


class _Streamed(StreamingResponse):
    """Each piece as it comes; the place in the instance is given back at the end.

    The time is up for a client that does not read, too: hence the limit is here and not around
    the next piece.
    """

    def __init__(self, upstream: httpx.Response, held: AsyncExitStack, deadline: float) -> None:
        super().__init__(upstream.aiter_raw(), upstream.status_code)
        self.raw_headers = [
            (name, value)
            for name, value in upstream.headers.raw
            if name.decode().lower() not in HOP_BY_HOP
        ]
        self._held, self._deadline = held, deadline

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._held, asyncio.timeout_at(self._deadline):
            await super().__call__(scope, receive, send)


class _Forwarded:
    """The container's answer; leaving cancels it."""

    def __init__(self, http: httpx.AsyncClient, request: Request, url: str) -> None:
        self._http, self._request, self._url = http, request, url
        self._response: httpx.Response | None = None

    async def __aenter__(self) -> httpx.Response:
        request = self._request
        headers = [
            (name, value)
            for name, value in request.headers.raw
            if name.decode().lower() not in HOP_BY_HOP
        ]
        headers += [(b"x-forwarded-proto", b"https"), (b"x-forwarded-for", b"127.0.0.1")]
        raw_path = request.scope["raw_path"].decode()
        query = request.scope["query_string"].decode()
        has_body = "content-length" in request.headers or "transfer-encoding" in request.headers
        whole = asyncio.Event()
        if not has_body:
            whole.set()
        sent = self._http.build_request(
            request.method,
            f"{self._url}{raw_path}{'?' + query if query else ''}",
            headers=headers,
            content=_limited(request.stream(), whole) if has_body else None,
        )
        sending = self._http.send(sent, stream=True)
        self._response = await _unless_left(request, whole, sending)
        return self._response

    async def __aexit__(self, *error: object) -> None:
        if self._response is not None:
            await self._response.aclose()


async def _unless_left(
    request: Request, whole: asyncio.Event, sending: Coroutine[Any, Any, httpx.Response]
) -> httpx.Response:
    """The answer; nobody else would notice that the client left before it began.

    Raises:
        ClientDisconnect: it left.
    """

    async def left() -> None:
        await whole.wait()  # until then, what is received is the request's body
        while (await request.receive())["type"] != "http.disconnect":
            pass

    answered, gone = asyncio.create_task(sending), asyncio.create_task(left())
    try:
        await asyncio.wait({answered, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not answered.done():
            raise ClientDisconnect
        return answered.result()
    finally:
        answered.cancel()
        gone.cancel()
        await asyncio.gather(answered, gone, return_exceptions=True)


async def _limited(stream: AsyncIterator[bytes], whole: asyncio.Event) -> AsyncGenerator[bytes]:
    """The body's pieces; sets ``whole`` after the last."""
    size = 0
    async for piece in stream:
        size += len(piece)
        if size > MAX_REQUEST_BYTES:
            raise TooLargeError
        yield piece
    whole.set()
