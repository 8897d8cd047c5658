"""Cloud Run's contract, on small containers: when processes start, what they get, when they end."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest
import uvicorn

from tests.support.google.interface import misfits
from tests.support.ports import free_port
from tests.support.waiting import until_async
from twin.cloud_run import activator, admin
from twin.cloud_run.front import Front
from twin.cloud_run.instance import Place
from twin.cloud_run.service import Service
from twin.containers.images import IMAGES, LocalImage
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
s = http.server.ThreadingHTTPServer(('127.0.0.1', int(os.environ['PORT'])), H)
print('serving'); s.serve_forever()
"""


@pytest.fixture
def images(monkeypatch: pytest.MonkeyPatch) -> None:
    python = ("python3", "-u", "-c")  # by name: a container has a /tmp of its own
    monkeypatch.setitem(IMAGES, "server", LocalImage(entrypoint=(*python, SERVER)))
    for name, code in {
        "sidecar": "import time; print('sidecar'); time.sleep(600)",
        "broken": "print('cannot read my config'); raise SystemExit(4)",
        "stubborn": "import signal, time\nsignal.signal(15, signal.SIG_IGN)\ntime.sleep(600)",
    }.items():
        monkeypatch.setitem(IMAGES, name, LocalImage(entrypoint=(*python, code)))


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


class Run:
    """A real Caddy in front; who deploys calls the control plane in this process."""

    def __init__(self, caddy: Front, idle_seconds: float, places: list[Place]) -> None:
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
        public = httpx2.AsyncHTTPTransport(uds=str(self.paths.cloud_run_socket))
        self.front = self._client(public)
        self.admin = self._client(httpx2.ASGITransport(admin.application(self.registry)))

    @staticmethod
    def _client(transport: httpx2.AsyncBaseTransport) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(transport=transport, base_url="http://here", timeout=20)

    async def deploy(self, inputs: dict[str, Any]) -> httpx2.Response:
        return await self.admin.put("/services/svc", json=inputs)

    async def listed(self) -> dict[str, Any]:
        [found] = (await self.admin.get("/services")).json()
        return found

    async def works(self) -> None:
        """Return when the instance works on a request."""
        [address] = [i["address"] for i in (await self.listed())["instances"]]
        await until_async(lambda: self._caddy.requests_at(address))

    async def pids(self) -> list[int]:
        return [c["pid"] for i in (await self.listed())["instances"] for c in i["containers"]]


@asynccontextmanager
async def running(state: Path, idle_seconds: float = 60, networks: int = 2) -> AsyncGenerator[Run]:
    """``networks``: on this machine's loopback all of them; each service has a port of its own."""
    paths = TwinPaths(state)
    paths.sockets.mkdir()
    caddy = await Front.start(paths)
    run = Run(caddy, idle_seconds, [Place()] * networks)
    serving = asyncio.create_task(run.activator.serve())
    try:
        await until_async(
            lambda: listens(paths.cloud_run_socket) and listens(paths.cloud_run_activator_socket)
        )
        yield run
    finally:
        await run.registry.delete()
        await run.front.aclose()
        await run.admin.aclose()
        run.activator.should_exit = True
        await serving
        await caddy.stop()


pytestmark = pytest.mark.usefixtures("images")


def test_a_deploy_proves_that_an_instance_starts_and_names_the_revision(state: Path) -> None:
    async def run() -> None:
        async with running(state) as cloud:
            answer = await cloud.deploy(service(free_port()))
            assert answer.status_code == 200
            assert answer.json()["uri"] == "http://here"
            assert answer.json()["latestReadyRevision"].startswith("svc-00001-")

    asyncio.run(run())


def test_a_container_gets_its_port_its_service_and_its_secrets(state: Path) -> None:
    port = free_port()
    secrets = state / "google" / "secrets"
    for name, value in {"word": b"sesame", "file": b"content"}.items():
        (secrets / name).mkdir(parents=True)
        (secrets / name / "3").write_bytes(value)
    reference = {"secretKeyRef": {"secret": "projects/p/secrets/word", "version": "3"}}
    main = {
        "envs": [
            {"name": "WORD", "valueSource": reference},
            {"name": "FILE", "value": "/etc/v/name"},
        ],
        "volumeMounts": [{"name": "v", "mountPath": "/etc/v"}],
    }
    volume = {
        "name": "v",
        "secret": {"secret": "file", "items": [{"path": "name", "version": "3"}]},
    }

    async def run() -> None:
        async with running(state) as cloud:
            await cloud.deploy(service(port, main=main, volumes=[volume]))
            env = (await cloud.front.get("/env")).json()
            assert env["PORT"] == str(port)
            assert env["K_SERVICE"] == "svc"
            assert env["WORD"] == "sesame"
            assert await asyncio.to_thread(Path(env["FILE"]).read_bytes) == b"content"
            assert env["x"] == "https"

    asyncio.run(run())


