"""Each rule, on the smallest thing that breaks it."""

from __future__ import annotations

from typing import Any

import pytest

from policy.rules import GPU, INGRESS, KEY, MIDDLEWARES, NETWORK_POLICY, RULES, SERVICE

DEPLOYMENT = "kubernetes:apps/v1:Deployment"


def workload(**container: Any) -> dict[str, Any]:
    containers = [{"name": "c", "image": "x:1", **container}]
    return {"spec": {"template": {"spec": {"containers": containers}}}}


def service(**changes: Any) -> dict[str, Any]:
    template = {
        "timeout": "300s",
        "scaling": {"minInstanceCount": 0, "maxInstanceCount": 1},
        "containers": [{"name": "c", "image": "x:1"}],
        **changes.pop("template", {}),
    }
    return {"deletionProtection": False, "template": template, **changes}


def ingress(path: str = "/v1", middlewares: str = "vlm-gateway-only@kubernetescrd") -> Any:
    return {
        "metadata": {"annotations": {MIDDLEWARES: middlewares}},
        "spec": {"rules": [{"http": {"paths": [{"path": path}]}}]},
    }


def egress(*peers: Any) -> Any:
    return {"spec": {"egress": [{"to": list(peers)}]}}


ALL_PRIVATE = [
    *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10"),
    "127.0.0.0/8",
]
GOOD_KEY = {
    "ephemeral": True,
    "reusable": True,
    "preauthorized": True,
    "tags": ["tag:x"],
    "expiry": 60,
}


@pytest.mark.parametrize(
    ("rule", "type_", "props", "told"),
    [
        ("images-are-pinned", DEPLOYMENT, workload(image="x:latest"), "c runs x:latest"),
        ("images-are-pinned", DEPLOYMENT, workload(image="host:5000/x"), "name a version"),
        (
            "images-are-pinned",
            SERVICE,
            service(template={"containers": [{"name": "c", "image": "caddy"}]}),
            "c runs caddy",
        ),
        (
            "one-gpu-slice-a-container",
            DEPLOYMENT,
            workload(resources={"limits": {GPU: "2"}}),
            "asks for 2",
        ),
        (
            "gateway-costs-nothing-idle",
            SERVICE,
            service(template={"scaling": {"minInstanceCount": 1, "maxInstanceCount": 1}}),
            "would always run",
        ),
        (
            "gateway-costs-nothing-idle",
            SERVICE,
            service(template={"scaling": {}}),
            "bounds the bill",
        ),
        (
            "gateway-can-be-destroyed",
            SERVICE,
            service(deletionProtection=True),
            "would be refused",
        ),
        ("gateway-time-out", SERVICE, service(template={"timeout": "301s"}), "300s at most"),
        (
            "secrets-are-referenced-at-a-version",
            SERVICE,
            service(
                template={
                    "containers": [
                        {
                            "name": "c",
                            "image": "x:1",
                            "envs": [
                                {
                                    "name": "A",
                                    "valueSource": {"secretKeyRef": {"version": "latest"}},
                                }
                            ],
                        }
                    ]
                }
            ),
            "A reads version latest",
        ),
        (
            "secrets-are-referenced-at-a-version",
            SERVICE,
            service(
                template={
                    "containers": [
                        {
                            "name": "c",
                            "image": "x:1",
                            "envs": [{"name": "TS_AUTHKEY", "value": "tskey"}],
                        }
                    ]
                }
            ),
            "TS_AUTHKEY holds its value in plain text",
        ),
        ("auth-keys-are-short-lived", KEY, {**GOOD_KEY, "ephemeral": False}, "not ephemeral"),
        ("auth-keys-are-short-lived", KEY, {**GOOD_KEY, "tags": []}, "has no tag"),
        (
            "auth-keys-are-short-lived",
            KEY,
            {**GOOD_KEY, "expiry": 91 * 86_400},
            "longer than 90 days",
        ),
        (
            "only-the-gateway-is-public",
            "kubernetes:core/v1:Service",
            {"spec": {"type": "NodePort"}},
            "opens a port at home",
        ),
        (
            "every-route-at-home-asks-for-a-key",
            INGRESS,
            ingress(middlewares="vlm-rate@kubernetescrd,vlm-gateway-only@kubernetescrd"),
            "first middleware",
        ),
        (
            "every-route-at-home-asks-for-a-key",
            INGRESS,
            {"metadata": {}, "spec": {}},
            "first middleware",
        ),
        ("every-route-at-home-is-named", INGRESS, ingress(path="/"), "routes every path"),
        (
            "nothing-private-is-reached",
            NETWORK_POLICY,
            {"spec": {"egress": [{"ports": [{"port": 443}]}]}},
            "opens everything",
        ),
        (
            "nothing-private-is-reached",
            NETWORK_POLICY,
            egress({"ipBlock": {"cidr": "192.168.1.0/24"}}),
            "egress to 192.168.0.0/16 is open",
        ),
        (
            "nothing-private-is-reached",
            NETWORK_POLICY,
            egress({"ipBlock": {"cidr": "0.0.0.0/0", "except": ALL_PRIVATE[1:]}}),
            "egress to 10.0.0.0/8 is open",
        ),
        (
            "nothing-private-is-reached",
            NETWORK_POLICY,
            egress({"ipBlock": {"cidr": "::/0", "except": ["fc00::/7"]}}),
            "egress to fe80::/10 is open",
        ),
    ],
)
def test_a_violation_is_told(rule: str, type_: str, props: dict[str, Any], told: str) -> None:
    problems = list(RULES[rule](type_, props))
    assert len(problems) == 1
    assert told in problems[0]


@pytest.mark.parametrize(
    ("type_", "props"),
    [
        (DEPLOYMENT, workload(resources={"limits": {GPU: "1"}})),
        (DEPLOYMENT, workload(image="x@sha256:" + "0" * 64)),
        (SERVICE, service()),
        (KEY, GOOD_KEY),
        ("kubernetes:core/v1:Service", {"spec": {}}),
        ("kubernetes:core/v1:ConfigMap", {"data": {}}),
        (INGRESS, ingress()),
        (NETWORK_POLICY, egress({"ipBlock": {"cidr": "0.0.0.0/0", "except": ALL_PRIVATE}})),
        (NETWORK_POLICY, egress({"podSelector": {}}, {"ipBlock": {"cidr": "8.8.8.8/32"}})),
        (NETWORK_POLICY, {"spec": {"ingress": []}}),
    ],
)
def test_what_is_right_passes_every_rule(type_: str, props: dict[str, Any]) -> None:
    assert [problem for rule in RULES.values() for problem in rule(type_, props)] == []
