"""What K3s has put into its API server."""

from __future__ import annotations

from twin.node.k3s_objects import objects


def test_the_kinds_the_program_uses_are_there_with_their_paths() -> None:
    paths = {path for path, _ in objects()}
    crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    assert f"{crds}/middlewares.traefik.io" in paths
    assert f"{crds}/ingressroutetcps.traefik.io" in paths
    assert f"{crds}/tlsstores.traefik.io" in paths
    assert f"{crds}/helmchartconfigs.helm.cattle.io" in paths
    assert "/apis/node.k8s.io/v1/runtimeclasses/nvidia" in paths
    assert "/apis/networking.k8s.io/v1/ingressclasses/traefik" in paths
    assert len(paths) == 13


def test_each_object_is_applied_to_its_own_name() -> None:
    assert all(path.endswith(f"/{body['metadata']['name']}") for path, body in objects())


def test_traefik_is_the_default_class() -> None:
    [one] = [body for _, body in objects() if body["kind"] == "IngressClass"]
    assert one["metadata"]["annotations"] == {"ingressclass.kubernetes.io/is-default-class": "true"}
