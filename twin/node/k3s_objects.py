"""What K3s has already put into its API server before the program comes.

Promises: RuntimeClass ``nvidia``, IngressClass ``traefik``, the kinds of Traefik and of K3s' helm
controller as these projects publish them, with their schemas; applying them again changes nothing.
Leaves out: every other object of K3s.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import yaml

from twin.errors import TwinError
from twin.node.api import APPLY, Api

MANAGER = "k3s"


def kinds() -> list[dict[str, Any]]:
    """The CustomResourceDefinitions."""
    files = sorted((Path(__file__).parent / "crds").glob("*.yaml"))
    # libyaml's loader: Traefik's definitions have 4,600 lines.
    return [one for file in files for one in yaml.load_all(file.read_text(), yaml.CSafeLoader)]


def objects() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each object with its path."""
    for one in kinds():
        path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        yield f"{path}/{one['metadata']['name']}", one
    yield (
        "/apis/node.k8s.io/v1/runtimeclasses/nvidia",
        {
            "apiVersion": "node.k8s.io/v1",
            "kind": "RuntimeClass",
            "metadata": {"name": "nvidia"},
            "handler": "nvidia",
        },
    )
    yield (
        "/apis/networking.k8s.io/v1/ingressclasses/traefik",
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "IngressClass",
            "metadata": {
                "name": "traefik",
                "annotations": {"ingressclass.kubernetes.io/is-default-class": "true"},
            },
            "spec": {"controller": "traefik.io/ingress-controller"},
        },
    )


async def apply(kubeconfig: Path) -> None:
    """Apply everything and wait until the new kinds are served.

    Raises:
        TwinError: the API server does not take it.
    """
    api = Api(kubeconfig)
    try:
        shipped = list(objects())
        # Side by side: one after another they take half a second of each `hub up`.
        await asyncio.gather(
            *(
                api.patch(path, object_, APPLY, fieldManager=MANAGER, force="true")
                for path, object_ in shipped
            )
        )
        await asyncio.gather(
            *(
                _established(api, path)
                for path, object_ in shipped
                if object_["kind"] == "CustomResourceDefinition"
            )
        )
    except httpx2.HTTPError as error:
        raise TwinError(
            f"The API server does not take what K3s ships: {error!r}. `hub logs kube-apiserver` "
            "has the reason."
        ) from error


async def _established(api: Api, path: str) -> None:
    collection, _, name = path.rpartition("/")
    async for kind, item in api.watch(collection, fieldSelector=f"metadata.name={name}"):
        if kind == "RELISTED":
            continue
        # Null until the server has looked at a new kind.
        conditions: list[dict[str, str]] = item.get("status", {}).get("conditions") or []
        if any(c["type"] == "Established" and c["status"] == "True" for c in conditions):
            return
