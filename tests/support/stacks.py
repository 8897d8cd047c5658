"""The program, run under mocks with a checked-in stack file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, cast

import pulumi
import yaml
from pulumi.runtime.config import set_all_config

from infra.program import main
from tests.support.home_cluster import FakeHome
from tests.support.pulumi_mocks import Computed, Deployment, deploy

ROOT = Path(__file__).parents[2]
STACKS = sorted(ROOT.glob("Pulumi.*.yaml"))


def _random_letters(name: str) -> str:
    """43 letters and digits that tell whose they are."""
    return "".join(c for c in name if c.isalnum()).ljust(43, "0")


COMPUTED: Computed = {
    "tailscale:index/tailnetKey:TailnetKey": lambda _: {
        "key": "tskey-auth-abc123",
        "expiresAt": "2026-03-31T12:00:00Z",
    },
    "tailscale:index/federatedIdentity:FederatedIdentity": lambda _: {
        "audience": "api.tailscale.com/x"
    },
    "random:index/randomPassword:RandomPassword": lambda name: {"result": _random_letters(name)},
    "gcp:serviceaccount/account:Account": lambda _: {
        "email": "home-gateway@p.iam.gserviceaccount.com",
        "member": "serviceAccount:home-gateway@p.iam.gserviceaccount.com",
        "uniqueId": "123456789",
    },
    "gcp:secretmanager/secretVersion:SecretVersion": lambda _: {"version": "1"},
    "gcp:cloudrunv2/service:Service": lambda _: {"uri": "https://home-gateway.run.app"},
}
TODAY = date(2026, 1, 1)
"""The day on which these deployments are made."""


def deploy_stack(
    stack: Path,
    cluster: FakeHome | None = None,
    *,
    secrets: Mapping[str, str] | None = None,
    preview: bool = False,
    **changes: Any,
) -> Deployment:
    """Deploy a stack file; ``changes`` replace whole sections of its settings.

    Without changes a stack is deployed once in a process: nobody may change the result.
    """
    if cluster is None and secrets is None and not preview and not changes:
        return _unchanged(stack)
    return _deploy(stack, changes, cluster or FakeHome(), secrets or {}, preview=preview)


@cache
def _unchanged(stack: Path) -> Deployment:
    return _deploy(stack, {}, FakeHome(), {}, preview=False)


def _deploy(
    stack: Path,
    changes: Mapping[str, Any],
    cluster: FakeHome,
    secrets: Mapping[str, str],
    *,
    preview: bool,
) -> Deployment:
    values = cast("dict[str, Any]", yaml.safe_load(stack.read_text())["config"])
    key = "personal-cloud-hub:settings"
    values[key] = {**values[key], **changes}
    texts = {k: json.dumps(v) for k, v in values.items()}
    secret = {f"personal-cloud-hub:{name}": text for name, text in secrets.items()}
    set_all_config({**texts, **secret}, list(secret))
    exported: dict[str, pulumi.Input[Any]] = {}

    def program() -> Mapping[str, pulumi.Input[Any]]:
        original = pulumi.export
        pulumi.export = exported.__setitem__
        try:
            main(TODAY, cluster.connected)
        finally:
            pulumi.export = original
        return exported

    return deploy(program, computed=COMPUTED, preview=preview)
