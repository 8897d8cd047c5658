"""An address for each pod, so that a new model server is never taken for one that still ends.

Promises: a network namespace for each pod, an address of K3s' first node (10.42.0.0/24) that no
other pod has, a bridge to the node and a route over it; on a flat network, where all pods have the
node's address, a pod waits for a port until the pod that has it is gone.
Leaves out: the addresses of Services, names (DNS), routes to other nodes, NetworkPolicy.
"""

from __future__ import annotations

import asyncio
import contextlib
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any, Protocol

from twin.containers.container import end_with_parent
from twin.network import NODE_ADDRESS

NODE_CIDR = IPv4Network("10.42.0.0/24")
"""K3s gives its first node this part of the cluster's 10.42.0.0/16."""
ADDRESSES = [ip for ip in map(str, NODE_CIDR.hosts()) if ip != NODE_ADDRESS]
BRIDGE = "cni0"
"""As K3s' CNI plugin calls it."""


class NoNetworkError(Exception):
    """The pod's network could not be made; shown as FailedCreatePodSandBox."""


@dataclass(frozen=True)
class Place:
    """Where one pod is in the network."""

    ip: str
    enter: tuple[str, ...]
    """The command that leads into it."""
    leave: Callable[[], Awaitable[None]]
    isolated: bool
    """In namespaces of its own, as its containers' files and processes then are, too."""


class PodNetwork(Protocol):
    """How the node's pods are connected."""

    async def join(self, pod: Mapping[str, Any]) -> Place:
        """Connect a pod.

        Raises:
            NoNetworkError: it cannot be connected now.
        """
        ...


class OwnAddresses:
    """A namespace and an address for each pod."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._last = 0
        self._ready = False
        self._making = asyncio.Lock()

    async def join(self, pod: Mapping[str, Any]) -> Place:  # noqa: ARG002  # all pods alike
        async with self._making:
            await self._make_bridge()
        ip = self._free_address()
        wire = f"pod-{ip.rpartition('.')[2]}"
        holder = await asyncio.create_subprocess_exec(
            *("unshare", "--net", "sh", "-c", "ip link set lo up && echo && exec sleep infinity"),
            stdin=DEVNULL,
            stdout=PIPE,
            preexec_fn=end_with_parent,
        )

        async def leave() -> None:
            # The kernel takes its time to remove a namespace with what is in it.
            with contextlib.suppress(NoNetworkError):
                await _run(f"ip link del {wire}")
            with contextlib.suppress(ProcessLookupError):
                holder.kill()
            await holder.wait()
            self._taken.discard(ip)

        enter = ("nsenter", f"--target={holder.pid}", "--net", "--")
        try:
            assert holder.stdout is not None  # noqa: S101  # asked for above
            await holder.stdout.readline()
            await _run(
                f"ip link add {wire} type veth peer name eth0 netns {holder.pid} && "
                f"ip link set {wire} master {BRIDGE} up"
            )
            await _run(
                f"ip addr add {ip}/{NODE_CIDR.prefixlen} dev eth0 && ip link set eth0 up && "
                f"ip route add default via {NODE_ADDRESS}",
                enter,
            )
        except BaseException:
            await leave()
            raise
        return Place(ip, enter, leave, isolated=True)

    def _free_address(self) -> str:
        """The next one in turn, as K3s' host-local does: no address is used again at once."""
        for _ in ADDRESSES:
            ip = ADDRESSES[self._last % len(ADDRESSES)]
            self._last += 1
            if ip not in self._taken:
                self._taken.add(ip)
                return ip
        raise NoNetworkError(f"every address of {NODE_CIDR} is taken")

    async def _make_bridge(self) -> None:
        """Once for all pods; an earlier process of the node may have left it."""
        if self._ready:
            return
        await _run(
            f"ip link show {BRIDGE} || ip link add {BRIDGE} type bridge && "
            f"ip addr replace {NODE_ADDRESS}/{NODE_CIDR.prefixlen} dev {BRIDGE} && "
            f"ip link set {BRIDGE} up"
        )
        self._ready = True


class OneAddress:
    """The node's own address for all pods, whose ports are then as good as host ports."""

    def __init__(self, ip: str) -> None:
        self._ip = ip
        self._ports: set[int] = set()
        self._changed = asyncio.Condition()

    async def join(self, pod: Mapping[str, Any]) -> Place:
        ports = {
            port["containerPort"]
            for container in pod["spec"]["containers"]
            for port in container.get("ports", [])
        }
        async with self._changed:
            await self._changed.wait_for(lambda: not ports & self._ports)
            self._ports |= ports

        async def leave() -> None:
            async with self._changed:
                self._ports -= ports
                self._changed.notify_all()

        return Place(self._ip, (), leave, isolated=False)


async def _run(script: str, enter: tuple[str, ...] = ()) -> None:
    process = await asyncio.create_subprocess_exec(
        *enter, "sh", "-c", script, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE
    )
    _, said = await process.communicate()
    if process.returncode != 0:
        raise NoNetworkError(said.decode(errors="replace").strip())
