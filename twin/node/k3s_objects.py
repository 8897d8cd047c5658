"""What K3s has already put into its API server before the program comes.

Promises: RuntimeClass ``nvidia``, IngressClass ``traefik``, the kinds of Traefik and of K3s' helm
controller that the program and Traefik use; applying them again changes nothing.
Leaves out: those kinds' schemas (any field is accepted) and every other object of K3s.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from twin.errors import TwinError
from twin.node.api import APPLY, Api

TRAEFIK_KINDS = (
    "IngressRoute",
    "IngressRouteTCP",
    "IngressRouteUDP",
    "Middleware",
    "MiddlewareTCP",
    "ServersTransport",
    "ServersTransportTCP",
    "TLSOption",
    "TLSStore",
    "TraefikService",
)
MANAGER = "k3s"


def crd(kind: str, group: str, version: str) -> dict[str, Any]:
    """A kind that accepts anything."""
    plural = f"{kind.lower()}s"
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": kind.lower()},
            "versions": [
                {
                    "name": version,
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": schema},
                }
            ],
        },
    }


def objects() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each object with its path."""
    crds = [crd(kind, "traefik.io", "v1alpha1") for kind in TRAEFIK_KINDS]
    crds.append(crd("HelmChartConfig", "helm.cattle.io", "v1"))
    for one in crds:
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
        for path, object_ in objects():
            await api.patch(path, object_, APPLY, fieldManager=MANAGER, force="true")
        for path, object_ in objects():
            if object_["kind"] == "CustomResourceDefinition":
                await _established(api, path)
    except httpx.HTTPError as error:
        raise TwinError(
            f"The API server does not take what K3s ships: {error!r}. `hub logs kube-apiserver` "
            "has the reason."
        ) from error


async def _established(api: Api, path: str) -> None:
    collection, _, name = path.rpartition("/")
    async for kind, item in api.watch(collection, fieldSelector=f"metadata.name={name}"):
        if kind == "RELISTED":
            continue
        conditions = item.get("status", {}).get("conditions", [])
        if any(c["type"] == "Established" and c["status"] == "True" for c in conditions):
            return
