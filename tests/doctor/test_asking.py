"""The questions of a client, against a service on loopback."""
# trustme is partly annotated.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Generator

import pytest
import trustme

from doctor import questions
from doctor.asking import Asker
from doctor.observations import Requests
from tests.support.http_server import Handler, serving
from tests.support.ports import free_port

KEY = "k" * 43


class Service(Handler):
    """As the whole path answers when nothing is wrong."""

    lost_above = 10**9
    health_status = 200
    elsewhere = False
    bytes_per_second = 10**9
    sizes: list[int] = []  # noqa: RUF012  # of one test
    authorized: list[bool] = []  # noqa: RUF012

    def do_GET(self) -> None:  # noqa: N802  # the name that the server calls
        self.authorized.append(self.headers["Authorization"] == f"Bearer {KEY}")
        status = self.health_status if self.path == "/health" else 200
        elsewhere = {"X-Hub-Fallback": "other"} if self.elsewhere else {}
        timing = {"Server-Timing": "home;dur=12.5"}
        self.whole(status, b"{}", {"X-Request-Id": "1", **timing, **elsewhere})

    def do_POST(self) -> None:  # noqa: N802  # the name that the server calls
        body = self.read_slowly() if self.bytes_per_second < 10**9 else self.body()
        self.sizes.append(len(body))
        if len(body) > self.lost_above:
            self.close_connection = True
            return
        if json.loads(body)["model"] == "vlm":
            self.whole(200, b"{}", {"X-Request-Id": "1"})
        else:
            error = {"error": {"message": "no such model", "code": 404}}
            self.whole(404, json.dumps(error).encode(), {"X-Request-Id": "1"})

    def read_slowly(self) -> bytes:
        """As over a line of so many bytes a second, of which each read brings some."""
        length, body = int(self.headers["Content-Length"]), b""
        while piece := self.rfile.read(min(length - len(body), self.bytes_per_second // 10)):
            body += piece
            time.sleep(len(piece) / self.bytes_per_second)
        return body


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> Generator[str]:
    monkeypatch.setattr(Service, "sizes", [])
    monkeypatch.setattr(Service, "authorized", [])
    with serving(Service) as port:
        yield f"http://127.0.0.1:{port}"


def asked_all(url: str, key: str, body_mb: int, deadline: float) -> Requests:
    asker = Asker(url, key, body_mb, deadline)
    return asker.after(asker.health())


def test_bodies_grow_to_the_largest_that_is_allowed_and_the_key_goes_with_all_but_health(
    url: str,
) -> None:
    asked = asked_all(url, KEY, 20, time.monotonic() + 60)
    assert [body.asked for body in asked.bodies] == [
        *("a request of 1 kB", "a request of 2 kB", "a request of 64 kB"),
        *("a request of 1 MB", "a request of 8 MB", "a request of 20 MB"),
    ]
    assert Service.sizes[2:] == [1000, 2000, 64_000, 1_000_000, 8_000_000, 20_000_000]
    assert Service.authorized == [False, True]
    assert {body.status for body in asked.bodies} == {404}
    assert asked.health.clock_ahead is not None
    assert abs(asked.health.clock_ahead) < 60  # it is this machine's own
    assert asked.picture is not None
    assert asked.picture.good


def test_after_a_body_that_is_lost_no_larger_one_is_sent(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Service, "lost_above", 10_000)
    asked = asked_all(url, KEY, 20, time.monotonic() + 60)
    assert [body.status for body in asked.bodies] == [404, 404, None]


def test_no_body_is_sent_after_the_deadline(url: str) -> None:
    asked = asked_all(url, KEY, 20, time.monotonic() - 1)
    assert asked.bodies == ()


def test_where_nobody_listens_there_is_one_question_and_its_failure() -> None:
    asked = asked_all(f"http://127.0.0.1:{free_port()}", KEY, 20, time.monotonic() + 60)
    assert not asked.health.connected
    assert "refused" in asked.health.failure
    assert asked.models is None


def test_a_request_is_bounded_as_a_whole_however_slowly_it_is_taken(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Service, "bytes_per_second", 200_000)
    monkeypatch.setattr(questions, "LARGE_SECONDS", 2)
    asked = asked_all(url, KEY, 20, time.monotonic() + 60)
    given_up = asked.bodies[-1]
    assert (given_up.asked, given_up.status) == ("a request of 1 MB", None)
    assert given_up.failure == "no answer in 2 s"
    assert given_up.seconds < 4


def test_an_answer_tells_when_the_connection_was_there_and_home_answered(url: str) -> None:
    health = Asker(url, KEY, 20, time.monotonic() + 60).health()
    assert health.connected_seconds is not None
    assert 0 < health.connected_seconds <= health.seconds
    assert health.home_seconds == 0.0125


def test_a_home_that_comes_back_between_two_questions_is_asked_on(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Service, "health_status", 503)
    asked = asked_all(url, KEY, 1, time.monotonic() + 60)
    assert asked.health.status == 503
    assert asked.picture is not None


def test_another_service_in_homes_place_is_not_asked_for_an_answer(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Service, "elsewhere", True)
    asked = asked_all(url, KEY, 1, time.monotonic() + 60)
    assert asked.models is not None
    assert asked.models.by_fallback
    assert (asked.generation, Service.sizes) == (None, [])


def test_each_answer_is_told_as_it_comes(url: str) -> None:
    told: list[tuple[str, str]] = []
    asker = Asker(
        *(url, KEY, 1, time.monotonic() + 60),
        lambda hop, reply: told.append((hop, reply.asked)),
    )
    asker.after(asker.health())
    assert told[:3] == [
        ("gateway", "GET /health"),
        ("api key", "GET /v1/models with the key"),
        ("model", "one token"),
    ]
    assert told[-1] == ("large requests", "a request of 1 MB")


def test_a_certificate_that_cannot_be_verified_is_no_connection() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with serving(Service, tls=context) as port:
        health = Asker(f"https://127.0.0.1:{port}", KEY, 1, time.monotonic() + 60).health()
    assert not health.connected
    assert "CERTIFICATE_VERIFY_FAILED" in health.failure
