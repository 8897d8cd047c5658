"""The moment after a start: the rendered Caddyfile in a real Caddy, before a tunnel that comes up.

Every scale from zero has this moment: Cloud Run hands over the first request when the gateway has
joined the tailnet, and the tunnel carries its first packet only some seconds later.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from pydantic import ValidationError

from app.client.request import Timeouts
from infra.config import Cloud
from infra.gcp.caddyfile import HEALTH_FAILS
from infra.gcp.errors import RETRY_AFTER_SECONDS
from tests.support.gateway import chat_headers, line_of, running_gateway
from tests.support.home import Home, home_handler
from tests.support.http_server import serving
from tests.support.socks import DIAL_SECONDS, Tunnel, socks_tunnel
from tests.support.waiting import until

HOLD_SECONDS = 6
FIVE_MB = b'{"image": "' + b"x" * 5_000_000 + b'"}'
STREAMED = b'{"stream": true}'


@dataclass(frozen=True)
class ColdGateway:
    url: str
    home: Home
    tunnel: Tunnel

    def post(self, body: bytes) -> httpx2.Response:
        url = f"{self.url}/v1/chat/completions"
        return httpx2.post(url, headers=chat_headers("laptop"), content=body, timeout=30)


@contextmanager
def cold_gateway(
    folder: Path, *, hold_seconds: int = HOLD_SECONDS, dial_seconds: float = DIAL_SECONDS
) -> Generator[ColdGateway]:
    """A gateway that has just started; its tunnel does not carry anything yet."""
    home = Home()
    home.release.set()
    with (
        serving(home_handler(home)) as port,
        socks_tunnel(port, dial_seconds) as tunnel,
        running_gateway(
            folder, socks_port=tunnel.port, body_mb=20, hold_seconds=hold_seconds
        ) as url,
    ):
        yield ColdGateway(url, home, tunnel)


def test_the_first_requests_are_held_until_the_tunnel_carries_and_all_are_answered(
    tmp_path: Path,
) -> None:
    bodies = [b"{}", STREAMED, FIVE_MB, FIVE_MB, b"{}", STREAMED, FIVE_MB, b"{}"]
    with (
        cold_gateway(tmp_path, hold_seconds=20, dial_seconds=0.5) as gateway,
        ThreadPoolExecutor(8) as clients,
    ):
        asked = [clients.submit(gateway.post, body) for body in bodies]
        # Only health checks dial besides, once a second: each request has dialled more than once.
        until(lambda: gateway.tunnel.refusals >= 3 * len(bodies))
        assert [a.done() for a in asked] == [False] * 8
        gateway.tunnel.is_up.set()
        answers = [a.result() for a in asked]
        assert [a.status_code for a in answers] == [200] * 8
        assert answers[1].content == b"data: one\n\ndata: two\n\n"
        sizes = sorted(int(r["Content-Length"]) for r in gateway.home.received)
        assert sizes == sorted(len(body) for body in bodies), "each arrived once, and whole"


def test_home_off_is_said_in_time_then_at_once_and_is_over_by_the_next_try(
    tmp_path: Path,
) -> None:
    with cold_gateway(tmp_path) as gateway:
        begun = time.monotonic()
        first = gateway.post(b"{}")
        # The bounds are promises to the user (15 s with the start), not speeds.
        assert time.monotonic() - begun < 11
        assert first.status_code == 503
        assert first.headers["retry-after"] == str(RETRY_AFTER_SECONDS)
        second = gateway.post(FIVE_MB)
        assert second.status_code == 503
        # By the gateway's clock: a client that is busy itself sends 5 MB slowly.
        line = line_of(tmp_path / "log", second)
        assert line["ts"] - int(line["arrived_ms"]) / 1000 < 2
        dials = gateway.tunnel.dials
        assert gateway.post(b"{}").status_code == 503
        assert gateway.tunnel.dials - dials <= 3, "only health checks still dial"

        # Home comes back; a client that does what it was told is served.
        gateway.tunnel.is_up.set()
        time.sleep(RETRY_AFTER_SECONDS)
        assert gateway.post(b"{}").status_code == 200


def test_the_client_waits_long_enough_for_three_tries_as_the_gateway_asks() -> None:
    assert Timeouts().patience >= 3 * RETRY_AFTER_SECONDS


def test_fewer_lost_health_checks_than_the_threshold_refuse_nobody(tmp_path: Path) -> None:
    with cold_gateway(tmp_path) as gateway:
        gateway.tunnel.is_up.set()
        assert gateway.post(b"{}").status_code == 200
        gateway.home.lose_health_checks = HEALTH_FAILS - 1
        deadline = time.monotonic() + 20
        while gateway.home.lose_health_checks:
            assert time.monotonic() < deadline
            assert gateway.post(b"{}").status_code == 200


def test_a_hold_that_would_pass_the_services_time_out_is_refused() -> None:
    assert Cloud(project="my-project", timeout_seconds=30, hold_seconds=25).hold_seconds == 25
    with pytest.raises(ValidationError, match=r"holdSeconds 26 is too long.*write 25 or less"):
        Cloud(project="my-project", timeout_seconds=30, hold_seconds=26)
