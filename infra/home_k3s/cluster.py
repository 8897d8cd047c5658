"""What the program asks home's API server itself, beside what Pulumi's provider does."""
# lightkube types a map of strings as a bare dict.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Protocol

import httpx2
import yaml
from lightkube import AsyncClient, Client, KubeConfig
from lightkube.config.kubeconfig import SingleConfig
from lightkube.core.exceptions import ConfigError
from lightkube.generic_resource import create_namespaced_resource
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.apps_v1 import DaemonSet, Deployment, ReplicaSet
from lightkube.resources.core_v1 import (
    ConfigMap,
    Namespace,
    Pod,
    ResourceQuota,
    Secret,
    Service,
)
from lightkube.resources.networking_v1 import Ingress, NetworkPolicy

from infra.home_k3s.crash import LOG_LINES
from infra.home_k3s.names import (
    FRESH,
    MANAGER_ANNOTATION,
    MODEL,
    NAMESPACE,
    NVIDIA_PLUGIN,
    SYSTEM,
    TIME_SLICING,
)
from infra.home_k3s.others import Found
from infra.home_k3s.rollout import Seen

OLDEST = datetime.min.replace(tzinfo=UTC)
ANSWER_SECONDS = 5
PLUGIN_IMAGE = "k8s-device-plugin"
"""In the image of NVIDIA's device plugin, whoever installed it."""
HelmChartConfig = create_namespaced_resource(
    "helm.cattle.io", "v1", "HelmChartConfig", "helmchartconfigs"
)
Middleware = create_namespaced_resource("traefik.io", "v1alpha1", "Middleware", "middlewares")
ServersTransport = create_namespaced_resource(
    "traefik.io", "v1alpha1", "ServersTransport", "serverstransports"
)
MADE: tuple[tuple[Any, str, str | None], ...] = (
    (HelmChartConfig, "traefik", SYSTEM),
    (DaemonSet, NVIDIA_PLUGIN, SYSTEM),
    (ConfigMap, TIME_SLICING, SYSTEM),
    (Namespace, NAMESPACE, None),
    (ResourceQuota, "gpu", NAMESPACE),
    (NetworkPolicy, "vllm-from-traefik-only", NAMESPACE),
    (NetworkPolicy, "vllm-to-model-hub-only", NAMESPACE),
    (Deployment, MODEL, NAMESPACE),
    (ConfigMap, "vllm-modules", NAMESPACE),
    (Service, MODEL, NAMESPACE),
    (Secret, "gateway-key", NAMESPACE),
    (Middleware, "gateway-only", NAMESPACE),
    (Middleware, "rate", NAMESPACE),
    (Middleware, "in-flight", NAMESPACE),
    (ServersTransport, FRESH, NAMESPACE),
    (Ingress, MODEL, NAMESPACE),
)
"""Everything that this program makes at home: kind, name, namespace."""


class NotReachedError(Exception):
    """Home's API server does not answer, or not to us; the message says how."""


class Cluster(Protocol):
    """Home, as far as the program looks at it.

    Raises:
        NotReachedError: by each of its methods.
    """

    def seen(self, name: str) -> Seen:
        """A Deployment of the program's namespace, with what it made."""
        ...

    def end_of_log(self, pod: str, container: str) -> str:
        """The last lines that it printed."""
        ...

    def found(self) -> list[Found]:
        """What has the name of an object of this program, or does the same, whoever made it."""
        ...


Connect = Callable[[str | None, str | None], Cluster]
"""From a kubeconfig's text and the name of a context, each where it is set."""


