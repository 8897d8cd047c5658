"""Another service takes questions while home is off: real Caddys, and both services on loopback."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest

from infra.gcp.fallback import Elsewhere
from tests.support.gateway import (
    API_KEYS,
    FALLBACK_KEY,
    chat_headers,
    is_up,
    line_of,
    running_gateway,
)
from tests.support.home import Home, home_handler
from tests.support.http_server import Handler, serving
from tests.support.waiting import until

CHAT = "/v1/chat/completions"
QUESTION = {
    "messages": [{"role": "user", "content": 'say {"model": "vlm"} and {http.request.uri}'}],
    "model": "vlm",
}


@dataclass
class Other:
    """A service elsewhere, and what it was sent."""

    requests: list[tuple[str, dict[str, str], bytes]] = field(
        default_factory=list[tuple[str, dict[str, str], bytes]]
    )


def other_handler(other: Other) -> type[Handler]:
    class OtherHandler(Handler):
        def do_POST(self) -> None:  # noqa: N802  # the name that the server calls
            body = self.body()
            # As it was sent: the server's own ``path`` has one slash in place of two.
            path = self.requestline.split()[1]
            other.requests.append((path, dict(self.headers.items()), body))
            if b'"stream"' in body:
                self.begin_events()
                self.piece(b"data: elsewhere\n\n")
                self.piece(b"")
            else:
                self.whole(200, b'{"from": "elsewhere"}', {"Content-Type": "application/json"})

    return OtherHandler


@dataclass(frozen=True)
class Gateway:
    url: str
    home: Home
    other: Other
    log: Path

    def ask(self, question: object, headers: dict[str, str] | None = None) -> httpx2.Response:
        sent = chat_headers("laptop") if headers is None else headers
        return httpx2.post(f"{self.url}{CHAT}", headers=sent, json=question, timeout=20)


@contextmanager
def between(home: Home, folder: Path, path: str) -> Generator[Gateway]:
    """A gateway between this home and a service elsewhere, whose address ends with this path."""
    other = Other()
    with serving(home_handler(home)) as port, serving(other_handler(other)) as other_port:
        address = f"http://127.0.0.1:{other_port}{path}"
        elsewhere = Elsewhere(url=address, model="lab/large-vl", key=FALLBACK_KEY)
        with running_gateway(
            folder, home_port=port, body_mb=20, fallback=elsewhere, check_interval="200ms"
        ) as url:
            yield Gateway(url, home, other, folder / "log")


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Generator[Gateway]:
    with between(Home(), tmp_path_factory.mktemp("fallback"), "/api/v1") as started:
        until(lambda: is_up(started.url))
        yield started


@pytest.fixture
def off(gateway: Gateway) -> Generator[Gateway]:
    """Home is known to be off."""
    gateway.home.on = False
    gateway.other.requests.clear()
    until(lambda: "x-hub-fallback" in gateway.ask(QUESTION).headers)
    gateway.other.requests.clear()
    yield gateway
    gateway.home.on = True
    until(lambda: is_up(gateway.url))


def test_while_home_answers_nobody_else_is_asked(gateway: Gateway) -> None:
    answer = gateway.ask(QUESTION)
    assert (answer.json(), "x-hub-fallback" in answer.headers) == ({"ok": True}, False)
    assert gateway.other.requests == []


def test_while_home_is_off_the_question_goes_elsewhere_with_that_services_key_and_model(
    off: Gateway,
) -> None:
    answer = off.ask(QUESTION)
    assert (answer.status_code, answer.json()) == (200, {"from": "elsewhere"})
    assert answer.headers.get_list("x-hub-fallback") == ["lab/large-vl"]
    assert len(answer.headers.get_list("x-request-id")) == 1
    assert answer.headers.get_list("content-type") == ["application/json"]
    [(path, headers, body)] = off.other.requests
    assert path == "/api/v1/chat/completions"
    assert headers["Authorization"] == f"Bearer {FALLBACK_KEY}"
    assert json.loads(body) == {**QUESTION, "model": "lab/large-vl"}
    assert int(headers["Content-Length"]) == len(body)
    told = str(headers)
    assert "laptop" not in told
    assert API_KEYS["laptop"] not in told
    assert "X-Forwarded" not in told


def test_the_log_says_whose_question_went_elsewhere_and_when_its_answer_began(
    off: Gateway,
) -> None:
    logged = line_of(off.log, off.ask(QUESTION))
    assert (logged["key"], logged["status"]) == ("laptop", 200)
    assert 0 < logged["first_byte_ms"] < 20_000


def test_a_stream_and_a_picture_of_10_mb_pass_too(off: Gateway) -> None:
    picture = "x" * 10_000_000
    answer = off.ask({"model": "vlm", "picture": picture, "stream": True})
    assert answer.text == "data: elsewhere\n\n"
    [(_, _, body)] = off.other.requests
    assert json.loads(body) == {"model": "lab/large-vl", "picture": picture, "stream": True}


def test_a_question_for_another_model_is_refused_as_at_home(off: Gateway) -> None:
    answer = off.ask({"model": "other", "messages": []})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")
    assert off.other.requests == []


def test_strangers_get_nothing_from_the_other_service_either(off: Gateway) -> None:
    assert off.ask(QUESTION, headers={}).status_code == 401
    assert off.other.requests == []


def test_the_list_of_models_says_who_answers(off: Gateway) -> None:
    answer = httpx2.get(f"{off.url}/v1/models", headers=chat_headers("laptop"))
    [model] = answer.json()["data"]
    assert (model["id"], model["root"]) == ("vlm", "lab/large-vl")
    assert httpx2.get(f"{off.url}/health").status_code == 503, "home's state is still told"


def test_home_is_preferred_again_when_it_is_back(gateway: Gateway) -> None:
    assert "x-hub-fallback" not in gateway.ask(QUESTION).headers


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/api/v1", "/api/v1/chat/completions"),
        ("/v1/", "/v1/chat/completions"),
        ("", "/chat/completions"),
        ("/", "/chat/completions"),
    ],
)
def test_the_other_services_address_is_one_as_a_client_would_write_it(
    tmp_path: Path, path: str, asked: str
) -> None:
    with between(Home(on=False), tmp_path, path) as gateway:
        until(lambda: "x-hub-fallback" in gateway.ask(QUESTION).headers)
    assert {requested for requested, _, _ in gateway.other.requests} == {asked}