def test_a_container_that_ends_fails_the_deploy_with_its_last_words_and_the_old_revision_stays(
    state: Path,
) -> None:
    async def run() -> None:
        async with running(state) as cloud:
            await cloud.deploy(service(free_port()))
            before = (await cloud.listed())["revision"]
            answer = await cloud.deploy(service(free_port(), main={"image": "broken"}))
            assert answer.status_code == 400
            assert "container main failed to start: it ended with exit code 4" in answer.text
            assert "cannot read my config" in answer.json()["error"]
            assert (await cloud.listed())["revision"] == before
            assert (await cloud.front.get("/")).status_code == 200

    asyncio.run(run())


def test_a_new_revision_starts_beside_the_old_one_which_finishes_what_it_works_on(
    state: Path,
) -> None:
    main = {"envs": [{"name": "GO", "value": "/tmp/go"}]}
    log = state / "logs" / "run" / "svc-main.log"

    async def run() -> None:
        async with running(state) as cloud:
            await cloud.deploy(service(free_port(), main=main))
            [old] = await cloud.pids()
            begun = asyncio.create_task(cloud.front.get("/stream"))

            async def works() -> bool:
                return "waits for" in await asyncio.to_thread(log.read_text)

            await until_async(works)
            await cloud.deploy(service(free_port()))
            assert (await cloud.front.get("/env")).json()["K_REVISION"].startswith("svc-00002-")
            states = [i["state"] for i in (await cloud.listed())["instances"]]
            assert states == ["ready", "draining"]
            go = re.findall("waits for (.+)", await asyncio.to_thread(log.read_text))[0]
            await asyncio.to_thread(Path(go).touch)
            assert (await begun).text == "onetwo"

            async def alone() -> bool:
                return not psutil.pid_exists(old) and len(await cloud.pids()) == 1

            await until_async(alone)

    asyncio.run(run())


def test_with_one_network_a_new_revision_stops_the_old_one_first(state: Path) -> None:
    async def run() -> None:
        async with running(state, networks=1) as cloud:
            await cloud.deploy(service(free_port()))
            [old] = await cloud.pids()
            slow = asyncio.create_task(cloud.front.get("/slow"))
            asked = asyncio.create_task(cloud.front.get("/env"))
            await asked
            await cloud.deploy(service(free_port()))
            assert not psutil.pid_exists(old)
            assert (await slow).status_code == 503
            assert (await cloud.front.get("/")).status_code == 200

    asyncio.run(run())


def test_a_dependency_that_never_passes_its_probe_fails_the_deploy_and_is_named(
    state: Path,
) -> None:
    probe = {"httpGet": {"path": "/healthz", "port": 1}, "periodSeconds": 1, "failureThreshold": 1}
    sidecar = {"name": "side", "image": "sidecar", "startupProbe": probe}

    async def run() -> None:
        async with running(state) as cloud:
            told = (await cloud.deploy(service(free_port(), sidecar))).json()["error"]
            assert "container side failed to start: its startup probe on port 1/healthz" in told

    asyncio.run(run())


def test_idle_means_no_process_and_the_next_request_starts_one(state: Path) -> None:
    async def run() -> None:
        async with running(state, idle_seconds=0.3) as cloud:
            await cloud.deploy(service(free_port()))
            [pid] = await cloud.pids()

            async def zero() -> bool:
                return not (await cloud.listed())["instances"]

            await until_async(zero)
            assert not psutil.pid_exists(pid)
            answers = await asyncio.gather(*(cloud.front.get("/env") for _ in range(5)))
            assert {answer.status_code for answer in answers} == {200}
            assert len({answer.json()["K_REVISION"] for answer in answers}) == 1

    asyncio.run(run())


def test_the_system_log_has_each_instances_start_and_end(state: Path) -> None:
    async def run() -> list[str]:
        async with running(state) as cloud:
            await cloud.deploy(service(free_port()))
            [first] = (await cloud.listed())["instances"]
            await cloud.deploy(service(free_port(), main={"image": "broken"}))
            return [first["id"]]

    [first] = asyncio.run(run())
    lines = (state / "logs" / "run" / "svc-system.log").read_text().splitlines()
    logged = [json.loads(line) for line in lines]
    assert [misfits("logging", "LogEntry", entry, sent=False) for entry in logged] == [[]] * 4
    # The second one is tried beside the first, which goes on serving until the end.
    assert [entry["textPayload"] for entry in logged] == [
        "Starting new instance.",
        "Starting new instance.",
        "Instance ended.",
        "Instance ended.",
    ]
    ids = [entry["labels"]["instanceId"] for entry in logged]
    assert ids == [first, ids[1], ids[1], first]
    assert ids[1].startswith("svc-00002-")
    times = [datetime.fromisoformat(entry["timestamp"]) for entry in logged]
    assert times == sorted(times)
    assert {entry["resource"]["labels"]["location"] for entry in logged} == {"us-central1"}


