"""Home's LAN with a machine that sleeps, and with another one that is always on."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from hub.home.machine import FILES
from infra.tailnet.policy import WAKER, policy
from tests.faults.at_the_tailnet import tailnet_policy
from tests.faults.devices import in_the_lan, joined
from tests.twin.conftest import HubUnderTest
from twin.network import ADDRESSES, Network, run

ADAPTER = """
import socket, sys
wanted = b"\\xff" * 6 + bytes.fromhex(sys.argv[1].replace(":", "")) * 16
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as line:
    line.bind(("eth0", 0))
    print("asleep", flush=True)
    while wanted not in line.recv(65535):
        pass
"""
"""A network adapter that wakes its machine: it reads frames, whoever they are for, until one holds
six bytes of ones and its own address sixteen times (AMD, "Magic Packet Technology", 1995)."""


@contextmanager
def always_on_device(hub: HubUnderTest, folder: Path) -> Generator[str]:
    """Somebody's computer in home's LAN, such as a Raspberry Pi, set up as a waker.

    Its address in the tailnet, whose policy lets the gateway ask it.
    """
    owner = hub.headscale("users", "create", "owner")
    key = hub.headscale("preauthkeys", "create", "--user", str(owner["id"]))["key"]
    with in_the_lan(hub.network) as network, joined(hub, network, "pi", key, folder) as address:
        # In userspace mode a connection to the tailnet address arrives at 127.0.0.1.
        program = ("python3", str(FILES / "waker/usr/local/lib/home-waker.py"), "127.0.0.1")
        mac = mac_of_home(hub.network)
        with (folder / "waker.log").open("w") as log:
            waker = subprocess.Popen(
                network.at("home", *program, str(WAKER), mac), stdout=log, stderr=log
            )
        try:
            with tailnet_policy(hub, policy("grants", waker=address)):
                yield address
        finally:
            waker.terminate()
            waker.wait()


class Sleeper:
    """Home without power but for its adapter, which has no address and answers nothing."""

    def __init__(self, network: Network, mac: str) -> None:
        self._adapter = subprocess.Popen(
            network.at("home", sys.executable, "-S", "-c", ADAPTER, mac), stdout=subprocess.PIPE
        )
        assert self._adapter.stdout is not None
        assert self._adapter.stdout.readline() == b"asleep\n"

    @property
    def sleeps(self) -> bool:
        return self._adapter.poll() is None

    def stop(self) -> None:
        """Take the adapter away, whether it was woken or not."""
        self._adapter.kill()
        self._adapter.communicate()


@contextmanager
def asleep(network: Network) -> Generator[Sleeper]:
    """A home that was shut down, until the caller gives it power again."""
    address = f"{ADDRESSES['home']}/24 dev eth0"
    run(network, "home", [f"ip addr del {address}", "ip link set eth0 up"])
    sleeper = Sleeper(network, mac_of_home(network))
    try:
        yield sleeper
    finally:
        sleeper.stop()
        run(network, "home", [f"ip addr add {address}"])


def mac_of_home(network: Network) -> str:
    """Of its adapter."""
    shown = subprocess.check_output(network.at("home", *["ip", "-j", "link", "show", "eth0"]))
    return str(json.loads(shown)[0]["address"])
