"""What Cloud Run takes where a service says nothing."""

from __future__ import annotations

from typing import Any

import pytest

from twin.cloud_run.instance import GRACE_SECONDS
from twin.cloud_run.revision import Revision, SecretRef, parse, secret_references
from twin.containers.probes import Probe


def revision(container: dict[str, Any], **template: Any) -> Revision:
    containers = [{"name": "main", "image": "caddy", **container}]
    inputs = {
        "name": "svc",
        "location": "us-central1",
        "template": {"containers": containers, **template},
    }
    return parse(inputs, "svc-00001-abc", None)


def test_a_request_may_take_300_seconds_unless_the_service_says_otherwise() -> None:
    assert revision({}).timeout_seconds == 300
    assert revision({}, timeout="5s").timeout_seconds == 5


def test_80_requests_run_at_once_unless_the_service_says_otherwise() -> None:
    assert revision({}).concurrency == 80
    assert revision({}, maxInstanceRequestConcurrency=0).concurrency == 80
    assert revision({}, maxInstanceRequestConcurrency=7).concurrency == 7


def test_a_container_that_is_alone_receives_the_requests_at_port_8080() -> None:
    assert revision({}).ingress.port == 8080
    assert revision({"ports": {}}).ingress.port == 8080
    assert revision({"ports": {"containerPort": 9000}}).ingress.port == 9000


def test_without_a_startup_probe_the_port_has_240_seconds_to_open() -> None:
    startup = revision({"ports": {"containerPort": 9000}}).ingress.startup
    assert startup is not None
    assert (startup.port, startup.path, startup.initial_delay_seconds) == (9000, None, 0)
    assert startup.period_seconds * startup.failure_threshold == 240


@pytest.mark.parametrize(("kind", "path"), [("httpGet", "/"), ("tcpSocket", None)])
def test_a_startup_probe_has_kubernetes_defaults_and_the_containers_port(
    kind: str, path: str | None
) -> None:
    assert revision({"startupProbe": {kind: {}}}).ingress.startup == Probe(
        port=8080,
        path=path,
        initial_delay_seconds=0,
        period_seconds=10,
        timeout_seconds=1,
        failure_threshold=3,
    )


def test_a_secret_without_a_version_or_items_is_its_latest_version_in_one_file() -> None:
    keys = {"secret": "projects/p/secrets/keys"}
    latest = SecretRef(secret="keys", version="latest")
    item = {**keys, "items": [{"path": "k"}]}
    assert revision({}, volumes=[{"name": "v", "secret": item}]).volumes == {"v": {"k": latest}}
    assert revision({}, volumes=[{"name": "v", "secret": keys}]).volumes == {"v": {"keys": latest}}
    env = [{"name": "KEY", "valueSource": {"secretKeyRef": keys}}]
    assert revision({"envs": env}).ingress.env == {"KEY": latest}


def test_the_secrets_that_a_template_reads_are_those_of_its_environments_and_volumes() -> None:
    key = {"secretKeyRef": {"secret": "projects/p/secrets/key", "version": "2"}}
    envs = [{"name": "KEY", "valueSource": key}, {"name": "PLAIN", "value": "text"}]
    several = {"secret": "more", "items": [{"path": "a", "version": 1}, {"path": "b"}]}
    template: dict[str, Any] = {
        "containers": [{"envs": envs}, {}],
        "volumes": [{"name": "v", "secret": several}, {"name": "scratch", "emptyDir": {}}],
    }
    assert [(one.secret, one.version) for one in secret_references(template)] == [
        ("key", "2"),
        ("more", "1"),
        ("more", "latest"),
    ]


def test_a_process_has_ten_seconds_after_sigterm() -> None:
    assert GRACE_SECONDS == 10
