"""Tailscale knows each field that the program sends, and each of its policy: its client has it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.tailnet.policy import Form, policy
from tests.infra.golden import FOLDER
from tests.support.tailscale.interface import misfits

EXCHANGE = Path(__file__).parents[1] / "twin/providers/tailnet_key.json"
FORMS: tuple[Form, ...] = ("grants", "acls")
OF_THE_PROVIDER_ALONE = {"recreateIfInvalid"}
CAPABILITIES = ("reusable", "ephemeral", "preauthorized", "tags")
"""Where a key's inputs go: terraform-provider-tailscale 0.29.2, ``resource_tailnet_key.go``."""


def registered(stack: str) -> Mapping[str, Any]:
    """The one resource of a stack that is made at Tailscale."""
    written: dict[str, dict[str, Any]] = yaml.safe_load((FOLDER / f"{stack}.yaml").read_text())
    [found] = [r for r in written.values() if str(r.get("type", "")).startswith("tailscale:")]
    return found


def request_for_a_key(inputs: Mapping[str, Any]) -> dict[str, Any]:
    rest = {name: value for name, value in inputs.items() if name not in OF_THE_PROVIDER_ALONE}
    create = {name: rest.pop(name) for name in CAPABILITIES}
    return {
        "capabilities": {"devices": {"create": create}},
        "expirySeconds": rest.pop("expiry"),
        **rest,
    }


@pytest.mark.parametrize("stack", ["dev", "dev-other-settings", "twin"])
def test_a_key_is_asked_for_in_tailscales_words(stack: str) -> None:
    assert misfits("CreateKeyRequest", request_for_a_key(registered(stack)["inputs"])) == []


def test_an_identity_is_described_in_tailscales_words() -> None:
    inputs = registered("dev-by-identity")["inputs"]
    assert misfits("CreateFederatedIdentityRequest", inputs) == []


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("waker", [None, "100.64.0.9"])
def test_the_printed_policy_is_in_tailscales_words(form: Form, waker: str | None) -> None:
    assert misfits("ACL", policy(form, waker=waker)) == []


def test_a_misspelled_field_of_the_policy_would_be_seen() -> None:
    written = policy("grants")
    written["grants"][0]["source"] = written["grants"][0].pop("src")
    written["test"] = written.pop("tests")
    assert misfits("ACL", written) == [
        "$.grants[0]: Additional properties are not allowed ('source' was unexpected)",
        "$: Additional properties are not allowed ('test' was unexpected)",
    ]


def test_the_exchange_that_the_emulator_is_held_against_is_in_tailscales_words() -> None:
    exchange = json.loads(EXCHANGE.read_text())
    assert misfits("CreateKeyRequest", exchange["request"]["body"]) == []
    assert misfits("Key", exchange["answer"]) == []
