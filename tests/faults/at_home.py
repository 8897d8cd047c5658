"""Faults of home's Kubernetes and of the model server in it."""

from __future__ import annotations

import copy
import json
import subprocess
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import psutil

from tests.faults.injection import PATIENCE, Fault, kill, part, standing_still, tree
from tests.support.waiting import until
from tests.twin.conftest import HubUnderTest

Container = dict[str, Any]


def has_failed(hub: HubUnderTest, old: str) -> bool:
    """Whether the new pod has ended once, cannot be placed, begun or made."""
    new = _new(hub, old)
    deployment = hub.kubectl("-n", "vlm", "get", "deployment", "vllm-qwen")["status"]
    told = [c for status in (*new, deployment) for c in status.get("conditions", [])]
    containers = [one for pod in new for one in pod.get("containerStatuses", [])]
    ended = any(one["restartCount"] for one in containers)
    unbegun = any("message" in one["state"].get("waiting", {}) for one in containers)
    wrong = {("PodScheduled", "False"), ("ReplicaFailure", "True")}
    return ended or unbegun or any((one["type"], one["status"]) in wrong for one in told)


def serves(hub: HubUnderTest, old: str) -> bool:
    """Whether the new pod is ready."""
    return any(one["ready"] for pod in _new(hub, old) for one in pod.get("containerStatuses", []))


def _new(hub: HubUnderTest, old: str) -> list[dict[str, Any]]:
    """What is told of each pod but that one."""
    return [pod["status"] for pod in hub.vllm_pods() if pod["metadata"]["name"] != old]


def edited(
    change: Callable[[Container], None],
    until_seen: Callable[[HubUnderTest, str], bool] = has_failed,
) -> Fault:
    """The model server's container was edited by hand, and what came of it has been seen.

    ``until_seen`` is told the pod's name from before.
    """

    @contextmanager
    def inject(hub: HubUnderTest) -> Generator[None]:
        before = hub.kubectl("-n", "vlm", "get", "deployment", "vllm-qwen")
        changed = copy.deepcopy(before)
        change(changed["spec"]["template"]["spec"]["containers"][0])
        old = hub.vllm_pod()["metadata"]["name"]
        _replace(hub, changed)
        try:
            until(lambda: until_seen(hub, old), seconds=2 * PATIENCE)
            yield
        finally:
            _put_back(hub, before)

    return inject


def beside_another_pod(fault: Fault) -> Fault:
    """While a pod that is nobody of ours has a tenth of the GPU."""
    limits = {"limits": {"nvidia.com/gpu": "1"}}
    container = {"name": "game", "image": "registry.invalid/game:1", "resources": limits}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "game", "namespace": "default"},
        "spec": {"containers": [container]},
    }

    @contextmanager
    def inject(hub: HubUnderTest) -> Generator[None]:
        _apply(hub, pod)
        try:
            until(lambda: hub.kubectl("get", "pod", "game")["spec"].get("nodeName"))
            with fault(hub):
                yield
        finally:
            hub.shell("kubectl delete pod game --force --grace-period=0")

    return inject


@contextmanager
def model_loading(hub: HubUnderTest) -> Generator[None]:
    """Its pod was deleted by hand, and the next one's start takes as long as the block does."""
    old, before = hub.vllm_pod()["metadata"]["name"], _servers(hub)
    assert hub.shell(f"kubectl -n vlm delete pod {old} --wait=false").returncode == 0
    until(lambda: set(_servers(hub)) - set(before), seconds=PATIENCE)
    [new] = set(_servers(hub)) - set(before)
    with standing_still(tree(new)):
        until(lambda: not any(one.is_running() for one in before), seconds=PATIENCE)
        yield


def patched(kind: str, name: str, patch: dict[str, Any]) -> Fault:
    """An object of the model's namespace was edited by hand."""

    @contextmanager
    def inject(hub: HubUnderTest) -> Generator[None]:
        before = hub.kubectl("-n", "vlm", "get", kind, name)
        hub.kubectl("-n", "vlm", "patch", kind, name, "--type=merge", "-p", json.dumps(patch))
        try:
            yield
        finally:
            _put_back(hub, before)

    return inject


def deleted(kind: str, name: str) -> Fault:
    """An object of the model's namespace was deleted by hand."""

    @contextmanager
    def inject(hub: HubUnderTest) -> Generator[None]:
        before = hub.kubectl("-n", "vlm", "get", kind, name)
        assert hub.shell(f"kubectl -n vlm delete {kind} {name}").returncode == 0
        try:
            yield
        finally:
            if hub.shell(f"kubectl -n vlm get {kind} {name}").returncode != 0:
                _replace(hub, before)

    return inject


def _put_back(hub: HubUnderTest, before: dict[str, Any]) -> None:
    """Unless the object was made anew meanwhile, without the edit."""
    metadata = before["metadata"]
    there = hub.kubectl("-n", metadata["namespace"], "get", before["kind"], metadata["name"])
    if there["metadata"]["uid"] == metadata["uid"]:
        _replace(hub, before)


def _replace(hub: HubUnderTest, before: dict[str, Any]) -> None:
    for field in ("resourceVersion", "uid", "creationTimestamp"):
        before["metadata"].pop(field, None)
    _apply(hub, before | {"metadata": _unmanaged(before["metadata"])})


def _apply(hub: HubUnderTest, wanted: dict[str, Any]) -> None:
    subprocess.run(
        ["kubectl", "apply", "--server-side", "--force-conflicts", "-f", "-"],
        input=json.dumps(wanted),
        env=hub.shell_env,
        text=True,
        capture_output=True,
        check=True,
    )


def _unmanaged(metadata: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in metadata.items() if key != "managedFields"}


@contextmanager
def engine_hangs(hub: HubUnderTest) -> Generator[None]:
    """vLLM's engine stands still; its API server goes on saying that all is well."""
    with standing_still(_engines(hub)):
        yield


@contextmanager
def engine_killed(hub: HubUnderTest) -> Generator[None]:
    """As by the kernel when memory runs out, or by a GPU that fails; its API server still runs."""
    kill(_engines(hub))
    yield


def _engines(hub: HubUnderTest) -> list[psutil.Process]:
    engines = [
        one for one in part(hub, "node").children(recursive=True) if _arguments(one, "EngineCore")
    ]
    assert engines
    return engines


@contextmanager
def model_server_killed(hub: HubUnderTest) -> Generator[None]:
    """As by the kernel when memory runs out; Kubernetes mends it."""
    servers = _servers(hub)
    assert servers
    kill([process for one in servers for process in tree(one)])
    yield


def _servers(hub: HubUnderTest) -> list[psutil.Process]:
    found = [
        one for one in part(hub, "node").children(recursive=True) if _arguments(one, "vllm_server")
    ]
    # An engine has its server's arguments until it has said its own name.
    return [one for one in found if one.parent() not in found]


def _arguments(process: psutil.Process, part_of_one: str) -> bool:
    return any(part_of_one in word for word in process.cmdline())
