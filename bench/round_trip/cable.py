"""The slow line in place of home's cable."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager

from twin.network import Network, run

DEVICES = ("switch", "cable")
"""The line's two ends, in the namespace that joins the twin's ends."""


def line(network: Network, milliseconds: float, lost: float = 0.0) -> tuple[str, ...]:
    """The program that makes both ends and copies between them: a delay and a loss each way."""
    module = (sys.executable, "-m", "bench.round_trip.line", *DEVICES)
    return network.at("inet", *module, str(milliseconds), str(lost))


def is_there(network: Network) -> bool:
    """Whether the line has made its ends."""
    shown = [network.at("inet", "ip", "link", "show", device) for device in DEVICES]
    done = [subprocess.run(argv, capture_output=True, check=False) for argv in shown]
    return all(one.returncode == 0 for one in done)


@contextmanager
def laid(network: Network) -> Generator[None]:
    """Home's cable leads to the line, and the line to the switch, while this lasts."""
    switch, cable = DEVICES
    bridge = ["ip link add br1 type bridge", "ip link set br1 up"]
    ends = [f"ip link set {switch} master br0 up", f"ip link set {cable} master br1 up"]
    run(network, "inet", [*bridge, *ends, "ip link set to-home master br1"])
    try:
        yield
    finally:
        run(network, "inet", ["ip link set to-home master br0", "ip link del br1"])
