"""Faults of the tailnet, made at its control server as its owner makes them in the console."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2

from infra.tailnet.policy import ENTRY, GATEWAY_TAG, HOME_TAG, policy
from tests.faults.at_google import secret_changed
from tests.faults.devices import in_the_lan, joined
from tests.faults.injection import end_instance
from tests.support.waiting import until
from tests.twin.conftest import PATIENCE, HubUnderTest
from twin.paths import TwinPaths

AUTH_KEY = "home-gateway-tailscale-auth-key"


@contextmanager
def tailnet_policy(hub: HubUnderTest, rules: dict[str, Any]) -> Generator[None]:
    """Other rules than the twin's; without their tests, as on the twin."""
    with TemporaryDirectory() as folder:
        written = Path(folder, "policy.json")
        written.write_text(json.dumps({key: rules[key] for key in rules if key != "tests"}))
        hub.headscale("policy", "set", "-f", str(written))
    try:
        yield
    finally:
        hub.headscale("policy", "set", "-f", str(TwinPaths(hub.state).headscale / "policy.json"))


@contextmanager
def port_not_allowed(hub: HubUnderTest) -> Generator[None]:
    """The gateway may reach another port of home than the one that it asks."""
    rules = json.loads(json.dumps(policy("grants")).replace(f"tcp:{ENTRY}", "tcp:8081"))
    with tailnet_policy(hub, rules):
        end_instance(hub)  # a connection that was allowed lives on
        yield


@contextmanager
def home_renamed(hub: HubUnderTest) -> Generator[None]:
    """By its owner, or because it joined anew while the old machine was still listed."""
    number = _machine(hub, "home")["id"]

    def is_lost() -> bool:
        # A home that has only now come back to the control server has told it its own name again.
        if any(one["given_name"] == "home" for one in hub.headscale("nodes", "list")):
            hub.headscale("nodes", "rename", "home-1", "-i", str(number))
        return httpx2.get(f"{hub.gateway}/health", timeout=PATIENCE).status_code != 200

    end_instance(hub)
    until(is_lost, seconds=PATIENCE)
    try:
        yield
    finally:
        hub.headscale("nodes", "rename", "home", "-i", str(number))


@contextmanager
def home_doubled(hub: HubUnderTest) -> Generator[None]:
    """Its system was installed anew: it is home-1 now, and the old home is still listed."""
    with home_renamed(hub):
        key = hub.headscale("preauthkeys", "create", "--tags", HOME_TAG)["key"]
        with TemporaryDirectory() as folder, in_the_lan(hub.network) as network:
            with joined(hub, network, "home", key, Path(folder)):
                old = _machine(hub, "home")["id"]
            until(lambda: not _machine(hub, "home").get("online"), seconds=PATIENCE)
        end_instance(hub)
        try:
            yield
        finally:
            hub.headscale("nodes", "delete", "-i", str(old), "--force")


@contextmanager
def auth_key_expired(hub: HubUnderTest) -> Generator[None]:
    """Every auth key of the gateway has expired, and its instance has ended."""
    for key in hub.headscale("preauthkeys", "list"):
        hub.headscale("preauthkeys", "expire", "--id", str(key["id"]))
    with _without_a_key(hub):
        yield


@contextmanager
def auth_key_revoked(hub: HubUnderTest) -> Generator[None]:
    """The gateway's auth key was deleted, and its instance has ended."""
    for key in hub.headscale("preauthkeys", "list"):
        if GATEWAY_TAG in key.get("acl_tags", []):
            hub.headscale("preauthkeys", "delete", "--id", str(key["id"]))
    with _without_a_key(hub):
        yield


@contextmanager
def auth_key_used_up(hub: HubUnderTest) -> Generator[None]:
    """The gateway's secret holds a key of single use, and one instance has used it."""
    key = hub.headscale("preauthkeys", "create", "--tags", GATEWAY_TAG, "--ephemeral")["key"]
    with secret_changed(AUTH_KEY, lambda _: key)(hub):
        until(
            lambda: httpx2.get(f"{hub.gateway}/health", timeout=PATIENCE).status_code == 200,
            seconds=PATIENCE,
        )
        end_instance(hub)
        yield


@contextmanager
def _without_a_key(hub: HubUnderTest) -> Generator[None]:
    """No instance runs and none can start, until a deployment makes a new key."""
    end_instance(hub)
    try:
        yield
    finally:
        done = hub.shell("pulumi up --yes --skip-preview --refresh --stack twin")
        assert done.returncode == 0, done.stdout


def _machine(hub: HubUnderTest, name: str) -> dict[str, Any]:
    [found] = [one for one in hub.headscale("nodes", "list") if one["given_name"] == name]
    return found
