"""The emulated node does what a kubelet does, but for what ``differences.yaml`` explains.

And home's part of the program, unmodified, on a kubelet with a container runtime and a network
policy controller: it is served, it is isolated, and a change that cannot work is told.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hub.home.check import rows
from hub.home.cluster import look_inside
from hub.home.machine import Machine
from tests.conformance.comparison import NODES, stale, unexplained
from tests.conformance.node.cases import NAMESPACE, SERVES, pod, shell
from tests.conformance.node.conftest import Nodes
from tests.conformance.node.reach import PLACES, all_places_answer, reached
from tests.conformance.node.running import apply, kubectl, pod_object
from tests.support.home_facts import facts, tailscale
from tests.support.waiting import until
from tests.twin.conftest import PATIENCE, HubUnderTest
from tests.twin.questions import chat, first_key
from twin.network import NODE_ADDRESS

pytestmark = pytest.mark.conformance


def test_every_difference_between_the_nodes_is_explained(nodes: Nodes) -> None:
    assert unexplained(nodes.emulated, nodes.real, NODES) == []


def test_every_explanation_still_has_its_difference(nodes: Nodes) -> None:
    assert stale(nodes.emulated, nodes.real, NODES) == []


def test_the_gateway_answers_with_the_model_in_a_real_container(nodes: Nodes) -> None:
    answer = _ask(nodes.hub)
    assert answer["choices"][0]["message"]["content"]
    node = nodes.hub.kubectl("get", "node", "home")
    assert node["status"]["nodeInfo"]["containerRuntimeVersion"].startswith("containerd://")
    assert node["status"]["allocatable"]["nvidia.com/gpu"] == "10"


def test_without_its_runtime_class_the_model_server_does_not_start(nodes: Nodes) -> None:
    """The default runtime does not mount it, as it would not mount NVIDIA's driver."""
    hub, name = nodes.hub, "without-its-class"
    spec = hub.kubectl("-n", "vlm", "get", "deployment", "vllm-qwen")["spec"]["template"]["spec"]
    del spec["runtimeClassName"]
    apply(hub, pod_object(name, {**spec, "restartPolicy": "Never"}), namespace="vlm")
    try:
        failed = ("--for=jsonpath={.status.phase}=Failed", f"--timeout={PATIENCE}s")
        kubectl(hub, "wait", "pod", name, *failed, namespace="vlm")
        assert "FileNotFoundError" in kubectl(hub, "logs", name, namespace="vlm").stdout
    finally:
        kubectl(hub, "delete", "pod", name, "--now", namespace="vlm")


def test_the_models_own_liveness_command_generates_a_token_in_its_container(nodes: Nodes) -> None:
    """It is due two minutes after the start only, so here it is run by hand."""
    hub = nodes.hub
    [container] = hub.vllm_pod()["spec"]["containers"]
    command = container["livenessProbe"]["exec"]["command"]
    kubectl(hub, "exec", _model(hub), "--", *command, namespace="vlm")
    nobodys_port = ["1" if word == "8000" else word for word in command]
    assert nobodys_port != command
    done = kubectl(hub, "exec", _model(hub), "--", *nobodys_port, namespace="vlm", check=False)
    assert done.returncode != 0


def test_the_program_finds_nothing_to_change_on_a_real_node(nodes: Nodes) -> None:
    line = "pulumi preview --refresh --expect-no-changes --stack twin --non-interactive"
    done = nodes.hub.shell(line)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_model_reaches_the_public_internet_by_https_and_nothing_else(nodes: Nodes) -> None:
    hub = nodes.hub
    with _other_pods(hub) as addresses, all_places_answer(hub):
        api = {"home's API server": _api_server(hub)}
        pods = {"a pod of another namespace": (addresses["stranger"], 8000)}
        places = {**PLACES, **api, **pods}
        from_a_stranger = dict(
            zip(places, reached(hub, NAMESPACE, "stranger", places.values()), strict=True)
        )
        from_the_model = dict(
            zip(places, reached(hub, "vlm", _model(hub), places.values()), strict=True)
        )
    assert from_a_stranger == dict.fromkeys(places, True)
    allowed = {"a public address by HTTPS"}
    assert from_the_model == {place: place in allowed for place in places}


def test_traefik_and_the_node_itself_reach_the_model_and_no_other_pod_does(nodes: Nodes) -> None:
    """The emulated Traefik runs on the node; K3s' own is a pod."""
    hub = nodes.hub
    model = [(hub.kubectl("-n", "vlm", "get", "pod", _model(hub))["status"]["podIP"], 8000)]
    with _other_pods(hub):
        seen = {
            one.name: reached(hub, one.namespace, one.name, model) == [True] for one in OTHER_PODS
        }
    assert seen == {
        "stranger": False,
        "namesake": False,
        "neighbour": False,
        "traefik-elsewhere": False,
        "traefik": True,
    }
    assert _ask(hub)["choices"]


def test_a_model_that_cannot_start_fails_up_with_the_pods_own_reason(nodes: Nodes) -> None:
    revision = f"revision: personal-cloud-hub/tiny-vl@{'0' * 40}"
    done = nodes.hub.up_with("profile: tiny", f"profile: tiny\n      {revision}")
    assert done.returncode != 0
    assert "The model is not served" in done.stdout
    assert "huggingface_hub.errors" in done.stdout
    assert nodes.hub.shell("pulumi up --yes --skip-preview --stack twin").returncode == 0
    assert _ask(nodes.hub)["choices"]


