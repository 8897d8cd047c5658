"""Attackers who send slowly: each is cut within 30 s, and nobody else notices."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Generator
from dataclasses import dataclass

import httpx2
import pytest

from tests.infra.gateway.conftest import Gateway, running_gateway
from tests.support.gateway import chat_headers

pytestmark = pytest.mark.slow

OF_EACH_KIND = 25
MARGIN_SECONDS = 5
"""For a busy machine."""
OTHERS_SECONDS = 2
KEY = f"Authorization: {chat_headers('laptop')['Authorization']}\r\n"


UNSENT: set[int | None] = {408, 499}
"""Go's server notices the time-out in two places; whichever is first says it."""


@dataclass(frozen=True)
class SlowAttack:
    """Sends the beginning, then one more piece each second."""

    begin: str
    more: str
    statuses: set[int | None]
    """``None``: the connection is closed without an answer, or before it could be read."""
    seconds: int


def head(method: str, path: str, *lines: str) -> str:
    return "".join((f"{method} {path} HTTP/1.1\r\nHost: x\r\n", *lines, "\r\n"))


CHAT = ("POST", "/v1/chat/completions")
ATTACKS = {
    "nothing": SlowAttack("", "", {None}, 10),
    "a TLS greeting": SlowAttack("\x16\x03\x01\x02", "\0", {400, None}, 10),
    "a head": SlowAttack("POST /v1/chat/completions HTTP/1.1\r\n", "X: y\r\n", {400, None}, 10),
    "a body": SlowAttack(head(*CHAT, KEY, "Content-Length: 1000\r\n"), "x", UNSENT, 30),
    "a large body": SlowAttack(
        head(*CHAT, KEY, "Content-Length: 900000\r\n"), "x" * 999, UNSENT, 30
    ),
    "a body in chunks": SlowAttack(
        head(*CHAT, KEY, "Transfer-Encoding: chunked\r\n"), "1\r\nx\r\n", UNSENT, 30
    ),
    "a body that does not begin": SlowAttack(
        head(*CHAT, KEY, "Content-Length: 1000\r\n"), "", UNSENT, 30
    ),
    "a stranger's body": SlowAttack(head(*CHAT, "Content-Length: 1000\r\n"), "x", {401}, 30),
    "a body for health": SlowAttack(
        head("GET", "/health", "Content-Length: 1000\r\n"), "", UNSENT, 30
    ),
}


@dataclass(frozen=True)
class Attacked:
    cut: dict[str, list[tuple[int | None, float]]]
    """Of each attacker of a kind: status and seconds until its connection was closed."""
    others: list[tuple[int, float]]
    """Of each request that was sent meanwhile: status and seconds."""
    descriptors: tuple[int, int]
    """Caddy's, before and after."""


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Generator[Attacked]:
    """All attackers at once."""
    with running_gateway(tmp_path_factory.mktemp("slow")) as gateway:
        yield asyncio.run(all_at_once(gateway))


async def all_at_once(gateway: Gateway) -> Attacked:
    caddy = gateway.process()
    before = caddy.num_fds()
    async with asyncio.TaskGroup() as group:
        running = {
            name: [group.create_task(attacker(gateway.port, kind)) for _ in range(OF_EACH_KIND)]
            for name, kind in ATTACKS.items()
        }
        tasks = [task for tasks in running.values() for task in tasks]
        others = group.create_task(ask_until_done(gateway.url, tasks))
    cut = {name: [task.result() for task in tasks] for name, tasks in running.items()}
    return Attacked(cut, others.result(), (before, caddy.num_fds()))


async def attacker(port: int, kind: SlowAttack) -> tuple[int | None, float]:
    begun = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(kind.begin.encode("latin-1"))
    got = b""
    async with asyncio.timeout(kind.seconds + 3 * MARGIN_SECONDS):
        while True:
            try:
                async with asyncio.timeout(1):
                    piece = await reader.read(65_536)
            except TimeoutError:
                writer.write(kind.more.encode("latin-1"))
                continue
            except ConnectionError:
                break
            if not piece:
                break
            got += piece
    writer.transport.abort()
    statuses = re.findall(rb"HTTP/1\.1 ([2-9]\d\d) ", got)
    return int(statuses[0]) if statuses else None, time.monotonic() - begun


async def ask_until_done(
    url: str, tasks: list[asyncio.Task[tuple[int | None, float]]]
) -> list[tuple[int, float]]:
    asked: list[tuple[int, float]] = []
    async with httpx2.AsyncClient(timeout=20, headers=chat_headers("robot")) as http:
        while not all(task.done() for task in tasks):
            begun = time.monotonic()
            answer = await http.post(f"{url}/v1/chat/completions", json={"stream": False})
            asked.append((answer.status_code, time.monotonic() - begun))
            await asyncio.wait(tasks, timeout=0.2)
    return asked


@pytest.mark.parametrize("name", ATTACKS)
def test_each_slow_attacker_is_cut_in_time(attacked: Attacked, name: str) -> None:
    kind = ATTACKS[name]
    assert {status for status, _ in attacked.cut[name]} <= kind.statuses
    assert max(seconds for _, seconds in attacked.cut[name]) <= kind.seconds + MARGIN_SECONDS


def test_others_are_answered_meanwhile(attacked: Attacked) -> None:
    assert len(attacked.others) > 30
    assert {status for status, _ in attacked.others} == {200}
    assert max(seconds for _, seconds in attacked.others) < OTHERS_SECONDS


def test_no_connection_of_an_attacker_is_left(attacked: Attacked) -> None:
    before, after = attacked.descriptors
    # Idle connections to the next hop are kept for two minutes: 32 at most, with both ends.
    assert after <= before + 100
