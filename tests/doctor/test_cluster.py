"""Which of the model's pods the doctor looks at, and what it reads of their logs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from lightkube import Client, KubeConfig
from lightkube.config.models import Cluster, User
from lightkube.models.core_v1 import (
    ContainerState,
    ContainerStateRunning,
    ContainerStateWaiting,
    ContainerStatus,
    PodStatus,
)
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import Pod

from doctor.cluster import look
from doctor.observations import Cluster as Seen
from doctor.observations import NotSeen
from doctor.pods import crash_of, that_count
from tests.support.http_server import Handler, serving


def pod(
    name: str, day: int, phase: str = "Pending", *, reason: str | None = None, ending: bool = False
) -> Pod:
    made = datetime(2026, 11, day, tzinfo=UTC)
    gone = made if ending else None
    metadata = ObjectMeta(name=name, creationTimestamp=made, deletionTimestamp=gone)
    return Pod(metadata=metadata, status=PodStatus(phase=phase, reason=reason))


REJECTED = pod("rejected", 28, "Failed", reason="OutOfnvidia.com/gpu")


def names(*pods: Pod) -> list[str | None]:
    return [one.metadata.name for one in that_count(pods) if one.metadata]


def test_the_newest_pod_is_the_last() -> None:
    old, new = pod("old", 1, "Running"), pod("new", 2, "Pending")
    assert names(new, old) == ["old", "new"]


def test_a_pod_on_its_way_out_does_not_count() -> None:
    assert names(pod("ends", 1, "Running", ending=True), pod("new", 2)) == ["new"]


def test_what_a_restart_of_the_machine_put_out_counts_only_where_there_is_nothing_else() -> None:
    assert names(REJECTED, pod("serves", 1, "Running")) == ["serves"]
    assert names(REJECTED) == ["rejected"]


def test_a_pod_that_failed_by_itself_counts() -> None:
    assert names(pod("failed", 2, "Failed"), pod("serves", 1)) == ["serves", "failed"]


LOGS = {
    "": "Loading weights: 40%\n",
    "true": "ValueError: No available memory\nengine died\n",
}
"""By whether the run before is asked for."""


class ApiServer(Handler):
    """Has the log of one pod."""

    def do_GET(self) -> None:  # noqa: N802  # the base class calls it so
        asked = urlsplit(self.path)
        assert asked.path == "/api/v1/namespaces/vlm/pods/vllm-qwen-1/log"
        query = parse_qs(asked.query)
        self.whole(200, LOGS[query.get("previous", [""])[0]].encode())


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (ContainerState(running=ContainerStateRunning()), "ValueError: No available memory"),
        (
            ContainerState(waiting=ContainerStateWaiting(reason="CrashLoopBackOff")),
            "Loading weights: 40%",
        ),
    ],
)
def test_the_last_words_are_those_of_the_run_that_ended(state: ContainerState, words: str) -> None:
    container = ContainerStatus(
        name="vllm", image="", imageID="", ready=False, restartCount=1, state=state
    )
    crashed = Pod(
        metadata=ObjectMeta(name="vllm-qwen-1", namespace="vlm"),
        status=PodStatus(containerStatuses=[container]),
    )
    with serving(ApiServer) as port:
        cluster = Cluster(server=f"http://127.0.0.1:{port}")
        client = Client(KubeConfig.from_one(cluster=cluster, user=User(token="t")))
        assert crash_of(client, crashed) == words


def test_a_model_server_that_was_killed_is_not_asked_for_its_last_words() -> None:
    seen = looked_at({"exitCode": 137, "reason": "Error"})
    [pod] = seen.pods
    assert (pod.killed, pod.reason, pod.last_words) == (True, "Error (exit code 137)", "")


def test_one_that_ended_by_itself_is() -> None:
    seen = looked_at({"exitCode": 2, "reason": "Error"})
    [pod] = seen.pods
    assert (pod.killed, pod.last_words) == (False, "ValueError: No available memory")


@pytest.mark.parametrize(
    ("waiting", "told", "never"),
    [
        ({"reason": "ErrImagePull", "message": "x: no"}, "ErrImagePull: x: no", True),
        ({"reason": "InvalidImageName"}, "InvalidImageName", True),
        ({"reason": "ContainerCreating"}, "", False),
        ({"reason": "PodInitializing"}, "", False),
    ],
)
def test_a_container_that_kubernetes_cannot_begin_is_told_with_its_words(
    waiting: dict[str, str], told: str, never: bool
) -> None:
    [pod] = looked_at({}, {"state": {"waiting": waiting}, "restartCount": 0}).pods
    assert (pod.reason, pod.never_began, pod.last_words) == (told, never, "")


def test_one_that_crashes_again_and_again_did_begin() -> None:
    waiting = {"reason": "CrashLoopBackOff", "message": "back-off 10s restarting failed container"}
    [pod] = looked_at({"exitCode": 2, "reason": "Error"}, {"state": {"waiting": waiting}}).pods
    assert (pod.reason, pod.never_began) == ("CrashLoopBackOff, Error (exit code 2)", False)


def test_why_no_pod_is_made_is_the_deployments_condition() -> None:
    assert looked_at({"exitCode": 0}).unmade == "exceeded quota: gpu"


def looked_at(ended: dict[str, Any], more: Mapping[str, Any] | None = None) -> Seen:
    """Of a cluster with one pod of the model server, whose container ended like this before."""
    status = {"name": "vllm", "image": "", "imageID": "", "ready": False, "restartCount": 1}
    before = {"terminated": ended} if ended else {}
    again: Any = {**status, "state": {"running": {}}, "lastState": before, **(more or {})}
    return look_at(pods=[a_pod(again)], deployments=[DEPLOYMENT])


def a_pod(*containers: Any, phase: str = "Running", placed: bool = True) -> dict[str, Any]:
    return {
        "metadata": {"name": "vllm-qwen-1", "namespace": "vlm"},
        "spec": {"containers": [], **({"nodeName": "home"} if placed else {})},
        "status": {
            "phase": phase,
            "conditions": [{"type": "PodScheduled", "status": "True"}] if placed else [],
            "containerStatuses": list(containers),
        },
    }


DEPLOYMENT: Any = {
    "metadata": {"name": "vllm-qwen"},
    "spec": {"replicas": 1, "selector": {}, "template": {}},
    "status": {
        "conditions": [
            {"type": "Available", "status": "False", "message": "none is available"},
            {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: gpu"},
        ]
    },
}


def look_at(log: str = LOGS["true"], **items: list[Any]) -> Seen:
    """Of an API server that has these objects, by kind."""

    class WholeApiServer(Handler):
        def do_GET(self) -> None:  # noqa: N802  # the base class calls it so
            path = urlsplit(self.path).path
            if path.endswith("/log"):
                self.whole(200, log.encode())
            else:
                listed = items.get(path.rpartition("/")[2], [])
                self.whole(200, json.dumps({"items": listed, "metadata": {}}).encode())

    with serving(WholeApiServer) as port:
        cluster = Cluster(server=f"http://127.0.0.1:{port}")
        kubeconfig = KubeConfig.from_one(cluster=cluster, user=User(token="t"))
        seen = look(kubeconfig, None, traefik_is_a_pod=False)
    assert isinstance(seen, Seen)
    return seen


def a_node(name: str, *, ready: bool, gpus: int) -> dict[str, Any]:
    told = {"type": "Ready", "status": "True" if ready else "Unknown", "message": f"{name}: gone"}
    has, offers = {"nvidia.com/gpu": "10"}, {"nvidia.com/gpu": str(gpus)}
    return {
        "metadata": {"name": name},
        "status": {"conditions": [told], "capacity": has, "allocatable": offers},
    }


OLD, HOME = a_node("old", ready=False, gpus=0), a_node("home", ready=True, gpus=7)
READY: dict[str, Any] = {
    "name": "vllm",
    "image": "",
    "imageID": "",
    "ready": True,
    "restartCount": 0,
    "state": {"running": {}},
}
CREATING: dict[str, Any] = {
    **READY,
    "ready": False,
    "state": {"waiting": {"reason": "ContainerCreating"}},
}


def test_only_the_pods_node_counts_and_what_it_offers_not_what_it_has() -> None:
    seen = look_at(nodes=[OLD, HOME], pods=[a_pod(READY)])
    assert (seen.node_ready, seen.gpus) == (True, 7)
    dead = look_at(nodes=[a_node("home", ready=False, gpus=0), a_node("new", ready=True, gpus=7)])
    assert dead.node_ready


def test_a_pod_on_a_node_that_is_gone_is_on_no_other() -> None:
    nodes = [a_node("home", ready=False, gpus=0), a_node("new", ready=True, gpus=7)]
    seen = look_at(nodes=nodes, pods=[a_pod(READY)])
    assert (seen.node_ready, seen.node_reason, seen.gpus) == (False, "home: gone", 0)


def test_a_cluster_without_the_programs_namespace_is_not_home() -> None:
    assert not look_at(namespaces=[{"metadata": {"name": "default"}}]).ours
    assert look_at(namespaces=[{"metadata": {"name": "vlm"}}]).ours


def test_a_pod_whose_container_is_made_has_a_node_and_its_newest_warning() -> None:
    def warning(minute: int, message: str) -> dict[str, Any]:
        return {
            "involvedObject": {},
            "metadata": {},
            "reason": "FailedMount",
            "message": message,
            "lastTimestamp": f"2026-11-30T10:{minute:02}:00Z",
        }

    events = [warning(2, "configmap not found"), warning(1, "timed out")]
    [pod] = look_at(pods=[a_pod(CREATING, phase="Pending")], events=events).pods
    assert (pod.unplaced, pod.never_began) == (False, False)
    assert pod.event == "FailedMount: configmap not found"


def test_a_pod_that_no_scheduler_has_looked_at_has_no_node() -> None:
    [pod] = look_at(pods=[a_pod(phase="Pending", placed=False)]).pods
    assert (pod.unplaced, pod.reason, pod.event) == (True, "", "")


STATISTICS = (
    "(APIServer pid=7) INFO 11-30 09:51:42 [loggers.py:335] Engine 000: Avg prompt throughput: "
    "108.8 tokens/s, Avg generation throughput: {} tokens/s, Running: {} reqs, Waiting: 2 reqs, "
    "GPU KV cache usage: 0.4%, Prefix cache hit rate: 0.0%"
)
"""As vLLM's loggers.py writes them."""


