"""Keys that come, go and overlap, on a twin that is deployed with a stack file of its own."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.waiting import until
from tests.twin.conftest import ROOT, HubUnderTest
from tests.twin.questions import chat

pytestmark = pytest.mark.twin

SECONDS_TO_REFUSE = 10
"""After the deployment: the promise of docs/operations.md."""


@pytest.fixture(scope="module")
def twin(hub: HubUnderTest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubUnderTest]:
    """The twin, with a copy of its stack file for `hub keys` to edit."""
    file = tmp_path_factory.mktemp("keys") / "Pulumi.twin.yaml"
    shutil.copy(ROOT / "Pulumi.twin.yaml", file)
    env = {**hub.env, "PULUMI_OPTION_CONFIG_FILE": str(file)}
    yield HubUnderTest(hub.state, env, hub.gateway)
    hub.ok("up")


@pytest.fixture(scope="module")
def first_robots_key(twin: HubUnderTest) -> str:
    """Before any rotation."""
    return key_of(twin, "robot")


def key_of(twin: HubUnderTest, name: str) -> str:
    """The newest one of this client."""
    return twin.ok("keys", "show", name).strip()


def status(twin: HubUnderTest, key: str) -> int:
    with twin.http(key) as http:
        return http.post("/v1/chat/completions", json=chat("Hello")).status_code


def is_refused(twin: HubUnderTest, key: str) -> bool:
    with twin.http(key) as http:
        return http.get("/v1/models").status_code == 401


def states(twin: HubUnderTest) -> dict[str, str]:
    return {row["key"]: row["state"] for row in json.loads(twin.ok("keys", "--json"))}


def test_keys_that_were_added_and_rotated_are_made_by_one_deployment_and_all_work(
    twin: HubUnderTest, first_robots_key: str
) -> None:
    twin.ok("keys", "add", "phone")
    assert states(twin) == {"laptop": "accepted", "robot": "accepted", "phone": "new"}
    assert "not made yet" in twin.run("keys", "show", "phone").stderr
    twin.ok("keys", "rotate", "robot", "--up")
    new = key_of(twin, "robot")
    assert new != first_robots_key
    keys = (key_of(twin, "phone"), first_robots_key, new)
    assert [status(twin, key) for key in keys] == [200] * 3
    assert set(states(twin).values()) == {"accepted"}
    used = {row["key"] for row in json.loads(twin.ok("usage", "--json"))["requests"]}
    assert {"phone", "robot", "robot.2"} <= used


def test_revoked_keys_are_refused_after_the_deployment_and_so_is_one_whose_name_comes_back(
    twin: HubUnderTest, first_robots_key: str
) -> None:
    revoked = [key_of(twin, "phone"), first_robots_key, key_of(twin, "laptop")]
    assert [status(twin, key) for key in revoked] == [200] * 3
    twin.ok("keys", "revoke", "phone")
    twin.ok("keys", "revoke", "robot", "--old")
    twin.ok("keys", "revoke", "laptop")
    twin.ok("keys", "add", "laptop", "--up")
    until(
        lambda: all(is_refused(twin, key) for key in revoked),
        seconds=SECONDS_TO_REFUSE,
        shown=lambda: [is_refused(twin, key) for key in revoked],
    )
    assert [status(twin, key_of(twin, name)) for name in ("robot", "laptop")] == [200, 200]
    assert set(states(twin)) == {"robot.2", "laptop.2"}


def test_the_keys_are_in_the_stack_file_and_no_value_of_one_is(twin: HubUnderTest) -> None:
    text = Path(twin.env["PULUMI_OPTION_CONFIG_FILE"]).read_text()
    assert "apiKeys: [robot.2, laptop.2]" in text
    assert not [name for name in ("robot", "laptop") if key_of(twin, name) in text]
