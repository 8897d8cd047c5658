"""The probe of the deployed pod restarts a model server whose engine stands still."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults.at_home import engine_hangs
from tests.support.waiting import until
from tests.twin.conftest import PATIENCE, HubUnderTest
from tests.twin.questions import chat, first_key

pytestmark = pytest.mark.faults


def container(hub: HubUnderTest) -> dict[str, Any]:
    [status] = hub.vllm_pod()["status"]["containerStatuses"]
    return status


def test_the_container_is_restarted_in_its_pod_and_the_model_answers_again(
    hub: HubUnderTest,
) -> None:
    pod, before = hub.vllm_pod(), container(hub)
    spec = pod["spec"]
    probe = spec["containers"][0]["livenessProbe"]
    failed_after = probe["failureThreshold"] * probe["periodSeconds"] + probe["timeoutSeconds"]
    longest = failed_after + spec["terminationGracePeriodSeconds"] + PATIENCE
    restarts = "{.status.containerStatuses[0].restartCount}"
    wait = f"kubectl -n vlm wait pod/{pod['metadata']['name']} --timeout={longest}s"
    with engine_hangs(hub):
        done = hub.shell(
            f"{wait} --for=jsonpath='{restarts}'={before['restartCount'] + 1}",
            minutes=longest / 60 + 1,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    with hub.http(first_key(hub)) as http:
        until(
            lambda: http.post("/v1/chat/completions", json=chat("Hello")).status_code == 200,
            seconds=PATIENCE,
            shown=lambda: container(hub),
        )
    assert hub.vllm_pod()["metadata"]["uid"] == pod["metadata"]["uid"]
    told = [event["message"] for event in hub.kubectl("-n", "vlm", "get", "events")["items"]]
    assert "Container vllm failed liveness probe, will be restarted" in told
