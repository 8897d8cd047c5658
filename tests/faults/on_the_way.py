"""Faults of the networks between the gateway and home."""

from __future__ import annotations

import subprocess
from collections.abc import Generator
from contextlib import contextmanager

from bench.round_trip import cable
from tests.faults.injection import frozen
from tests.support.waiting import until
from tests.twin.conftest import HubUnderTest
from tests.twin.home_machine import HomeMachine
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
def home_moved(hub: HubUnderTest) -> Generator[None]:
    """Its router has given home another address."""
    with HomeMachine(hub).another_address():
        yield


@contextmanager
def far_and_lossy(hub: HubUnderTest) -> Generator[None]:
    """Home is 300 ms away, and one frame in twenty is lost, in each direction."""
    network = hub.network
    line = subprocess.Popen(cable.line(network, 150, lost=0.05))
    try:
        until(lambda: cable.is_there(network))
        with cable.laid(network):
            yield
    finally:
        line.terminate()
        line.wait()


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
