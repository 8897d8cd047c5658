"""The rendered Caddyfile, a real Traefik, and a home that answers at once: nothing is cut.

Both proxies are Go's, and Go's cut such answers on connections that are kept (decision 11): without
what the Caddyfile does against it, 117 of 3,600 questions broke off on a busy machine.
"""

from __future__ import annotations

import http.client
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from tests.support.gateway import running_gateway
from tests.support.http_server import Handler, serving
from tests.support.ports import free_port
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


@contextmanager
def program(name: str, *arguments: str) -> Generator[None]:
    found = shutil.which(name) or str(Path(sys.executable).parent / name)
    with subprocess.Popen(
        [found, *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as run:
        try:
            yield
        finally:
            run.terminate()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Generator[int]:
    """The public site's port."""
    folder = tmp_path_factory.mktemp("path")
    entry = free_port()
    with serving(AtOnce) as port:
        (folder / "routes.yaml").write_text(
            f"""
http:
  routers:
    all: {{rule: "PathPrefix(`/`)", service: home}}
    few: {{rule: "PathPrefix(`/v1/completions`)", service: home, middlewares: [few]}}
  middlewares: {{few: {{rateLimit: {{average: 1, period: 1h, burst: 1}}}}}}
  services: {{home: {{loadBalancer: {{servers: [{{url: "http://127.0.0.1:{port}"}}]}}}}}}
"""
        )
        with (
            program(
                "traefik",
                f"--entrypoints.web.address=127.0.0.1:{entry}",
                f"--providers.file.filename={folder / 'routes.yaml'}",
                "--global.checknewversion=false",
                "--global.sendanonymoususage=false",
            ),
            running_gateway(
                folder, home_port=entry, home_speaks="h2c", keys={"laptop": KEY}
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
