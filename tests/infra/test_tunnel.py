"""The loop that tells the access log how requests cross, beside a stand-in for tailscaled."""

from __future__ import annotations

import os
import select
import subprocess
from collections.abc import Generator
from pathlib import Path

import pytest

from infra.gcp.tunnel import FILE_ENV, TAILSCALE_PORT, WATCH
from tests.support.http_server import Handler, serving
from tests.support.shellcheck import findings
from tests.support.waiting import SECONDS, until

NAME = "tailscaled_outbound_packets_total"


class Tunnel:
    """What tailscaled has counted, and what the loop makes of it."""

    def __init__(self, file: Path) -> None:
        self.sent = {"derp": 0, "direct_ipv4": 0, "direct_ipv6": 0, "peer_relay_ipv4": 0}
        self.looks = 0
        self._file = file

    def metrics(self) -> bytes:
        """As tailscaled 1.102.3 writes them, with one that does not count."""
        self.looks += 1
        counts = [f'{NAME}{{path="{path}"}} {count}\n' for path, count in self.sent.items()]
        other = 'tailscaled_outbound_bytes_total{path="derp"} 9000000\n'
        return f"# TYPE {NAME} counter\n{''.join(counts)}{other}".encode()

    def kind(self) -> str:
        """After the loop has looked twice more: once it may have been under way already."""
        before = self.looks
        until(lambda: self.looks >= before + 3)
        return self._file.read_text()


@pytest.fixture
def tunnel(tmp_path: Path) -> Generator[Tunnel]:
    it = Tunnel(tmp_path / "tunnel")

    class Tailscaled(Handler):
        def do_GET(self) -> None:  # noqa: N802
            self.whole(200 if self.path == "/metrics" else 404, it.metrics())

    with serving(Tailscaled) as port:
        loop = WATCH.replace(f":{TAILSCALE_PORT}/", f":{port}/").replace("sleep 1", "sleep 0.01")
        env = {**os.environ, FILE_ENV: str(tmp_path / "tunnel")}
        command = ["/bin/sh", "-c", f"{loop}exec sleep infinity"]
        held, holds = os.pipe()
        with subprocess.Popen(command, env=env, pass_fds=[holds]) as caddy:
            os.close(holds)
            yield it
            caddy.kill()
        # The loop, too, looks whether the process beside it is there; then nobody holds the pipe.
        assert select.select([held], [], [], SECONDS)[0]
        os.close(held)


def test_before_the_first_packet_it_is_not_known(tunnel: Tunnel) -> None:
    assert tunnel.kind() == ""


@pytest.mark.parametrize("path", ["direct_ipv4", "direct_ipv6"])
def test_packets_to_homes_own_address_are_direct(tunnel: Tunnel, path: str) -> None:
    tunnel.sent[path] += 1
    assert tunnel.kind() == "direct\n"


@pytest.mark.parametrize("path", ["derp", "peer_relay_ipv4"])
def test_packets_to_somebody_in_between_are_relayed(tunnel: Tunnel, path: str) -> None:
    tunnel.sent[path] += 1
    assert tunnel.kind() == "relayed\n"


def test_the_last_packets_decide_and_silence_changes_nothing(tunnel: Tunnel) -> None:
    tunnel.sent["derp"] += 3_000_000_000
    assert tunnel.kind() == "relayed\n"
    tunnel.sent["direct_ipv4"] += 1
    assert tunnel.kind() == "direct\n"
    assert tunnel.kind() == "direct\n"
    tunnel.sent["derp"] += 2
    tunnel.sent["direct_ipv4"] += 1
    assert tunnel.kind() == "relayed\n"


def test_shellcheck_finds_nothing_in_it() -> None:
    assert findings(WATCH, "sh") == ""
