"""Look at every side of a deployment at once, within half a minute."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

from lightkube import KubeConfig
from lightkube.core.exceptions import ConfigError

from doctor import certificates, cluster, google_side, twin_side
from doctor.asking import Asker
from doctor.drift import drift
from doctor.observations import Change, Cluster, NotSeen, Observations, Program, Service, Tailnet
from infra.config import Settings
from infra.gcp.costs import prices
from infra.gcp.names import SERVICE
from infra.home_k3s.names import MODEL, NAMESPACE
from twin.engine import STACK, Engine

SECONDS = 26
"""No request is begun after it; the promise is half a minute."""


@dataclass(frozen=True, kw_only=True)
class Patient:
    """A deployment, and where its sides are looked at."""

    url: str
    key: str
    settings: Settings
    up: str
    kubectl: str
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


def _free_minutes(settings: Settings) -> int | None:
    """A control server of one's own counts none."""
    return None if settings.tailnet.control_url else prices().tailscale.ephemeral_minutes


def examine(patient: Patient, *, with_drift: bool = False) -> Observations:
    """All sides at once: what a client sees, and what the owner sees behind it.

    ``with_drift``: then, which takes longer, also what is not as it was declared.
    """
    deadline = time.monotonic() + SECONDS
    body_mb = patient.settings.limits.body_mb
    asker = Asker(patient.url, patient.key, body_mb, deadline)
    with ThreadPoolExecutor(5) as looks:
        requests = looks.submit(asker.all)
        auth_key = looks.submit(patient.auth_key)
        at_home = looks.submit(patient.cluster)
        programs = looks.submit(patient.programs)
        ran = looks.submit(patient.minutes, datetime.now(UTC))
        asked = requests.result()
        # After the requests: only then does the service know why an instance did not start, and
        # is one that did in the tailnet.
        tailnet = looks.submit(patient.tailnet)
        first = asked.health
        service = patient.service(first.connected and not first.in_gateways_form)
        return Observations(
            home=patient.settings.home.host,
            up=patient.up,
            kubectl=patient.kubectl,
            take=patient.take,
            refresh=patient.refresh,
            requests=asked,
            service=service,
            tailnet=tailnet.result(),
            auth_key=auth_key.result(),
            cluster=at_home.result(),
            minutes=ran.result(),
            free_minutes=_free_minutes(patient.settings),
            programs=programs.result(),
            address_expires=certificates.of_address(patient.url),
            kubeconfig_expires=patient.kubeconfig_expires(),
            drift=patient.drift() if with_drift else (),
            now=datetime.now(UTC),
        )
