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
        ("images-name-a-version", DEPLOYMENT, workload(image="x:latest"), "c runs x:latest"),
        ("images-name-a-version", DEPLOYMENT, workload(image="host:5000/x"), "name a version"),
        (
            "images-name-a-version",
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


@pytest.mark.parametrize("type_", [DEPLOYMENT, "kubernetes:apps/v1:DaemonSet"])
def test_every_kind_that_starts_pods_is_looked_at(type_: str) -> None:
    broken = workload(image="x:latest", resources={"limits": {GPU: "2"}})
    told = [problem for rule in RULES.values() for problem in rule(type_, broken)]
    assert [problem.split(";")[0] for problem in told] == [
        "c runs x:latest",
        f"c asks for 2 of {GPU}",
    ]


@pytest.mark.parametrize("flag", ["ephemeral", "reusable", "preauthorized"])
def test_an_auth_key_without_one_of_its_marks_is_told(flag: str) -> None:
    told = list(RULES["auth-keys-are-short-lived"](KEY, {**GOOD_KEY, flag: False}))
    assert told == [f"the gateway's auth key is not {flag}"]


@pytest.mark.parametrize(
    "name", ["API_KEY", "HF_TOKEN", "DB_PASSWORD", "CLIENT_SECRET", "HUB_AUTHORIZATION"]
)
def test_a_value_with_the_name_of_a_secret_is_told(name: str) -> None:
    container = {"name": "c", "image": "x:1", "envs": [{"name": name, "value": "v"}]}
    props = service(template={"containers": [container]})
    told = list(RULES["secrets-are-referenced-at-a-version"](SERVICE, props))
    assert told == [f"{name} holds its value in plain text; keep it in Secret Manager"]


@pytest.mark.parametrize(
    "inside",
    [
        *("10.1.2.3/32", "172.31.0.0/24", "192.168.1.0/24", "169.254.169.254/32", "100.64.0.1/32"),
        *("127.0.0.1/32", "fd00::1/128", "fe80::1/128"),
    ],
)
def test_no_private_address_may_be_reached(inside: str) -> None:
    props = egress({"ipBlock": {"cidr": inside}})
    assert len(list(RULES["nothing-private-is-reached"](NETWORK_POLICY, props))) == 1


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
