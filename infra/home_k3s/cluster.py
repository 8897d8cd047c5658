"""What the program asks home's API server itself, beside what Pulumi's provider does."""
# lightkube types a map of strings as a bare dict.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Protocol, cast

import httpx2
import yaml
from lightkube import ApiError, Client, KubeConfig
from lightkube.core.exceptions import ConfigError
from lightkube.generic_resource import create_namespaced_resource
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.apps_v1 import DaemonSet, Deployment, ReplicaSet
from lightkube.resources.core_v1 import Pod

from infra.home_k3s.names import NAMESPACE
from infra.home_k3s.others import Found
from infra.home_k3s.rollout import Seen

LAST_LINES = 15
OLDEST = datetime.min.replace(tzinfo=UTC)
ANSWER_SECONDS = 5
PLUGIN_IMAGE = "k8s-device-plugin"
"""In the image of NVIDIA's device plugin, whoever installed it."""
HelmChartConfig = create_namespaced_resource(
    "helm.cattle.io", "v1", "HelmChartConfig", "helmchartconfigs"
)


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

    def last_words(self, pod: str, container: str) -> str:
        """The last lines that it printed."""
        ...

    def found(self) -> list[Found]:
        """What does the same as an object of this program, whoever made it."""
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
        known = (
            KubeConfig.from_dict(yaml.safe_load(self._kubeconfig))
            if self._kubeconfig
            else KubeConfig.from_env()
        )
        chosen = known.get(self._context) if self._context else known
        return Client(chosen, timeout=httpx2.Timeout(ANSWER_SECONDS))

    def seen(self, name: str) -> Seen:
        with _reached():
            deployment = self._client.get(Deployment, name, namespace=NAMESPACE)
            labels = deployment.spec.selector.matchLabels if deployment.spec else None
            return Seen(
                deployment,
                list(self._client.list(ReplicaSet, namespace=NAMESPACE, labels=labels)),
                list(self._client.list(Pod, namespace=NAMESPACE, labels=labels)),
            )

    def last_words(self, pod: str, container: str) -> str:
        with _reached():
            lines = self._client.log(
                pod, namespace=NAMESPACE, container=container, tail_lines=LAST_LINES
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
        with _reached():
            return [*self._traefik_values(), *self._device_plugins()]

    def _traefik_values(self) -> list[Found]:
        try:
            config = self._client.get(HelmChartConfig, "traefik", namespace="kube-system")
        except ApiError as error:
            if error.status.code == 404:
                return []
            raise
        spec = cast("dict[str, Any]", config["spec"] or {})
        return [_found("HelmChartConfig", config.metadata, str(spec.get("valuesContent", "")))]

    def _device_plugins(self) -> list[Found]:
        return [
            _found("DaemonSet", one.metadata, image)
            for one in self._client.list(DaemonSet, namespace="*")
            if one.spec and one.spec.template.spec
            for image in [c.image or "" for c in one.spec.template.spec.containers]
            if PLUGIN_IMAGE in image
        ]


def _metadata(metadata: ObjectMeta | None) -> ObjectMeta:
    assert metadata  # noqa: S101  # what the API server returns has it
    return metadata


def _found(kind: Any, of: ObjectMeta | None, content: str) -> Found:
    metadata = _metadata(of)
    return Found(
        kind=kind,
        namespace=metadata.namespace or "",
        name=metadata.name or "",
        managers=frozenset(
            # Who only keeps the status is nobody's owner.
            m.manager or ""
            for m in metadata.managedFields or []
            if not m.subresource
        ),
        content=content,
    )


@contextmanager
def _reached() -> Generator[None]:
    try:
        yield
    except (httpx2.TransportError, ApiError, ConfigError) as error:
        raise NotReachedError(str(error)) from error
