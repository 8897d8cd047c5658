"""What a pod can reach: places that all answer, asked from inside it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager

from tests.support.waiting import until
from tests.twin.conftest import HubUnderTest
from twin.network import ADDRESSES, End

PORT = 8899
PUBLIC = "203.0.113.7"
"""Of TEST-NET-3 (RFC 5737), so nobody's."""
METADATA = "169.254.169.254"
TAILNET = "100.64.0.99"
PLACES: Mapping[str, tuple[str, int]] = {
    "a public address by HTTPS": (PUBLIC, 443),
    "a public address by HTTP": (PUBLIC, 80),
    "another machine of the LAN": (ADDRESSES["inet"], PORT),
    "another machine of the LAN by HTTPS": (ADDRESSES["inet"], 443),
    "home's own LAN address": (ADDRESSES["home"], PORT),
    "home's kubelet": (ADDRESSES["home"], 10250),
    "the metadata address": (METADATA, PORT),
    "a machine of the tailnet": (TAILNET, PORT),
}
_LISTEN = """
import asyncio, sys
async def main():
    for port in sys.argv[1:]:
        await asyncio.start_server(lambda _, writer: writer.close(), "0.0.0.0", int(port))
    await asyncio.Event().wait()
asyncio.run(main())
"""
_CONNECT = """
import concurrent.futures, json, socket, sys
def reached(place):
    host, _, port = place.rpartition(":")
    try:
        socket.create_connection((host, int(port)), 2).close()
    except OSError:
        return False
    return True
with concurrent.futures.ThreadPoolExecutor(20) as pool:
    print(json.dumps(dict(zip(sys.argv[1:], pool.map(reached, sys.argv[1:])))))
"""


@contextmanager
def all_places_answer(hub: HubUnderTest) -> Generator[None]:
    """Listeners at both ends, at addresses of each kind; home forwards for its pods."""
    _run(hub, "inet", f"ip addr add {PUBLIC}/32 dev lo")
    _run(hub, "home", f"ip route add {PUBLIC}/32 via {ADDRESSES['inet']}")
    for address in (METADATA, TAILNET):
        _run(hub, "home", f"ip addr add {address}/32 dev lo")
    listening: Mapping[End, tuple[int, ...]] = {"inet": (80, 443, PORT), "home": (PORT,)}
    started = [
        subprocess.Popen(hub.network.at(end, sys.executable, "-c", _LISTEN, *map(str, ports)))
        for end, ports in listening.items()
    ]
    try:
        for end, ports in listening.items():
            for port in ports:
                until(lambda end=end, port=port: hub.network.accepts(end, port))
        yield
    finally:
        for one in started:
            one.kill()
            one.wait()


def reached(
    hub: HubUnderTest, namespace: str, pod: str, places: Iterable[tuple[str, int]]
) -> list[bool]:
    """Whether each place accepts a connection from inside the pod, in their order."""
    asked = [f"{host}:{port}" for host, port in places]
    line = ["kubectl", "exec", "-n", namespace, pod, "--", "python3", "-c", _CONNECT, *asked]
    done = subprocess.run(line, env=hub.shell_env, capture_output=True, text=True, check=True)
    said: dict[str, bool] = json.loads(done.stdout)
    return [said[one] for one in asked]


def _run(hub: HubUnderTest, end: End, line: str) -> None:
    subprocess.run(hub.network.at(end, *line.split()), check=True)
