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
from infra.gcp.gateway import GatewayAccount
from infra.home_k3s.gpu_sharing import GpuSharing, GpuSharingArgs
from infra.home_k3s.isolation import Isolation, IsolationArgs
from infra.home_k3s.model_server import ModelServer, ModelServerArgs
from infra.tailnet.membership import AuthKey, AuthKeyArgs, TrustedAccount, TrustedAccountArgs
from tests.support.pulumi_mocks import deploy
from tests.support.stacks import COMPUTED

Make = Callable[[pulumi.ResourceOptions], pulumi.ComponentResource]


def model_server(opts: pulumi.ResourceOptions) -> ModelServer:
    gpu = k8s.Provider("gpu", kubeconfig="none")
    args = ModelServerArgs(
        image="x:1", profile=PROFILES["7b"], revision="0" * 40, line_mbits=100, gpu=gpu
    )
    return ModelServer("it", args, opts)


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
    inside = [r for r in deployed.resources if r.name.startswith("it")]
    component = next(r for r in inside if r.name == "it")
    assert component.parent == "outer"
    children = [r for r in inside if r is not component]
    assert children
    for child in children:
        assert child.parent == "it", child.name
        assert "::given::" in child.request.provider, child.name
