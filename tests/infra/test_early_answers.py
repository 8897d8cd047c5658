"""The rendered Caddyfile, a real Traefik, and a home that answers at once: nothing is cut.

Both proxies are Go's, and Go's cut such answers on connections that are kept (decision 11): without
what the Caddyfile does against it, 117 of 3,600 questions broke off on a busy machine.
"""

from __future__ import annotations

import http.client
from collections import Counter
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from tests.support.gateway import running_gateway
from tests.support.http_server import Handler, serving
from tests.support.raw_http import answers_until_closed
from tests.support.traefik import at_home, running_traefik
from tests.support.waiting import until

KEY = "a" * 43
QUESTION = b"x" * 5000


class AtOnce(Handler):
    """Begins its answer in the moment in which it has the whole question."""

    def do_POST(self) -> None:  # noqa: N802  # the name that the server calls
        self.body()
        self.begin_events()
        self.wfile.write(b"3\r\none\r\n")
        self.wfile.write(b"3\r\ntwo\r\n0\r\n\r\n")


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Generator[int]:
    """The public site's port."""
    folder = tmp_path_factory.mktemp("path")
    few = {"rule": "PathPrefix(`/v1/completions`)", "service": "home", "middlewares": ["few"]}
    with (
        serving(AtOnce) as port,
        running_traefik(
            folder,
            {
                "routers": {"all": {"rule": "PathPrefix(`/`)", "service": "home"}, "few": few},
                "middlewares": {"few": {"rateLimit": {"average": 1, "period": "1h", "burst": 1}}},
                "services": at_home(port),
            },
        ) as entry,
        running_gateway(
            folder, home_port=entry, home_speaks="h2c", keys={"laptop": KEY}, body_mb=20
        ) as url,
    ):
        public = int(url.rpartition(":")[2])
        until(lambda: ask(public, 1) == ["onetwo"])
        yield public


def ask(port: int, count: int) -> list[str]:
    """What comes back for each question; all on one connection, if it lasts."""
    got: list[str] = []
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    for _ in range(count):
        try:
            headers = {"Authorization": f"Bearer {KEY}"}
            connection.request("POST", "/v1/chat/completions", QUESTION, headers)
            got.append(connection.getresponse().read().decode())
        except (OSError, http.client.HTTPException) as error:
            got.append(type(error).__name__)
            connection.close()
    connection.close()
    return got


def test_no_answer_is_cut_however_early_it_begins(gateway: int) -> None:
    with ThreadPoolExecutor(8) as people:
        got = [one for answers in people.map(ask, [gateway] * 8, [100] * 8) for one in answers]
    assert Counter(got) == {"onetwo": 800}


def test_a_large_question_that_home_refuses_by_its_head_is_refused_in_words(gateway: int) -> None:
    headers = {"Authorization": f"Bearer {KEY}"}
    url = f"http://127.0.0.1:{gateway}/v1/completions"
    answers = [
        httpx2.post(url, headers=headers, content=b"x" * 900_000, timeout=20) for _ in range(8)
    ]
    assert Counter(a.status_code for a in answers) == {200: 1, 429: 7}
    refused = [a for a in answers if a.status_code == 429]
    assert {a.json()["error"]["code"] for a in refused} == {"rate_limit_exceeded"}
    assert {a.headers["retry-after"] for a in refused} == {"1"}


@pytest.mark.parametrize("framing", ["a length", "chunks"])
def test_what_is_left_of_a_question_that_home_refused_is_never_a_request(
    gateway: int, framing: str
) -> None:
    """Cloud Run's front may use the connection for another client afterwards."""
    hidden = f"GET /v1/models HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n\r\n"
    body = hidden * 30_000
    length = f"Content-Length: {len(body)}\r\n\r\n{body}"
    chunks = f"Transfer-Encoding: chunked\r\n\r\n{len(body):x}\r\n{body}\r\n0\r\n\r\n"
    sent = (
        "POST /v1/completions HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: Bearer {KEY}\r\n{length if framing == 'a length' else chunks}"
    )
    for _ in range(8):
        assert answers_until_closed(gateway, sent.encode()) in ([200], [429])
