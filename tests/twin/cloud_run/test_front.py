"""Cloud Run's front as a process, on its sockets: what only a real connection shows."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest

from tests.support.ports import free_port
from tests.support.raw_http import answers_until_closed
from tests.support.waiting import until_async
from tests.twin.cloud_run import emulator
from twin.listening import listens
from twin.paths import TwinPaths

SERVER = """
import http.server, json, os, time
class H(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def do_GET(self):
        if self.path == '/refuse': return self.refuse()
        self.read_body()
        if self.path == '/stream': return self.stream()
        if self.path == '/silent': return self.silent()
        body = json.dumps([self.path, self.headers.items()]).encode()
        self.send_response(200); self.send_header('Content-Length', str(len(body)))
        self.end_headers(); self.wfile.write(body)
    do_POST = do_GET
    def stream(self):
        self.send_response(200); self.send_header('Transfer-Encoding', 'chunked')
        self.end_headers(); self.wfile.write(b'3\\r\\none\\r\\n'); self.wfile.flush()
        self.until_left()
    def read_body(self):
        if 'Transfer-Encoding' not in self.headers:
            return self.rfile.read(int(self.headers.get('Content-Length', 0)))
        while size := int(self.rfile.readline() or b'0', 16): self.rfile.read(size + 2)
        self.rfile.readline()
    def refuse(self):
        self.send_response(413); self.send_header('Content-Length', '0')
        self.send_header('Connection', 'close'); self.end_headers(); self.wfile.flush()
        while self.rfile.read(65536): pass
    def silent(self):
        print('asked', flush=True)
        self.until_left()
    def until_left(self):
        self.connection.settimeout(30)
        self.close_connection = True
        print('left' if self.connection.recv(1) == b'' else 'more', flush=True)
    def log_message(self, *a): pass
s = http.server.ThreadingHTTPServer(('127.0.0.1', int(os.environ['PORT'])), H)
print('serving', flush=True); s.serve_forever()
"""


def service(timeout: str) -> dict[str, Any]:
    main = {"image": "pause", "commands": ["python3", "-c", SERVER]}
    return emulator.service(free_port(), main=main, timeout=timeout)


class Run(emulator.Clients):
    """The process, and clients of its two sockets."""

    def __init__(self, paths: TwinPaths, port: int, process: subprocess.Popen[bytes]) -> None:
        super().__init__(port, httpx2.AsyncHTTPTransport(uds=str(paths.cloud_run_admin_socket)))
        self.process = process
        self.log = paths.logs / "run" / "svc-main.log"

    async def said(self, word: str) -> None:
        await until_async(lambda: word in self.log.read_text())


@asynccontextmanager
async def running(state: Path, limit: str = "300s") -> AsyncGenerator[Run]:
    paths = TwinPaths(state)
    python, port = (sys.executable, "-m"), free_port()
    command = (
        *(*python, "twin.door", f"--listen=127.0.0.1:{port}", "--"),
        *(*python, "twin.cloud_run", "--state", str(state), "--uri", "http://x"),
    )
    process = subprocess.Popen(command, env={**os.environ, "HUB_TWIN": str(state)})  # noqa: ASYNC220
    run = Run(paths, port, process)
    try:
        await until_async(
            lambda: listens(paths.cloud_run_admin_socket) and listens(paths.cloud_run_caddy_socket)
        )
        deployed = await run.deploy(service(limit))
        assert deployed.status_code == 200, deployed.text
        yield run
    finally:
        await run.close()
        process.terminate()
        await asyncio.to_thread(process.wait, 20)


def test_the_first_piece_of_a_stream_arrives_while_the_next_is_not_yet_made(state: Path) -> None:
    async def run() -> None:
        async with running(state) as cloud, cloud.front.stream("GET", "/stream") as answer:
            assert await anext(answer.aiter_raw()) == b"one"

    asyncio.run(run())


def test_who_leaves_in_the_middle_of_a_stream_ends_it_in_the_container_too(state: Path) -> None:
    async def run() -> None:
        async with running(state) as cloud:
            async with cloud.front.stream("GET", "/stream") as answer:
                assert await anext(answer.aiter_raw()) == b"one"
            await cloud.said("left")

    asyncio.run(run())


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_who_leaves_before_the_answer_begins_ends_it_in_the_container_too(
    state: Path, method: str
) -> None:
    async def run() -> None:
        async with running(state) as cloud:
            content = b"" if method == "GET" else b"question"
            asked = asyncio.create_task(cloud.front.request(method, "/silent", content=content))
            await cloud.said("asked")
            asked.cancel()
            await cloud.said("left")

    asyncio.run(run())


def test_a_stream_is_cut_off_when_the_services_time_is_over(state: Path) -> None:
    async def run() -> None:
        async with running(state, limit="1s") as cloud:
            with pytest.raises(httpx2.RemoteProtocolError):
                await cloud.front.get("/stream")
            await cloud.said("left")

    asyncio.run(run())


def test_the_container_is_asked_what_the_client_asked_and_told_who_and_how(state: Path) -> None:
    async def run() -> list[Any]:
        async with running(state) as cloud:
            reader, writer = await asyncio.open_connection("127.0.0.1", cloud.port)
            writer.write(
                b"GET /v1/a%2Fb?c=%20d HTTP/1.1\r\nHost: door:8080\r\n"
                b"X-Forwarded-For: 9.9.9.9\r\nConnection: close\r\n\r\n"
            )
            answer = await reader.read()
            writer.close()
            await writer.wait_closed()
            return json.loads(answer.partition(b"\r\n\r\n")[2])

    path, headers = asyncio.run(run())
    assert path == "/v1/a%2Fb?c=%20d"
    assert sorted((name.lower(), value) for name, value in headers) == [
        ("host", "door:8080"),
        ("x-forwarded-for", "9.9.9.9, 127.0.0.1"),
        ("x-forwarded-proto", "https"),
    ]


def test_sigterm_leaves_no_process(state: Path) -> None:
    async def run() -> None:
        async with running(state) as cloud:
            pids = await cloud.pids()
            cloud.process.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(cloud.process.wait, 20) == 0
            assert [pid for pid in pids if psutil.pid_exists(pid)] == []

    asyncio.run(run())


async def statuses(port: int, sent: bytes) -> list[int]:
    """Of all answers on a connection; after what was sent follows one more request, the last."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent + b"GET /next HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    async with asyncio.timeout(20):
        got = await reader.read()
    writer.close()
    return [int(code) for code in re.findall(rb"HTTP/1\.1 (\d+)", got)]


def test_what_could_be_read_in_two_ways_is_refused_or_read_in_one(state: Path) -> None:
    post = b"POST / HTTP/1.1\r\nHost: x\r\n"
    answers = {
        post + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nquiet": [400],
        post + b"Content-Length: +4\r\n\r\nquiet": [400],
        post + b"Content-Length : 5\r\n\r\nquiet": [400],
        post + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n": [400],
        post + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n": [501],
        # The chunks count, RFC 9112 section 6.3, and the container is not told the length.
        post + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n": [200, 200],
        b"POST / HTTP/1.1\r\nHost: x\r\n Content-Length: 5\r\n\r\n": [400],
        b"GET / HTTP/1.1\r\n\r\n": [400],
        b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n": [400],
        b"GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n": [400],
        b"GET http://x/ HTTP/1.1\r\nHost: y\r\n\r\n": [200, 200],
    }

    async def run() -> dict[bytes, list[int]]:
        async with running(state) as cloud:
            return {sent: await statuses(cloud.port, sent) for sent in answers}

    assert asyncio.run(run()) == answers


@pytest.mark.parametrize("framing", ["a length", "chunks"])
def test_what_is_left_of_a_refused_request_is_no_other_request(state: Path, framing: str) -> None:
    body = b"GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n" * 300_000
    length = b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    chunks = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    head = b"POST /refuse HTTP/1.1\r\nHost: x\r\n"

    async def run() -> None:
        async with running(state) as cloud:
            for _ in range(8):
                sent = head + (length if framing == "a length" else chunks)
                assert await asyncio.to_thread(answers_until_closed, cloud.port, sent) == [413]

    asyncio.run(run())


def test_http_2_is_served_and_the_container_receives_http_1(state: Path) -> None:
    async def run() -> None:
        async with running(state) as cloud:
            transport = httpx2.AsyncHTTPTransport(http1=False, http2=True)
            url = f"http://127.0.0.1:{cloud.port}"
            async with httpx2.AsyncClient(transport=transport, base_url=url) as client:
                answer = await client.post("/", content=b"question")
                assert (answer.status_code, answer.http_version) == (200, "HTTP/2")

    asyncio.run(run())


def test_a_body_in_chunks_is_held_to_32_mib_too(state: Path) -> None:
    chunk = b"%x\r\n%b\r\n" % (2**20, bytes(2**20))
    head = b"POST /silent HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"

    async def run() -> None:
        async with running(state) as cloud:
            sent = head + 33 * chunk + b"0\r\n\r\n"
            assert await asyncio.to_thread(answers_until_closed, cloud.port, sent) == [413]

    asyncio.run(run())
