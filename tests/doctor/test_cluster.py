"""Which of the model's pods the doctor looks at, and what it reads of their logs."""

from __future__ import annotations

import json
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

from doctor.cluster import last_words, look, that_count
from doctor.observations import Cluster as Seen
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
        assert last_words(client, "vllm-qwen-1", crashed) == words


def test_a_model_server_that_was_killed_is_not_asked_for_its_last_words() -> None:
    seen = looked_at({"exitCode": 137, "reason": "Error"})
    [pod] = seen.pods
    assert (pod.killed, pod.reason, pod.last_words) == (True, "Error (exit code 137)", "")


def test_one_that_ended_by_itself_is() -> None:
    seen = looked_at({"exitCode": 2, "reason": "Error"})
    [pod] = seen.pods
    assert (pod.killed, pod.last_words) == (False, "ValueError: No available memory")


def test_why_no_pod_is_made_is_the_deployments_condition() -> None:
    assert looked_at({"exitCode": 0}).unmade == "exceeded quota: gpu"


def looked_at(ended: dict[str, Any]) -> Seen:
    """Of a cluster with one pod of the model server, whose container ended like this before."""
    status = {"name": "vllm", "image": "", "imageID": "", "ready": False, "restartCount": 1}
    again: Any = {**status, "state": {"running": {}}, "lastState": {"terminated": ended}}
    pod: Any = {
        "metadata": {"name": "vllm-qwen-1", "namespace": "vlm"},
        "status": {"phase": "Running", "containerStatuses": [again]},
    }
    conditions = [
        {"type": "Available", "status": "False", "message": "none is available"},
        {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: gpu"},
    ]
    deployment: Any = {
        "metadata": {"name": "vllm-qwen"},
        "spec": {"replicas": 1, "selector": {}, "template": {}},
        "status": {"conditions": conditions},
    }
    items: dict[str, list[Any]] = {"pods": [pod], "deployments": [deployment]}

    class WholeApiServer(Handler):
        def do_GET(self) -> None:  # noqa: N802  # the base class calls it so
            path = urlsplit(self.path).path
            if path.endswith("/log"):
                self.whole(200, LOGS["true"].encode())
            else:
                listed = items.get(path.rpartition("/")[2], [])
                self.whole(200, json.dumps({"items": listed, "metadata": {}}).encode())

    with serving(WholeApiServer) as port:
        cluster = Cluster(server=f"http://127.0.0.1:{port}")
        kubeconfig = KubeConfig.from_one(cluster=cluster, user=User(token="t"))
        seen = look(kubeconfig, None, traefik_is_a_pod=False)
    assert isinstance(seen, Seen)
    return seen
