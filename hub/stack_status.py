"""A stack of your own as its sides tell it, without a request to the gateway.

A request would start an instance, or keep it awake; `hub doctor` sends some.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from doctor.observations import Cluster, NotSeen, Pod, Service, Tailnet
from doctor.patient import Patient
from infra.gcp.names import SERVICE
from infra.home_k3s.names import MODEL
from twin.parts.tailnet import KeyLife
from twin.status.cluster import replicas
from twin.status.rows import Row, State
from twin.status.tailnet import auth_key


def look(patient: Patient) -> list[Row]:
    """Cloud Run, the tailnet and home at once, each as far as this computer has access to it."""
    with ThreadPoolExecutor(4) as looks:
        service = looks.submit(patient.service, False)  # noqa: FBT003  # nobody has answered
        tailnet = looks.submit(patient.tailnet)
        expires = looks.submit(patient.auth_key)
        cluster = looks.submit(patient.cluster)
        return [
            _service(service.result(), patient.up),
            *_tailnet(tailnet.result()),
            _auth_key(expires.result(), patient),
            *_cluster(cluster.result(), patient.up),
        ]


def _not_seen(hop: str, what: str, side: NotSeen) -> Row:
    return Row(hop, what, "idle", f"not seen: {side.why}")


def _service(seen: Service | NotSeen, up: str) -> Row:
    if isinstance(seen, NotSeen):
        return _not_seen("cloud run", SERVICE, seen)
    if not seen.deployed:
        return Row("cloud run", SERVICE, "down", f"not deployed; `{up}` deploys it")
    state: State = "down" if seen.failure else "ok"
    return Row("cloud run", SERVICE, state, seen.failure, seen.revision)


def _tailnet(seen: Tailnet | NotSeen) -> list[Row]:
    if isinstance(seen, NotSeen):
        return [_not_seen("tailnet", "nodes", seen)]
    return [
        Row(
            "tailnet",
            node.name,
            "ok" if node.online else "down",
            " ".join(node.tags),
        )
        for node in seen.nodes
        if node.tags  # the others are their owners'
    ]


def _auth_key(seen: datetime | NotSeen | None, patient: Patient) -> Row:
    if isinstance(seen, NotSeen):
        return _not_seen("tailnet", "auth key", seen)
    life = seen and KeyLife(seen, patient.settings.tailnet.key_days)
    return auth_key(life, datetime.now(UTC).date(), patient.up)


def _cluster(seen: Cluster | NotSeen, up: str) -> list[Row]:
    if isinstance(seen, NotSeen):
        return [_not_seen("kubernetes", "home", seen)]
    entry: State = "ok" if seen.ingress else "down"
    return [
        Row("kubernetes", "node", "ok" if seen.node_ready else "down", seen.node_reason),
        Row("kubernetes", "GPU", "ok" if seen.gpus else "down", f"nvidia.com/gpu: {seen.gpus}"),
        _deployment(seen, up),
        Row("kubernetes", "ingress", entry, "" if seen.ingress else f"`{up}` makes it"),
        *map(_pod, (*(seen.entry or ()), *seen.pods)),
    ]


def _deployment(seen: Cluster, up: str) -> Row:
    if seen.desired is None:
        return Row("kubernetes", f"deployment {MODEL}", "down", f"there is none; `{up}` makes it")
    return replicas(MODEL, sum(pod.ready for pod in seen.pods), seen.desired)


def _pod(seen: Pod) -> Row:
    told = f"{seen.phase}, {seen.restarts} restarts"
    detail = ", ".join(filter(None, (told, seen.reason)))
    return Row("pod", seen.name, "ok" if seen.ready else "down", detail)
