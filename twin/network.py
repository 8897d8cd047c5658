"""Three ends with a network each: the Internet, the cloud, the home. The cloud has a second one.

A namespace lives as long as its *holder*, a sleeping process; entering is `nsenter` by the
holder's pid. Nothing is registered anywhere, so when the holders are gone so is the network.

    inet 10.99.0.2 (bridge, headscale, DERP) ─┬ cloud      10.99.0.3 (Cloud Run)
                                              ├ cloud-next 10.99.0.5 (a new revision's instance)
                                              └ home       10.99.0.4 (K3s, GPU; to pods 10.42.0.1)

As an ordinary user all live in one unprivileged user namespace. Where neither is allowed, or no
sandbox for a container (in most containers), the network is *flat*: all ends are 127.0.0.1, nothing
keeps them apart, and network faults cannot be made.
"""

from __future__ import annotations

import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import psutil

from twin.containers.sandbox import TRIAL
from twin.errors import TwinError
from twin.parts.part import Part
from twin.settings import Mode, TwinSettings

End = Literal["inet", "cloud", "home", "cloud-next"]
ENDS: tuple[End, ...] = ("inet", "cloud", "home", "cloud-next")
ADDRESSES: Mapping[End, str] = {
    "inet": "10.99.0.2",
    "cloud": "10.99.0.3",
    "home": "10.99.0.4",
    "cloud-next": "10.99.0.5",
}

NODE_ADDRESS = "10.42.0.1"
"""Home's end of its pods' network, as K3s has it: another LAN address leaves it as it is."""

HOLDER_SECONDS = 10
FLAT_TRAEFIK_PORT = 18081
"""Port 80 may be another's on a flat network; home's tailscaled forwards its port 80 here."""
_TRY = "ip link add br0 type bridge && ip link add left type veth peer name right && " + shlex.join(
    TRIAL
)
_USER = ("unshare", "--user", "--map-root-user")


@dataclass(frozen=True)
class Network:
    """How to run something at an end, and what that end is called."""

    mode: Mode
    holders: Mapping[End, int]

    def at(self, end: End, *argv: str) -> tuple[str, ...]:
        """The command line that runs ``argv`` at ``end``."""
        if self.mode == "flat":
            return argv
        user = ("--user", "--preserve-credentials") if self.mode == "user-namespaces" else ()
        holder = f"--target={self.holders[end]}"
        return ("nsenter", holder, *user, "--net", "--", *argv)

    def address(self, end: End) -> str:
        return "127.0.0.1" if self.mode == "flat" else ADDRESSES[end]

    def accepts(self, end: End, port: int, host: str = "127.0.0.1") -> bool:
        """Whether something at ``end`` accepts TCP connections to ``host:port``."""
        code = f"import socket; socket.create_connection(({host!r}, {port}), 2)"
        return _succeeds(*self.at(end, sys.executable, "-S", "-c", code))


def choose_mode(settings: TwinSettings) -> Mode:
    """The most faithful network this machine allows, or the one that was asked for."""
    if settings.network != "auto":
        return settings.network
    if _succeeds("unshare", "--net", "sh", "-c", _TRY):
        return "namespaces"
    if _succeeds(*_USER, "--net", "sh", "-c", _TRY):
        return "user-namespaces"
    return "flat"


def holder(end: End, mode: Mode, holders: Mapping[End, int]) -> Part:
    """The part that keeps one end's namespace alive."""
    enter: tuple[str, ...] = ("unshare", "--net")
    if mode == "user-namespaces":
        first = holders.get("inet")
        enter = (
            (*_USER, "--net")
            if first is None
            else ("nsenter", f"--target={first}", "--user", "--preserve-credentials", *enter)
        )
    return Part(name=f"net-{end}", argv=(*enter, "sleep", "infinity"), is_ready=lambda: True)


def await_holder(pid: int) -> None:
    """Return once the holder sleeps inside its namespace.

    Raises:
        TwinError: it did not within ten seconds; a holder only has to start.
    """
    process, begun = psutil.Process(pid), time.monotonic()
    while process.name() != "sleep":
        if time.monotonic() - begun > HOLDER_SECONDS:
            raise TwinError(
                f"A network namespace was not made in {HOLDER_SECONDS} s; `hub logs` names the "
                "logs of the parts net-inet, net-cloud, net-home and net-cloud-next."
            )
        time.sleep(0.02)


def node_address(network: Network) -> str:
    """The address that home's pods are reached at.

    Kubernetes refuses loopback addresses as endpoints, so a flat network uses the machine's own.
    Connecting a datagram socket sends nothing; it only asks the kernel for the source address.
    """
    if network.mode != "flat":
        return NODE_ADDRESS
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # TEST-NET-1, RFC 5737
        return str(probe.getsockname()[0])


def connect(network: Network) -> None:
    """Give the namespaces addresses and join them by a bridge; harmless when done before."""
    if network.mode == "flat":
        return
    run(network, "home", [f"ip addr replace {NODE_ADDRESS}/32 dev lo"])
    if _succeeds(*network.at("inet", "ip", "link", "show", "br0")):
        return
    inet = ["ip link set lo up", "ip link add br0 type bridge", "ip link set br0 up"]
    inet += [f"ip addr add {ADDRESSES['inet']}/24 dev br0"]
    for end in ENDS[1:]:
        inet += [
            f"ip link add to-{end} type veth peer name eth0 netns {network.holders[end]}",
            f"ip link set to-{end} master br0 up",
        ]
    run(network, "inet", inet)
    for end in ENDS[1:]:
        address = f"ip addr add {ADDRESSES[end]}/24 dev eth0"
        run(network, end, ["ip link set lo up", address, "ip link set eth0 up"])


def run(network: Network, end: End, commands: Sequence[str]) -> None:
    """Run shell commands at an end, one after the other, until one fails.

    Raises:
        CalledProcessError: one did.
    """
    script = " && ".join(commands)
    subprocess.run(network.at(end, "sh", "-c", script), check=True, capture_output=True)


def _succeeds(*argv: str) -> bool:
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0
