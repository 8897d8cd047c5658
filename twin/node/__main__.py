"""The node: a kubelet's part, with processes in a sandbox in place of containers.

Promises: registers and keeps its lease; runs pods bound to it with their arguments, environment,
Secrets, ConfigMaps, hostPath and empty volumes, probes, preStop sleep, grace period and restarts
with back-off; reports status and events; serves logs; announces what the device plugin announces;
after a stop and a start runs the same pods again, but for those that ask for a GPU: it refuses
them, as the plugin comes later, and they are replaced.
Leaves out: images, enforcement of NetworkPolicies and limits, exec and attach, hooks but preStop
sleep, projected volumes; without network namespaces the sandbox, too. ``pod_network.py`` says what
pods reach.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import uuid
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any

import httpx2

from twin import logs
from twin.node import logs_server
from twin.node.api import Api
from twin.node.node import GPU, Node
from twin.node.pod import Pod
from twin.node.pod_network import OneAddress, OwnAddresses, PodNetwork
from twin.node.spec import gpus
from twin.node.status import now, refused
from twin.paths import TwinPaths

LOG = logging.getLogger("twin.node")


class Pods:
    """The pods that are bound to this node."""

    def __init__(self, api: Api, paths: TwinPaths, node: Node, network: PodNetwork) -> None:
        self._api, self._paths, self._node, self._network = api, paths, node, network
        self._pods: dict[str, Pod] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._terminating: set[str] = set()
        """UIDs; a pod on its way out is seen again with each change and each new watch."""

    async def follow(self) -> None:
        """Watch for ever."""
        selector = f"spec.nodeName={self._node.name}"
        while True:
            try:
                async for kind, item in self._api.watch("/api/v1/pods", fieldSelector=selector):
                    if kind == "RELISTED":
                        self._drop_all_but({pod["metadata"]["uid"] for pod in item})
                    else:
                        await self._see(kind, item)
            except httpx2.HTTPError as error:
                LOG.warning("watch: %r", error)
                await asyncio.sleep(1)

    async def power_off(self) -> None:
        await asyncio.gather(*(pod.power_off() for pod in self._pods.values()))

    def find_log(
        self,
        namespace: str,
        name: str,
        container: str,
        previous: bool,  # noqa: FBT001  # the signature of FindLog
    ) -> Path | None:
        for pod in self._pods.values():
            metadata = pod.object["metadata"]
            if (metadata["namespace"], metadata["name"]) == (namespace, name):
                return pod.log(container, previous=previous)
        return None

    async def _see(self, kind: str, item: Mapping[str, Any]) -> None:
        metadata = item["metadata"]
        uid = metadata["uid"]
        known = self._pods.get(uid)
        if kind == "DELETED":
            self._drop_all_but(set(self._pods) - {uid})
        elif "deletionTimestamp" in metadata:
            if uid in self._terminating:
                return
            self._terminating.add(uid)
            pod = self._pods.pop(uid, None) or self._new(item)
            pod.object = item
            self._later(self._delete(pod))
        elif known is not None:
            await known.see(item)
        elif item["status"].get("phase") not in ("Succeeded", "Failed"):
            await self._admit(item)

    async def _admit(self, item: Mapping[str, Any]) -> None:
        most = max(gpus(container) for container in item["spec"]["containers"])
        if most and (why := _not_allocated(most, self._node.gpus or 0)):
            await self._refuse(item, "UnexpectedAdmissionError", why)
            return
        pod = self._new(item)
        self._pods[pod.uid] = pod
        pod.begin()

    async def _refuse(self, item: Mapping[str, Any], reason: str, why: str) -> None:
        # In the kubelet's order (kubelet.go, rejectPod): who sees that it failed finds why.
        await self._tell(item, "Warning", reason, why)
        status = refused(item["status"], reason, why)
        await self._api.patch(_path(item, "status"), {"status": status})

    async def _tell(self, item: Mapping[str, Any], type_: str, reason: str, message: str) -> None:
        event = _event(item, self._node.name, type_, reason, message)
        namespace = item["metadata"]["namespace"]
        await self._say(self._api.post(f"/api/v1/namespaces/{namespace}/events", event))

    def _new(self, item: Mapping[str, Any]) -> Pod:
        namespace = item["metadata"]["namespace"]

        async def lookup(kind: str, name: str) -> Mapping[str, Any] | None:
            return await self._api.get(f"/api/v1/namespaces/{namespace}/{kind}/{name}")

        async def deliver(status: Mapping[str, Any]) -> None:
            await self._say(self._api.patch(_path(item, "status"), {"status": status}))

        async def tell(type_: str, reason: str, message: str) -> None:
            await self._tell(item, type_, reason, message)

        return Pod(
            item,
            self._paths,
            self._node.ip,
            self._network,
            lookup=lookup,
            deliver=deliver,
            tell=tell,
        )

    async def _say(self, words: Coroutine[Any, Any, object]) -> None:
        """A pod lives on when it cannot be told of: away server, namespace on its way out."""
        try:
            await words
        except httpx2.HTTPError as error:
            LOG.warning("not told: %r", error)

    async def _delete(self, pod: Pod) -> None:
        try:
            await pod.end()
            await self._say(self._api.delete_at_once(_path(pod.object), pod.uid))
        finally:
            self._terminating.discard(pod.uid)  # the next watch tries again

    def _drop_all_but(self, kept: set[str]) -> None:
        for uid in set(self._pods) - kept:
            self._later(self._pods.pop(uid).end())

    def _later(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)


def _not_allocated(wanted: int, announced: int) -> str:
    """Why a pod gets no GPU, in the words of the kubelet and of NVIDIA's plugin; else nothing.

    A pod that was there before a restart of the node comes before the plugin, and is refused.
    """
    if not announced:
        why = f"no healthy devices present; cannot allocate unhealthy devices {GPU}"
    elif wanted > 1:  # failRequestsGreaterThanOne
        why = (
            f"rpc error: code = Unknown desc = request for '{GPU}: {wanted}' too large: "
            "maximum request size for shared resources is 1"
        )
    else:
        return ""
    return f"Allocate failed due to {why}, which is unexpected"


def _path(pod: Mapping[str, Any], sub: str = "") -> str:
    metadata = pod["metadata"]
    path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"
    return f"{path}/{sub}" if sub else path


def _event(
    pod: Mapping[str, Any], node: str, type_: str, reason: str, message: str
) -> dict[str, Any]:
    metadata = pod["metadata"]
    name = f"{metadata['name']}.{uuid.uuid4().hex[:16]}"
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": metadata["namespace"]},
        "involvedObject": {
            "apiVersion": "v1",
            "kind": "Pod",
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "uid": metadata["uid"],
        },
        "type": type_,
        "reason": reason,
        "message": message,
        "source": {"component": "kubelet", "host": node},
        "firstTimestamp": now(),
        "lastTimestamp": now(),
        "count": 1,
    }


async def serve(arguments: argparse.Namespace) -> None:
    """Be the node until SIGTERM; then stop the processes and leave the pods' objects."""
    paths, api = TwinPaths(arguments.state), Api(arguments.kubeconfig)
    node = Node(api, paths, arguments.name, arguments.ip, arguments.kubelet_port)
    network = OneAddress(node.ip) if arguments.one_address else OwnAddresses()
    pods = Pods(api, paths, node, network)
    await node.register()
    app = logs_server.application(pods.find_log)
    kubelet = logs_server.server(app, node.ip, arguments.kubelet_port, paths.kubernetes)
    stopped = asyncio.Event()
    work = [
        asyncio.create_task(one)
        for one in (node.heartbeat(), node.follow_devices(), pods.follow(), kubelet.serve())
    ]
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    await stopped.wait()
    await pods.power_off()
    for one in work:
        one.cancel()
    await asyncio.gather(*work, return_exceptions=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="the twin's state folder")
    parser.add_argument("--kubeconfig", type=Path, required=True)
    parser.add_argument("--name", required=True, help="the node's name")
    parser.add_argument("--ip", required=True, help="the node's address")
    parser.add_argument("--one-address", action="store_true", help="its pods have the same one")
    parser.add_argument("--kubelet-port", type=int, default=10250)
    logs.begin()
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
