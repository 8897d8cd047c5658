"""A key has leaked while home is off: it is revoked at the gateway all the same."""

from __future__ import annotations

import json
import signal
from collections.abc import Generator

import httpx2
import psutil
import pytest

from tests.twin.conftest import HubUnderTest
from tests.twin.questions import chat

pytestmark = pytest.mark.twin


@pytest.fixture
def home_is_off(hub: HubUnderTest) -> Generator[None]:
    """Home's API server takes connections and never answers: the worst kind of off."""
    record = json.loads((hub.state / "parts" / "kube-apiserver.json").read_text())
    server = psutil.Process(record["pid"])
    server.send_signal(signal.SIGSTOP)
    yield
    server.send_signal(signal.SIGCONT)


def status(hub: HubUnderTest, key: str) -> int:
    with hub.http(key) as http:
        return http.post("/v1/chat/completions", json=chat("Hello")).status_code


def of_home(hub: HubUnderTest) -> set[str]:
    """What the state has of home, by URN."""
    exported = json.loads(hub.shell("pulumi stack export --stack twin").stdout)
    resources = exported["deployment"]["resources"]
    return {one["urn"] for one in resources if one["type"].startswith("kubernetes:")}


@pytest.mark.parametrize("command", ["refresh", "up --refresh"])
def test_a_refresh_fails_in_words_and_forgets_nothing_of_home(
    hub: HubUnderTest, home_is_off: None, command: str
) -> None:
    before = of_home(hub)
    done = hub.shell(f"pulumi {command} --yes --skip-preview --stack twin", minutes=5)
    assert done.returncode != 0
    assert "the Kubernetes API server at https://" in done.stdout
    assert "does not answer" in done.stdout
    assert of_home(hub) == before
    assert before


def test_a_removed_key_is_refused_and_up_says_that_home_was_not_reached(
    hub: HubUnderTest, home_is_off: None
) -> None:
    robot = hub.api_keys()["robot"]
    assert status(hub, robot) == 200
    done = hub.up_with("[laptop, robot]", "[laptop]")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Home was not reached" in done.stdout
    assert status(hub, robot) == 401
    assert status(hub, hub.api_keys()["laptop"]) == 200


def test_destroy_closes_the_public_side_and_forgets_nothing_of_home(
    hub: HubUnderTest, home_is_off: None
) -> None:
    done = hub.shell("pulumi destroy --yes --skip-preview --stack twin")
    assert done.returncode == 0, done.stdout + done.stderr
    answer = httpx2.get(f"{hub.gateway}/health", timeout=5)
    assert (answer.status_code, "No service is deployed" in answer.text) == (404, True)


def test_the_next_up_finds_home_as_it_was(hub: HubUnderTest) -> None:
    """Nothing of it is started again, although its node was given up meanwhile."""
    before = hub.vllm_pod()
    hub.ok("up")
    now = hub.vllm_pod()
    assert now["metadata"]["uid"] == before["metadata"]["uid"]
    [was], [one] = (pod["status"]["containerStatuses"] for pod in (before, now))
    assert one["state"]["running"]["startedAt"] == was["state"]["running"]["startedAt"]
    assert set(hub.api_keys()) == {"laptop", "robot"}
