"""The cloud side goes and comes, home stays."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import Any

import httpx2
import psutil
import pytest

from tests.support.waiting import until
from tests.twin.conftest import PATIENCE, ROOT, HubUnderTest
from tests.twin.questions import chat, first_key

pytestmark = pytest.mark.twin


def test_down_closes_the_cloud_and_leaves_home_then_up_adopts_the_same_pod(
    hub: HubUnderTest,
) -> None:
    uid = hub.vllm_pod()["metadata"]["uid"]
    started = hub.vllm_pod()["status"]["containerStatuses"][0]["state"]["running"]["startedAt"]
    hub.ok("down")

    with pytest.raises(httpx2.ConnectError):
        httpx2.get(f"{hub.gateway}/health", timeout=5)
    assert not set(hub.processes.values()) & {"caddy", "containerboot"}, (
        "a process of Cloud Run is left"
    )
    assert [node["given_name"] for node in hub.headscale("nodes", "list")] == ["home"]
    assert [k for k in hub.headscale("preauthkeys", "list") if is_usable_gateway_key(k)] == []
    assert hub.vllm_pod()["metadata"]["uid"] == uid

    hub.ok("up")
    pod = hub.vllm_pod()
    assert pod["metadata"]["uid"] == uid
    assert pod["status"]["containerStatuses"][0]["state"]["running"]["startedAt"] == started
    with hub.http(first_key(hub)) as http:
        assert http.post("/v1/chat/completions", json=chat("Hello")).status_code == 200


def test_down_right_after_the_gateway_was_killed_ends_well_and_tells_of_its_node(
    hub: HubUnderTest,
) -> None:
    with hub.http(first_key(hub)) as http:
        assert http.get("/health").status_code == 200
    [instance] = hub.services[0]["instances"]
    first = [psutil.Process(container["pid"]) for container in instance["containers"]]
    running = [one for process in first for one in (*process.children(recursive=True), process)]
    for process in running:
        with suppress(psutil.NoSuchProcess):  # the emulator ends what is left of the instance
            process.kill()
    said = hub.ok("down")
    left = [node["given_name"] for node in hub.headscale("nodes", "list")]
    assert "home" in left
    assert [name for name in left if name != "home" and name not in said] == []
    assert len(left) == 2, "the node of a killed instance is not listed: this test tests nothing"
    hub.ok("up")


def test_an_up_killed_while_pulumi_works_is_taken_up_by_the_next(hub: HubUnderTest) -> None:
    hub.ok("down")
    with subprocess.Popen(
        [sys.executable, "-m", "hub.cli", "up"], cwd=ROOT, env=hub.env, stdout=subprocess.PIPE
    ) as command:
        locks = hub.state / "pulumi" / ".pulumi" / "locks"
        until(lambda: any(locks.rglob("*.json")), seconds=PATIENCE, shown=lambda: "no lock")
        command.send_signal(signal.SIGKILL)
    said = hub.ok("up")
    assert "interrupted" in said
    with hub.http(first_key(hub)) as http:
        assert http.post("/v1/chat/completions", json=chat("Hello")).status_code == 200


def is_usable_gateway_key(key: dict[str, Any]) -> bool:
    tags: list[str] = key.get("acl_tags") or []
    return "tag:llm-gateway" in tags and key["expiration"]["seconds"] > time.time()
