"""What home's API server says, made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from lightkube.resources.apps_v1 import Deployment, ReplicaSet
from lightkube.resources.core_v1 import Pod

from infra.home_k3s.others import Found
from infra.home_k3s.rollout import REVISION, Seen

NAME = "vllm-qwen"


def deployment(  # each is a number of its own in the API
    *,
    wanted: int = 1,
    generation: int = 3,
    observed: int = 3,
    pods: int = 1,
    updated: int = 1,
    available: int = 1,
    refused: str = "",
) -> Deployment:
    """Served, unless something else is said."""
    failure = {"type": "ReplicaFailure", "status": "True", "message": refused}
    return msgspec.convert(
        {
            "metadata": {
                "name": NAME,
                "generation": generation,
                "annotations": {REVISION: str(generation)},
            },
            "spec": {
                "replicas": wanted,
                "selector": {"matchLabels": {"app": NAME}},
                "template": {},
            },
            "status": {
                "observedGeneration": observed,
                "replicas": pods,
                "updatedReplicas": updated,
                "availableReplicas": available,
                "conditions": [failure] if refused else [],
            },
        },
        Deployment,
    )


def replica_set(revision: int) -> ReplicaSet:
    """Its uid is its revision."""
    return msgspec.convert(
        {
            "metadata": {"uid": str(revision), "annotations": {REVISION: str(revision)}},
            "spec": {"selector": {}},
        },
        ReplicaSet,
    )


def pod(
    *,
    revision: int = 3,
    waiting: tuple[str, str] | None = None,
    exit_code: int | None = None,
    restarts: int = 0,
    ready: bool = False,
    unscheduled: str = "",
    put_out: tuple[str, str] | None = None,
    ending: bool = False,
) -> Pod:
    """Of the ReplicaSet of this revision; ``waiting`` and ``put_out`` are reason and message."""
    state: dict[str, Any] = {"running": {}}
    if waiting:
        state = {"waiting": {"reason": waiting[0], "message": waiting[1]}}
    elif exit_code is not None:
        state = {"terminated": {"exitCode": exit_code, "reason": "Error"}}
    status: dict[str, Any] = {
        "name": "vllm",
        "image": "",
        "imageID": "",
        "ready": ready,
        "restartCount": restarts,
        "state": state,
    }
    scheduled = {"type": "PodScheduled", "status": "False", "message": unscheduled}
    return msgspec.convert(
        {
            "metadata": {
                "name": f"{NAME}-{revision}",
                "ownerReferences": [
                    {"uid": str(revision), "apiVersion": "", "kind": "", "name": ""}
                ],
                "deletionTimestamp": "2026-01-01T00:00:00Z" if ending else None,
            },
            "status": {
                "phase": "Failed" if put_out else None,
                "reason": put_out and put_out[0],
                "message": put_out and put_out[1],
                "conditions": [scheduled] if unscheduled else [],
                "containerStatuses": [] if unscheduled or put_out else [status],
            },
        },
        Pod,
    )


def starting(*pods: Pod) -> Seen:
    """A change that Kubernetes has begun, with revisions 2 and 3."""
    return Seen(deployment(available=0), [replica_set(2), replica_set(3)], pods)


SERVED = Seen(deployment(), [replica_set(3)], [pod(ready=True)])


@dataclass
class FakeHome:
    """Says one thing after another, the last one for ever; an exception is raised."""

    says: Sequence[Seen | Exception] = (SERVED,)
    others: Sequence[Found] | Exception = ()
    looks: int = 0
    words: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    connections: list[tuple[str | None, str | None]] = field(
        default_factory=list[tuple[str | None, str | None]]
    )

    def connected(self, kubeconfig: str | None, context: str | None) -> FakeHome:
        self.connections.append((kubeconfig, context))
        return self

    def seen(self, name: str) -> Seen:
        assert name == NAME
        told = self.says[min(self.looks, len(self.says) - 1)]
        self.looks += 1
        if isinstance(told, Exception):
            raise told
        return told

    def found(self) -> list[Found]:
        if isinstance(self.others, Exception):
            raise self.others
        return list(self.others)

    def end_of_log(self, pod: str, container: str) -> str:
        self.asked.append((pod, container))
        return self.words
