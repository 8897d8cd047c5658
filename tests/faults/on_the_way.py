"""Faults of the networks between the gateway and home."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager

from tests.faults.injection import frozen
from tests.support.waiting import until
from tests.twin.conftest import HubUnderTest
from twin.network import End, run

CLOUD: tuple[End, ...] = ("cloud", "cloud-next")


@contextmanager
def cable_pulled(hub: HubUnderTest) -> Generator[None]:
    """Home has no line any more; the tailnet goes on for minutes saying that it is online."""
    network = hub.network
    run(network, "inet", ["ip link set to-home down"])
    try:
        yield
    finally:
        run(network, "inet", ["ip link set to-home up"])


@contextmanager
def far_and_lossy(hub: HubUnderTest) -> Generator[None]:
    """Home is 300 ms away, and one frame in twenty is lost, in each direction."""
    network, ends = hub.network, ("switch", "cable")
    argv = (sys.executable, "-m", "bench.round_trip.line", *ends, "150", "0.05")
    line = subprocess.Popen(network.at("inet", *argv))
    try:
        for end in ends:
            until(lambda end=end: _has(network.at("inet", "ip", "link", "show", end)))
        switch, cable = ends
        bridge = ["ip link add br1 type bridge", "ip link set br1 up"]
        ends_up = [f"ip link set {switch} master br0 up", f"ip link set {cable} master br1 up"]
        run(network, "inet", [*bridge, *ends_up, "ip link set to-home master br1"])
        yield
    finally:
        run(network, "inet", ["ip link set to-home master br0", "ip link del br1"])
        line.terminate()
        line.wait()


def _has(shown: Sequence[str]) -> bool:
    return subprocess.run(shown, capture_output=True, check=False).returncode == 0


@contextmanager
def no_way_at_all(hub: HubUnderTest) -> Generator[None]:
    """The cloud lets no datagram out, and the relay does nothing."""
    with udp_cannot_be_sent(hub), frozen("derper")(hub):
        yield


@contextmanager
def small_packets_only(hub: HubUnderTest) -> Generator[None]:
    """The path to home carries packets up to 1000 bytes, and says nothing of larger ones.

    The default setting's largest have 1084: 1024, and WireGuard's 60.
    """
    network = hub.network

    def limit(bytes_: int, segments: int) -> None:
        # A bridge lets packets through that are still to be cut into segments, however long.
        for end in CLOUD:
            line = network.at(end, "ip", "link", "set", "eth0", "gso_max_segs", str(segments))
            subprocess.run(line, check=True)
        line = network.at("inet", "ip", "link", "set", "to-home", "mtu", str(bytes_))
        subprocess.run(line, check=True)

    limit(1000, 1)
    try:
        yield
    finally:
        limit(1500, 65535)


@contextmanager
def udp_cannot_be_sent(hub: HubUnderTest) -> Generator[None]:
    """The gateway's side refuses every datagram; TCP, and so the relay, works."""
    network = hub.network

    def rule(verb: str) -> None:
        for end in CLOUD:
            line = ("ip", "rule", verb, "pref", "10", "ipproto", "udp", "prohibit")
            subprocess.run(network.at(end, *line), check=True)

    rule("add")
    try:
        yield
    finally:
        rule("del")