def test_a_container_that_dies_takes_its_instance_with_it_and_the_next_request_a_new_one(
    state: Path,
) -> None:
    sidecar = {"name": "side", "image": "sidecar"}

    async def run() -> None:
        async with running(state) as cloud:
            await cloud.deploy(service(free_port(), sidecar))
            first = set(await cloud.pids())
            assert (await cloud.front.get("/die")).status_code == 503

            async def gone() -> bool:
                return not first & set(await cloud.pids())

            await until_async(gone)
            assert [pid for pid in first if psutil.pid_exists(pid)] == []
            assert (await cloud.front.get("/")).status_code == 200

    asyncio.run(run())


def test_deleting_kills_what_ignores_sigterm_and_leaves_no_process(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twin.cloud_run.instance.GRACE_SECONDS", 0.3)
    sidecar = {"name": "side", "image": "stubborn"}

    async def run() -> None:
        async with running(state) as cloud:
            await cloud.deploy(service(free_port(), sidecar))
            pids = await cloud.pids()
            await cloud.admin.delete("/services/svc")
            assert [pid for pid in pids if psutil.pid_exists(pid)] == []
            assert (await cloud.front.get("/")).status_code == 404

    asyncio.run(run())


def test_a_request_over_32_mib_is_413_and_one_of_20_mb_passes(state: Path) -> None:
    async def run() -> None:
        async with running(state) as cloud:
            await cloud.deploy(service(free_port()))
            large = await cloud.front.post("/", content=b"x" * (32 * 2**20 + 1))
            assert large.status_code == 413
            passes = await cloud.front.post("/", content=b"x" * 20_000_000)
            assert passes.text == "20000000"

    asyncio.run(run())


def test_a_request_that_takes_longer_than_the_services_time_out_is_504(state: Path) -> None:
    async def run() -> None:
        async with running(state) as cloud:
            await cloud.deploy(service(free_port(), timeout="1s"))
            assert (await cloud.front.get("/slow")).status_code == 504

    asyncio.run(run())


def test_only_as_many_requests_as_the_concurrency_run_at_once(state: Path) -> None:
    async def run() -> None:
        async with running(state) as cloud:
            await cloud.deploy(service(free_port(), maxInstanceRequestConcurrency=1))
            slow = asyncio.create_task(cloud.front.get("/slow"))
            await cloud.works()
            waiting = asyncio.create_task(cloud.front.get("/"))
            _, pending = await asyncio.wait({waiting}, timeout=1)
            assert pending == {waiting}
            slow.cancel()
            assert (await waiting).status_code == 200

    asyncio.run(run())


def test_a_request_that_finds_no_place_in_time_is_429(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twin.cloud_run.front.PENDING_SECONDS", 0.5)

    async def run() -> None:
        async with running(state) as cloud:
            await cloud.deploy(service(free_port(), maxInstanceRequestConcurrency=1))
            slow = asyncio.create_task(cloud.front.get("/slow"))
            await cloud.works()
            refused = await cloud.front.get("/")
            assert (refused.status_code, refused.text) == (429, "Rate exceeded.\n")
            slow.cancel()

    asyncio.run(run())


def test_a_header_that_does_not_arrive_in_time_ends_the_connection(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("twin.cloud_run.front.READ_HEADER_SECONDS", 0.3)

    async def run() -> None:
        async with running(state) as cloud:
            at = str(cloud.paths.cloud_run_socket)
            reader, writer = await asyncio.open_unix_connection(at)
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nA: ")
            async with asyncio.timeout(20):
                assert await reader.read() == b""
            writer.close()

    asyncio.run(run())


def test_a_long_answer_is_not_idle_time(state: Path) -> None:
    main = {"envs": [{"name": "GO", "value": "/tmp/go"}]}

    async def run() -> None:
        async with running(state, idle_seconds=0.3) as cloud:
            await cloud.deploy(service(free_port(), main=main))
            async with cloud.front.stream("GET", "/stream") as answer:
                pieces = answer.aiter_raw()
                assert await anext(pieces) == b"one"
                [pid] = await cloud.pids()
                await asyncio.sleep(1.5)  # nothing happens, which cannot be awaited
                assert await cloud.pids() == [pid]

    asyncio.run(run())
