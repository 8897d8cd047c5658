"""Home as a machine: its power, its boot, its line to the LAN.

On a server systemd starts tailscaled and then K3s, which waits for the tailnet address. Here
``boot`` stands for systemd: it starts the same parts in this order, and does nothing else.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from tests.support.waiting import until
from tests.twin.conftest import HubUnderTest
from twin.network import ADDRESSES, node_address, run
from twin.parts import control_plane, system, tailnet
from twin.parts.part import Part, Record, records, start, stop
from twin.paths import TwinPaths
from twin.settings import TwinSettings
from twin.toolchain.toolchain import Toolchain

OUTSIDE = "api-outside"
"""The end of the API server's relay that is not at home."""
ADDRESS_SECONDS = 120
"""As K3s waits (home/etc/systemd/system/k3s.service.d/10-tailscale.conf)."""
POD_SECONDS = 90
"""systemd's own patience with what is left at a shutdown (DefaultTimeoutStopSec)."""
ROUTER = ADDRESSES["inet"]
NEW_ADDRESS = "10.99.0.77"
ADDRESS_OF_THE_OTHER_LINE = "10.99.0.78"


class HomeMachine:
    """The home server of a running twin."""

    def __init__(self, hub: HubUnderTest) -> None:
        if hub.network.mode == "flat":
            pytest.skip("on a flat network home is no machine of its own")
        self.hub = hub
        self.paths = TwinPaths(hub.state)
        self._tools = Toolchain.of_running_twin(self.paths)
        self._port = TwinSettings.of_running_twin(self.paths).kubernetes_port

    @property
    def _parts(self) -> list[Part]:
        network = self.hub.network
        cluster = control_plane.parts(self.paths, network, self._port)
        node = system.home_parts(self.paths, network, self._tools, node_address(network))
        return [part for part in (*cluster, *node) if part.name != OUTSIDE]

    @property
    def _tailscaled(self) -> Part:
        return tailnet.home_tailscaled(self.paths, self.hub.network)

    def _records(self) -> list[Record]:
        names = {part.name for part in (self._tailscaled, *self._parts)}
        return [record for record in records(self.paths) if record.name in names]

    def cut_power(self) -> None:
        """SIGKILL for every process of home.

        The line goes first: nothing of a machine without power says goodbye.
        """
        self._run("ip link set eth0 down")
        pods = self._descendants()  # they have networks of their own
        until(self._nothing_left_to_kill)
        for pod in pods:
            with suppress(psutil.NoSuchProcess):
                pod.kill()
        for record in self._records():
            stop(record, self.paths)  # only its record is left

    def shut_down(self) -> None:
        """SIGTERM in systemd's order: K3s' programs, the last one started first; tailscaled, which
        K3s comes after; then what is left of the pods, and the line.
        """
        pods = self._descendants()
        for record in reversed(self._records()):
            stop(record, self.paths)
        left = [pod for pod in pods if pod.is_running()]
        for pod in left:
            with suppress(psutil.NoSuchProcess):
                pod.terminate()
        psutil.wait_procs(left, timeout=POD_SECONDS)
        until(self._nothing_left_to_kill)
        self._run("ip link set eth0 down")

    def _descendants(self) -> list[psutil.Process]:
        found: list[psutil.Process] = []
        for record in self._records():
            if record.process is not None:
                found += record.process.children(recursive=True)
        return found

    def _nothing_left_to_kill(self) -> bool:
        """Kill what is in home's network, but for the process that holds it."""
        holder = self.hub.network.holders["home"]
        here = _network_of(holder)
        assert here not in ("", _network_of(os.getpid())), "home has no network of its own"
        left = [pid for pid in psutil.pids() if pid != holder and _network_of(pid) == here]
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not left

    def boot(self) -> None:
        """Return when all parts have been started; the model is still loading then."""
        path = self._tools.path
        self._run("ip link set eth0 up")
        start(self._tailscaled, self.paths, path)
        until(lambda: tailnet.home_address(self.paths, path), seconds=ADDRESS_SECONDS)
        for part in self._parts:
            start(part, self.paths, path)

    @contextmanager
    def another_address(self) -> Generator[None]:
        """The LAN gives home another address; the old one is nobody's."""
        old = ADDRESSES["home"]
        self._run(f"ip addr del {old}/24 dev eth0", f"ip addr add {NEW_ADDRESS}/24 dev eth0")
        try:
            yield
        finally:
            self._run(f"ip addr del {NEW_ADDRESS}/24 dev eth0", f"ip addr add {old}/24 dev eth0")

    @contextmanager
    def another_default_route(self) -> Generator[None]:
        """The cable is pulled, and another adapter with another address takes over."""
        network = self.hub.network
        home = network.holders["home"]
        self._run(f"ip route add default via {ROUTER} dev eth0")
        adapter = f"ip link add to-home-2 type veth peer name eth1 netns {home}"
        run(network, "inet", [adapter, "ip link set to-home-2 master br0 up"])
        self._run(
            "ip link set eth0 down",
            f"ip addr add {ADDRESS_OF_THE_OTHER_LINE}/24 dev eth1",
            "ip link set eth1 up",
            f"ip route add default via {ROUTER} dev eth1",
        )
        try:
            yield
        finally:
            self._run("ip link del eth1", "ip link set eth0 up")

    def _run(self, *lines: str) -> None:
        run(self.hub.network, "home", lines)


def _network_of(pid: int) -> str:
    """The name of its network namespace; empty for a process that has ended."""
    with suppress(OSError):
        return str(Path(f"/proc/{pid}/ns/net").readlink())
    return ""
