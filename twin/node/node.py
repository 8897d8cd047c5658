"""The node object: registration, heartbeat, and the GPUs that the device plugin announces."""

from __future__ import annotations

import asyncio
import fcntl
import json
import logging
import os
import platform
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import psutil

from infra.home_k3s.names import DEVICE_PLUGINS
from twin.node.api import Api
from twin.node.status import now
from twin.paths import TwinPaths

LOG = logging.getLogger("twin.node")
HEARTBEAT_SECONDS = 10
LEASE_SECONDS = 40
LOOK_FOR_DEVICES_SECONDS = 0.5
MAX_PODS = 110
GPU = "nvidia.com/gpu"


class Node:
    """This machine as a Kubernetes node."""

    def __init__(self, api: Api, paths: TwinPaths, name: str, ip: str, kubelet_port: int) -> None:
        self.name, self.ip = name, ip
        self._api = api
        self._plugins = paths.of_the_node(DEVICE_PLUGINS)
        self._port = kubelet_port
        self._path = f"/api/v1/nodes/{name}"
        self.gpus: int | None = None
        """``None`` until a plugin has announced any."""

    async def register(self) -> None:
        labels = {
            "kubernetes.io/hostname": self.name,
            "kubernetes.io/os": "linux",
            "kubernetes.io/arch": {"x86_64": "amd64"}.get(platform.machine(), platform.machine()),
        }
        metadata = {"name": self.name, "labels": labels}
        await self._api.post(
            "/api/v1/nodes", {"apiVersion": "v1", "kind": "Node", "metadata": metadata}
        )
        registered: Any = await self._api.get(self._path)
        if registered is not None and GPU in registered["status"].get("capacity", {}):
            # After a restart there is none until the plugin has announced them again.
            self.gpus = 0
        self._plugins.mkdir(parents=True, exist_ok=True)
        await self.report()

    async def heartbeat(self) -> None:
        """Renew lease and status for ever; an API server that is away is waited for."""
        while True:
            try:
                await self._renew_lease()
                await self.report()
            except httpx2.HTTPError as error:
                LOG.warning("heartbeat: %r", error)
            await asyncio.sleep(HEARTBEAT_SECONDS)

    async def follow_devices(self) -> None:
        """Report as soon as a plugin announces, changes or withdraws its devices."""
        while True:
            announced = announced_gpus(self._plugins)
            if announced != self.gpus and not (announced is None and self.gpus == 0):
                # A plugin that is gone leaves a resource of zero, as the kubelet does.
                self.gpus = announced if announced is not None else 0
                try:
                    await self.report()
                except httpx2.HTTPError as error:
                    # The heartbeat reports them in a moment.
                    LOG.warning("device report: %r", error)
            await asyncio.sleep(LOOK_FOR_DEVICES_SECONDS)

    async def report(self) -> None:
        await self._api.patch(f"{self._path}/status", {"status": self._status()})

    def _status(self) -> dict[str, Any]:
        memory = f"{psutil.virtual_memory().total // 1024}Ki"
        capacity = {"cpu": str(os.cpu_count()), "memory": memory, "pods": str(MAX_PODS)}
        if self.gpus is not None:
            capacity[GPU] = str(self.gpus)
        healthy = {
            "MemoryPressure": "False",
            "DiskPressure": "False",
            "PIDPressure": "False",
            "Ready": "True",
        }
        return {
            "capacity": capacity,
            "allocatable": capacity,
            "addresses": [
                {"type": "InternalIP", "address": self.ip},
                {"type": "Hostname", "address": self.name},
            ],
            "conditions": [
                {"type": t, "status": s, "reason": "Twin", "lastHeartbeatTime": now()}
                for t, s in healthy.items()
            ],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": self._port}},
            "nodeInfo": {
                "kubeletVersion": "v1.36.3-twin",
                "containerRuntimeVersion": "processes://twin",
                "osImage": "personal-cloud-hub's twin",
                "kernelVersion": platform.release(),
                "operatingSystem": "linux",
                "architecture": "amd64",
                "machineID": "",
                "systemUUID": "",
                "bootID": "",
                "kubeProxyVersion": "",
            },
        }

    async def _renew_lease(self) -> None:
        leases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
        spec = {
            "holderIdentity": self.name,
            "leaseDurationSeconds": LEASE_SECONDS,
            "renewTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        }
        if not await self._api.patch(f"{leases}/{self.name}", {"spec": spec}):
            lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease"}
            await self._api.post(leases, {**lease, "metadata": {"name": self.name}, "spec": spec})


def announced_gpus(plugins: Path) -> int | None:
    """What a running device plugin has announced: it locks its file as long as it runs."""
    with suppress(FileNotFoundError), (plugins / "nvidia.json").open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return int(json.load(file)["count"])
    return None