@pytest.mark.parametrize(
    ("lines", "works_on"),
    [
        ([STATISTICS.format("142.9", 8), "INFO: 200 OK"], "Running: 8 reqs, Waiting: 2 reqs"),
        ([STATISTICS.format("142.9", 8), STATISTICS.format("0.0", 8)], ""),
        ([STATISTICS.format("0.5", 0)], ""),
        (["INFO: 200 OK"], ""),
    ],
)
def test_an_engine_that_writes_for_others_is_busy(lines: list[str], works_on: str) -> None:
    [pod] = look_at("\n".join(lines), pods=[a_pod(READY)]).pods
    assert pod.works_on == works_on


def test_something_else_than_an_api_server_is_told_as_such() -> None:
    """A router's page at home's address, say."""

    class Page(Handler):
        protocol_version = "HTTP/1.0"

        def do_GET(self) -> None:  # noqa: N802
            self.whole(403, b"<html>", {"Content-Type": "text/html"})

    with serving(Page) as port:
        cluster = Cluster(server=f"http://127.0.0.1:{port}")
        kubeconfig = KubeConfig.from_one(cluster=cluster, user=User(token="t"))
        seen = look(kubeconfig, None, traefik_is_a_pod=False)
    assert isinstance(seen, NotSeen)
    assert "403" in seen.why
