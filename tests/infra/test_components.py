"""Each component, deployed inside another one: what it makes is its own, with what it was given."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pulumi
import pulumi_gcp as gcp
import pulumi_kubernetes as k8s
import pulumi_random as random
import pulumi_tailscale as tailscale
import pytest

from app.model.profiles import PROFILES
from infra.api_keys import ApiKeys
from infra.gcp.budget import Budget, BudgetArgs
from infra.gcp.gateway import Gateway, GatewayAccount, GatewayArgs
from infra.gcp.joining import ByAuthKey
from infra.home_k3s.entry import Entry, EntryArgs
from infra.home_k3s.gpu_sharing import GpuSharing, GpuSharingArgs
from infra.home_k3s.isolation import Isolation, IsolationArgs
from infra.home_k3s.model_server import ModelServer, ModelServerArgs
from infra.tailnet.membership import AuthKey, AuthKeyArgs, TrustedAccount, TrustedAccountArgs
from tests.support.pulumi_mocks import deploy
from tests.support.stacks import COMPUTED

Make = Callable[[pulumi.ResourceOptions], pulumi.ComponentResource]


def model_server(opts: pulumi.ResourceOptions, name: str = "it") -> ModelServer:
    gpu = k8s.Provider("gpu", kubeconfig="none")
    args = ModelServerArgs(
        image="x:1", profile=PROFILES["7b"], revision="0" * 40, line_mbits=100, gpu=gpu
    )
    return ModelServer(name, args, opts)


def gateway(opts: pulumi.ResourceOptions) -> Gateway:
    args = GatewayArgs(
        project="my-project",
        region="asia-northeast3",
        timeout_seconds=300,
        hold_seconds=6,
        concurrency=50,
        caddy_image="x:1",
        tailscale_image="x:1",
        body_mb=20,
        allowed_origins=[],
        fallback=None,
        home="home",
        waker=None,
        control_url=None,
        mtu=1200,
        api_keys={"laptop": "a" * 43},
        upstream_authorization="Basic x",
        join=ByAuthKey(key=pulumi.Output.secret("tskey")),
    )
    return Gateway("it", args, GatewayAccount("itself", opts), opts)


def entry(opts: pulumi.ResourceOptions) -> Entry:
    args = EntryArgs(
        requests_per_minute=120,
        burst=40,
        in_flight=16,
        tailnet_only=False,
        traefik_values={},
        gateway_key="k",
        service=model_server(opts, "model").service,
    )
    return Entry("it", args, opts)


COMPONENTS: dict[str, tuple[Callable[[], pulumi.ProviderResource], Make]] = {
    "ApiKeys": (lambda: random.Provider("given"), lambda o: ApiKeys("it", ["one"], o)),
    "GatewayAccount": (lambda: gcp.Provider("given"), lambda o: GatewayAccount("it", o)),
    "AuthKey": (
        lambda: tailscale.Provider("given"),
        lambda o: AuthKey("it", AuthKeyArgs(days=90, today=date(2026, 1, 1)), o),
    ),
    "TrustedAccount": (
        lambda: tailscale.Provider("given"),
        lambda o: TrustedAccount("it", TrustedAccountArgs(subject="1"), o),
    ),
    "GpuSharing": (
        lambda: k8s.Provider("given"),
        lambda o: GpuSharing("it", GpuSharingArgs(slices=10), o),
    ),
    "Isolation": (
        lambda: k8s.Provider("given"),
        lambda o: Isolation("it", IsolationArgs(gpu_slices=10), o),
    ),
    "ModelServer": (lambda: k8s.Provider("given"), model_server),
    "Entry": (lambda: k8s.Provider("given"), entry),
    "Gateway": (lambda: gcp.Provider("given"), gateway),
    "Budget": (
        lambda: gcp.Provider("given"),
        lambda o: Budget(
            "it", BudgetArgs(billing_account="0", project="my-project", usd_per_month=10), o
        ),
    ),
}


@pytest.mark.parametrize("name", COMPONENTS)
def test_a_component_inside_another_keeps_its_parent_and_the_given_provider(name: str) -> None:
    provider, make = COMPONENTS[name]

    def program() -> dict[str, pulumi.Input[object]]:
        outer = pulumi.ComponentResource(
            "test:index:Outer", "outer", {}, pulumi.ResourceOptions(providers=[provider()])
        )
        make(pulumi.ResourceOptions(parent=outer))
        return {}

    deployed = deploy(program, computed=COMPUTED)
    components = [r for r in deployed.resources if r.parent == "outer"]
    assert any(r.typ.endswith(f":{name}") for r in components)
    children = [r for r in deployed.resources if r.parent in {c.name for c in components}]
    assert children
    # Two components of one name would hide one another's children.
    assert len({c.name for c in components}) == len(components)
    strays = [r for r in deployed.resources if r not in [*components, *children]]
    assert {r.typ.partition(":")[0] for r in strays} <= {"pulumi", "test"}
    for child in children:
        assert "::given::" in child.request.provider, child.name
