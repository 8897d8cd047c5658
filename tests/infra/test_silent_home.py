"""A home that disappears without a word: its power is gone, and no connection is closed."""

from __future__ import annotations

import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx2

from tests.support.gateway import chat_headers, is_up, running_gateway
from tests.support.home import Home, home_handler
from tests.support.http_server import serving
from tests.support.waiting import until

PROMISED_SECONDS = 15


@contextmanager
def gateway(folder: Path) -> Generator[tuple[str, Home]]:
    home = Home()
    with serving(home_handler(home)) as port, running_gateway(folder, home_port=port) as url:
        until(lambda: is_up(url))
        try:
            yield url, home
        finally:
            home.release.set()


def ask(url: str, *, stream: bool) -> tuple[str, float]:
    """How the answer ended, and after how many seconds."""
    begun = time.monotonic()
    try:
        answer = httpx2.post(
            f"{url}/v1/chat/completions",
            headers=chat_headers("laptop"),
            json={"stream": True} if stream else {},
            timeout=40,
        )
        end = str(answer.json()["error"]["code"] if answer.status_code >= 400 else answer.text)
    except httpx2.HTTPError as error:
        end = type(error).__name__
    return end, time.monotonic() - begun


def test_whoever_waits_for_it_hears_of_it_and_later_ones_are_served_when_it_is_back(
    tmp_path: Path,
) -> None:
    with gateway(tmp_path) as (url, home), ThreadPoolExecutor(2) as clients:
        begun_answer = clients.submit(ask, url, stream=True)
        until(lambda: len(home.received) == 1)
        home.silent = True
        no_answer_yet = clients.submit(ask, url, stream=False)
        (cut, lasted), (told, waited) = begun_answer.result(), no_answer_yet.result()
        assert cut == "RemoteProtocolError", "an answer that had begun ends as no whole answer does"
        assert told == "home_lost"
        assert max(lasted, waited) < PROMISED_SECONDS
        assert ask(url, stream=False)[0] == "home_unavailable"
        home.silent = False
        home.release.set()
        until(lambda: is_up(url))
        assert ask(url, stream=False)[0] == '{"ok": true}'
    assert "home is silent" in (tmp_path / "log").read_text()


def test_a_long_answer_of_a_home_that_is_there_is_not_cut(tmp_path: Path) -> None:
    with gateway(tmp_path) as (url, home), ThreadPoolExecutor(1) as clients:
        slow = clients.submit(ask, url, stream=True)
        until(lambda: len(home.received) == 1)
        home.lose_health_checks = 4
        until(lambda: home.got.count("GET /health") >= PROMISED_SECONDS, seconds=30)
        assert not slow.done()
        home.release.set()
        assert slow.result()[0] == "data: one\n\ndata: two\n\n"
