"""What the tailnet's policy keeps from the gateway, asked from the gateway's own place."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace

import httpx2
import pytest

from infra.gcp.crossing import SOCKS_PORT
from tests.support.waiting import until
from tests.twin.conftest import HubUnderTest
from tests.twin.test_cold_start import service
from twin.network import End, Network

pytestmark = pytest.mark.twin

HOME = "100.64.0.1"
"""Its tailnet address, the first that headscale gives."""
CLOSED = (22, 6443, 8000, 10250)
LISTEN = """
import selectors, socket, sys
selector = selectors.DefaultSelector()
for port in map(int, sys.argv[2:]):
    selector.register(socket.create_server((sys.argv[1], port)), selectors.EVENT_READ)
print("listening", flush=True)
while True:
    for key, _ in selector.select():
        key.fileobj.accept()
"""
DIAL = """
import json, socket, struct, sys, threading
proxy, ports, codes = int(sys.argv[1]), [int(p) for p in sys.argv[2:]], {}
def dial(port):
    with socket.create_connection(("127.0.0.1", proxy), 20) as s:
        s.sendall(bytes([5, 1, 0])); s.recv(2)
        s.sendall(bytes([5, 1, 0, 3, 4]) + b"home" + struct.pack(">H", port))
        codes[port] = s.recv(10)[1]
threads = [threading.Thread(target=dial, args=(port,)) for port in ports]
[t.start() for t in threads]; [t.join() for t in threads]
print(json.dumps(codes))
"""
"""A SOCKS5 CONNECT to each port of the host ``home``; 0 is success (RFC 1928)."""


@pytest.fixture
def network(hub: HubUnderTest) -> Network:
    if hub.network.mode == "flat":
        pytest.skip("a flat network keeps nothing apart")
    return hub.network


def run(network: Network, end: End, code: str, *arguments: int) -> str:
    line = network.at(end, sys.executable, "-S", "-c", code, *map(str, arguments))
    return subprocess.run(line, capture_output=True, text=True, check=True, timeout=60).stdout


@contextmanager
def listening(network: Network) -> Generator[None]:
    line = network.at("home", sys.executable, "-S", "-c", LISTEN, HOME, *map(str, CLOSED))
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as listener:
        try:
            assert listener.stdout is not None
            assert listener.stdout.readline() == "listening\n"
            yield
        finally:
            listener.kill()


def test_the_gateway_reaches_homes_port_80_and_no_other(
    hub: HubUnderTest, network: Network
) -> None:
    until(lambda: httpx2.get(f"{hub.gateway}/health", timeout=60).status_code == 200)
    caddy = service(hub)["instances"][0]["containers"][0]["pid"]
    in_the_gateway = replace(network, holders={**network.holders, "cloud": caddy})
    with listening(network):
        for port in CLOSED:
            assert network.accepts("home", port, HOME), f"nobody listens at {port}"
        codes = json.loads(run(in_the_gateway, "cloud", DIAL, SOCKS_PORT, 80, *CLOSED))
    assert codes.pop("80") == 0
    assert len(codes) == len(CLOSED)
    assert 0 not in codes.values(), f"the gateway reached {codes}"
