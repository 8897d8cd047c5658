"""What home's Traefik adds, by a real one with the program's settings."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from tests.support.gateway import chat_headers, is_up, running_gateway
from tests.support.http_server import Handler, serving
from tests.support.traefik import at_home, running_traefik
from tests.support.waiting import until

PAIRS = 1000
PEOPLE = 8
IN_FLIGHT = 2
CLOSING_SECONDS = 0.002
"""From a failure's answer until its connection is closed."""
FAILS, WAITS = b"fails", b"waits"


class Home(Handler):
    release = threading.Event()
    waiting: list[str] = []  # noqa: RUF012  # shared by the requests, as the event is
    """Keys of those who have begun to wait."""

    def do_GET(self) -> None:  # noqa: N802  # the name that the server calls
        self.whole(200, b"{}")

    def do_POST(self) -> None:  # noqa: N802  # the name that the server calls
        body = self.body()
        if body == FAILS:
            # As vLLM does: the connection ends, and the answer's head does not say so.
            self.whole(500, b"{}")
            time.sleep(CLOSING_SECONDS)
            self.close_connection = True
            return
        if body == WAITS:
            self.waiting.append(self.headers["X-Hub-Key-Id"])
            self.release.wait(20)
        self.whole(200, b"{}")


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """The URL to ask at."""
    folder = tmp_path_factory.mktemp("path")
    per_key = {"sourceCriterion": {"requestHeaderName": "X-Hub-Key-Id"}}
    in_flight = {"inFlightReq": {"amount": IN_FLIGHT, **per_key}}
    limited = {"rule": "Path(`/v1/responses`)", "service": "home", "middlewares": ["in-flight"]}
    with (
        serving(Home) as port,
        running_traefik(
            folder,
            {
                "routers": {
                    "all": {"rule": "PathPrefix(`/`)", "service": "home"},
                    "limited": limited,
                },
                "middlewares": {"in-flight": in_flight},
                "serversTransports": {"fresh": {"maxIdleConnsPerHost": -1}},
                "services": at_home(port, serversTransport="fresh"),
            },
        ) as entry,
        running_gateway(folder, home_port=entry, home_speaks="h2c") as url,
    ):
        until(lambda: is_up(url))
        yield f"{url}/v1"


def test_a_question_that_fails_does_not_fail_the_next(chat: str) -> None:
    def ask_in_pairs(count: int) -> list[tuple[int, int]]:
        with httpx2.Client(headers=chat_headers("laptop"), timeout=20) as http:

            def status(question: bytes) -> int:
                return http.post(f"{chat}/chat/completions", content=question).status_code

            return [(status(FAILS), status(b"{}")) for _ in range(count)]

    with ThreadPoolExecutor(PEOPLE) as people:
        asked = people.map(ask_in_pairs, [PAIRS // PEOPLE] * PEOPLE)
        pairs = [pair for one in asked for pair in one]
    assert Counter(pairs) == {(500, 200): PAIRS}


def test_a_key_has_so_many_at_once_and_another_key_its_own(chat: str) -> None:
    def ask(name: str, question: bytes = b"{}") -> httpx2.Response:
        headers = chat_headers(name)
        return httpx2.post(f"{chat}/responses", headers=headers, content=question, timeout=20)

    with ThreadPoolExecutor(IN_FLIGHT) as people:
        held = [people.submit(ask, "laptop", WAITS) for _ in range(IN_FLIGHT)]
        try:
            until(lambda: Home.waiting == ["laptop"] * IN_FLIGHT)
            refused = ask("laptop")
            assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
            assert refused.json()["error"]["code"] == "too_many_at_once"
            assert ask("robot").status_code == 200
        finally:
            Home.release.set()
        assert [one.result().status_code for one in held] == [200] * IN_FLIGHT
    until(lambda: ask("laptop").status_code == 200)
