"""Cloud Run's emulator in this process, with a real Caddy in front, and small containers for it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import uvicorn

from tests.support.waiting import until_async
from twin.cloud_run import activator, admin
from twin.cloud_run.front import Front
from twin.cloud_run.instance import Place
from twin.cloud_run.service import Service
from twin.listening import listens
from twin.paths import TwinPaths
from twin.server import Server

SERVER = """
import http.server, json, os, sys, threading, time
class H(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def do_GET(self):
        if self.path == '/slow': time.sleep(30)
        if self.path == '/die': os._exit(7)
        if self.path == '/stream': return self.stream()
        self.reply(json.dumps({**os.environ, 'x': self.headers.get('X-Forwarded-Proto')}).encode())
    def do_POST(self):
        self.reply(str(len(self.rfile.read(int(self.headers['Content-Length'])))).encode())
    def reply(self, body):
        self.send_response(200); self.send_header('Content-Length', str(len(body)))
        self.end_headers(); self.wfile.write(body)
    def stream(self):
        self.send_response(200); self.send_header('Transfer-Encoding', 'chunked')
        self.end_headers(); self.wfile.write(b'3\\r\\none\\r\\n'); self.wfile.flush()
        print('waits for', os.environ['GO'])
        while not os.path.exists(os.environ['GO']): time.sleep(.01)
        self.wfile.write(b'3\\r\\ntwo\\r\\n0\\r\\n\\r\\n')
    def log_message(self, *a): pass
time.sleep(float(os.environ.get('START_SECONDS', 0)))
s = http.server.ThreadingHTTPServer(('127.0.0.1', int(os.environ['PORT'])), H)
print('serving'); s.serve_forever()
"""
PROGRAMS = {
    "server": SERVER,
    "sidecar": "import time; print('sidecar'); time.sleep(600)",
    "broken": "print('cannot read my config'); raise SystemExit(4)",
    "stubborn": "import signal, time\nsignal.signal(15, signal.SIG_IGN)\ntime.sleep(600)",
}
"""By the image that stands for them."""


def service(port: int, *others: dict[str, Any], **template: Any) -> dict[str, Any]:
    main = {
        "name": "main",
        "image": "server",
        "ports": {"containerPort": port},
        "dependsOns": [other["name"] for other in others],
        "startupProbe": {
            "tcpSocket": {"port": port},
            "periodSeconds": 0.1,
            "failureThreshold": 200,
        },
        **template.pop("main", {}),
    }
    return {
        "name": "svc",
        "location": "us-central1",
        "template": {"containers": [main, *others], **template},
    }


class Clients:
    """Of Cloud Run's front, and of its control plane."""

    def __init__(self, port: int, admin: httpx2.AsyncBaseTransport) -> None:
        self.port = port
        """The front's, of loopback."""
        self.front = httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20)
        self.admin = httpx2.AsyncClient(transport=admin, base_url="http://here", timeout=20)

    async def close(self) -> None:
        await self.front.aclose()
        await self.admin.aclose()

    async def deploy(self, inputs: dict[str, Any]) -> httpx2.Response:
        return await self.admin.put("/services/svc", json=inputs)

    async def listed(self) -> dict[str, Any]:
        [found] = (await self.admin.get("/services")).json()
        return found

    async def pids(self) -> list[int]:
        return [c["pid"] for i in (await self.listed())["instances"] for c in i["containers"]]


class Run(Clients):
    """A real Caddy in front; who deploys calls the control plane in this process."""

    def __init__(self, port: int, caddy: Front, idle_seconds: float, places: list[Place]) -> None:
        self._caddy = caddy
        self.paths = caddy.paths
        self.registry = admin.Registry(
            self.paths, lambda: Service(caddy, "http://here", idle_seconds, None, places)
        )
        self.activator = Server(
            uvicorn.Config(
                activator.application(self.registry),
                uds=str(self.paths.cloud_run_activator_socket),
                log_level="warning",
            )
        )
        super().__init__(port, httpx2.ASGITransport(admin.application(self.registry)))

    async def works(self) -> None:
        """Return when the instance works on a request."""
        [address] = [i["address"] for i in (await self.listed())["instances"]]
        await until_async(lambda: self._caddy.requests_at(address))

    async def no_instance(self) -> None:
        """Return when none is left."""

        async def zero() -> bool:
            return not (await self.listed())["instances"]

        await until_async(zero)


@asynccontextmanager
async def running(state: Path, idle_seconds: float = 60, networks: int = 2) -> AsyncGenerator[Run]:
    """``networks``: on this machine's loopback all of them; each service has a port of its own."""
    paths = TwinPaths(state)
    paths.sockets.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])
        caddy = await Front.start(paths, listener.fileno())
    run = Run(port, caddy, idle_seconds, [Place()] * networks)
    serving = asyncio.create_task(run.activator.serve())
    try:
        await until_async(
            lambda: (
                listens(paths.cloud_run_caddy_socket) and listens(paths.cloud_run_activator_socket)
            )
        )
        yield run
    finally:
        await run.registry.delete()
        await run.close()
        run.activator.should_exit = True
        await serving
        await caddy.stop()
