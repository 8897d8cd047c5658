"""Cloud Run's contract with its clients: limits, waits, and answers in place of a container's.

What only a real connection shows is in ``test_front.py``.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.support.ports import free_port
from tests.support.raw_http import answers_until_closed
from tests.twin.cloud_run.emulator import running, service
from twin.cloud_run.front import configuration
from twin.containers.images import IMAGES
from twin.paths import TwinPaths

pytestmark = pytest.mark.usefixtures("images")


def test_a_request_over_32_mib_is_413_and_one_of_20_mb_passes(state: Path) -> None:
    async def run() -> None:
        async with running(state) as cloud:
            await cloud.deploy(service(free_port()))
            size = 32 * 2**20 + 1
            head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size
            sent = head + bytes(size)
            assert await asyncio.to_thread(answers_until_closed, cloud.port, sent) == [413]
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
            reader, writer = await asyncio.open_connection("127.0.0.1", cloud.port)
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nA: ")
            async with asyncio.timeout(20):
                assert await reader.read() == b""
            writer.close()

    asyncio.run(run())


def test_a_request_whose_instance_takes_longer_to_start_than_the_time_out_is_504(
    state: Path,
) -> None:
    main = {"envs": [{"name": "START_SECONDS", "value": "3"}]}

    async def run() -> None:
        async with running(state, idle_seconds=0.1) as cloud:
            await cloud.deploy(service(free_port(), main=main, timeout="1s"))
            await cloud.no_instance()
            answer = await cloud.front.get("/")
            assert (answer.status_code, answer.text) == (504, "upstream request timeout\n")

    asyncio.run(run())


def test_the_proxy_has_the_waits_and_the_largest_request(tmp_path: Path) -> None:
    written = configuration(TwinPaths(tmp_path), 300, 80)
    server = written["apps"]["http"]["servers"]["front"]
    [limit], _, _, [forward] = (route["handle"] for route in server["routes"])
    assert limit == {"handler": "request_body", "max_size": 33_554_432}
    assert forward["upstreams"][0]["max_requests"] == 80
    assert forward["load_balancing"]["try_duration"] == "10s"
    assert forward["transport"]["response_header_timeout"] == "300s"
    assert server["read_header_timeout"] == "30s"


def test_a_request_without_a_service_is_404(state: Path) -> None:
    async def run() -> None:
        async with running(state) as cloud:
            answer = await cloud.front.get("/")
            assert answer.status_code == 404
            assert answer.text == "404. That's an error. No service is deployed.\n"

    asyncio.run(run())


def test_a_request_for_which_no_instance_starts_is_503(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        async with running(state, idle_seconds=0.1) as cloud:
            await cloud.deploy(service(free_port()))
            await cloud.no_instance()
            monkeypatch.setitem(IMAGES, "server", IMAGES["broken"])
            answer = await cloud.front.get("/")
            assert answer.status_code == 503
            assert answer.text == "Service Unavailable: no instance could be started\n"

    asyncio.run(run())


def test_a_request_whose_container_gives_no_answer_is_503(state: Path) -> None:
    async def run() -> None:
        async with running(state) as cloud:
            await cloud.deploy(service(free_port()))
            answer = await cloud.front.get("/die")
            assert answer.status_code == 503
            assert answer.text == "upstream connect error or disconnect\n"

    asyncio.run(run())
