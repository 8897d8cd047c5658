"""What is declared of the gateway in Google's cloud."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.pulumi_mocks import Deployment
from tests.support.stacks import ROOT, deploy_stack

DEV = ROOT / "Pulumi.dev.yaml"
TWIN = ROOT / "Pulumi.twin.yaml"


@pytest.fixture
def deployed() -> Deployment:
    return deploy_stack(DEV)


def service(deployment: Deployment) -> Any:
    return deployment.one("gcp:cloudrunv2/service:Service").inputs


def container(deployment: Deployment, name: str) -> Any:
    [found] = [c for c in service(deployment)["template"]["containers"] if c["name"] == name]
    return found


def plain_env(deployment: Deployment, name: str) -> dict[str, str]:
    return {e["name"]: e["value"] for e in container(deployment, name)["envs"] if "value" in e}


def secret_env(deployment: Deployment, name: str) -> dict[str, Any]:
    return {
        e["name"]: e["valueSource"]["secretKeyRef"]
        for e in container(deployment, name)["envs"]
        if "valueSource" in e
    }


def kept(deployment: Deployment, name: str) -> str:
    """What a secret holds."""
    [version] = [r for r in deployment.resources if r.name == f"gateway-{name}-version"]
    return version.inputs["secretData"]["value"]  # the rest marks it as a secret


def test_the_door_is_public_runs_once_at_most_and_can_be_taken_away(deployed: Deployment) -> None:
    inputs = service(deployed)
    assert inputs["name"] == "home-gateway"
    assert inputs["location"] == "asia-northeast3"
    assert inputs["invokerIamDisabled"] is True
    assert inputs["deletionProtection"] is False
    template = inputs["template"]
    assert template["timeout"] == "300s"
    assert template["scaling"] == {"minInstanceCount": 0, "maxInstanceCount": 1}
    assert template["maxInstanceRequestConcurrency"] == 50
    assert template["executionEnvironment"] == "EXECUTION_ENVIRONMENT_GEN2"


def test_both_images_come_through_the_projects_own_mirror(deployed: Deployment) -> None:
    mirror = "asia-northeast3-docker.pkg.dev/my-project/docker-hub"
    assert container(deployed, "caddy")["image"] == f"{mirror}/library/caddy:2.11.7"
    assert container(deployed, "tailscale")["image"] == f"{mirror}/tailscale/tailscale:v1.102.3"
    repository = deployed.one("gcp:artifactregistry/repository:Repository").inputs
    assert repository["mode"] == "REMOTE_REPOSITORY"
    assert repository["remoteRepositoryConfig"] == {
        "dockerRepository": {"publicRepository": "DOCKER_HUB"}
    }


def test_caddy_alone_has_a_port_and_starts_when_the_tailnet_is_joined(deployed: Deployment) -> None:
    assert container(deployed, "caddy")["ports"] == {"containerPort": 8080}
    assert container(deployed, "caddy")["dependsOns"] == ["tailscale"]
    tailscale = container(deployed, "tailscale")
    assert "ports" not in tailscale
    assert tailscale["startupProbe"]["httpGet"] == {"path": "/healthz", "port": 9002}


def test_tailscale_keeps_nothing_and_its_memory_is_bounded(deployed: Deployment) -> None:
    assert plain_env(deployed, "tailscale") == {
        "TS_USERSPACE": "true",
        "TS_HOSTNAME": "home-gateway",
        "TS_SOCKS5_SERVER": "127.0.0.1:1055",
        "TS_ACCEPT_DNS": "false",
        "TS_ENABLE_HEALTH_CHECK": "true",
        "TS_ENABLE_METRICS": "true",
        "TS_LOCAL_ADDR_PORT": "0.0.0.0:9002",
        "TS_DEBUG_MTU": "1024",
        "TS_NO_LOGS_NO_SUPPORT": "true",
        "GOMEMLIMIT": "150MiB",
    }


def test_another_control_server_is_told_to_tailscale_and_to_the_provider_alike() -> None:
    twin = deploy_stack(TWIN)
    url = "http://10.99.0.2:8090"
    assert plain_env(twin, "tailscale")["TS_EXTRA_ARGS"] == f"--login-server={url}"
    assert twin.one("pulumi:providers:tailscale").inputs["baseUrl"] == url


def test_each_secret_is_read_at_its_version_from_where_it_is_kept(deployed: Deployment) -> None:
    assert secret_env(deployed, "caddy") == {
        "UPSTREAM_AUTHORIZATION": {
            "secret": "home-gateway-upstream-authorization",
            "version": "1",
        }
    }
    assert secret_env(deployed, "tailscale") == {
        "TS_AUTHKEY": {"secret": "home-gateway-tailscale-auth-key", "version": "1"}
    }
    assert service(deployed)["template"]["volumes"] == [
        {
            "name": "caddyfile",
            "secret": {
                "secret": "home-gateway-caddyfile",
                "items": [{"path": "Caddyfile", "version": "1"}],
            },
        },
        {
            "name": "keys",
            "secret": {
                "secret": "home-gateway-api-keys",
                "items": [{"path": "keys.caddy", "version": "1"}],
            },
        },
    ]
    assert {m["name"]: m["mountPath"] for m in container(deployed, "caddy")["volumeMounts"]} == {
        "caddyfile": "/etc/caddy",
        "keys": "/etc/caddy-keys",
    }


def test_the_gateways_account_reads_its_own_secrets_and_may_do_nothing_else(
    deployed: Deployment,
) -> None:
    grants = [r for r in deployed.resources if "iam" in r.typ.lower() and "Member" in r.typ]
    assert sorted(r.name for r in grants) == [
        "gateway-api-keys-reader",
        "gateway-caddyfile-reader",
        "gateway-tailscale-auth-key-reader",
        "gateway-upstream-authorization-reader",
    ]
    for grant in grants:
        assert grant.inputs["role"] == "roles/secretmanager.secretAccessor"
        assert grant.inputs["member"].startswith("serviceAccount:home-gateway@")


def test_the_service_waits_until_its_account_may_read(deployed: Deployment) -> None:
    waits = deployed.one("gcp:cloudrunv2/service:Service").depends_on
    assert {
        "gateway-api-keys-reader",
        "gateway-caddyfile-reader",
        "gateway-tailscale-auth-key-reader",
        "gateway-upstream-authorization-reader",
    } <= waits


def test_every_secrets_value_is_secret_in_the_state(deployed: Deployment) -> None:
    versions = [r for r in deployed.resources if r.typ.endswith(":SecretVersion")]
    assert len(versions) == 4
    for version in versions:
        assert version.secrets == {"secretData"}, version.name


def test_the_keys_file_holds_a_line_for_each_client(deployed: Deployment) -> None:
    assert kept(deployed, "api-keys") == (
        f'"{"keylaptop".ljust(43, "0")}" laptop laptop\n"{"keyrobot".ljust(43, "0")}" robot robot\n'
    )


def test_settings_of_the_stack_reach_the_service() -> None:
    changed = deploy_stack(
        DEV,
        cloud={
            "project": "my-project",
            "timeoutSeconds": 120,
            "holdSeconds": 9,
            "concurrency": 7,
        },
        tailnet={"mtu": 1100},
        home={"host": "attic"},
        limits={"bodyMb": 5},
    )
    template = service(changed)["template"]
    assert (template["timeout"], template["maxInstanceRequestConcurrency"]) == ("120s", 7)
    assert plain_env(changed, "tailscale")["TS_DEBUG_MTU"] == "1100"
    assert "max_size 5MB" in kept(changed, "caddyfile")
    [caddy] = [one for one in template["containers"] if one["name"] == "caddy"]
    shell, option, script = caddy["commands"]
    assert (shell, option) == ("/bin/sh", "-c")
    for line in (
        "reverse_proxy http://attic:80",
        "header_up Host attic",
        "response_header_timeout 120s",
        "lb_try_duration 9s",
        "[ $failed -eq 9 ]",
        "exec caddy run --adapter caddyfile --config /etc/caddy/Caddyfile",
    ):
        assert line in script


def test_the_gateways_own_check_has_a_limit_that_strangers_cannot_use_up(
    deployed: Deployment,
) -> None:
    # Without it 41 requests to the open /health made Traefik answer the check with 429,
    # and the gateway took home for off.
    headers = kept(deployed, "caddyfile").partition("health_headers {")[2].partition("}")[0]
    assert headers.split() == ["X-Hub-Key-Id", "_health"]
