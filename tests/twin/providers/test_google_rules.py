"""What Google refuses."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from twin.providers.google_rules import missing_for_service, service_problems

MAIL = "home-gateway@home.iam.gserviceaccount.com"
SERVICE: dict[str, Any] = {
    "name": "home-gateway",
    "location": "asia-northeast3",
    "template": {
        "serviceAccount": MAIL,
        "timeout": "300s",
        "maxInstanceRequestConcurrency": 10,
        "scaling": {"minInstanceCount": 0, "maxInstanceCount": 1},
        "containers": [
            {
                "name": "caddy",
                "image": "caddy",
                "ports": {"containerPort": 8080},
                "dependsOns": ["tailscale"],
                "envs": [
                    {
                        "name": "UPSTREAM_KEY",
                        "valueSource": {"secretKeyRef": {"secret": "upstream", "version": "2"}},
                    }
                ],
                "resources": {"limits": {"cpu": "1", "memory": "512Mi"}},
                "volumeMounts": [{"name": "keys", "mountPath": "/etc/keys"}],
                "startupProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 1},
            },
            {"name": "tailscale", "image": "ts", "startupProbe": {"httpGet": {"path": "/"}}},
        ],
        "volumes": [
            {"name": "keys", "secret": {"secret": "keys", "items": [{"path": "k", "version": "1"}]}}
        ],
    },
}
SECRETS = "projects/home/secrets"
PROJECT: dict[str, Any] = {
    "api/home/run.googleapis.com": {},
    f"account/{MAIL}": {},
    f"{SECRETS}/upstream/versions/2": {},
    f"{SECRETS}/keys/versions/1": {},
    f"reader/upstream/serviceAccount:{MAIL}": {},
    f"reader/keys/serviceAccount:{MAIL}": {},
}
TEMPLATE = ("template",)
CADDY = ("template", "containers", 0)
TAILSCALE = ("template", "containers", 1)
PROBE = (*CADDY, "startupProbe")
AT_PROBE = "template.containers[0].startupProbe"


def changed(path: tuple[Any, ...], **values: Any) -> dict[str, Any]:
    """The service with other values at one place; ``None`` takes a value away."""
    service = copy.deepcopy(SERVICE)
    here: Any = service
    for step in path:
        here = here[step]
    for name, value in values.items():
        here.pop(name, None)
        if value is not None:
            here[name] = value
    return service


def test_the_service_itself_is_accepted() -> None:
    assert service_problems(SERVICE) == []


@pytest.mark.parametrize(
    ("service", "where"),
    [
        (changed((), name="Home"), "name"),
        (changed((), name="h" * 50), "name"),
        (changed((), name="home-"), "name"),
        (changed((), location="Seoul"), "location"),
        (changed(TEMPLATE, timeout="3601s"), "template.timeout"),
        (changed(TEMPLATE, timeout="5m"), "template.timeout"),
        (
            changed(TEMPLATE, maxInstanceRequestConcurrency=1001),
            "template.maxInstanceRequestConcurrency",
        ),
        (
            changed(TEMPLATE, scaling={"minInstanceCount": 2, "maxInstanceCount": 1}),
            "template.scaling",
        ),
        (changed(TEMPLATE, scaling={"minInstanceCount": 101}), "template.scaling"),
        (changed(TEMPLATE, containers=[]), "template.containers"),
        (changed(CADDY, ports=None), "template.containers"),
        (changed(TAILSCALE, ports={"containerPort": 1}), "template.containers"),
        (changed(TAILSCALE, name=None), "template.containers"),
        (changed(TAILSCALE, name="caddy"), "template.containers"),
        (changed(TAILSCALE, dependsOns=["caddy"]), "template.containers"),
        (changed(CADDY, dependsOns=["caddy"]), "template.containers"),
        (changed(CADDY, envs=[{"name": "A", "valueSource": {}}]), "template.containers[0].envs"),
        (changed(CADDY, image=""), "template.containers[0].image"),
        (
            changed(CADDY, resources={"limits": {"cpu": "3"}}),
            "template.containers[0].resources.limits.cpu",
        ),
        (changed(CADDY, dependsOns=["derp"]), "template.containers[0].dependsOns"),
        (changed(TAILSCALE, startupProbe=None), "template.containers[0].dependsOns"),
        (changed(TEMPLATE, volumes=[]), "template.containers[0].volumeMounts"),
        (changed(PROBE, initialDelaySeconds=-1), f"{AT_PROBE}.initialDelaySeconds"),
        (changed(PROBE, initialDelaySeconds=241), f"{AT_PROBE}.initialDelaySeconds"),
        (changed(PROBE, periodSeconds=0), f"{AT_PROBE}.periodSeconds"),
        (changed(PROBE, periodSeconds=241), f"{AT_PROBE}.periodSeconds"),
        (changed(PROBE, timeoutSeconds=0), f"{AT_PROBE}.timeoutSeconds"),
        (changed(PROBE, timeoutSeconds=2), f"{AT_PROBE}.timeoutSeconds"),
        (changed(PROBE, timeoutSeconds=3601), f"{AT_PROBE}.timeoutSeconds"),
        (changed(PROBE, periodSeconds=None, timeoutSeconds=11), f"{AT_PROBE}.timeoutSeconds"),
        (changed(PROBE, failureThreshold=0), f"{AT_PROBE}.failureThreshold"),
        (changed(PROBE, failureThreshold=241), AT_PROBE),
        (changed(PROBE, periodSeconds=81), AT_PROBE),
        (changed(PROBE, tcpSocket=None), AT_PROBE),
        (changed(PROBE, httpGet={}), AT_PROBE),
        (changed(PROBE, tcpSocket=None, grpc={}), f"{AT_PROBE}.grpc"),
    ],
)
def test_a_limit_that_is_broken_is_named(service: dict[str, Any], where: str) -> None:
    assert where in [path for path, _ in service_problems(service)]


@pytest.mark.parametrize(
    "service",
    [
        changed((), name="h" * 49),
        changed(TEMPLATE, timeout="3600s"),
        changed(TEMPLATE, timeout=None),
        changed(TEMPLATE, maxInstanceRequestConcurrency=1000),
        changed(TEMPLATE, maxInstanceRequestConcurrency=0),
        changed(TEMPLATE, scaling={"minInstanceCount": 100}),
        changed(TEMPLATE, containers=[{"name": "caddy", "image": "caddy"}]),
        changed(PROBE, failureThreshold=240),
        changed(PROBE, initialDelaySeconds=240),
        changed(PROBE, initialDelaySeconds=0, timeoutSeconds=1, failureThreshold=1),
        changed(PROBE, periodSeconds=80, timeoutSeconds=80),
        changed(PROBE, periodSeconds=None, timeoutSeconds=10),
        *(
            changed(CADDY, resources={"limits": {"cpu": cpu}})
            for cpu in ("2", "4", "6", "8", "1000m", "2000m", "4000m", "6000m", "8000m")
        ),
    ],
)
def test_a_limit_that_is_just_kept_is_accepted(service: dict[str, Any]) -> None:
    assert service_problems(service) == []


def test_nothing_is_missing_in_a_complete_project() -> None:
    assert missing_for_service(SERVICE, PROJECT, "home") == []


@pytest.mark.parametrize(
    ("absent", "words"),
    [
        ("api/home/run.googleapis.com", "Cloud Run Admin API has not been used in project home"),
        (f"account/{MAIL}", f"Service account {MAIL} does not exist"),
        (f"{SECRETS}/keys/versions/1", f"Secret {SECRETS}/keys/versions/1 was not found"),
        (
            f"reader/upstream/serviceAccount:{MAIL}",
            f"Permission denied on secret: {SECRETS}/upstream/versions/2 for Revision",
        ),
    ],
)
def test_what_is_missing_is_told_in_googles_words(absent: str, words: str) -> None:
    project = {name: value for name, value in PROJECT.items() if name != absent}
    [problem] = missing_for_service(SERVICE, project, "home")
    assert problem.startswith(words)


def test_the_latest_version_is_any_version() -> None:
    service = copy.deepcopy(SERVICE)
    service["template"]["volumes"][0]["secret"]["items"][0].pop("version")
    assert missing_for_service(service, PROJECT, "home") == []
    bare = {name: value for name, value in PROJECT.items() if "keys/versions" not in name}
    assert missing_for_service(service, bare, "home") == [
        f"Secret {SECRETS}/keys/versions/latest was not found"
    ]
