"""What the program asks home's API server itself, beside what Pulumi's provider does."""
# lightkube types a map of strings as a bare dict.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import httpx2
import yaml
from lightkube import ApiError, Client, KubeConfig
from lightkube.resources.apps_v1 import Deployment, ReplicaSet
from lightkube.resources.core_v1 import Pod

from infra.home_k3s.retained import NAMESPACE
from infra.home_k3s.rollout import Seen

LAST_LINES = 15
UNREACHABLE = (httpx2.TransportError, ApiError)


class Cluster(Protocol):
    """Home, as far as the program looks at it."""

    def seen(self, name: str) -> Seen:
        """A Deployment of the program's namespace, with what it made.

        Raises:
            httpx2.TransportError: the API server does not answer.
            ApiError: it answers with an error.
        """
        ...

    def last_words(self, pod: str, container: str) -> str:
        """The last lines that it printed; empty if there are none to be had."""
        ...


Connect = Callable[[str | None, str | None], Cluster]
"""From a kubeconfig's text and the name of a context, each where it is set."""


class K3s:
    """The real one."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @classmethod
    def connect(cls, kubeconfig: str | None, context: str | None) -> K3s:
        """With this kubeconfig's text, else the one of ``KUBECONFIG`` or ``~/.kube/config``."""
        known = (
            KubeConfig.from_dict(yaml.safe_load(kubeconfig))
            if kubeconfig
            else KubeConfig.from_env()
        )
        return cls(Client(known.get(context) if context else known))

    def seen(self, name: str) -> Seen:
        deployment = self._client.get(Deployment, name, namespace=NAMESPACE)
        labels = deployment.spec.selector.matchLabels if deployment.spec else None
        return Seen(
            deployment,
            list(self._client.list(ReplicaSet, namespace=NAMESPACE, labels=labels)),
            list(self._client.list(Pod, namespace=NAMESPACE, labels=labels)),
        )

    def last_words(self, pod: str, container: str) -> str:
        try:
            lines = self._client.log(
                pod, namespace=NAMESPACE, container=container, tail_lines=LAST_LINES
            )
            return "".join(lines).rstrip()
        except UNREACHABLE:
            return ""