class K3s:
    """The real one."""

    def __init__(self, kubeconfig: str | None, context: str | None) -> None:
        """With this kubeconfig's text, else the one of ``KUBECONFIG`` or ``~/.kube/config``."""
        self._kubeconfig, self._context = kubeconfig, context

    @cached_property
    def _client(self) -> Client:
        return Client(self._config, timeout=httpx2.Timeout(ANSWER_SECONDS))

    @cached_property
    def _config(self) -> SingleConfig | None:
        known = (
            KubeConfig.from_dict(yaml.safe_load(self._kubeconfig))
            if self._kubeconfig
            else KubeConfig.from_env()
        )
        return known.get(self._context)

    def seen(self, name: str) -> Seen:
        with _reached():
            deployment = self._client.get(Deployment, name, namespace=NAMESPACE)
            labels = deployment.spec.selector.matchLabels if deployment.spec else None
            return Seen(
                deployment,
                list(self._client.list(ReplicaSet, namespace=NAMESPACE, labels=labels)),
                list(self._client.list(Pod, namespace=NAMESPACE, labels=labels)),
            )

    def end_of_log(self, pod: str, container: str) -> str:
        with _reached():
            lines = self._client.log(
                pod, namespace=NAMESPACE, container=container, tail_lines=LOG_LINES
            )
            return "".join(lines).rstrip()

    def log(self, name: str) -> str:
        """The whole log of the newest pod of a Deployment with this name.

        Raises:
            NotReachedError: the API server does not answer, or there is no such pod.
        """
        with _reached():
            pods = list(self._client.list(Pod, namespace=NAMESPACE, labels={"app": name}))
            if not pods:
                raise NotReachedError(f"no pod with the label app={name} in namespace {NAMESPACE}")
            newest = max(pods, key=lambda pod: _metadata(pod.metadata).creationTimestamp or OLDEST)
            lines = self._client.log(_metadata(newest.metadata).name or "", namespace=NAMESPACE)
            return "".join(lines)

    def found(self) -> list[Found]:
        # In a thread, since the program itself runs in an event loop; and in one: msgspec, by which
        # lightkube reads, crashes when two threads meet a type for the first time.
        with _reached(), ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, self._all_found()).result()

    async def _all_found(self) -> list[Found]:
        async with AsyncClient(self._config, timeout=httpx2.Timeout(ANSWER_SECONDS)) as client:
            # First and alone: a login that the kubeconfig names runs once, not for each object.
            others = await _other_device_plugins(client)
            made = await asyncio.gather(*(_made(client, *each) for each in MADE))
            return [*filter(None, made), *others]


async def _made(client: AsyncClient, kind: Any, name: str, namespace: str | None) -> Found | None:
    try:
        found = await client.get(kind, name, namespace=namespace)
    except httpx2.HTTPStatusError as error:
        # Of a kind that it does not know, such as Traefik's on a fresh K3s, too.
        if error.response.status_code == 404:
            return None
        raise
    spec: dict[str, Any] = (found["spec"] or {}) if kind is HelmChartConfig else {}
    return _found(kind.__name__, found.metadata, str(spec.get("valuesContent", "")))


async def _other_device_plugins(client: AsyncClient) -> list[Found]:
    return [
        _found("DaemonSet", one.metadata, image)
        async for one in client.list(DaemonSet, namespace="*")
        if (DaemonSet, _metadata(one.metadata).name, _metadata(one.metadata).namespace) not in MADE
        if one.spec and one.spec.template.spec
        for image in [c.image or "" for c in one.spec.template.spec.containers]
        if PLUGIN_IMAGE in image
    ]


def _metadata(metadata: ObjectMeta | None) -> ObjectMeta:
    assert metadata  # noqa: S101  # what the API server returns has it
    return metadata


def _found(kind: str, of: ObjectMeta | None, content: str) -> Found:
    metadata = _metadata(of)
    # Who only keeps the status is nobody's owner.
    managers = {m.manager or "" for m in metadata.managedFields or [] if not m.subresource}
    # A backup that is restored has another manager, and the annotation.
    annotated = (metadata.annotations or {}).get(MANAGER_ANNOTATION)
    return Found(
        kind=kind,
        namespace=metadata.namespace or "",
        name=metadata.name or "",
        managers=frozenset(managers | ({annotated} if annotated else set())),
        content=content,
    )


@contextmanager
def _reached() -> Generator[None]:
    try:
        yield
    except (httpx2.TransportError, httpx2.HTTPStatusError, ConfigError) as error:
        raise NotReachedError(str(error)) from error
