"""The model is scaled to 0, as `hub home free` does: an answer that is under way is finished."""

from __future__ import annotations

import json
from collections.abc import Generator

import httpx2
import pytest

from tests.faults.at_home import engine_hangs
from tests.support.waiting import until
from tests.twin.conftest import PATIENCE, HubUnderTest
from tests.twin.questions import chat, first_key
from twin.paths import TwinPaths

pytestmark = pytest.mark.twin

CHAT = "/v1/chat/completions"
TOKENS = 1000
"""Far more than come before the engine is held."""


@pytest.fixture
def http(hub: HubUnderTest) -> Generator[httpx2.Client]:
    """Afterwards the model answers again."""
    with hub.http(first_key(hub)) as http:
        yield http
        scale(hub, 1)
        until(lambda: http.post(CHAT, json=chat("Hello")).status_code == 200, seconds=2 * PATIENCE)


def scale(hub: HubUnderTest, replicas: int) -> None:
    line = f"kubectl -n vlm scale deployment/vllm-qwen --replicas={replicas}"
    assert hub.shell(line).returncode == 0


def names(hub: HubUnderTest) -> list[str]:
    return [pod["metadata"]["name"] for pod in hub.vllm_pods()]


def test_a_stream_reaches_its_end_and_who_asks_afterwards_is_told(
    hub: HubUnderTest, http: httpx2.Client
) -> None:
    pod = hub.vllm_pod()
    log = TwinPaths(hub.state).logs / "pods" / f"vlm_{pod['metadata']['name']}" / "vllm.log"
    long = chat("Hello", stream=True, max_tokens=TOKENS, ignore_eos=True)
    with http.stream("POST", CHAT, json=long) as answer:
        lines = answer.iter_lines()
        assert next(lines).startswith("data: {")
        # However fast the machine is, the answer is under way when the server is told to end.
        with engine_hangs(hub):
            scale(hub, 0)
            until(lambda: "stopping engine client mode=drain" in log.read_text(), seconds=PATIENCE)
        data = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    assert data[-1] == "[DONE]"
    assert json.loads(data[-2])["choices"][0]["finish_reason"] == "length"
    # It alone: pods that were refused after a power cut stay in the list. In time by its grace.
    name = pod["metadata"]["name"]
    gone = pod["spec"]["terminationGracePeriodSeconds"] + PATIENCE
    until(lambda: name not in names(hub), seconds=gone, shown=lambda: log.read_text()[-2000:])
    refused = http.post(CHAT, json=chat("Hello"))
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "model_unavailable")
