"""The rules in the form that the engine runs them."""

from __future__ import annotations

import runpy
from typing import Any, cast

import pulumi_policy
import pytest
from pulumi_policy import EnforcementLevel

from policy.rules import RULES, SERVICE, as_policy
from tests.support.stacks import ROOT


class Args:
    """What a validation reads of its arguments."""

    resource_type = SERVICE
    props: dict[str, Any] = {"deletionProtection": True, "template": {"containers": []}}  # noqa: RUF012


@pytest.mark.parametrize("name", RULES)
def test_each_rule_is_mandatory_and_says_why_it_exists(name: str) -> None:
    policy = as_policy(name, RULES[name])
    assert policy.enforcement_level is EnforcementLevel.MANDATORY
    assert len(policy.description) > 20


def test_what_a_rule_finds_is_reported_to_the_engine() -> None:
    told: list[str] = []

    def report(message: str, _urn: str | None) -> None:
        told.append(message)

    policy = as_policy("gateway-can-be-destroyed", RULES["gateway-can-be-destroyed"])
    cast("Any", policy).validate(Args(), report)
    assert told == ["`pulumi destroy` would be refused; write deletionProtection false"]


def test_the_pack_has_every_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    packs: list[tuple[str, list[pulumi_policy.ResourceValidationPolicy]]] = []

    def pack(name: str, rules: list[pulumi_policy.ResourceValidationPolicy]) -> None:
        packs.append((name, rules))

    monkeypatch.setattr(pulumi_policy, "PolicyPack", pack)
    runpy.run_path(str(ROOT / "policy" / "__main__.py"))
    ((name, rules),) = packs
    assert name == "personal-cloud-hub"
    assert [rule.name for rule in rules] == list(RULES)
