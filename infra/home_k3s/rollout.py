"""What Kubernetes says of a Deployment after a change: served, none wanted, or not yet and why.

Pulumi's own wait looks at the Deployment's counts. With ``Recreate`` they are right for a moment
while the old pod ends and none of the new exists, and it calls such a change done. A new pod that
cannot start is waited for until the deadline. So this program looks at the new pods themselves.
"""
# lightkube types a map of strings as a bare dict.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lightkube.models.core_v1 import ContainerStatus
from lightkube.resources.apps_v1 import Deployment, ReplicaSet
from lightkube.resources.core_v1 import Pod

REVISION = "deployment.kubernetes.io/revision"
"""The Deployment's annotation, and that of the ReplicaSet which makes its newest pods."""
PATIENCE_SECONDS = {
    "InvalidImageName": 0,
    "ErrImageNeverPull": 0,
    # Each can pass by itself: a Secret that comes a moment later, a runtime that restarts.
    "CreateContainerConfigError": 60,
    "CreateContainerError": 60,
    "RunContainerError": 60,
}
"""How long a pod may say so, until it counts as one that will never start."""
UNSCHEDULED_SECONDS = 180
"""The old pod is gone by then and the device plugin has counted the GPU's slices."""
REFUSED = ("not found", "manifest unknown", "denied", "unauthorized", "does not exist")
"""How registries say that there is no such image; anything else may be the line."""
BEING_MADE = "the image is being downloaded, or the container made"


@dataclass(frozen=True)
class Seen:
    """What the API server says at one moment."""

    deployment: Deployment
    replica_sets: Sequence[ReplicaSet]
    pods: Sequence[Pod]


@dataclass(frozen=True)
class Served:
    """All pods are of the newest kind, and ready."""


@dataclass(frozen=True)
class NoneWanted:
    """Somebody scaled it to zero."""


@dataclass(frozen=True)
class NotYet:
    """Waiting is right while it lasts no longer than the patience."""

    reason: str
    patience_seconds: float = math.inf
    died: tuple[str, str] | None = None
    """Pod and container whose last words tell why."""

    @property
    def kind(self) -> str:
        """The reason without its details, which may change while it lasts.

        >>> NotYet("CrashLoopBackOff: back-off 10s restarting vllm").kind
        'CrashLoopBackOff'
        """
        return self.reason.partition(":")[0]


Standing = Served | NoneWanted | NotYet


def standing(seen: Seen) -> Standing:
    """How far the last change has come."""
    deployment = seen.deployment
    assert deployment.spec and deployment.status and deployment.metadata  # noqa: S101, PT018
    wanted = deployment.spec.replicas
    if (deployment.status.observedGeneration or 0) < (deployment.metadata.generation or 0):
        return NotYet("Kubernetes has not looked at the change yet")
    if wanted == 0:
        return NoneWanted()
    status = deployment.status
    if status.updatedReplicas == status.replicas == status.availableReplicas == wanted:
        return Served()
    pods = _newest(seen)
    if not pods:
        return NotYet(_refused(deployment) or "the old pod is ending")
    refused = [put_out(pod) for pod in pods]
    if all(refused):
        return NotYet(refused[-1], UNSCHEDULED_SECONDS)
    return next((told for pod in pods if (told := _of_pod(pod))), NotYet("a pod is starting"))


def _newest(seen: Seen) -> list[Pod]:
    """Pods of the last change: an older one may be broken, and that is why it was changed."""
    revision = _annotations(seen.deployment).get(REVISION)
    makers = {
        r.metadata.uid
        for r in seen.replica_sets
        if r.metadata and _annotations(r).get(REVISION) == revision
    }
    return [
        pod
        for pod in seen.pods
        if pod.metadata and not pod.metadata.deletionTimestamp
        if any(owner.uid in makers for owner in pod.metadata.ownerReferences or [])
    ]


def _annotations(found: Deployment | ReplicaSet) -> dict[str, str]:
    return dict((found.metadata and found.metadata.annotations) or {})


def _refused(deployment: Deployment) -> str | None:
    """A quota or an admission rule that refuses the pods is known to the Deployment alone."""
    conditions = (deployment.status and deployment.status.conditions) or []
    failures = [c for c in conditions if c.type == "ReplicaFailure" and c.status == "True"]
    return f"no pod can be made: {failures[0].message}" if failures else None


def put_out(pod: Pod) -> str:
    """Why the kubelet refused or ended a pod, as at a restart of its machine; else nothing.

    It stays listed, and whatever made it makes another. A pod that failed by itself has no reason.
    """
    if pod.status is None or pod.status.phase != "Failed" or not pod.status.reason:
        return ""
    return f"{pod.status.reason}: {pod.status.message or 'ended'}"


def _of_pod(pod: Pod) -> NotYet | None:
    assert pod.metadata and pod.status  # noqa: S101, PT018  # what the API server returns has both
    for condition in pod.status.conditions or []:
        if condition.type == "PodScheduled" and condition.status == "False":
            return NotYet(f"no node takes the pod: {condition.message}", UNSCHEDULED_SECONDS)
    told = [_of_container(s, pod.metadata.name or "") for s in pod.status.containerStatuses or []]
    return next((each for each in told if each), None)


def _of_container(status: ContainerStatus, pod: str) -> NotYet | None:
    waiting = status.state and status.state.waiting
    # It may have died once for a reason that has passed; twice, it will die again.
    patience, died = (0 if status.restartCount >= 1 else math.inf), (pod, status.name)
    if ended := status.state and status.state.terminated:
        said = f"{ended.reason or 'Error'}: {status.name} ended with exit code {ended.exitCode}"
        return NotYet(said, patience, died)
    if not waiting:
        return None if status.ready else NotYet(_starting(status))
    said = f"{waiting.reason}: {waiting.message}" if waiting.message else f"{waiting.reason}"
    match waiting.reason:
        case "CrashLoopBackOff":
            return NotYet(said, patience, died)
        case "ErrImagePull" | "ImagePullBackOff":
            refused = any(word in (waiting.message or "").lower() for word in REFUSED)
            return NotYet(said, 0 if refused else math.inf)
        case "ContainerCreating" | "PodInitializing":
            return NotYet(BEING_MADE)
        case reason:
            return NotYet(said, PATIENCE_SECONDS.get(reason or "", math.inf))


def _starting(status: ContainerStatus) -> str:
    again = f" after {status.restartCount} restarts" if status.restartCount else ""
    return f"{status.name} is starting{again}"
