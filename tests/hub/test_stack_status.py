"""`hub status --stack`, with sides that say one thing."""

from __future__ import annotations

import json
import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import Mock

import pytest
from typer.testing import CliRunner

from doctor.observations import Cluster, Node, NotSeen, Pod, Service, Tailnet
from doctor.patient import Patient, of_stack
from hub.cli import app
from hub.stack import ROOT, Stack
from hub.stack_status import look

WHY = NotSeen(why="gcloud is not installed here")
POD = Pod(name="vllm-1", phase="Running", ready=True)
CLUSTER = Cluster(node_ready=True, gpus=10, ingress=True, desired=1, pods=(POD,))


def of_dev() -> Patient:
    settings = Stack("dev", ROOT / "Pulumi.dev.yaml", None).settings()
    expires = datetime.now(UTC) + timedelta(days=80, hours=1)
    nodes = (
        Node(name="home", online=True, tags=("tag:llm-home",)),
        Node(name="laptop", online=False, tags=()),
    )
    return replace(
        of_stack("dev", "", "", settings, expires),
        service=Mock(return_value=Service(deployed=True, revision="r-1")),
        tailnet=lambda: Tailnet(nodes=nodes),
        cluster=lambda: CLUSTER,
    )


def states(patient: Patient) -> dict[str, tuple[str, str]]:
    return {row.what: (row.state, row.detail) for row in look(patient)}


def test_every_side_of_a_stack_that_works_is_told() -> None:
    told = states(of_dev())
    assert told.pop("auth key")[0] == "ok"
    assert told == {
        "home-gateway": ("ok", ""),
        "home": ("ok", "tag:llm-home"),
        "node": ("ok", ""),
        "GPU": ("ok", "nvidia.com/gpu: 10"),
        "deployment vllm-qwen": ("ok", "1 of 1 ready"),
        "ingress": ("ok", ""),
        "vllm-1": ("ok", "Running, 0 restarts"),
    }


def test_a_side_that_nobody_here_can_look_at_is_not_seen_and_not_down() -> None:
    blind = replace(
        of_dev(),
        service=Mock(return_value=WHY),
        tailnet=lambda: WHY,
        auth_key=lambda: WHY,
        cluster=lambda: WHY,
    )
    unseen = ("idle", "not seen: gcloud is not installed here")
    assert states(blind) == dict.fromkeys(("home-gateway", "nodes", "auth key", "home"), unseen)


def test_what_is_wrong_at_a_side_is_told_with_the_stacks_own_command() -> None:
    pod = Pod(name="vllm-1", phase="Pending", ready=False, reason="ErrImagePull")
    nodes = (Node(name="home", online=False, tags=("tag:llm-home",)),)
    broken = replace(
        of_dev(),
        service=Mock(return_value=Service(deployed=False)),
        tailnet=lambda: Tailnet(nodes=nodes),
        auth_key=lambda: None,
        cluster=lambda: Cluster(node_ready=False, node_reason="away", pods=(pod,)),
    )
    assert states(broken) == {
        "home-gateway": ("down", "not deployed; `pulumi up --stack dev` deploys it"),
        "home": ("down", "tag:llm-home"),
        "auth key": ("down", "there is none; `pulumi up --stack dev` makes one"),
        "node": ("down", "away"),
        "GPU": ("down", "nvidia.com/gpu: 0"),
        "deployment vllm-qwen": ("down", "there is none; `pulumi up --stack dev` makes it"),
        "ingress": ("down", "`pulumi up --stack dev` makes it"),
        "vllm-1": ("down", "Pending, 0 restarts, ErrImagePull"),
    }


def test_a_freed_gpu_is_told_as_what_somebody_did() -> None:
    freed = replace(of_dev(), cluster=lambda: replace(CLUSTER, desired=0, pods=()))
    assert states(freed)["deployment vllm-qwen"] == ("idle", "0 of 1: scaled by hand")


def test_the_gateway_gets_no_request(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as gateway:
        gateway.settimeout(0)
        patient = replace(of_dev(), url=f"http://127.0.0.1:{gateway.getsockname()[1]}")
        monkeypatch.setattr("hub.status.of_stack", Mock(return_value=patient))
        done = CliRunner().invoke(app, ["status", "--stack", "dev", "--json"])
        with pytest.raises(BlockingIOError):
            gateway.accept()
    assert done.exit_code == 0, done.output
    assert {row["hop"] for row in json.loads(done.stdout)} == {
        "cloud run",
        "tailnet",
        "kubernetes",
        "pod",
    }
