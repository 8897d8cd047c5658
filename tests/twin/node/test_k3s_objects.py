"""What K3s has put into its API server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from twin.node import k3s_objects
from twin.node.k3s_objects import objects


def test_the_kinds_the_program_uses_are_there_with_their_paths() -> None:
    paths = {path for path, _ in objects()}
    crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    assert f"{crds}/middlewares.traefik.io" in paths
    assert f"{crds}/ingressroutetcps.traefik.io" in paths
    assert f"{crds}/tlsstores.traefik.io" in paths
    assert f"{crds}/helmchartconfigs.helm.cattle.io" in paths
    assert f"{crds}/helmcharts.helm.cattle.io" in paths
    assert "/apis/node.k8s.io/v1/runtimeclasses/nvidia" in paths
    assert "/apis/networking.k8s.io/v1/ingressclasses/traefik" in paths
    assert len(paths) == 14


def test_each_object_is_applied_to_its_own_name() -> None:
    assert all(path.endswith(f"/{body['metadata']['name']}") for path, body in objects())


def test_traefik_is_the_default_class() -> None:
    [one] = [body for _, body in objects() if body["kind"] == "IngressClass"]
    assert one["metadata"]["annotations"] == {"ingressclass.kubernetes.io/is-default-class": "true"}


class NewKinds:
    """An API server that takes everything; the conditions of a new kind are null at first."""

    def __init__(self) -> None:
        self.applied: list[str] = []
        self.looked = 0

    async def patch(self, path: str, *_: Any, **__: str) -> None:
        self.applied.append(path)

    async def watch(self, *_: Any, **__: str) -> AsyncGenerator[tuple[str, dict[str, Any]]]:
        established = {"type": "Established", "status": "True"}
        for conditions in (None, [{**established, "status": "False"}], [established]):
            self.looked += 1
            yield "MODIFIED", {"status": {"conditions": conditions}}
        raise AssertionError("it was established")


def test_each_new_kind_is_waited_for_until_it_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    api = NewKinds()

    def connected(kubeconfig: Path) -> NewKinds:
        return api

    monkeypatch.setattr(k3s_objects, "Api", connected)
    asyncio.run(k3s_objects.apply(Path("kubeconfig")))
    assert api.applied == [path for path, _ in objects()]
    assert api.looked == 3 * len(k3s_objects.kinds())
