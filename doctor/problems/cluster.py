"""Home's Kubernetes: the way from Traefik to the model server's pod."""

from __future__ import annotations

from collections.abc import Iterator

from doctor.observations import Cluster, Observations, Reply
from doctor.problems.pod import told
from doctor.problems.problem import Problem
from infra.home_k3s.names import MODEL, NAMESPACE, SYSTEM


def of_the_cluster(seen: Observations, cluster: Cluster, failed: Reply | None) -> Iterator[Problem]:
    model_away = failed is not None and failed.code == "model_unavailable"
    if not cluster.ours:
        yield Problem(
            hop="kubernetes",
            cause=f"The cluster of your kubeconfig has no namespace {NAMESPACE}: is it home's?",
            remedy="kubectl config get-contexts lists yours; home.kubeContext names home's. If it "
            f"is home's: {seen.refresh}",
            # Home has a route to the model server, so this is not home, and home was not looked at.
            harmless=not model_away,
        )
        return
    if cluster.entry is not None and not any(pod.ready for pod in cluster.entry):
        state = "; ".join(map(told, cluster.entry)) or "there is no pod of it"
        remedy = f"{seen.kubectl} -n {SYSTEM} get pods -l app.kubernetes.io/name=traefik"
        yield Problem(hop="home port 80", cause=f"Traefik is not ready: {state}.", remedy=remedy)
    if not cluster.node_ready:
        cause = f"The node is not ready: {cluster.node_reason or 'K3s does not say why'}."
        yield Problem(hop="kubernetes", cause=cause, remedy="On it: systemctl status k3s")
    elif cluster.gpus == 0:
        yield Problem(
            hop="kubernetes",
            cause="The node offers no GPU: the device plugin does not run, or sees none.",
            remedy="On it: nvidia-smi; then restart K3s. "
            f"{seen.kubectl} -n {SYSTEM} get pods shows the plugin.",
        )
    ready = any(pod.ready for pod in cluster.pods)
    if not cluster.ingress:
        cause = "Home has no route to the model server."
        yield Problem(hop="ingress", cause=cause, remedy=seen.refresh)
    elif ready and cluster.endpoints == 0:
        cause = "The Service finds no pod although one is ready: its selector was changed."
        yield Problem(hop="ingress", cause=cause, remedy=seen.made_anew(f"service/{MODEL}"))
    elif ready and model_away:
        cause = (
            "The pod is ready, and Traefik does not reach it: the Service's port or a "
            "NetworkPolicy was changed."
        )
        yield Problem(hop="ingress", cause=cause, remedy=seen.refresh)
