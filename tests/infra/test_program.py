"""Every stack file in the repository deploys exactly what is meant, and within the rules."""

from __future__ import annotations

import runpy
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from app.model.forecast.plan import plan, rows
from infra.home_k3s import cluster, model_wait
from infra.home_k3s.cluster import K3s
from infra.home_k3s.model_wait import Told
from infra.home_k3s.rollout import Seen
from infra.tailnet.policy import policy
from policy.rules import RULES
from tests.support.home_cluster import FakeHome, deployment, pod, starting
from tests.support.stacks import ROOT, STACKS, deploy_stack

TWIN = ROOT / "Pulumi.twin.yaml"
DEV = ROOT / "Pulumi.dev.yaml"

EVERY_STACK = [
    "chance",
    "cloud",
    "entry",
    "entry-gateway-key",
    "entry-gateway-only",
    "entry-in-flight",
    "entry-ingress",
    "entry-rate",
    "entry-traefik",
    "entry-transport",
    "gateway",
    "gateway-api-keys",
    "gateway-api-keys-reader",
    "gateway-api-keys-version",
    "gateway-caddyfile",
    "gateway-caddyfile-reader",
    "gateway-caddyfile-version",
    "gateway-identity",
    "gateway-identity-account",
    "gateway-identity-artifactregistry-api",
    "gateway-identity-iam-api",
    "gateway-identity-run-api",
    "gateway-identity-secretmanager-api",
    "gateway-images",
    "gateway-service",
    "gateway-tailscale-auth-key",
    "gateway-tailscale-auth-key-reader",
    "gateway-tailscale-auth-key-version",
    "gateway-upstream-authorization",
    "gateway-upstream-authorization-reader",
    "gateway-upstream-authorization-version",
    "gpu",
    "gpu-device-plugin",
    "gpu-time-slicing",
    "isolation",
    "isolation-egress",
    "isolation-gpu-quota",
    "isolation-ingress",
    "isolation-namespace",
    "k3s",
    "key",
    "key-laptop",
    "key-robot",
    "key_upstream",
    "model",
    "model-deployment",
    "model-modules",
    "model-service",
    "net",
    "tailnet",
    "tailnet-gateway-key",
]


def test_there_are_the_two_stacks_that_the_readme_speaks_of() -> None:
    assert [stack.name for stack in STACKS] == ["Pulumi.dev.yaml", "Pulumi.twin.yaml"]


@pytest.mark.parametrize("stack", STACKS, ids=lambda stack: stack.stem)
def test_a_stack_registers_exactly_these_resources(stack: Path) -> None:
    assert deploy_stack(stack).names() == EVERY_STACK


@pytest.mark.parametrize("stack", STACKS, ids=lambda stack: stack.stem)
def test_a_stack_obeys_every_policy(stack: Path) -> None:
    problems = [
        f"{name}: {resource.name}: {problem}"
        for resource in deploy_stack(stack).resources
        for name, rule in RULES.items()
        for problem in rule(resource.typ, dict(resource.inputs))
    ]
    assert problems == []


@pytest.mark.parametrize("stack", STACKS, ids=lambda stack: stack.stem)
def test_everything_at_home_is_retained_named_and_owned_by_one_field_manager(stack: Path) -> None:
    home = [r for r in deploy_stack(stack).resources if r.typ.startswith("kubernetes:")]
    assert len(home) == 16
    for resource in home:
        metadata = resource.inputs["metadata"]
        assert resource.retain_on_delete, resource.name
        assert metadata["name"], resource.name
        manager = metadata["annotations"]["pulumi.com/patchFieldManager"]
        assert manager == "personal-cloud-hub", resource.name


@pytest.mark.parametrize("stack", STACKS, ids=lambda stack: stack.stem)
def test_nothing_of_the_cloud_is_retained(stack: Path) -> None:
    cloud = [r for r in deploy_stack(stack).resources if r.typ.startswith(("gcp:", "tailscale:"))]
    assert [r.name for r in cloud if r.retain_on_delete] == []


def test_the_provider_adopts_what_destroy_left() -> None:
    provider = deploy_stack(TWIN).one("pulumi:providers:kubernetes").inputs
    for flag in (
        "upsertExistingObjects",
        "enablePatchForce",
        "enableConfigMapMutable",
        "enableSecretMutable",
    ):
        assert provider[flag] == "true", flag


