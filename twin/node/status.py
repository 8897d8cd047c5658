"""A pod's status from the state of its containers. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

LOST = {
    "exitCode": 137,
    "reason": "ContainerStatusUnknown",
    "message": "The container could not be located when the pod was terminated",
}


def now() -> str:
    """The time as Kubernetes writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Addresses:
    """The pod's and its node's."""

    pod: str
    host: str


@dataclass(frozen=True)
class Ended:
    """How one run of a container ended."""

    code: int
    """128 and the signal's number when a signal ended it."""
    started_at: str | None
    at: str

    def as_json(self) -> dict[str, Any]:
        return {
            "exitCode": self.code,
            "reason": "Completed" if self.code == 0 else "Error",
            "startedAt": self.started_at,
            "finishedAt": self.at,
        }


@dataclass
class ContainerState:
    """What is known of one container."""

    name: str
    image: str
    restarts: int = 0
    waiting: tuple[str, str] | None = ("ContainerCreating", "")
    """Reason and message."""
    started_at: str | None = None
    ended: Ended | None = None
    """For good."""
    last_run: Ended | None = None
    """The one before."""
    started: bool = False
    """Whether the startup probe, if any, has succeeded."""
    ready: bool = False

    def as_json(self) -> dict[str, Any]:
        if self.ended is not None:
            state: dict[str, Any] = {"terminated": self.ended.as_json()}
        elif self.waiting is not None:
            reason, message = self.waiting
            state = {"waiting": {"reason": reason, **({"message": message} if message else {})}}
        else:
            state = {"running": {"startedAt": self.started_at}}
        return {
            "name": self.name,
            "image": self.image,
            "imageID": f"twin://{self.image}",
            "containerID": f"twin://{self.name}",
            "restartCount": self.restarts,
            "ready": self.ready,
            "started": self.started,
            "state": state,
            "lastState": {"terminated": self.last_run.as_json()} if self.last_run else {},
        }


@dataclass(frozen=True)
class Containers:
    """A pod's, each kind in the order of its spec."""

    main: Sequence[ContainerState]
    init: Sequence[ContainerState] = ()

    @property
    def initialized(self) -> bool:
        return all(one.ready for one in self.init)

    @property
    def phase(self) -> str:
        if all(one.ended for one in self.main):
            good = all(one.ended and one.ended.code == 0 for one in self.main)
            return "Succeeded" if good else "Failed"
        ran = any(one.waiting is None or one.restarts for one in self.main)
        return "Running" if self.initialized and ran else "Pending"


def pod_status(
    containers: Containers, previous: Mapping[str, Any], addresses: Addresses
) -> dict[str, Any]:
    """The whole status; conditions keep their time of change while they stay as they are."""
    before = {c["type"]: c for c in previous.get("conditions", [])}
    return {
        "phase": containers.phase,
        "hostIP": addresses.host,
        "hostIPs": [{"ip": addresses.host}],
        "podIP": addresses.pod,
        "podIPs": [{"ip": addresses.pod}],
        "startTime": previous.get("startTime") or now(),
        "conditions": [
            _since(wanted, before.get(wanted["type"])) for wanted in _conditions(containers)
        ],
        **(
            {"initContainerStatuses": [c.as_json() for c in containers.init]}
            if containers.init
            else {}
        ),
        "containerStatuses": [c.as_json() for c in containers.main],
    }


def _conditions(containers: Containers) -> list[dict[str, str]]:
    """As ``pkg/kubelet/status/generate.go`` has them."""
    done = {"Succeeded": "PodCompleted", "Failed": "PodFailed"}.get(containers.phase)
    unready = [one.name for one in containers.main if not one.ready]
    if done is not None:
        readiness = {"status": "False", "reason": done}
    elif unready:
        message = f"containers with unready status: [{' '.join(unready)}]"
        readiness = {"status": "False", "reason": "ContainersNotReady", "message": message}
    else:
        readiness = {"status": "True"}
    uninitialized = [one.name for one in containers.init if not one.ready]
    initialized = {"status": str(containers.initialized)}
    if uninitialized:
        message = f"containers with incomplete status: [{' '.join(uninitialized)}]"
        initialized |= {"reason": "ContainersNotInitialized", "message": message}
    elif done == "PodCompleted":
        initialized |= {"reason": done}
    return [
        {"type": "PodScheduled", "status": "True"},
        {"type": "PodReadyToStartContainers", "status": str(done is None)},
        {"type": "Initialized", **initialized},
        {"type": "ContainersReady", **readiness},
        {"type": "Ready", **readiness},
    ]


def refused(before: Mapping[str, Any], reason: str, why: str) -> dict[str, Any]:
    """Of a pod that the node does not take, from the status that it had.

    A pod from before a restart of the node has had containers, of which nothing is known any more
    (``ContainerStatusUnknown``, ``pkg/kubelet/kubelet_pods.go``).
    """
    status = {"phase": "Failed", "reason": reason, "message": f"Pod was rejected: {why}"}
    ran: list[Mapping[str, Any]] = before.get("containerStatuses", [])
    if not ran:
        return {**status, "conditions": None}
    unready = {"status": "False", "reason": "PodFailed", "lastTransitionTime": now()}
    conditions: list[Mapping[str, Any]] = before.get("conditions", [])
    return {
        **status,
        "conditions": [
            {**one, **unready} if one["type"] in ("Ready", "ContainersReady") else one
            for one in conditions
        ],
        "containerStatuses": [
            {**one, "ready": False, "started": False, "state": {"terminated": LOST}} for one in ran
        ],
    }


def differs(seen: Mapping[str, Any], ours: Mapping[str, Any]) -> bool:
    """Whether two statuses tell different things, times and messages aside."""
    return _gist(seen) != _gist(ours)


def _gist(status: Mapping[str, Any]) -> tuple[Any, ...]:
    return (
        status.get("phase"),
        {c["type"]: c["status"] for c in status.get("conditions", [])},
        [
            (c["name"], c["ready"], c["restartCount"], list(c.get("state", {})))
            for c in status.get("containerStatuses", [])
        ],
    )


def _since(wanted: Mapping[str, str], before: Mapping[str, str] | None) -> dict[str, str]:
    """A condition with the time since when it has been so."""
    if before and before["status"] == wanted["status"]:
        return {**wanted, "lastTransitionTime": before["lastTransitionTime"]}
    return {**wanted, "lastTransitionTime": now()}