def test_after_a_power_cut_the_model_is_served_again_with_no_hand_on_it(nodes: Nodes) -> None:
    """The pod of before stays listed as refused: the GPU's plugin comes after the pods."""
    hub, before = nodes.hub, _model(nodes.hub)
    nodes.machine.lose_power()
    with hub.http(first_key(hub)) as http:
        until(lambda: http.get("/health").status_code == 503, seconds=PATIENCE)
    nodes.machine.switch_on()
    assert _ask(hub)["choices"]
    listed = hub.vllm_pods()
    by_name = {one["metadata"]["name"]: one["status"] for one in listed}
    assert by_name[before]["phase"] == "Failed"
    assert by_name[before]["reason"] == "UnexpectedAdmissionError"
    assert _model(hub) != before
    told = {row["what"]: row["state"] for row in json.loads(hub.run("status", "--json").stdout)}
    assert "down" not in [told[name] for name in by_name]
    # As `hub home check` and docs/operations.md ask for it.
    line = ("logs", "deployment/vllm-qwen", "--tail=3", "--prefix")
    shown = kubectl(hub, *line, namespace="vlm").stdout.splitlines()
    assert [one.partition("]")[0] for one in shown] == [f"[pod/{_model(hub)}/vllm"] * 3


def test_home_check_takes_the_pod_that_serves_for_the_model(nodes: Nodes, tmp_path: Path) -> None:
    """Its script as on a server, where the command is `k3s kubectl`.

    The node's first start has left a refused pod. What is not of the cluster is said to be well.
    """
    k3s = tmp_path / "k3s"
    k3s.write_text('#!/bin/sh\nshift\nexec kubectl "$@"\n')
    k3s.chmod(0o755)
    # K3s calls its node as the machine is called.
    uname = tmp_path / "uname"
    uname.write_text("#!/bin/sh\necho home\n")
    uname.chmod(0o755)
    env = nodes.hub.shell_env
    path = f"PATH={tmp_path}:{env['PATH']}"
    shell = nodes.hub.network.at("home", "env", path, f"KUBECONFIG={env['KUBECONFIG']}", "bash")
    known = facts(tailscale=tailscale(address=NODE_ADDRESS))
    cluster = look_inside(Machine(shell), known)
    seen = {row.what: row for row in rows(known, cluster, datetime.now(UTC))}
    assert [seen[what].state for what in ("node", "nvidia.com/gpu")] == ["ok", "ok"]
    assert (seen["vllm-qwen"].state, seen["vllm-qwen"].detail) == ("ok", "ready")
    assert "ended with the machine's last restart" in seen["the others"].detail
    assert seen["port 80"].detail == f"http://{NODE_ADDRESS} asks for the gateway's key"


@dataclass(frozen=True)
class OtherPod:
    """One that is not the program's."""

    name: str
    namespace: str
    labels: Mapping[str, str]


TRAEFIK = {"app.kubernetes.io/name": "traefik"}
"""As K3s' chart labels its pod."""
OTHER_PODS = (
    OtherPod("stranger", NAMESPACE, {}),
    OtherPod("namesake", NAMESPACE, {"app": "vllm-qwen"}),
    OtherPod("neighbour", "vlm", {}),
    OtherPod("traefik-elsewhere", NAMESPACE, TRAEFIK),
    OtherPod("traefik", "kube-system", TRAEFIK),
)


@contextmanager
def _other_pods(hub: HubUnderTest) -> Generator[dict[str, str]]:
    """Their addresses, while they serve at port 8000."""
    serving = shell(SERVES, readinessProbe={"tcpSocket": {"port": 8000}, "periodSeconds": 1})
    kubectl(hub, "create", "namespace", NAMESPACE, namespace="")
    try:
        for one in OTHER_PODS:
            made = pod_object(one.name, pod(serving), one.labels)
            apply(hub, made, namespace=one.namespace)
        addresses: dict[str, str] = {}
        for one in OTHER_PODS:
            ready = ("wait", "pod", one.name, "--for=condition=Ready", f"--timeout={PATIENCE}s")
            kubectl(hub, *ready, namespace=one.namespace)
            found = hub.kubectl("-n", one.namespace, "get", "pod", one.name)
            addresses[one.name] = found["status"]["podIP"]
        yield addresses
    finally:
        for one in OTHER_PODS:
            kubectl(hub, "delete", "pod", one.name, "--now", namespace=one.namespace, check=False)
        kubectl(hub, "delete", "namespace", NAMESPACE, namespace="")


def _ask(hub: HubUnderTest) -> dict[str, Any]:
    with hub.http(first_key(hub)) as http:

        def answered() -> bool:
            return http.get("/health").status_code == 200

        until(answered, seconds=PATIENCE)
        return http.post("/v1/chat/completions", json=chat("Hello")).raise_for_status().json()


def _model(hub: HubUnderTest) -> str:
    listed = hub.vllm_pods()
    [running] = [one for one in listed if one["status"]["phase"] == "Running"]
    return running["metadata"]["name"]


def _api_server(hub: HubUnderTest) -> tuple[str, int]:
    server = hub.kubectl("config", "view")["clusters"][0]["cluster"]["server"]
    return NODE_ADDRESS, int(server.rpartition(":")[2])