def test_no_key_stands_in_plain_text_in_any_input() -> None:
    for resource in deploy_stack(TWIN).resources:
        if "0" * 30 in str(resource.inputs) or "tskey-auth" in str(resource.inputs):
            assert resource.secrets, f"{resource.name} holds a key that is no secret"


def test_the_outputs_are_what_the_readme_names() -> None:
    outputs = deploy_stack(DEV).outputs
    assert sorted(outputs) == [
        *("acceptedKeys", "apiKeys", "authKeyExpires", "costs", "curl", "gatewayUrl", "plan"),
        "tailnetPolicy",
    ]
    assert outputs["gatewayUrl"] == "https://home-gateway.run.app"
    assert outputs["apiKeys"] == {
        "laptop": "keylaptop".ljust(43, "0"),
        "robot": "keyrobot".ljust(43, "0"),
    }
    assert outputs["acceptedKeys"] == ["laptop", "robot"]
    assert outputs["curl"].startswith("curl -N https://home-gateway.run.app/v1/chat/completions")
    assert outputs["tailnetPolicy"] == policy("grants")


def test_no_output_but_the_keys_holds_a_key() -> None:
    deployed = deploy_stack(DEV)
    others = {name: value for name, value in deployed.outputs.items() if name != "apiKeys"}
    assert "0" * 30 not in str(others)
    assert deployed.secret_outputs == {"apiKeys"}


def test_a_rotated_key_is_accepted_beside_the_newest_which_the_outputs_show() -> None:
    deployed = deploy_stack(DEV, apiKeys=["robot", "robot.2"])
    old, new = "keyrobot".ljust(43, "0"), "keyrobot2".ljust(43, "0")
    [keys] = [r for r in deployed.resources if r.name == "gateway-api-keys-version"]
    assert keys.inputs["secretData"]["value"] == f'"{old}" robot robot\n"{new}" robot.2 robot\n'
    assert deployed.outputs["acceptedKeys"] == ["robot", "robot.2"]
    assert deployed.outputs["apiKeys"] == {"robot": new}


def test_the_preview_shows_the_forecast_of_the_stacks_profile_and_card() -> None:
    shown = deploy_stack(DEV).outputs["plan"]
    assert shown == rows(plan("7b", 23.69))
    assert (shown["KV cache holds"], shown["fits"]) == ("78,784 tokens", "yes")
    assert deploy_stack(TWIN).outputs["plan"] == rows(plan("tiny", 23.69))


def test_joining_by_identity_stores_no_auth_key() -> None:
    deployed = deploy_stack(DEV, tailnet={"joinWith": "workloadIdentity"})
    assert "gateway-tailscale-auth-key" not in deployed.names()
    identity = deployed.one("tailscale:index/federatedIdentity:FederatedIdentity").inputs
    assert identity["subject"] == "123456789"
    assert identity["tags"] == ["tag:llm-gateway"]
    service = deployed.one("gcp:cloudrunv2/service:Service").inputs
    [tailscale] = [c for c in service["template"]["containers"] if c["name"] == "tailscale"]
    env = {one["name"]: one.get("value") for one in tailscale["envs"]}
    assert env["TS_CLIENT_ID"].endswith("?ephemeral=true&preauthorized=true")
    assert env["TS_AUDIENCE"] == "api.tailscale.com/x"
    # Without it `tailscale up` refuses to join (1.102.3, feature/identityfederation).
    assert env["TS_EXTRA_ARGS"] == "--advertise-tags=tag:llm-gateway"


ELSEWHERE = {"url": "https://api.example/v1", "model": "large-vl"}


def test_a_fallback_without_its_key_is_refused_with_the_command_that_gives_it() -> None:
    cloud = {"project": "my-project", "fallback": ELSEWHERE}
    with pytest.raises(pulumi.RunError, match="config set --secret personal-cloud-hub:fallbackKey"):
        deploy_stack(DEV, cloud=cloud)


