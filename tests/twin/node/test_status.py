"""A pod's status from the state of its containers."""

from __future__ import annotations

import re
from typing import Any

from twin.node.status import Addresses, ContainerState, now, pod_status

ADDRESSES = Addresses("10.42.0.2", "10.99.0.4")


def container(**known: Any) -> ContainerState:
    return ContainerState(name="vllm", image="vllm/vllm-openai:v0.32.0", **known)


def conditions(status: dict[str, Any]) -> dict[str, str]:
    return {c["type"]: c["status"] for c in status["conditions"]}


def test_times_are_written_as_kubernetes_does() -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", now())


def test_a_new_pod_is_pending_and_creating_its_containers() -> None:
    status = pod_status([container()], {}, ADDRESSES, initialized=False)
    assert status["phase"] == "Pending"
    assert conditions(status) == {
        "PodScheduled": "True",
        "PodReadyToStartContainers": "True",
        "Initialized": "False",
        "ContainersReady": "False",
        "Ready": "False",
    }
    [one] = status["containerStatuses"]
    assert one["state"] == {"waiting": {"reason": "ContainerCreating", "message": ""}}
    assert (status["podIP"], status["hostIP"]) == ("10.42.0.2", "10.99.0.4")


def test_a_started_container_is_running_and_not_yet_ready() -> None:
    started = container(waiting=None, started_at="2026-11-23T12:00:00Z", started=True)
    status = pod_status([started], {}, ADDRESSES, initialized=True)
    assert (status["phase"], conditions(status)["Ready"]) == ("Running", "False")
    [one] = status["containerStatuses"]
    assert one["state"] == {"running": {"startedAt": "2026-11-23T12:00:00Z"}}
    assert (one["started"], one["ready"], one["restartCount"]) == (True, False, 0)


def test_a_pod_is_ready_when_all_its_containers_are() -> None:
    ready, waiting = container(waiting=None, ready=True), container()
    half = pod_status([ready, waiting], {}, ADDRESSES, initialized=True)
    whole = pod_status([ready, ready], {}, ADDRESSES, initialized=True)
    assert (conditions(half)["Ready"], conditions(whole)["Ready"]) == ("False", "True")


def test_a_crashed_container_waits_and_remembers_how_it_ended() -> None:
    crashed = container(
        waiting=("CrashLoopBackOff", "back-off 10s"),
        restarts=2,
        last_exit=(3, "2026-11-23T12:00:00Z"),
    )
    status = pod_status([crashed], {}, ADDRESSES, initialized=True)
    assert status["phase"] == "Running"
    [one] = status["containerStatuses"]
    assert one["restartCount"] == 2
    assert one["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert one["lastState"] == {
        "terminated": {"exitCode": 3, "reason": "Error", "finishedAt": "2026-11-23T12:00:00Z"}
    }


def test_an_image_nobody_knows_leaves_the_pod_pending() -> None:
    unknown = container(waiting=("ErrImagePull", "nothing stands for it"))
    assert pod_status([unknown], {}, ADDRESSES, initialized=True)["phase"] == "Pending"


def test_times_stay_while_nothing_changes_and_move_when_it_does() -> None:
    long_ago = "2020-01-01T00:00:00Z"
    before = pod_status([container()], {}, ADDRESSES, initialized=True)
    before["startTime"] = long_ago
    for condition in before["conditions"]:
        condition["lastTransitionTime"] = long_ago
    ready = container(waiting=None, ready=True)
    after = pod_status([ready], before, ADDRESSES, initialized=True)
    assert after["startTime"] == long_ago
    changed = {c["type"] for c in after["conditions"] if c["lastTransitionTime"] != long_ago}
    assert changed == {"ContainersReady", "Ready"}
