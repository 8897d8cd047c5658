"""The gateway under attack: real Caddys as the program writes them, and a home that records."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.support.gateway import is_up
from tests.support.gateway import running_gateway as gateway_on_loopback
from tests.support.http_server import serving
from tests.support.recording_home import Received, recording
from tests.support.waiting import until

BODY_MB = 20


@dataclass(frozen=True)
class Gateway:
    url: str
    received: list[Received]
    """What reached home."""
    log: Path

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def process(self) -> psutil.Process:
        """Caddy's."""
        children = psutil.Process().children()
        [found] = [one for one in children if one.is_running() and _listens(one, self.port)]
        return found


def _listens(process: psutil.Process, port: int) -> bool:
    return any(
        one.status == psutil.CONN_LISTEN and one.laddr.port == port
        for one in process.net_connections("tcp")
    )


@contextmanager
def running_gateway(folder: Path) -> Generator[Gateway]:
    received: list[Received] = []
    with (
        pytest.MonkeyPatch.context() as patch,
        serving(recording(received)) as port,
        gateway_on_loopback(folder, home_port=port, body_mb=BODY_MB) as url,
    ):
        # Python's server takes 100 headers; the real ones at home do not count them.
        patch.setattr("http.client._MAXHEADERS", 10_000)
        until(lambda: is_up(url))
        received.clear()
        yield Gateway(url, received, folder / "log")


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Generator[Gateway]:
    with running_gateway(tmp_path_factory.mktemp("caddy")) as running:
        yield running