def test_a_fallbacks_key_reaches_caddy_as_a_secret_and_stands_in_no_text() -> None:
    cloud = {"project": "my-project", "fallback": ELSEWHERE}
    deployed = deploy_stack(DEV, cloud=cloud, secrets={"fallbackKey": "sesame"})
    [caddyfile] = [r for r in deployed.resources if r.name == "gateway-caddyfile-version"]
    assert "reverse_proxy https://api.example {" in str(caddyfile.inputs["secretData"])
    assert [r.name for r in deployed.resources if "sesame" in str(r.inputs)] == [
        "gateway-fallback-key-version"
    ]
    service = deployed.one("gcp:cloudrunv2/service:Service").inputs
    [caddy] = [c for c in service["template"]["containers"] if c["name"] == "caddy"]
    assert "FALLBACK_KEY" in [one["name"] for one in caddy["envs"]]


def test_the_program_never_touches_the_tailnets_policy() -> None:
    for stack in STACKS:
        assert [r.name for r in deploy_stack(stack).resources if "acl" in r.typ.lower()] == []


@pytest.mark.parametrize("stack", STACKS, ids=lambda stack: stack.stem)
def test_a_resource_without_a_provider_is_an_error_in_every_stack(stack: Path) -> None:
    config = yaml.safe_load(stack.read_text())["config"]
    assert config["pulumi:disable-default-providers"] == ["*"]


def test_the_engine_runs_it_with_the_day_of_today_and_the_real_home(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ran: list[tuple[date, object]] = []

    def main(today: date, connect: object) -> None:
        ran.append((today, connect))

    monkeypatch.setattr("infra.program.main", main)
    before = datetime.now(UTC).date()
    runpy.run_path(str(ROOT / "__main__.py"))
    ((today, connect),) = ran
    assert today in (before, datetime.now(UTC).date())
    assert connect is K3s


def test_the_model_is_waited_for_when_all_else_is_declared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A model that does not start must not keep a leaked key alive."""

    def wait(_model: object, _home: object, _minutes: int, after: list[Any]) -> None:
        pulumi.export("waitedFor", pulumi.Output.all(*after))

    monkeypatch.setattr("infra.program.wait_for_model", wait)
    outputs = deploy_stack(DEV, FakeHome()).outputs
    assert outputs["waitedFor"] == ["https://home-gateway.run.app", "entry-ingress-id"]


def test_the_model_has_the_minutes_that_its_download_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits: list[float] = []

    async def until_served(_home: object, _name: str, seconds: float, _tell: object) -> Told:
        waits.append(seconds)
        return Told("info", "served")

    monkeypatch.setattr(model_wait, "until_served", until_served)
    deploy_stack(DEV, FakeHome())
    assert waits == [92 * 60]


def test_what_the_wait_has_to_warn_of_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    warnings: list[str] = []

    def warn(text: str, _resource: object) -> None:
        warnings.append(text)

    monkeypatch.setattr(pulumi, "warn", warn)
    resting = Seen(deployment(wanted=0, pods=0, updated=0, available=0), [], [])
    deploy_stack(DEV, FakeHome([resting]))
    assert [text.partition(",")[0] for text in warnings] == ["vllm-qwen is scaled to 0"]


def test_a_home_that_is_off_costs_up_half_a_minute_at_most() -> None:
    assert model_wait.REACH_SECONDS + cluster.ANSWER_SECONDS <= 30


def test_up_fails_with_the_pods_last_words_if_the_model_does_not_start() -> None:
    died = starting(pod(waiting=("CrashLoopBackOff", "back-off 20s"), restarts=1))
    home = FakeHome([died], words="ValueError: no such revision")
    with pytest.raises(pulumi.RunError, match="ValueError: no such revision"):
        deploy_stack(DEV, home, home={"kubeContext": "gaming-pc"})
    assert home.connections == [(None, "gaming-pc")]


def test_a_waker_reaches_the_gateway_and_the_policy_that_lets_it_be_asked() -> None:
    wake = {"through": "100.101.102.103", "seconds": 60}
    deployed = deploy_stack(DEV, home={"wake": wake})
    [caddyfile] = [r for r in deployed.resources if r.name == "gateway-caddyfile-version"]
    assert "header Retry-After 60" in str(caddyfile.inputs["secretData"])
    service = deployed.one("gcp:cloudrunv2/service:Service").inputs
    [caddy] = [c for c in service["template"]["containers"] if c["name"] == "caddy"]
    assert "rewrite * /wake\n" in caddy["commands"][2]
    assert "reverse_proxy http://100.101.102.103:7390 {" in caddy["commands"][2]
    assert deployed.outputs["tailnetPolicy"] == policy("grants", "100.101.102.103")
