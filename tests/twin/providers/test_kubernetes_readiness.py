"""When an object is ready, and the words for why it is not."""

from __future__ import annotations

from typing import Any

import pytest

from twin.providers.kubernetes_readiness import not_ready
from twin.providers.properties import Properties

METADATA = {"name": "vllm-qwen", "namespace": "vlm", "generation": 2}
SPEC = {"selector": {"matchLabels": {"app": "vllm-qwen", "tier": "gpu"}}}
DONE = {"observedGeneration": 2, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}


def deployment(spec: Properties | None = None, **status: Any) -> Properties:
    return {
        "kind": "Deployment",
        "metadata": METADATA,
        "spec": {**SPEC, **(spec or {})},
        "status": {**DONE, **status},
    }


def daemon_set(**status: Any) -> Properties:
    done = {
        "observedGeneration": 2,
        "desiredNumberScheduled": 1,
        "numberReady": 1,
        "updatedNumberScheduled": 1,
    }
    return {"kind": "DaemonSet", "metadata": METADATA, "spec": SPEC, "status": {**done, **status}}


def listing(*objects: Properties) -> Any:
    def listed(path: str, selector: str) -> list[Properties]:
        assert (path, selector) == ("/api/v1/namespaces/vlm/pods", "app=vllm-qwen,tier=gpu")
        return list(objects)

    return listed


def container(**more: Any) -> Properties:
    usual: Properties = {
        "name": "vllm",
        "state": {"running": {}},
        "ready": False,
        "restartCount": 0,
    }
    return {**usual, **more}


def pod(*containers: Properties, **status: Any) -> Properties:
    return {
        "metadata": {"name": "vllm-qwen-1"},
        "status": {"containerStatuses": list(containers), **status},
    }


@pytest.mark.parametrize(
    "ready",
    [
        deployment(),
        deployment({"replicas": 0}, replicas=0, updatedReplicas=0, availableReplicas=0),
        daemon_set(),
        {"kind": "ConfigMap"},
        {"kind": "Service", "spec": {}},
        {"kind": "Ingress", "status": {"loadBalancer": {"ingress": [{"ip": "10.99.0.4"}]}}},
    ],
)
def test_what_is_ready_is_ready(ready: Properties) -> None:
    assert not_ready(ready, listing()) is None


@pytest.mark.parametrize(
    "rolling_out",
    [
        deployment(observedGeneration=1),
        deployment(updatedReplicas=0),
        deployment(replicas=2),
        {**deployment(), "status": {}},
        daemon_set(observedGeneration=1),
        daemon_set(updatedNumberScheduled=0),
        daemon_set(desiredNumberScheduled=0, numberReady=0, updatedNumberScheduled=0),
    ],
)
def test_a_rollout_under_way_is_waited_for(rolling_out: Properties) -> None:
    assert not_ready(rolling_out, listing()) is not None


@pytest.mark.parametrize(
    ("why", "words"),
    [
        (
            pod(
                container(
                    state={"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}
                )
            ),
            "ImagePullBackOff no such image",
        ),
        (pod(container(state={"waiting": {"reason": "Creating"}})), "Creating"),
        (pod(container()), "vllm is starting"),
        (pod(container(restartCount=3)), "vllm is starting after 3 restarts"),
        (
            pod(
                conditions=[
                    {"type": "PodScheduled", "status": "False", "message": "no free nvidia.com/gpu"}
                ]
            ),
            "no free nvidia.com/gpu",
        ),
    ],
)
def test_a_pod_that_is_not_ready_is_named_with_its_reason(why: Properties, words: str) -> None:
    waiting = deployment(availableReplicas=0)
    assert not_ready(waiting, listing(why)) == (f"0 of 1 pods available (vllm-qwen-1: {words})")


def test_pods_that_a_quota_refuses_are_told_by_the_deployment() -> None:
    refused = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: gpu"}
    waiting = deployment(availableReplicas=0, conditions=[refused])
    assert not_ready(waiting, listing()) == "0 of 1 pods available (exceeded quota: gpu)"


NO_ENDPOINT: Properties = {"endpoints": None}
UNREADY: Properties = {"endpoints": [{"conditions": {"ready": False}}]}
READY: Properties = {"endpoints": [{"conditions": {"ready": True}}]}


@pytest.mark.parametrize(
    ("slices", "is_ready"),
    [((), False), ((NO_ENDPOINT,), False), ((UNREADY,), False), ((NO_ENDPOINT, READY), True)],
)
def test_a_service_waits_for_a_ready_pod(slices: tuple[Properties, ...], *, is_ready: bool) -> None:
    def listed(path: str, selector: str) -> list[Properties]:
        assert path == "/apis/discovery.k8s.io/v1/namespaces/vlm/endpointslices"
        assert selector == "kubernetes.io/service-name=vllm-qwen"
        return list(slices)

    service = {"kind": "Service", "metadata": METADATA, "spec": {"selector": {"app": "x"}}}
    reason = None if is_ready else "waiting for a ready pod behind the service"
    assert not_ready(service, listed) == reason


def test_an_ingress_waits_for_its_address() -> None:
    ingress: Properties = {"kind": "Ingress", "status": {"loadBalancer": {}}}
    assert not_ready(ingress, listing()) == (
        "waiting for the ingress controller to publish its address"
    )
