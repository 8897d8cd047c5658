"""The questions of a client, against a service on loopback."""

from __future__ import annotations

import json
import time
from collections.abc import Generator

import pytest

from doctor.asking import Asker
from tests.support.http_server import Handler, serving
from tests.support.ports import free_port

KEY = "k" * 43


class Service(Handler):
    """As the whole path answers when nothing is wrong."""

    lost_above = 10**9
    sizes: list[int] = []  # noqa: RUF012  # of one test
    authorized: list[bool] = []  # noqa: RUF012

    def do_GET(self) -> None:  # noqa: N802  # the name that the server calls
        self.authorized.append(self.headers["Authorization"] == f"Bearer {KEY}")
        self.whole(200, b"{}", {"X-Request-Id": "1"})

    def do_POST(self) -> None:  # noqa: N802  # the name that the server calls
        body = self.body()
        self.sizes.append(len(body))
        if len(body) > self.lost_above:
            self.close_connection = True
            return
        if json.loads(body)["model"] == "vlm":
            self.whole(200, b"{}", {"X-Request-Id": "1"})
        else:
            error = {"error": {"message": "no such model", "code": 404}}
            self.whole(404, json.dumps(error).encode(), {"X-Request-Id": "1"})


@pytest.fixture
def url() -> Generator[str]:
    Service.sizes, Service.authorized, Service.lost_above = [], [], 10**9
    with serving(Service) as port:
        yield f"http://127.0.0.1:{port}"


def test_bodies_grow_to_the_largest_that_is_allowed_and_the_key_goes_with_all_but_health(
    url: str,
) -> None:
    asked = Asker(url, KEY, 20, time.monotonic() + 60).all()
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


def test_after_a_body_that_is_lost_no_larger_one_is_sent(url: str) -> None:
    Service.lost_above = 10_000
    asked = Asker(url, KEY, 20, time.monotonic() + 60).all()
    assert [body.status for body in asked.bodies] == [404, 404, None]


def test_no_body_is_sent_after_the_deadline(url: str) -> None:
    asked = Asker(url, KEY, 20, time.monotonic() - 1).all()
    assert asked.bodies == ()


def test_where_nobody_listens_there_is_one_question_and_its_failure() -> None:
    asked = Asker(f"http://127.0.0.1:{free_port()}", KEY, 20, time.monotonic() + 60).all()
    assert not asked.health.connected
    assert "refused" in asked.health.failure
    assert asked.models is None
