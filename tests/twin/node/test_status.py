"""A pod's status from the state of its containers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pytest

from twin.node.status import (
    Addresses,
    Containers,
    ContainerState,
    Ended,
    now,
    pod_status,
    refused,
)

NOON, LATER = "2026-11-23T12:00:00Z", "2026-11-23T12:00:09Z"
ADDRESSES = Addresses("10.42.0.2", "10.99.0.4")


def container(**known: Any) -> ContainerState:
    return ContainerState(name="vllm", image="vllm/vllm-openai:v0.32.0", **known)


def conditions(status: dict[str, Any]) -> dict[str, str]:
    return {c["type"]: c["status"] for c in status["conditions"]}


def test_times_are_written_as_kubernetes_does() -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", now())


def status_of(
    *containers: ContainerState, init: Sequence[ContainerState] = (), before: Any = None
) -> dict[str, Any]:
    return pod_status(Containers(containers, init), before or {}, ADDRESSES)


def reason(status: dict[str, Any], condition: str) -> tuple[str, str | None]:
    [found] = [c for c in status["conditions"] if c["type"] == condition]
    return found["reason"], found.get("message")


def test_a_new_pod_is_pending_and_creating_its_containers() -> None:
    first = ContainerState(name="first", image="pause")
    status = status_of(container(), init=[first])
    assert status["phase"] == "Pending"
    assert conditions(status) == {
        "PodScheduled": "True",
        "PodReadyToStartContainers": "True",
        "Initialized": "False",
        "ContainersReady": "False",
        "Ready": "False",
    }
    incomplete = "containers with incomplete status: [first]"
    assert reason(status, "Initialized") == ("ContainersNotInitialized", incomplete)
    [one] = status["containerStatuses"]
    assert one["state"] == {"waiting": {"reason": "ContainerCreating"}}
    [before] = status["initContainerStatuses"]
    assert (before["name"], before["ready"]) == ("first", False)
    assert (status["podIP"], status["hostIP"]) == ("10.42.0.2", "10.99.0.4")


def test_a_started_container_is_running_and_not_yet_ready() -> None:
    status = status_of(container(waiting=None, started_at=NOON, started=True))
    assert (status["phase"], conditions(status)["Ready"]) == ("Running", "False")
    unready = ("ContainersNotReady", "containers with unready status: [vllm]")
    assert reason(status, "Ready") == reason(status, "ContainersReady") == unready
    [one] = status["containerStatuses"]
    assert one["state"] == {"running": {"startedAt": NOON}}
    assert (one["started"], one["ready"], one["restartCount"]) == (True, False, 0)


def test_a_pod_is_ready_when_all_its_containers_are() -> None:
    ready, waiting = container(waiting=None, ready=True), container()
    half, whole = status_of(ready, waiting), status_of(ready, ready)
    assert (conditions(half)["Ready"], conditions(whole)["Ready"]) == ("False", "True")


def test_a_crashed_container_waits_and_remembers_how_it_ended() -> None:
    crashed = container(
        waiting=("CrashLoopBackOff", "back-off 10s"),
        restarts=2,
        last_run=Ended(3, NOON, LATER),
    )
    status = status_of(crashed)
    assert status["phase"] == "Running"
    [one] = status["containerStatuses"]
    assert one["restartCount"] == 2
    assert one["state"]["waiting"] == {"reason": "CrashLoopBackOff", "message": "back-off 10s"}
    assert one["lastState"] == {
        "terminated": {"exitCode": 3, "reason": "Error", "startedAt": NOON, "finishedAt": LATER}
    }


@pytest.mark.parametrize(
    ("codes", "phase", "said"),
    [
        ([0, 0], "Succeeded", "PodCompleted"),
        ([0, 3], "Failed", "PodFailed"),
    ],
)
def test_a_pod_whose_containers_ended_for_good_is_done(
    codes: list[int], phase: str, said: str
) -> None:
    status = status_of(*(container(waiting=None, ended=Ended(c, NOON, LATER)) for c in codes))
    assert status["phase"] == phase
    assert reason(status, "Ready") == reason(status, "ContainersReady") == (said, None)
    assert conditions(status)["PodReadyToStartContainers"] == "False"
    ended = [one["state"]["terminated"]["exitCode"] for one in status["containerStatuses"]]
    assert ended == codes


def test_a_pod_of_which_one_container_runs_on_is_running() -> None:
    ended, running = container(ended=Ended(0, NOON, LATER)), container(waiting=None, ready=True)
    assert status_of(ended, running)["phase"] == "Running"


def test_an_image_nobody_knows_leaves_the_pod_pending() -> None:
    unknown = container(waiting=("ErrImagePull", "nothing stands for it"))
    assert status_of(unknown)["phase"] == "Pending"


def test_times_stay_while_nothing_changes_and_move_when_it_does() -> None:
    long_ago = "2020-01-01T00:00:00Z"
    before = status_of(container())
    before["startTime"] = long_ago
    for condition in before["conditions"]:
        condition["lastTransitionTime"] = long_ago
    after = status_of(container(waiting=None, ready=True), before=before)
    assert after["startTime"] == long_ago
    changed = {c["type"] for c in after["conditions"] if c["lastTransitionTime"] != long_ago}
    assert changed == {"ContainersReady", "Ready"}


def test_a_pod_that_ran_before_a_restart_and_is_refused_is_ready_no_more() -> None:
    before = status_of(container(waiting=None, ready=True, started=True, started_at=NOON))
    status = {**before, **refused(before, "UnexpectedAdmissionError", "no GPU")}
    assert (status["phase"], status["reason"]) == ("Failed", "UnexpectedAdmissionError")
    assert status["message"] == "Pod was rejected: no GPU"
    assert conditions(status) == {
        "PodScheduled": "True",
        "PodReadyToStartContainers": "True",
        "Initialized": "True",
        "ContainersReady": "False",
        "Ready": "False",
    }
    assert reason(status, "Ready") == ("PodFailed", None)
    [one] = status["containerStatuses"]
    assert (one["ready"], one["started"], one["name"]) == (False, False, "vllm")
    assert one["state"]["terminated"]["reason"] == "ContainerStatusUnknown"


def test_a_new_pod_that_is_refused_has_no_conditions() -> None:
    assert refused({"phase": "Pending"}, "R", "w") == {
        "phase": "Failed",
        "reason": "R",
        "message": "Pod was rejected: w",
        "conditions": None,
    }
