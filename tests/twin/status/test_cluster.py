"""What is told of home's Kubernetes."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from lightkube.models.core_v1 import Container, PodSpec
from lightkube.resources.core_v1 import Node
from lightkube.resources.networking_v1 import Ingress

from tests.support.home_cluster import deployment as deployed
from tests.support.home_cluster import pod as made
from tests.support.ports import free_port
from twin.network import Network
from twin.parts import control_plane
from twin.paths import TwinPaths
from twin.status.cluster import cluster, deployment, ingress, node, pod

IMAGE = "vllm/vllm-openai:v0.33.0"


@pytest.mark.parametrize(
    ("wanted", "ready", "state", "words"),
    [
        (1, 1, "ok", "1 of 1 ready"),
        (1, None, "down", "0 of 1 ready"),
        (0, None, "idle", "0 of 1: scaled by hand"),
    ],
)
def test_replicas_are_told_of_those_that_the_program_declares(
    wanted: int, ready: int | None, state: str, words: str
) -> None:
    seen = deployed(wanted=wanted)
    assert seen.status
    seen.status.readyReplicas = ready
    row = deployment(seen)
    assert (row.what, row.state, row.detail) == ("deployment vllm-qwen", state, words)


def test_a_pod_that_the_kubelet_put_out_is_not_taken_for_down() -> None:
    refused = pod(made(put_out=("OutOfnvidia.com/gpu", "too many")), "")
    assert (refused.what, refused.state) == ("vllm-qwen-3", "idle")
    assert refused.detail == "OutOfnvidia.com/gpu; another was made in its place"


def test_a_pod_is_told_with_the_version_that_vllm_said_at_the_start_of_the_node() -> None:
    failed = made(restarts=2)
    failed.spec = PodSpec(containers=[Container(name="vllm", image=IMAGE)])
    seen = pod(failed, "0.32.0")
    assert (seen.state, seen.version) == ("down", "vLLM 0.32.0 on CPU")
    assert seen.detail == f"Pending, 2 restarts, {IMAGE}"
    assert pod(failed, "").version == ""
    assert pod(made(ready=True), "").state == "ok"


def test_traefik_serves_an_ingress_that_has_its_address() -> None:
    seen = msgspec.convert({"metadata": {"name": "m"}, "status": {}}, Ingress)
    assert (ingress(seen).state, ingress(seen).detail) == ("down", "Traefik does not serve it")
    served = {"loadBalancer": {"ingress": [{"ip": "10.99.0.4"}]}}
    seen = msgspec.convert({"metadata": {"name": "m"}, "status": served}, Ingress)
    assert ingress(seen).detail == "Traefik serves it at 10.99.0.4"


@pytest.mark.parametrize(("ready", "gpus"), [("True", "10"), ("Unknown", "0")])
def test_a_node_is_told_as_its_kubelet_reports_it(ready: str, gpus: str) -> None:
    info = dict.fromkeys(
        (
            *("architecture", "bootID", "containerRuntimeVersion", "kernelVersion", "osImage"),
            *("kubeProxyVersion", "machineID", "operatingSystem", "systemUUID"),
        ),
        "",
    )
    status = {
        "conditions": [{"type": "Ready", "status": ready}],
        "allocatable": {"nvidia.com/gpu": gpus} if gpus != "0" else {},
        "nodeInfo": {**info, "kubeletVersion": "v1.36.3-twin"},
    }
    home, gpu = node(msgspec.convert({"status": status}, Node))
    state = "ok" if ready == "True" else "down"
    assert (home.state, home.version) == (state, "v1.36.3-twin")
    assert (gpu.state, gpu.detail) == (state, f"nvidia.com/gpu: {gpus}")


def test_without_an_api_server_nothing_of_the_cluster_is_told(tmp_path: Path) -> None:
    paths = TwinPaths(tmp_path)
    [before] = cluster(paths.kubeconfig, {})
    control_plane.write_credentials(paths, Network("flat", {}), free_port())
    [seen] = cluster(paths.kubeconfig, {})
    for row in (before, seen):
        assert (row.what, row.state) == ("home", "down")
        assert row.detail.startswith("the API server does not answer: ")
