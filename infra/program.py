"""The whole deployment, top to bottom: keys, tailnet, home, gateway."""

from __future__ import annotations

import pulumi
import pulumi_gcp as gcp
import pulumi_kubernetes as k8s
import pulumi_random as random
import pulumi_tailscale as tailscale

from app.model.memory import forecast
from app.model.profiles import PROFILES
from infra import config
from infra.api_keys import ApiKeys
from infra.gcp.gateway import Gateway, GatewayAccount, GatewayArgs
from infra.home_k3s.home import home
from infra.outputs import curl_line
from infra.tailnet.membership import Tailnet, TailnetArgs
from infra.tailnet.policy import policy


def main() -> None:
    raw = pulumi.Config("personal-cloud-hub")
    settings = config.load(raw)
    cloud = gcp.Provider("cloud", project=settings.cloud.project, region=settings.cloud.region)
    net = tailscale.Provider("net", base_url=settings.tailnet.control_url)
    chance = random.Provider("chance")
    k3s = k8s.Provider(
        "k3s",
        kubeconfig=raw.get_secret("kubeconfig"),
        context=settings.home.kube_context,
        # `up` after `destroy` finds home's objects still there: it takes them over.
        upsert_existing_objects=True,
        enable_patch_force=True,
        enable_config_map_mutable=True,
        enable_secret_mutable=True,
    )

    keys = ApiKeys("key", settings.api_keys, pulumi.ResourceOptions(provider=chance))
    account = GatewayAccount("gateway-identity", pulumi.ResourceOptions(provider=cloud))
    by_identity = settings.tailnet.join_with == "workloadIdentity"
    tailnet = Tailnet(
        "tailnet",
        TailnetArgs(
            key_days=settings.tailnet.key_days,
            owns_policy=settings.tailnet.owns_policy,
            identity_subject=account.account.unique_id if by_identity else None,
        ),
        pulumi.ResourceOptions(provider=net),
    )
    home(settings, keys.upstream, k3s)
    gateway = Gateway(
        "gateway",
        GatewayArgs.from_settings(settings, keys, tailnet),
        account,
        pulumi.ResourceOptions(provider=cloud),
    )

    pulumi.export("gatewayUrl", gateway.url)
    pulumi.export("apiKeys", keys.by_name)
    pulumi.export("curl", pulumi.Output.all(gateway.url, keys.by_name).apply(curl_line))
    pulumi.export("tailnetPolicy", policy())
    pulumi.export(
        "plan", str(forecast(PROFILES[settings.model.profile], settings.home.gpu_memory_gib))
    )
