"""What the cluster says of its pods: of the model's, and whether another one is in trouble."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lightkube.models.core_v1 import PodStatus
from lightkube.resources.core_v1 import Pod

from hub.home.cluster import Cluster
from hub.home.rows import UP, Row, row
from infra.home_k3s.crash import in_one_line
from infra.home_k3s.names import MODEL, NAMESPACE
from infra.home_k3s.rollout import put_out


def of_pods(cluster: Cluster) -> Iterator[Row]:
    """The model's, the last line of its log, and all others in one."""
    yield _model(cluster)
    if cluster.log:
        yield row("pods", "its last line", cluster.log.splitlines()[-1])
    live = [pod for pod in cluster.pods if not _put_out(pod)]
    bad = [
        f"{pod['metadata']['name']} ({_trouble(pod)})"
        for pod in live
        if pod["metadata"]["namespace"] != NAMESPACE and _trouble(pod)
    ]
    left = len(cluster.pods) - len(live)
    still = (
        f"; {left} that ended with the machine's last restart are still listed: "
        "kubectl delete pods -A --field-selector status.phase=Failed"
    )
    yield row(
        "pods",
        "the others",
        ", ".join(bad) or f"{len(live)} in all namespaces{still if left else ''}",
        ok=not bad and bool(live),
        remedy="kubectl get pods -A; kubectl -n kube-system describe pod NAME",
    )


def _model(cluster: Cluster) -> Row:
    if not cluster.model:
        return row("pods", MODEL, "not deployed", ok=False, remedy=UP)
    if cluster.model.get("spec", {}).get("replicas") == 0:
        return Row(
            hop="pods",
            what=MODEL,
            state="idle",
            detail="the GPU is free for something else; `hub home take` starts the model",
        )
    of_model = [p for p in cluster.pods if p["metadata"].get("labels", {}).get("app") == MODEL]
    if not of_model:
        describe = f"kubectl -n {NAMESPACE} describe deployment {MODEL}"
        return row("pods", MODEL, "no pod", ok=False, remedy=describe)
    return _of_its_pod(min(of_model, key=lambda one: bool(_put_out(one))), cluster.log)


def _of_its_pod(pod: Mapping[str, Any], log: str) -> Row:
    if why := _put_out(pod):
        return row("pods", MODEL, why, ok=False, remedy=f"kubectl -n {NAMESPACE} get events")
    last = log.splitlines()[-1] if log else "no line in its log"
    restarts = sum(c.get("restartCount", 0) for c in pod["status"].get("containerStatuses", ()))
    times = f", restarted {restarts} times" if restarts else ""
    if trouble := _trouble(pod):
        running = pod["status"].get("phase") == "Running" and trouble == "not ready"
        if running and not restarts:
            detail = f"loading the model: {last}"
            return Row(hop="pods", what=MODEL, state="idle", detail=detail)
        why = in_one_line(log) or last
        logs = f"kubectl -n {NAMESPACE} logs deployment/{MODEL} --tail=50"
        return row("pods", MODEL, f"{trouble}{times}: {why}", ok=False, remedy=logs)
    return row("pods", MODEL, f"ready{times}")


def _put_out(pod: Mapping[str, Any]) -> str:
    told = {name: pod["status"].get(name) for name in ("phase", "reason", "message")}
    return put_out(Pod(status=PodStatus(**told)))


def _trouble(pod: Mapping[str, Any]) -> str:
    """Why a pod does not serve; empty where it does, or has done its work."""
    status = pod["status"]
    if status.get("phase") == "Succeeded":
        return ""
    for container in status.get("containerStatuses", ()):
        if waiting := container.get("state", {}).get("waiting"):
            return str(waiting.get("reason", "waiting"))
    ready = [c.get("ready") for c in status.get("containerStatuses", ())]
    if status.get("phase") != "Running" or not ready:
        return str(status.get("phase", "unknown"))
    return "" if all(ready) else "not ready"
