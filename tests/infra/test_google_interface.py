"""Google knows each field that the program sends: its own description of the interface has it.

The golden files hold what is registered. The provider's names for a field differ from Google's in
the few places below; its schema does not know which values Google takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import pytest
import yaml

from tests.infra.golden import FOLDER
from tests.support.google.interface import misfits

PROVIDERS_NAMES = {
    "commands": "command",
    "envs": "env",
    "dependsOns": "dependsOn",
    "auto": "automatic",
}
"""Pulumi puts the names of lists in the plural, and the provider shortens one."""
ONE_OF_A_LIST = ("ports",)
"""Google has a list where the provider takes one."""


@dataclass(frozen=True)
class Sent:
    """What is sent to make a resource."""

    api: str
    schema: str
    in_the_address: tuple[str, ...]
    """Inputs that stand in the request's address or never leave the provider."""


SENT = {
    "gcp:cloudrunv2/service:Service": Sent(
        "run", "GoogleCloudRunV2Service", ("name", "location", "deletionProtection")
    ),
    "gcp:secretmanager/secret:Secret": Sent("secretmanager", "Secret", ("secretId",)),
    "gcp:artifactregistry/repository:Repository": Sent(
        "artifactregistry", "Repository", ("repositoryId", "location")
    ),
    "gcp:serviceaccount/account:Account": Sent("iam", "ServiceAccount", ("accountId",)),
    "gcp:billing/budget:Budget": Sent(
        "billingbudgets", "GoogleCloudBillingBudgetsV1Budget", ("billingAccount",)
    ),
}
WITHOUT_A_BODY_OF_THEIR_OWN = {
    "gcp:projects/service:Service",
    "gcp:secretmanager/secretIamMember:SecretIamMember",
    "gcp:secretmanager/secretVersion:SecretVersion",
}
"""An address, a member of a policy, and bytes."""


def google_resources(name: str) -> dict[str, Mapping[str, Any]]:
    written: dict[str, dict[str, Any]] = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
    return {
        key: each for key, each in written.items() if str(each.get("type", "")).startswith("gcp:")
    }


RESOURCES = {
    f"{file}-{name}": resource
    for file in ("dev", "dev-by-identity", "dev-other-settings")
    for name, resource in google_resources(file).items()
    if resource["type"] not in WITHOUT_A_BODY_OF_THEIR_OWN
}


def as_google_names_it(value: object) -> object:
    if isinstance(value, list):
        return [as_google_names_it(each) for each in cast("list[object]", value)]
    if not isinstance(value, dict):
        return value
    renamed = {
        PROVIDERS_NAMES.get(name, name): as_google_names_it(each)
        for name, each in cast("dict[str, object]", value).items()
    }
    return {name: [each] if name in ONE_OF_A_LIST else each for name, each in renamed.items()}


def misfits_of(resource: Mapping[str, Any]) -> list[str]:
    sent = SENT[resource["type"]]
    body = {k: v for k, v in resource["inputs"].items() if k not in sent.in_the_address}
    return misfits(sent.api, sent.schema, as_google_names_it(body), sent=True)


@pytest.mark.parametrize("name", RESOURCES)
def test_google_knows_each_field_and_value_that_is_sent(name: str) -> None:
    assert misfits_of(RESOURCES[name]) == []


def test_what_google_does_not_know_is_told() -> None:
    service = RESOURCES["dev-gateway-service"]
    changed = {
        **service["inputs"],
        "ingress": "INGRESS_ALL",
        "uri": "https://mine.example",
        "template": {**service["inputs"]["template"], "timeout": "5 minutes", "maxRequests": 4},
    }
    told = misfits_of({**service, "inputs": changed})
    assert [line.partition(" is not one of ")[0] for line in told] == [
        "$.ingress: 'INGRESS_ALL'",
        "$.template.timeout: '5 minutes' does not match '^\\\\d+(\\\\.\\\\d{1,9})?s$'",
        "$.template: Additional properties are not allowed ('maxRequests' was unexpected)",
        "$: Additional properties are not allowed ('uri' was unexpected)",
    ]
