"""The program, run under mocks with a checked-in stack file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast

import pulumi
import yaml
from pulumi.runtime.config import set_all_config

from infra.program import main
from tests.support.pulumi_mocks import Deployment, deploy

ROOT = Path(__file__).parents[2]
STACKS = sorted(ROOT.glob("Pulumi.*.yaml"))
COMPUTED = {
    "tailscale:index/tailnetKey:TailnetKey": {"key": "tskey-auth-abc123"},
    "tailscale:index/federatedIdentity:FederatedIdentity": {"audience": "api.tailscale.com/x"},
    "random:index/randomPassword:RandomPassword": {"result": "a" * 43},
    "gcp:serviceaccount/account:Account": {
        "email": "home-gateway@p.iam.gserviceaccount.com",
        "member": "serviceAccount:home-gateway@p.iam.gserviceaccount.com",
        "uniqueId": "123456789",
    },
    "gcp:secretmanager/secretVersion:SecretVersion": {"version": "1"},
    "gcp:cloudrunv2/service:Service": {"uri": "https://home-gateway.run.app"},
}


def deploy_stack(stack: Path, **changes: Any) -> Deployment:
    """Deploy a stack file; ``changes`` replace whole sections of its settings.

    Without changes a stack is deployed once in a process: nobody may change the result.
    """
    return _deploy(stack, changes) if changes else _unchanged(stack)


@cache
def _unchanged(stack: Path) -> Deployment:
    return _deploy(stack, {})


def _deploy(stack: Path, changes: Mapping[str, Any]) -> Deployment:
    values = cast("dict[str, Any]", yaml.safe_load(stack.read_text())["config"])
    key = "personal-cloud-hub:settings"
    values[key] = {**values[key], **changes}
    set_all_config({k: json.dumps(v) for k, v in values.items()}, [])
    exported: dict[str, pulumi.Input[Any]] = {}

    def program() -> Mapping[str, pulumi.Input[Any]]:
        original = pulumi.export
        pulumi.export = exported.__setitem__
        try:
            main()
        finally:
            pulumi.export = original
        return exported

    return deploy(program, computed=COMPUTED)
