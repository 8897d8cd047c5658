"""Home's LAN with a machine that sleeps, and with another one that is always on.

All of the twin's ends are on one bridge, so a broadcast from the one reaches the other.
"""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from hub.home.machine import FILES
from infra.tailnet.policy import WAKER, policy
from tests.support.waiting import until
from tests.twin.conftest import HubUnderTest
from twin.network import ADDRESSES, Network, await_holder, run
from twin.parts.tailnet import HEADSCALE_PORT
from twin.paths import TwinPaths

DEVICES_ADDRESS = "10.99.0.9"
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
def _policy_with(waker: str, hub: HubUnderTest, folder: Path) -> Generator[None]:
    """The printed policy for this device; without its tests, as on the twin."""
    written = folder / "policy.json"
    rules = policy("grants", waker=waker)
    written.write_text(json.dumps({key: rules[key] for key in rules if key != "tests"}))
    hub.headscale("policy", "set", "-f", str(written))
    try:
        yield
    finally:
        hub.headscale("policy", "set", "-f", str(TwinPaths(hub.state).headscale / "policy.json"))


@contextmanager
def always_on_device(hub: HubUnderTest, folder: Path) -> Generator[str]:
    """Somebody's computer in home's LAN, such as a Raspberry Pi, set up as a waker.

    Its address in the tailnet, whose policy lets the gateway ask it.
    """
    owner = hub.headscale("users", "create", "owner")
    key = hub.headscale("preauthkeys", "create", "--user", str(owner["id"]))["key"]
    with _in_the_lan(hub.network) as network:
        socket = folder / "device.sock"
        program = network.at(
            *("home", "tailscaled", "--tun=userspace-networking", "--state=mem:"),
            *(f"--statedir={folder}", f"--socket={socket}", "--no-logs-no-support"),
        )
        # In userspace mode a connection to the tailnet address arrives at 127.0.0.1.
        waker = ("python3", str(FILES / "waker/usr/local/lib/home-waker.py"), "127.0.0.1")
        mac = mac_of_home(hub.network)
        with (folder / "log").open("w") as log:
            programs = [
                subprocess.Popen(each, env=hub.shell_env, stdout=log, stderr=log)
                for each in (program, network.at("home", *waker, str(WAKER), mac))
            ]
        try:
            until(socket.exists)
            asked = ["tailscale", f"--socket={socket}"]
            server = f"--login-server=http://{ADDRESSES['inet']}:{HEADSCALE_PORT}"
            joining = [*asked, "up", server, f"--auth-key={key}", "--hostname=pi", "--timeout=60s"]
            subprocess.run(joining, env=hub.shell_env, check=True, capture_output=True)
            told = subprocess.check_output([*asked, "ip", "-4"], env=hub.shell_env, text=True)
            address = told.strip()
            with _policy_with(address, hub, folder):
                yield address
        finally:
            for each in programs:
                each.terminate()
                each.wait()


@contextmanager
def _in_the_lan(network: Network) -> Generator[Network]:
    """One more machine on the bridge; where "home" is said, it is meant."""
    holder = subprocess.Popen(network.at("inet", "unshare", "--net", "sleep", "infinity"))
    try:
        await_holder(holder.pid)
        line = f"ip link add to-device type veth peer name eth0 netns {holder.pid}"
        run(network, "inet", [line, "ip link set to-device master br0 up"])
        own = dataclasses.replace(network, holders={"home": holder.pid})
        address = f"ip addr add {DEVICES_ADDRESS}/24 dev eth0"
        run(own, "home", ["ip link set lo up", address, "ip link set eth0 up"])
        yield own
    finally:
        holder.terminate()
        holder.wait()


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
