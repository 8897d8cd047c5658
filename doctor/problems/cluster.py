"""Home's Kubernetes, and the pod of the model server."""

from __future__ import annotations

from collections.abc import Iterator

from doctor.observations import Cluster, Observations, Pod, Reply
from doctor.problems.problem import Problem
from infra.home_k3s.names import MODEL, NAMESPACE


def of_the_cluster(seen: Observations, cluster: Cluster, failed: Reply | None) -> Iterator[Problem]:
    kubectl = f"{seen.kubectl} -n {NAMESPACE}"
    if cluster.entry is not None and not any(pod.ready for pod in cluster.entry):
        told = "; ".join(map(_told, cluster.entry)) or "there is no pod of it"
        remedy = f"{seen.kubectl} -n kube-system get pods -l app.kubernetes.io/name=traefik"
        yield Problem(hop="home port 80", cause=f"Traefik is not ready: {told}.", remedy=remedy)
    if not cluster.node_ready:
        cause = f"The node is not ready: {cluster.node_reason or 'K3s does not say why'}."
        yield Problem(hop="kubernetes", cause=cause, remedy="On it: systemctl status k3s")
    elif cluster.gpus == 0:
        yield Problem(
            hop="kubernetes",
            cause="The node offers no GPU: the device plugin does not run, or sees none.",
            remedy="On it: nvidia-smi; then restart K3s. "
            f"{seen.kubectl} -n kube-system get pods shows the plugin.",
        )
    ready = [pod for pod in cluster.pods if pod.ready]
    if not cluster.ingress:
        yield Problem(
            hop="ingress", cause="Home has no route to the model server.", remedy=seen.refresh
        )
    elif failed is not None and failed.code == "home_misconfigured":
        cause = "Home does not accept this gateway's key: it was deployed by another stack since."
        yield Problem(hop="ingress", cause=cause, remedy=seen.refresh)
    elif ready and cluster.endpoints == 0:
        cause = "The Service finds no pod although one is ready: its selector was changed."
        yield Problem(hop="ingress", cause=cause, remedy=seen.refresh)
    if cluster.desired is None:
        yield Problem(hop="pod", cause="The model server is not deployed.", remedy=seen.refresh)
    elif cluster.desired == 0:
        cause = "The model server is scaled to 0: the GPU was freed, or it was scaled by hand."
        yield Problem(hop="pod", cause=cause, remedy=seen.take)
    elif not ready:
        yield _unready(cluster, kubectl)


def _unready(cluster: Cluster, kubectl: str) -> Problem:
    newest = cluster.pods[-1] if cluster.pods else None
    logs = f"{kubectl} logs deployment/{MODEL} --tail=50"
    if newest is None:
        why = f": {cluster.unmade}" if cluster.unmade else "."
        cause = f"No pod of the model server was made{why}"
        return Problem(hop="pod", cause=cause, remedy=f"{kubectl} get events")
    if newest.phase == "Pending":
        cause, remedy = f"The pod waits to be placed: {newest.reason}.", f"{kubectl} get events"
        return Problem(hop="pod", cause=cause, remedy=remedy)
    if newest.killed:
        remedy = "On the server: free -h, and journalctl -k | grep -i oom"
        cause = f"The model server was killed, as for want of memory: {_told(newest)}."
        return Problem(hop="pod", cause=cause, remedy=remedy)
    if newest.restarts or newest.reason:
        return Problem(hop="pod", cause=f"The pod cannot start: {_told(newest)}", remedy=logs)
    cause = "The model server is loading its model; that takes minutes, the first time longer."
    return Problem(hop="pod", cause=cause, remedy=f"Wait, or look: {logs}")


def _told(pod: Pod) -> str:
    times = "once" if pod.restarts == 1 else f"{pod.restarts} times"
    restarted = f", restarted {times}" if pod.restarts else ""
    words = f"; its last words: {pod.last_words}" if pod.last_words else ""
    return f"{pod.name}: {pod.reason or pod.phase}{restarted}{words}"
