"""Another model, a broken one, and none: what `up` says, and what is served."""

from __future__ import annotations

import pytest

from tests.twin.conftest import HubUnderTest
from tests.twin.questions import chat, first_key

pytestmark = pytest.mark.twin


BROKEN = {
    "image: vllm/vllm-openia:v0.33.0": "vllm/vllm-openia:v0.33.0: not found",
    f"revision: personal-cloud-hub/tiny-vl@{'0' * 40}": "huggingface_hub.errors",
}
"""A line under `model`, and what the pod says of it."""


def test_a_model_that_cannot_start_fails_up_with_the_pods_own_reason(hub: HubUnderTest) -> None:
    for line, reason in BROKEN.items():
        done = hub.up_with("profile: tiny", f"profile: tiny\n      {line}")
        assert done.returncode != 0
        assert "The model is not served" in done.stdout
        assert reason in done.stdout
    hub.ok("up")
    with hub.http(first_key(hub)) as http:
        assert http.post("/v1/chat/completions", json=chat("Hello")).status_code == 200


def test_a_model_scaled_to_zero_by_hand_stays_so_and_up_says_it(hub: HubUnderTest) -> None:
    scale = "kubectl -n vlm scale deployment/vllm-qwen --replicas"
    assert hub.shell(f"{scale}=0").returncode == 0
    assert f"{scale}=1" in hub.ok("up")
    deployment = hub.kubectl("-n", "vlm", "get", "deployment", "vllm-qwen")
    assert deployment["spec"]["replicas"] == 0
    with hub.http(first_key(hub)) as http:
        answer = http.post("/v1/chat/completions", json=chat("Hello"))
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "model_unavailable")
    assert hub.shell(f"{scale}=1").returncode == 0
    assert "vllm-qwen is served" in hub.ok("up")
