"""More machines in home's LAN, and in the tailnet.

All of the twin's ends are on one bridge, so a broadcast from the one reaches the other.
"""

from __future__ import annotations

import dataclasses
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from tests.support.waiting import until
from tests.twin.conftest import HubUnderTest
from twin.listening import listens
from twin.network import ADDRESSES, Network, await_holder, run
from twin.parts.tailnet import HEADSCALE_PORT

LAN_ADDRESS = "10.99.0.9"


@contextmanager
def in_the_lan(network: Network) -> Generator[Network]:
    """One more machine on the bridge; where "home" is said, it is meant."""
    holder = subprocess.Popen(network.at("inet", "unshare", "--net", "sleep", "infinity"))
    try:
        await_holder(holder.pid)
        line = f"ip link add to-device type veth peer name eth0 netns {holder.pid}"
        run(network, "inet", [line, "ip link set to-device master br0 up"])
        own = dataclasses.replace(network, holders={"home": holder.pid})
        address = f"ip addr add {LAN_ADDRESS}/24 dev eth0"
        run(own, "home", ["ip link set lo up", address, "ip link set eth0 up"])
        yield own
    finally:
        holder.terminate()
        holder.wait()


@contextmanager
def joined(
    hub: HubUnderTest, network: Network, name: str, key: str, folder: Path
) -> Generator[str]:
    """That machine in the tailnet; its address there."""
    socket, state = folder / f"{name}.sock", folder / f"{name}.state"
    program = network.at(
        *("home", "tailscaled", "--tun=userspace-networking", f"--state={state}"),
        *(f"--statedir={folder}", f"--socket={socket}", "--no-logs-no-support"),
    )
    with (folder / f"{name}.log").open("w") as log:
        tailscaled = subprocess.Popen(program, env=hub.shell_env, stdout=log, stderr=log)
    try:
        until(lambda: listens(socket))
        asked = ["tailscale", f"--socket={socket}"]
        server = f"--login-server=http://{ADDRESSES['inet']}:{HEADSCALE_PORT}"
        joining = [*asked, "up", server, f"--auth-key={key}", f"--hostname={name}", "--timeout=60s"]
        subprocess.run(joining, env=hub.shell_env, check=True, capture_output=True)
        told = subprocess.check_output([*asked, "ip", "-4"], env=hub.shell_env, text=True)
        yield told.strip()
    finally:
        tailscaled.terminate()
        tailscaled.wait()
