"""Keys that come, go and overlap, on a twin that is deployed with a stack file of its own."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.waiting import until
from tests.twin.conftest import ROOT, HubUnderTest
from tests.twin.test_end_to_end import chat, first_key

pytestmark = pytest.mark.twin

SECONDS_TO_REFUSE = 10
"""After the deployment: the promise of docs/operations.md."""


@pytest.fixture(scope="module")
def twin(hub: HubUnderTest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubUnderTest]:
    """The twin, with a copy of its stack file for `hub keys` to edit; started if it was removed."""
    file = tmp_path_factory.mktemp("keys") / "Pulumi.twin.yaml"
    shutil.copy(ROOT / "Pulumi.twin.yaml", file)
    env = {**hub.env, "PULUMI_OPTION_CONFIG_FILE": str(file)}
    with_own_file = HubUnderTest(hub.state, env, hub.gateway)
    with_own_file.ok("up")
    yield with_own_file
    hub.ok("up")


def key_of(twin: HubUnderTest, name: str) -> str:
    return twin.ok("keys", "show", name).strip()


def status(twin: HubUnderTest, key: str) -> int:
    with twin.http(key) as http:
        return http.post("/v1/chat/completions", json=chat("Hello")).status_code


def is_refused(twin: HubUnderTest, key: str) -> bool:
    with twin.http(key) as http:
        return http.get("/v1/models").status_code == 401


def states(twin: HubUnderTest) -> dict[str, str]:
    return {row["key"]: row["state"] for row in json.loads(twin.ok("keys", "--json"))}


def test_an_added_key_is_made_by_the_deployment_and_works(twin: HubUnderTest) -> None:
    twin.ok("keys", "add", "phone")
    assert states(twin) == {"laptop": "accepted", "robot": "accepted", "phone": "new"}
    assert "not made yet" in twin.run("keys", "show", "phone").stderr
    twin.ok("up")
    assert status(twin, key_of(twin, "phone")) == 200
    assert set(states(twin).values()) == {"accepted"}


def test_a_revoked_key_is_refused_after_the_deployment_and_the_others_work(
    twin: HubUnderTest,
) -> None:
    phones = key_of(twin, "phone")
    twin.ok("keys", "revoke", "phone", "--up")
    until(lambda: is_refused(twin, phones), seconds=SECONDS_TO_REFUSE)
    assert status(twin, first_key(twin)) == 200
    assert "phone" not in states(twin)


def test_both_keys_of_a_rotation_work_until_the_old_one_is_revoked(twin: HubUnderTest) -> None:
    old = key_of(twin, "robot")
    twin.ok("keys", "rotate", "robot", "--up")
    new = key_of(twin, "robot")
    assert new != old
    assert [status(twin, key) for key in (old, new)] == [200, 200]
    used = {row["key"] for row in json.loads(twin.ok("usage", "--json"))["requests"]}
    assert {"robot", "robot.2"} <= used
    twin.ok("keys", "revoke", "robot", "--old", "--up")
    until(lambda: is_refused(twin, old), seconds=SECONDS_TO_REFUSE)
    assert status(twin, new) == 200


def test_a_key_that_comes_back_before_the_deployment_is_not_the_revoked_one(
    twin: HubUnderTest,
) -> None:
    leaked = key_of(twin, "laptop")
    twin.ok("keys", "revoke", "laptop")
    twin.ok("keys", "add", "laptop", "--up")
    until(lambda: is_refused(twin, leaked), seconds=SECONDS_TO_REFUSE)
    assert status(twin, key_of(twin, "laptop")) == 200


def test_the_keys_are_in_the_stack_file_and_no_value_of_one_is(twin: HubUnderTest) -> None:
    text = Path(twin.env["PULUMI_OPTION_CONFIG_FILE"]).read_text()
    assert "apiKeys: [robot.2, laptop.2]" in text
    assert not [name for name in ("robot", "laptop") if key_of(twin, name) in text]
