"""What the API server asks a kubelet: the logs of a container."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import trustme
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from twin.server import Server

FindLog = Callable[[str, str, str, bool], Path | None]
"""Namespace, pod, container, whether of its run before this one."""
SECONDS_BETWEEN_LOOKS = 0.3


def application(find: FindLog) -> Starlette:
    async def logs(request: Request) -> Response:
        place = request.path_params
        previous = request.query_params.get("previous") == "true"
        file = find(place["namespace"], place["pod"], place["container"], previous)
        if previous and file is not None and not file.exists():
            words = f'previous terminated container "{place["container"]}" in pod "{place["pod"]}"'
            return PlainTextResponse(f"{words} not found\n", 400)
        if file is None or not file.exists():
            return PlainTextResponse("the container has not written anything\n", 404)
        written = file.read_bytes()
        lines = written.splitlines(keepends=True)
        since = request.query_params.get("sinceSeconds")
        # The log has no times of its own: all of it counts as written when its end was.
        if since and file.stat().st_mtime < time.time() - int(since):
            lines = []
        tail = request.query_params.get("tailLines")
        shown = lines[-int(tail) :] if tail and int(tail) else ([] if tail else lines)
        follow = request.query_params.get("follow") == "true"
        if not follow:
            return Response(b"".join(shown), media_type="text/plain")
        following = follow_from(file, b"".join(shown), len(written))
        return StreamingResponse(following, media_type="text/plain")

    async def not_here(_: Request) -> Response:
        return PlainTextResponse("the twin's node runs no commands inside pods\n", 501)

    return Starlette(
        routes=[
            Route("/containerLogs/{namespace}/{pod}/{container}", logs),
            Route("/exec/{rest:path}", not_here, methods=["GET", "POST"]),
            Route("/attach/{rest:path}", not_here, methods=["GET", "POST"]),
            Route("/portForward/{rest:path}", not_here, methods=["GET", "POST"]),
        ]
    )


async def follow_from(file: Path, shown: bytes, offset: int) -> AsyncGenerator[bytes]:
    """What is shown first, then for ever what the file gets after ``offset`` bytes."""
    yield shown
    with file.open("rb") as open_file:  # a local file does not block
        open_file.seek(offset)
        while True:
            if piece := open_file.read():
                yield piece
            else:
                await asyncio.sleep(SECONDS_BETWEEN_LOOKS)


def server(app: Starlette, ip: str, port: int, folder: Path) -> Server:
    """HTTPS with a certificate of its own, as a kubelet starts without one from the cluster."""
    certificate = trustme.CA().issue_cert(ip)
    folder.mkdir(parents=True, exist_ok=True)
    pem = folder / "kubelet.pem"
    pem.touch(mode=0o600)
    certificate.private_key_and_cert_chain_pem.write_to_path(pem)
    return Server(
        uvicorn.Config(
            app,
            host=ip,
            port=port,
            ssl_keyfile=str(pem),
            ssl_certfile=str(pem),
            log_level="warning",
            timeout_graceful_shutdown=1,
        )
    )
