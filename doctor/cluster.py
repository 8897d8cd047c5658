"""Home's Kubernetes, seen through its API server with the owner's own access."""
# lightkube types a map of strings as a bare dict.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import httpx2
from lightkube import ApiError, Client, KubeConfig
from lightkube.config import client_adapter
from lightkube.config.client_adapter import ConnectionParams
from lightkube.core.client import LabelSelector
from lightkube.core.exceptions import ConfigError
from lightkube.models.core_v1 import ContainerStateTerminated, ContainerStatus
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.core_v1 import Node, Service
from lightkube.resources.core_v1 import Pod as KubernetesPod
from lightkube.resources.discovery_v1 import EndpointSlice
from lightkube.resources.networking_v1 import Ingress

from doctor.observations import Cluster, NotSeen, Pod
from infra.home_k3s.names import MODEL, NAMESPACE
from infra.home_k3s.rollout import put_out

ANSWER_SECONDS = 4
LAST_LINES = 30
KILLED = 137
"""Exit code of a process that the kernel has ended: 128, and SIGKILL's number."""


def look(
    kubeconfig: KubeConfig, context: str | None, *, traefik_is_a_pod: bool
) -> Cluster | NotSeen:
    """What the API server says; ``traefik_is_a_pod`` where K3s runs it."""
    try:
        chosen = kubeconfig.get(context) if context else kubeconfig
        with Client(chosen, timeout=httpx2.Timeout(ANSWER_SECONDS)) as client:
            return _look(client, traefik_is_a_pod=traefik_is_a_pod)
    except (httpx2.TransportError, ApiError, ConfigError) as error:
        return NotSeen(why=f"home's API server does not answer: {error}")


def _look(client: Client, *, traefik_is_a_pod: bool) -> Cluster:
    nodes = list(client.list(Node))
    conditions = [c for n in nodes for c in (n.status.conditions or [] if n.status else [])]
    ready = [c for c in conditions if c.type == "Ready"]
    gpus = [n.status.capacity or {} for n in nodes if n.status]
    services = {s.metadata.name for s in client.list(Service, namespace=NAMESPACE) if s.metadata}
    deployments = list(client.list(Deployment, namespace=NAMESPACE))
    model = next((d for d in deployments if d.metadata and d.metadata.name == MODEL), None)
    told = (model.status.conditions or []) if model and model.status else []
    entry = None
    if traefik_is_a_pod:
        traefiks: LabelSelector = {"app.kubernetes.io/name": "traefik"}
        found = client.list(KubernetesPod, namespace="kube-system", labels=traefiks)
        entry = tuple(_pod(client, one) for one in found)
    models: LabelSelector = {"app": MODEL}
    pods = client.list(KubernetesPod, namespace=NAMESPACE, labels=models)
    return Cluster(
        node_ready=bool(ready) and all(c.status == "True" for c in ready),
        node_reason="; ".join(c.message or c.reason or "" for c in ready if c.status != "True"),
        gpus=sum(int(one.get("nvidia.com/gpu", "0")) for one in gpus),
        ingress=any(
            path.backend.service is not None and path.backend.service.name in services
            for one in client.list(Ingress, namespace=NAMESPACE)
            for rule in (one.spec.rules or [] if one.spec else [])
            for path in (rule.http.paths if rule.http else [])
        ),
        entry=entry,
        endpoints=sum(
            len(endpoint.addresses or [])
            for one in client.list(EndpointSlice, namespace=NAMESPACE)
            for endpoint in one.endpoints or []
            if endpoint.conditions and endpoint.conditions.ready
        ),
        desired=model.spec.replicas if model and model.spec else None,
        unmade="; ".join(
            c.message or "" for c in told if c.type == "ReplicaFailure" and c.status == "True"
        ),
        pods=tuple(_pod(client, one) for one in that_count(list(pods))),
    )


def that_count(pods: Sequence[KubernetesPod]) -> list[KubernetesPod]:
    """Those that are not on their way out, oldest first.

    What the kubelet put out has been replaced; it counts where there is nothing else.
    """
    staying = [one for one in pods if one.metadata and one.metadata.deletionTimestamp is None]
    live = [one for one in staying if not put_out(one)]
    return sorted(live or staying, key=_created)


def _created(pod: KubernetesPod) -> datetime:
    created = pod.metadata.creationTimestamp if pod.metadata else None
    return created or datetime.min.replace(tzinfo=UTC)


def _pod(client: Client, pod: KubernetesPod) -> Pod:
    name = (pod.metadata.name if pod.metadata else None) or ""
    statuses: Sequence[ContainerStatus] = (pod.status.containerStatuses or []) if pod.status else []
    refused = put_out(pod)
    ready = bool(statuses) and all(one.ready for one in statuses) and not refused
    restarts = sum(one.restartCount for one in statuses)
    killed = any(one is not None and one.exitCode == KILLED for one in map(_ended, statuses))
    unplaced = [
        c.message or ""
        for c in ((pod.status.conditions or []) if pod.status else [])
        if c.type == "PodScheduled" and c.status == "False"
    ]
    return Pod(
        name=name,
        phase=(pod.status.phase if pod.status else None) or "Pending",
        ready=ready,
        restarts=restarts,
        reason=""
        if ready
        else "; ".join(filter(None, [refused, *unplaced, *map(_reason, statuses)])),
        killed=killed,
        # Who is killed has no time for words.
        last_words="" if ready or not restarts or killed else last_words(client, name, pod),
    )


def _reason(status: ContainerStatus) -> str:
    """Why it waits, and how it ended the last time."""
    waiting = status.state.waiting if status.state else None
    ended = _ended(status)
    told: list[str] = []
    if waiting is not None and waiting.reason not in ("ContainerCreating", "PodInitializing"):
        told.append(waiting.reason or "")
    if ended is not None:
        told.append(f"{ended.reason or 'ended'} (exit code {ended.exitCode})")
    return ", ".join(filter(None, told))


def _ended(status: ContainerStatus) -> ContainerStateTerminated | None:
    return (status.state.terminated if status.state else None) or (
        status.lastState.terminated if status.lastState else None
    )


def last_words(client: Client, name: str, pod: KubernetesPod) -> str:
    """Of the run that ended last; while the next one is under way, that is the one before."""
    statuses: Sequence[ContainerStatus] = (pod.status.containerStatuses or []) if pod.status else []
    runs = any(one.state and one.state.running for one in statuses)
    space = (pod.metadata.namespace if pod.metadata else None) or NAMESPACE
    asked = {"tailLines": str(LAST_LINES), **({"previous": "true"} if runs else {})}
    parameters = ConnectionParams(timeout=httpx2.Timeout(ANSWER_SECONDS))
    try:
        # lightkube's own call for logs does not know those of a run before.
        with client_adapter.Client(client.config, parameters) as http:
            answer = http.get(f"/api/v1/namespaces/{space}/pods/{name}/log", params=asked)
            answer.raise_for_status()
    except httpx2.HTTPError:
        return ""
    said = [line.strip() for line in answer.text.splitlines() if line.strip()]
    # An error's own line says more than the end of its traceback.
    errors = [line for line in said if "Error" in line]
    return (errors or said or [""])[-1]
