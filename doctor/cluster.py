"""Home's Kubernetes, seen through its API server with the owner's own access."""
# lightkube types a map of strings as a bare dict.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import httpx2
from lightkube import Client, KubeConfig
from lightkube.core.client import LabelSelector
from lightkube.core.exceptions import ConfigError
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.core_v1 import Namespace, Node, Pod, Service
from lightkube.resources.discovery_v1 import EndpointSlice
from lightkube.resources.networking_v1 import Ingress

from doctor.observations import Cluster, NotSeen
from doctor.pods import ANSWER_SECONDS, seen, that_count, works_on
from infra.home_k3s.names import MODEL, NAMESPACE, SYSTEM


def look(
    kubeconfig: KubeConfig, context: str | None, *, traefik_is_a_pod: bool
) -> Cluster | NotSeen:
    """What the API server says; ``traefik_is_a_pod`` where K3s runs it."""
    try:
        chosen = kubeconfig.get(context) if context else kubeconfig
        with Client(chosen, timeout=httpx2.Timeout(ANSWER_SECONDS)) as client:
            return _look(client, traefik_is_a_pod=traefik_is_a_pod)
    except (httpx2.TransportError, httpx2.HTTPStatusError, ConfigError) as error:
        return NotSeen(why=f"home's API server does not answer: {error}")


def _look(client: Client, *, traefik_is_a_pod: bool) -> Cluster:
    models: LabelSelector = {"app": MODEL}
    pods = that_count(list(client.list(Pod, namespace=NAMESPACE, labels=models)))
    nodes = _that_count(list(client.list(Node)), pods)
    conditions = [c for n in nodes for c in (n.status.conditions or [] if n.status else [])]
    ready = [c for c in conditions if c.type == "Ready"]
    offered = [n.status.allocatable or {} for n in nodes if n.status]
    services = {s.metadata.name for s in client.list(Service, namespace=NAMESPACE) if s.metadata}
    deployments = list(client.list(Deployment, namespace=NAMESPACE))
    model = next((d for d in deployments if d.metadata and d.metadata.name == MODEL), None)
    told = (model.status.conditions or []) if model and model.status else []
    entry = None
    if traefik_is_a_pod:
        traefiks: LabelSelector = {"app.kubernetes.io/name": "traefik"}
        found = client.list(Pod, namespace=SYSTEM, labels=traefiks)
        entry = tuple(seen(client, one) for one in found)
    return Cluster(
        ours=any(n.metadata and n.metadata.name == NAMESPACE for n in client.list(Namespace)),
        node_ready=any(c.status == "True" for c in ready),
        node_reason="; ".join(c.message or c.reason or "" for c in ready if c.status != "True"),
        gpus=sum(int(one.get("nvidia.com/gpu", "0")) for one in offered),
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
        pods=tuple(replace(seen(client, one), works_on=works_on(client, one)) for one in pods),
    )


def _that_count(nodes: Sequence[Node], pods: Sequence[Pod]) -> list[Node]:
    """The node of the newest pod; all of them while it has none."""
    place = pods[-1].spec.nodeName if pods and pods[-1].spec else None
    its = [node for node in nodes if node.metadata and node.metadata.name == place]
    return its or list(nodes)
