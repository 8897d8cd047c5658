"""`hub home waker`: an always-on device that sends home's magic packet when it is asked."""

from __future__ import annotations

import json
import runpy
import socket
import subprocess
import sys
from collections.abc import Callable
from http.server import HTTPServer

import pytest
from typer.testing import CliRunner

from hub.cli import app
from hub.home.machine import FILES
from hub.home.waker import PROGRAM, UNIT
from tests.support.home_server import Server, namespaces_work, server

__all__ = ["server"]

MAC = "04:42:1a:00:00:01"
ADDRESS = "100.101.102.103"
Run = Callable[..., str]
IN_A_NETWORK_OF_ITS_OWN = """
import http.client, json, socket, subprocess, sys, time
for line in ("ip link set lo up", "ip link add left type veth peer name right",
             "ip addr add 10.1.1.1/24 dev left", "ip link set left up", "ip link set right up",
             "ip link add idle type veth peer name tailscale0", "ip link set idle up",
             "ip addr add 100.64.0.1/10 dev tailscale0", "ip link set tailscale0 up"):
    subprocess.run(line.split(), check=True)
program, mac = sys.argv[1:]
command = [sys.executable, program, "127.0.0.1", "7390", mac]
waker = subprocess.Popen(command, stderr=subprocess.DEVNULL)
adapter = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
adapter.bind(("right", 0))
def ask(method, path):
    for _ in range(500):
        try:
            asked = http.client.HTTPConnection("127.0.0.1", 7390, timeout=5)
            asked.request(method, path)
            answer = asked.getresponse()
            return answer.status, answer.read().decode()
        except ConnectionRefusedError:
            time.sleep(0.02)
refused = [ask("GET", "/wake")[0], ask("POST", "/")[0]]
packet = bytes.fromhex("ff" * 6 + mac.replace(":", "") * 16)
adapter.settimeout(0.2)
frames = []
def listen():
    try:
        while True:
            frame, (_, _, kind, *_) = adapter.recvfrom(65535)
            frames.append(packet in frame and kind != socket.PACKET_OUTGOING)
    except TimeoutError:
        return
listen()
early = any(frames)
status, said = ask("POST", "/wake")
listen()
waker.kill()
waker.wait()
print(json.dumps({"refused": refused, "early": early, "status": status,
                  "sentOn": sorted(json.loads(said)["sentOn"]), "packets": sum(frames)}))
"""


@pytest.fixture
def hub(server: Server, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command line, whose device is the folder, a member of the tailnet."""
    tailscale = server.root / "usr/local/bin/tailscale"
    tailscale.write_text(f"#!/bin/sh\n[ \"$*\" = 'ip -4' ] && echo {ADDRESS}\n")
    tailscale.chmod(0o755)

    server.stands_for_each_host(monkeypatch)

    def run(*arguments: str, exit_code: int = 0) -> str:
        done = CliRunner().invoke(app, ["home", "waker", *arguments])
        assert done.exit_code == exit_code, done.output
        return " ".join(done.output.split())

    return run


def test_the_device_gets_the_program_and_a_service_that_starts_at_each_boot(
    hub: Run, server: Server
) -> None:
    shown = hub("--mac", MAC.upper(), "--yes")
    assert f"wake: {{through: {ADDRESS}}}" in shown
    assert f"hub policy --waker {ADDRESS}" in shown
    program = (FILES / "waker/usr/local/lib/home-waker.py").read_text()
    assert (server.root / PROGRAM.path.lstrip("/")).read_text() == program
    started = f"/usr/bin/python3 /usr/local/lib/home-waker.py {ADDRESS} 7390 {MAC}"
    assert f"ExecStart={started}\n" in (server.root / UNIT.path.lstrip("/")).read_text()
    assert server.changes() == [
        "systemctl daemon-reload",
        "systemctl enable home-waker.service",
        "systemctl restart home-waker.service",
    ]


def test_twice_is_the_same_as_once_and_removing_leaves_nothing(hub: Run, server: Server) -> None:
    files = (server.root / PROGRAM.path.lstrip("/"), server.root / UNIT.path.lstrip("/"))
    hub("--mac", MAC, "--yes")
    once = server.tree()
    hub("--mac", MAC, "--yes")
    assert server.tree() == once
    hub("--yes", "--remove")
    assert not any(file.exists() for file in files)
    assert "home-waker" not in " ".join(server.tree())


def test_without_a_yes_nothing_is_changed(hub: Run, server: Server) -> None:
    before = server.tree()
    assert "Write /usr/local/lib/home-waker.py" in hub("--mac", MAC, exit_code=1)
    assert server.tree() == before


def test_what_is_no_mac_address_is_refused(hub: Run) -> None:
    assert "--mac wants an address like 04:42:1a:00:00:01" in hub(
        "--mac", "04-42", "--yes", exit_code=1
    )
    assert "not nothing" in hub("--yes", exit_code=1)


def test_a_device_outside_the_tailnet_is_refused_with_what_to_do(hub: Run, server: Server) -> None:
    (server.root / "usr/local/bin/tailscale").unlink()
    said = hub("--mac", MAC, "--yes", exit_code=1)
    assert "not in the tailnet: `tailscale up` there first" in said


def test_the_program_sends_the_packet_when_it_is_asked_and_only_then() -> None:
    if not namespaces_work():
        pytest.skip("needs user namespaces")
    program = FILES / "waker/usr/local/lib/home-waker.py"
    inside = ("unshare", "--user", "--map-root-user", "--net", sys.executable)
    done = subprocess.run(
        [*inside, "-c", IN_A_NETWORK_OF_ITS_OWN, str(program), MAC],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert json.loads(done.stdout) == {
        "refused": [501, 404],
        "early": False,
        "status": 200,
        "sentOn": ["idle", "left", "right"],
        "packets": 1,
    }


def test_a_client_that_is_silent_holds_the_others_up_for_five_seconds_at_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    program = FILES / "waker/usr/local/lib/home-waker.py"
    monkeypatch.setattr(sys, "argv", [str(program), "127.0.0.1", "0", MAC])
    handler = runpy.run_path(str(program))["Waker"]
    assert handler.timeout == 5
    monkeypatch.setattr(handler, "timeout", 0.1)
    with (
        HTTPServer(("127.0.0.1", 0), handler) as waker,
        socket.create_connection(("127.0.0.1", waker.server_port)) as silent,
    ):
        waker.handle_request()
        assert silent.recv(1) == b"", "it was hung up"
