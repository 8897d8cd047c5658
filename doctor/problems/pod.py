"""The pod of the model server: not deployed, not wanted, not made, or not ready."""

from __future__ import annotations

import re
from collections.abc import Iterator

from doctor.observations import Cluster, Observations, Pod
from doctor.problems.problem import Problem
from infra.home_k3s.names import MODEL, MODEL_CACHE, NAMESPACE
from infra.home_k3s.rollout import BEING_MADE

DISK_FULL = re.compile(r"no space left on device|disk-pressure|ephemeral-storage", re.IGNORECASE)
"""As programs say it, and as the kubelet does of a pod that it does not take, or ends."""
OUT_OF_MEMORY = "OOMKilled"
"""Kubernetes' word for a container that the kernel has ended."""


def of_the_pod(seen: Observations, cluster: Cluster) -> Iterator[Problem]:
    if cluster.desired is None:
        yield Problem(hop="pod", cause="The model server is not deployed.", remedy=seen.refresh)
    elif cluster.desired == 0:
        cause = "The model server is scaled to 0: the GPU was freed, or it was scaled by hand."
        yield Problem(hop="pod", cause=cause, remedy=seen.take)
    elif not cluster.pods:
        why = f": {cluster.unmade}" if cluster.unmade else "."
        cause = f"No pod of the model server was made{why}"
        yield Problem(hop="pod", cause=cause, remedy=_events(seen))
    elif not any(pod.ready for pod in cluster.pods):
        cause, remedy = _unready(cluster.pods[-1], seen)
        yield Problem(hop="pod", cause=cause, remedy=remedy)


def told(pod: Pod) -> str:
    """Its state in one line."""
    times = "once" if pod.restarts == 1 else f"{pod.restarts} times"
    restarted = f", restarted {times}" if pod.restarts else ""
    words = f"; its last words: {pod.last_words}" if pod.last_words else ""
    return f"{pod.name}: {pod.reason or pod.phase}{restarted}{words}"


def _unready(pod: Pod, seen: Observations) -> tuple[str, str]:
    """Cause and remedy."""
    events = _events(seen)
    newest = f" Its newest event: {pod.event}" if pod.event else ""
    if DISK_FULL.search(f"{pod.reason} {pod.last_words}"):
        cause = f"Home's disk is full: {told(pod)}"
        remedy = (
            f"On the server: df -h {MODEL_CACHE}. Room is made by sudo k3s crictl rmi --prune, and "
            f"by deleting models that are no longer used from {MODEL_CACHE}/huggingface/hub."
        )
    elif pod.never_began:
        cause, remedy = f"The pod cannot start: {told(pod)}", events
    elif pod.unplaced:
        why = f": {pod.reason}." if pod.reason else ", and nobody says why: does a scheduler run?"
        cause, remedy = f"The pod waits to be placed{why}", events
    elif pod.phase == "Pending":
        cause, remedy = f"The pod is starting: {BEING_MADE}.{newest}", f"Wait, or look: {events}"
    elif OUT_OF_MEMORY in pod.reason:
        cause = f"The model server was killed for want of memory: {told(pod)}."
        remedy = "On the server: free -h, and journalctl -k | grep -i oom"
    elif pod.killed:
        cause = f"The model server was killed: {told(pod)}.{newest}"
        remedy = f"{events} says so if a probe did it; else on the server: journalctl -k"
    elif pod.restarts or pod.reason:
        cause, remedy = f"The pod cannot start: {told(pod)}", logs(seen)
    else:
        cause = "The model server is loading its model; that takes minutes, the first time longer."
        remedy = f"Wait, or look: {logs(seen)}"
    return cause, remedy


def logs(seen: Observations) -> str:
    """The command that shows the model server's last lines."""
    return f"{seen.kubectl} -n {NAMESPACE} logs deployment/{MODEL} --tail=50"


def _events(seen: Observations) -> str:
    return f"{seen.kubectl} -n {NAMESPACE} get events"
