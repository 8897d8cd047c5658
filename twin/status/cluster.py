"""Home's Kubernetes, as its API server tells it."""
# lightkube types a map of strings as a bare dict.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.core_v1 import Node, Pod
from lightkube.resources.networking_v1 import Ingress

from infra.home_k3s.names import NAMESPACE
from infra.home_k3s.rollout import put_out
from twin.parts import control_plane
from twin.parts.part import Record
from twin.status.rows import Row, State

DECLARED_REPLICAS = 1
"""The program leaves the number out, which Kubernetes takes for this."""


def cluster(kubeconfig: Path, parts: Mapping[str, Record]) -> list[Row]:
    """The node, and what the program has put there."""
    try:
        with control_plane.client(kubeconfig) as api:
            home = api.get(Node, "home")
            pods = list(api.list(Pod, namespace=NAMESPACE))
            ingresses = list(api.list(Ingress, namespace=NAMESPACE))
            deployments = list(api.list(Deployment, namespace=NAMESPACE))
    except control_plane.NO_ANSWER as error:
        return [Row("kubernetes", "home", "down", f"the API server does not answer: {error}")]
    vllm = parts["node"].programs.get("vllm") if "node" in parts else None
    none = Row("kubernetes", "ingress", "down", "there is none; `hub up` makes it")
    return [
        *node(home),
        *(deployment(one) for one in deployments),
        *([ingress(one) for one in ingresses] or [none]),
        *(pod(one, vllm.version if vllm else "") for one in pods),
    ]


def node(seen: Node) -> list[Row]:
    """Its kubelet's report, and the GPU that it offers."""
    assert seen.status and seen.status.nodeInfo  # noqa: S101, PT018  # a kubelet writes both
    state: State = "ok" if control_plane.is_ready(seen) else "down"
    gpus = str((seen.status.allocatable or {}).get("nvidia.com/gpu", "0"))
    return [
        Row("kubernetes", "node home", state, "", seen.status.nodeInfo.kubeletVersion),
        Row("kubernetes", "GPU", "ok" if gpus != "0" else "down", f"nvidia.com/gpu: {gpus}"),
    ]


def deployment(seen: Deployment) -> Row:
    """Replicas that are ready, of those that are wanted."""
    ready = (seen.status and seen.status.readyReplicas) or 0
    return replicas(_name(seen), ready, seen.spec.replicas if seen.spec else None)


def replicas(deployment: str, ready: int, wanted: int | None) -> Row:
    name = f"deployment {deployment}"
    if wanted == 0:
        told = f"{ready} of {DECLARED_REPLICAS}: scaled by hand"
        return Row("kubernetes", name, "idle", told)
    state: State = "ok" if ready == wanted else "down"
    return Row("kubernetes", name, state, f"{ready} of {wanted} ready")


def ingress(seen: Ingress) -> Row:
    """Traefik writes its address into each Ingress that it serves."""
    balancer = seen.status and seen.status.loadBalancer
    addresses = [str(one.ip or one.hostname) for one in (balancer and balancer.ingress) or []]
    name = f"ingress {_name(seen)}"
    if not addresses:
        return Row("kubernetes", name, "down", "Traefik does not serve it")
    return Row("kubernetes", name, "ok", f"Traefik serves it at {', '.join(addresses)}")


def pod(seen: Pod, vllm: str) -> Row:
    """One of the model's pods."""
    if put_out(seen):
        assert seen.status  # noqa: S101  # it has told why
        why = f"{seen.status.reason}; another was made in its place"
        return Row("pod", _name(seen), "idle", why)
    containers = (seen.status and seen.status.containerStatuses) or []
    ready = bool(containers) and all(one.ready for one in containers)
    restarts = sum(one.restartCount for one in containers)
    image = ", ".join(str(one.image) for one in seen.spec.containers) if seen.spec else ""
    version = f"vLLM {vllm} on CPU" if "vllm" in image and vllm else ""
    phase = (seen.status and seen.status.phase) or "Pending"
    detail = f"{phase}, {restarts} restarts, {image}"
    return Row("pod", _name(seen), "ok" if ready else "down", detail, version)


def _name(seen: Deployment | Ingress | Pod) -> str:
    return (seen.metadata and seen.metadata.name) or ""
