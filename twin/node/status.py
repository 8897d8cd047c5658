"""A pod's status from the state of its containers. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


def now() -> str:
    """The time as Kubernetes writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Addresses:
    """The pod's and its node's."""

    pod: str
    host: str


@dataclass
class ContainerState:
    """What is known of one container."""

    name: str
    image: str
    restarts: int = 0
    waiting: tuple[str, str] | None = ("ContainerCreating", "")
    """Reason and message."""
    started_at: str | None = None
    last_exit: tuple[int, str] | None = None
    """Exit code and time."""
    started: bool = False
    """Whether the startup probe, if any, has succeeded."""
    ready: bool = False

    def as_json(self) -> dict[str, Any]:
        if self.waiting is not None:
            reason, message = self.waiting
            state: dict[str, Any] = {"waiting": {"reason": reason, "message": message}}
        else:
            state = {"running": {"startedAt": self.started_at}}
        last: dict[str, Any] = {}
        if self.last_exit is not None:
            code, at = self.last_exit
            reason = "Completed" if code == 0 else "Error"
            last = {"terminated": {"exitCode": code, "reason": reason, "finishedAt": at}}
        return {
            "name": self.name,
            "image": self.image,
            "imageID": f"twin://{self.image}",
            "containerID": f"twin://{self.name}",
            "restartCount": self.restarts,
            "ready": self.ready,
            "started": self.started,
            "state": state,
            "lastState": last,
        }


def pod_status(
    containers: Sequence[ContainerState],
    previous: Mapping[str, Any],
    addresses: Addresses,
    *,
    initialized: bool,
) -> dict[str, Any]:
    """The whole status; conditions keep their time of change while they stay as they are."""
    ready = all(c.ready for c in containers)
    running = initialized and any(c.waiting is None or c.restarts for c in containers)
    wanted = {
        "PodScheduled": True,
        "PodReadyToStartContainers": True,
        "Initialized": initialized,
        "ContainersReady": ready,
        "Ready": ready,
    }
    before = {c["type"]: c for c in previous.get("conditions", [])}
    return {
        "phase": "Running" if running else "Pending",
        "hostIP": addresses.host,
        "hostIPs": [{"ip": addresses.host}],
        "podIP": addresses.pod,
        "podIPs": [{"ip": addresses.pod}],
        "startTime": previous.get("startTime") or now(),
        "conditions": [_condition(t, v, before.get(t)) for t, v in wanted.items()],
        "containerStatuses": [c.as_json() for c in containers],
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


def _condition(type_: str, value: bool, before: Mapping[str, Any] | None) -> dict[str, Any]:  # noqa: FBT001
    status = str(value)
    if before and before["status"] == status:
        return {"type": type_, "status": status, "lastTransitionTime": before["lastTransitionTime"]}
    return {"type": type_, "status": status, "lastTransitionTime": now()}
