"""The whole deployment, top to bottom: keys, tailnet, home, gateway."""

from __future__ import annotations

from datetime import date

import pulumi
import pulumi_gcp as gcp
import pulumi_kubernetes as k8s
import pulumi_random as random
import pulumi_tailscale as tailscale
from pulumi.runtime import get_config

from app.model.forecast.plan import plan, rows
from infra import config, stack_config
from infra.api_keys import ApiKeys
from infra.gateway_key import authorization
from infra.gcp.budget import Budget, BudgetArgs
from infra.gcp.costs import costs
from infra.gcp.fallback import Elsewhere
from infra.gcp.gateway import Gateway, GatewayAccount, GatewayArgs
from infra.gcp.joining import ByAuthKey, ByIdentity
from infra.gcp.waking import Waker
from infra.home_k3s.cluster import Cluster, Connect, NotReachedError
from infra.home_k3s.home import home
from infra.home_k3s.model_wait import wait_for_model
from infra.home_k3s.others import refuse_others
from infra.outputs import curl_line
from infra.tailnet.membership import AuthKey, AuthKeyArgs, TrustedAccount, TrustedAccountArgs
from infra.tailnet.policy import GATEWAY_TAG, WAKER, policy


def main(today: date, connect: Connect) -> None:
    """Declare everything.

    ``today`` decides whether the auth key is due to be renewed, ``connect`` reaches home's API
    server.
    """
    raw = pulumi.Config("personal-cloud-hub")
    settings = stack_config.load(raw)
    # In plain text for a connection of the program's own; Pulumi itself gets it as a secret.
    cluster = connect(get_config(raw.full_key("kubeconfig")), settings.home.kube_context)
    _look_for_others(cluster, take_over=settings.home.take_over)
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
    wake = settings.home.wake
    account = GatewayAccount("gateway-identity", pulumi.ResourceOptions(provider=cloud))
    gateway = Gateway(
        "gateway",
        GatewayArgs(
            project=settings.cloud.project,
            region=settings.cloud.region,
            timeout_seconds=settings.cloud.timeout_seconds,
            hold_seconds=settings.cloud.hold_seconds,
            concurrency=settings.cloud.concurrency,
            caddy_image=settings.cloud.caddy_image,
            tailscale_image=settings.cloud.tailscale_image,
            body_mb=settings.limits.body_mb,
            allowed_origins=settings.cloud.allowed_origins,
            fallback=_fallback(settings.cloud.fallback, raw),
            home=settings.home.host,
            waker=wake and Waker(address=wake.through, port=WAKER, seconds=wake.seconds),
            control_url=settings.tailnet.control_url,
            mtu=settings.tailnet.mtu,
            api_keys=keys.accepted,
            upstream_authorization=keys.upstream.apply(authorization),
            join=_membership(settings, account, today, pulumi.ResourceOptions(provider=net)),
        ),
        account,
        pulumi.ResourceOptions(provider=cloud),
    )
    if settings.cloud.budget is not None:
        _budget(settings.cloud, settings.cloud.budget)
    at_home = home(settings, keys.upstream, k3s)

    pulumi.export("gatewayUrl", gateway.url)
    pulumi.export("apiKeys", keys.by_name)
    pulumi.export("acceptedKeys", list(settings.api_keys))
    pulumi.export("curl", gateway.url.apply(curl_line))
    pulumi.export("costs", costs(settings.cloud.region).told())
    pulumi.export("tailnetPolicy", policy("grants", waker=wake and wake.through))
    pulumi.export("plan", rows(plan(settings.model.profile, settings.home.gpu_memory_gib)))
    if not pulumi.runtime.is_dry_run():
        done = [gateway.url, at_home.way_in.id]
        model = at_home.model
        wait_for_model(model.deployment, cluster, model.minutes_to_start, done)


def _membership(
    settings: config.Settings,
    account: GatewayAccount,
    today: date,
    opts: pulumi.ResourceOptions,
) -> ByAuthKey | ByIdentity:
    """How the gateway joins, as the settings say."""
    if settings.tailnet.join_with == "workloadIdentity":
        trusted = TrustedAccount(
            "tailnet", TrustedAccountArgs(subject=account.account.unique_id), opts
        )
        return ByIdentity(client_id=trusted.client_id, audience=trusted.audience, tag=GATEWAY_TAG)
    key = AuthKey("tailnet", AuthKeyArgs(days=settings.tailnet.key_days, today=today), opts)
    pulumi.export("authKeyExpires", key.expires)
    return ByAuthKey(key=key.key)


def _fallback(fallback: config.Fallback | None, raw: pulumi.Config) -> Elsewhere | None:
    if fallback is None:
        return None
    key = raw.get_secret("fallbackKey")
    if key is None:
        raise stack_config.ConfigError(
            "cloud.fallback needs the other service's key; give it with\n"
            "  pulumi config set --secret personal-cloud-hub:fallbackKey"
        )
    return Elsewhere(url=fallback.url, model=fallback.model, key=key)


def _look_for_others(cluster: Cluster, *, take_over: bool) -> None:
    try:
        refuse_others(cluster.found(), take_over=take_over)
    except NotReachedError as error:
        pulumi.warn(
            f"Home was not reached ({error}), so this program could not look there for "
            "objects of somebody else that it would replace."
        )


def _budget(cloud: config.Cloud, budget: config.Budget) -> None:
    billing = gcp.Provider(
        "billing",
        project=cloud.project,
        region=cloud.region,
        user_project_override=True,
        billing_project=cloud.project,
    )
    Budget(
        "budget",
        BudgetArgs(
            billing_account=budget.billing_account,
            project=cloud.project,
            usd_per_month=budget.usd_per_month,
        ),
        pulumi.ResourceOptions(provider=billing),
    )
