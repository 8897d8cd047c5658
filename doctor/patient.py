"""A deployment, and how each of its sides is looked at."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from lightkube import KubeConfig
from lightkube.core.exceptions import ConfigError

from doctor import certificates, cluster, google_side, twin_side
from doctor.drift import drift
from doctor.observations import Change, Cluster, NotSeen, Program, Service, Tailnet
from infra.config import Settings
from infra.gcp.names import SERVICE
from infra.home_k3s.names import MODEL, NAMESPACE
from twin.engine import STACK, Engine


@dataclass(frozen=True, kw_only=True)
class Patient:
    """A deployment, and where its sides are looked at."""

    url: str
    key: str
    settings: Settings
    up: str
    kubectl: str
    gateway_log: str
    take: str
    refresh: str
    service: Callable[[bool], Service | NotSeen]
    """Told whether somebody else has answered in its place."""
    tailnet: Callable[[], Tailnet | NotSeen]
    auth_key: Callable[[], datetime | NotSeen | None]
    cluster: Callable[[], Cluster | NotSeen]
    minutes: Callable[[datetime], float | NotSeen]
    kubeconfig_expires: Callable[[], datetime | None]
    programs: Callable[[], tuple[Program, ...]]
    drift: Callable[[], tuple[Change, ...] | NotSeen]


def of_twin(engine: Engine, key: str, settings: Settings) -> Patient:
    """The running twin."""
    paths, path = engine.paths, engine.path
    return Patient(
        url=engine.settings.gateway_url,
        key=key,
        settings=settings,
        up="hub up",
        kubectl='eval "$(hub env)"; kubectl',
        gateway_log=f"hub logs run/{SERVICE}-caddy",
        # `hub home` is a server's: it asks K3s and NVIDIA's driver.
        take=f'eval "$(hub env)"; kubectl -n {NAMESPACE} scale deployment/{MODEL} --replicas=1',
        refresh=f'eval "$(hub env)"; pulumi up --stack {STACK} --refresh',
        service=lambda _: twin_side.service(paths),
        tailnet=lambda: twin_side.nodes(paths, path),
        auth_key=lambda: twin_side.auth_key(paths, path),
        cluster=lambda: cluster.look(
            KubeConfig.from_file(paths.kubeconfig), None, traefik_is_a_pod=False
        ),
        minutes=lambda now: twin_side.minutes(paths, now),
        kubeconfig_expires=lambda: certificates.of_kubeconfig(
            KubeConfig.from_file(paths.kubeconfig), None
        ),
        programs=lambda: twin_side.programs(paths),
        drift=lambda: drift(STACK, engine.environment),
    )


def of_stack(
    stack: str, url: str, key: str, settings: Settings, auth_key: datetime | NotSeen
) -> Patient:
    """One of your own: asked with ``gcloud``, ``tailscale`` and the kubeconfig of this computer."""
    context = settings.home.kube_context
    cloud = settings.cloud
    return Patient(
        url=url,
        key=key,
        settings=settings,
        up=f"pulumi up --stack {stack}",
        kubectl=f"kubectl --context {context}" if context else "kubectl",
        gateway_log=f"gcloud run services logs read {SERVICE} --project={cloud.project} "
        f"--region={cloud.region}",
        take="hub home take --host USER@HOST",
        refresh=f"pulumi up --stack {stack} --refresh",
        service=lambda not_started: google_side.service(
            SERVICE, cloud.project, cloud.region, not_started=not_started
        ),
        tailnet=lambda: google_side.nodes(settings.home.host),
        auth_key=lambda: auth_key,
        cluster=lambda: _of_kubeconfig(context),
        minutes=lambda now: google_side.minutes(SERVICE, cloud.project, cloud.region, now),
        kubeconfig_expires=lambda: _expiry_of_kubeconfig(context),
        programs=tuple,
        drift=lambda: drift(stack, os.environ),
    )


def _of_kubeconfig(context: str | None) -> Cluster | NotSeen:
    try:
        return cluster.look(KubeConfig.from_env(), context, traefik_is_a_pod=True)
    except ConfigError as error:
        return NotSeen(why=f"no kubeconfig for home here: {error}")


def _expiry_of_kubeconfig(context: str | None) -> datetime | None:
    try:
        return certificates.of_kubeconfig(KubeConfig.from_env(), context)
    except (ConfigError, OSError, ValueError):  # `_of_kubeconfig` says what is wrong with it
        return None
