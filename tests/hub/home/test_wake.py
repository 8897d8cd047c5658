"""`hub home wake`: who sends the packet, and what is said when nobody does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hub.cli import app
from hub.home import commands
from tests.support.http_server import Handler, serving
from tests.support.ports import free_port

MAC = "04:42:1a:00:00:01"


@dataclass
class Pi:
    """The always-on device's PeerAPI, as Tailscale's feature/wakeonlan answers."""

    port: int = 0
    status: int = 200
    answer: Any = field(default_factory=lambda: {"SentTo": ["eth0"], "Errors": None})
    asked: list[str] = field(default_factory=list[str])


@pytest.fixture
def pi() -> Iterator[Pi]:
    device = Pi()

    class PeerApi(Handler):
        def do_POST(self) -> None:  # noqa: N802
            device.asked.append(self.path)
            self.whole(device.status, json.dumps(device.answer).encode())

    with serving(PeerApi) as device.port:
        yield device


@pytest.fixture
def tailnet(pi: Pi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a `tailscale` that answers from the files beside it."""
    url = f"http://127.0.0.1:{pi.port}"
    peers: dict[str, dict[str, Any]] = {
        "1": {"DNSName": "pi.tail1234.ts.net.", "Online": True, "PeerAPIURL": [url]},
        "2": {"DNSName": "nas.tail1234.ts.net.", "Online": False, "PeerAPIURL": [url]},
        "3": {"DNSName": "home.tail1234.ts.net.", "Online": True, "PeerAPIURL": [url]},
    }
    (tmp_path / "status").write_text(json.dumps({"BackendState": "Running", "Peer": peers}))
    program = tmp_path / "tailscale"
    program.write_text(
        f"#!/bin/sh\nif [ $1 = status ]; then cat {tmp_path}/status; "
        f"else echo . >>{tmp_path}/pings; [ $(wc -l <{tmp_path}/pings) -gt 1 ]; fi\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


def wake(through: str = "pi", exit_code: int = 0) -> str:
    done = CliRunner().invoke(app, ["home", "wake", "--through", through, "--mac", MAC])
    assert done.exit_code == exit_code, done.output
    return " ".join(done.output.split())


def test_the_device_sends_the_packet_and_home_is_awaited(pi: Pi, tailnet: Path) -> None:
    shown = wake()
    assert pi.asked == ["/v0/wol?mac=04%3A42%3A1a%3A00%3A00%3A01"]
    assert "pi has sent the packet on eth0." in shown
    assert "Home is awake" in shown
    assert (tailnet / "pings").read_text() == ".\n.\n", "the first ping was not answered"
    assert f"hub home waker --host USER@pi --mac {MAC}" in shown


def test_a_home_that_does_not_wake_is_told_with_what_to_look_at(
    pi: Pi, tailnet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "WAKE_SECONDS", 0)
    assert "Home did not answer over the tailnet" in wake(exit_code=1)


def test_a_device_of_somebody_else_is_told(pi: Pi, tailnet: Path) -> None:
    pi.status = 403
    assert "pi wakes devices for its own owner only" in wake(exit_code=1)


def test_a_tailscale_that_cannot_wake_others_is_told(pi: Pi, tailnet: Path) -> None:
    pi.status, pi.answer = 404, "unsupported peerapi path"
    assert "The Tailscale of pi cannot wake others; update it." in wake(exit_code=1)


def test_a_mac_that_is_none_is_told_in_the_devices_words(pi: Pi, tailnet: Path) -> None:
    pi.status, pi.answer = 400, "bad 'mac' param"
    shown = wake(exit_code=1)
    assert "pi refused to send it (400: \"bad 'mac' param\"). Is the MAC the one that" in shown


def test_a_packet_that_could_not_be_sent_is_told(pi: Pi, tailnet: Path) -> None:
    pi.answer = {"SentTo": None, "Errors": ["network is unreachable"]}
    shown = wake(exit_code=1)
    assert "pi could not send it (network is unreachable). See whether it is connected" in shown


def test_an_unknown_device_is_answered_with_those_that_are_online(tailnet: Path) -> None:
    shown = wake("pie", exit_code=1)
    assert "No device of the tailnet is called pie; online are: home, pi." in shown


def test_a_device_that_is_not_online_cannot_wake(tailnet: Path) -> None:
    shown = wake("nas", exit_code=1)
    assert "nas is not online, so it cannot wake home. Switch it on, or ask through" in shown


def test_a_device_that_does_not_answer_is_told(tailnet: Path) -> None:
    status = json.loads((tailnet / "status").read_text())
    status["Peer"]["1"]["PeerAPIURL"] = [f"http://127.0.0.1:{free_port()}"]
    (tailnet / "status").write_text(json.dumps(status))
    shown = wake(exit_code=1)
    assert "pi does not answer over the tailnet (" in shown
    assert "See whether `tailscale ping pi` is answered" in shown


def test_a_computer_outside_the_tailnet_is_told(tailnet: Path) -> None:
    (tailnet / "status").write_text('{"BackendState": "Stopped"}')
    assert "This computer is not in the tailnet: `tailscale up`." in wake(exit_code=1)


def test_a_computer_without_tailscale_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "Tailscale is not installed on this computer" in wake(exit_code=1)
