"""The rules in the form that the engine runs them."""

from __future__ import annotations

from typing import Any, cast

import pytest
from pulumi_policy import EnforcementLevel

from policy.rules import RULES, SERVICE, as_policy


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
