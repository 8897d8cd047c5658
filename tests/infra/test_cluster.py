"""What the program reads of home's API server, over HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from infra.home_k3s.cluster import K3s, NotReachedError
from infra.home_k3s.others import Found
from tests.support.http_server import Handler, serving


def pod(name: str, created: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "creationTimestamp": created}}


def kubeconfig(port: int) -> str:
    cluster = {"server": f"http://127.0.0.1:{port}"}
    context = {"cluster": "home", "user": "me"}
    return json.dumps(
        {
            "clusters": [{"name": "home", "cluster": cluster}],
            "users": [{"name": "me", "user": {}}],
            "contexts": [{"name": "home", "context": context}],
            "current-context": "home",
        }
    )


def api_server(pods: list[dict[str, Any]]) -> type[Handler]:
    """It has these pods with the label `app=vllm-qwen`, and one log each."""

    class Api(Handler):
        protocol_version = "HTTP/1.0"  # closes each connection, which the client does not

        def do_GET(self) -> None:  # noqa: N802
            url = urlsplit(self.path)
            name = url.path.removeprefix("/api/v1/namespaces/vlm/pods").removesuffix("/log")
            if name:
                self.whole(200, f"log of {name.strip('/')}\nits end\n".encode())
                return
            assert parse_qs(url.query)["labelSelector"] == ["app=vllm-qwen"]
            body = json.dumps({"kind": "PodList", "apiVersion": "v1", "items": pods})
            self.whole(200, body.encode(), {"Content-Type": "application/json"})

    return Api


def test_the_log_is_the_newest_pods_and_whole() -> None:
    pods = [
        pod("vllm-qwen-new", "2026-11-26T02:00:00Z"),
        pod("vllm-qwen-old", "2026-11-25T02:00:00Z"),
    ]
    with serving(api_server(pods)) as port:
        log = K3s(kubeconfig(port), None).log("vllm-qwen")
    assert log == "log of vllm-qwen-new\nits end\n"


def test_without_a_pod_there_is_no_log() -> None:
    with (
        serving(api_server([])) as port,
        pytest.raises(NotReachedError, match="no pod with the label app=vllm-qwen"),
    ):
        K3s(kubeconfig(port), None).log("vllm-qwen")


def objects_of_others(path: str) -> dict[str, Any] | None:
    """Somebody's Traefik configuration, two device plugins and another DaemonSet."""

    def daemon_set(name: str, image: str) -> dict[str, Any]:
        containers = [{"name": "c", "image": image}]
        spec = {"selector": {}, "template": {"spec": {"containers": containers}}}
        managers = [
            {"manager": "helm", "operation": "Update"},
            {"manager": "kubelet", "operation": "Update", "subresource": "status"},
        ]
        metadata = {"name": name, "namespace": "gpu", "managedFields": managers}
        return {"metadata": metadata, "spec": spec}

    match path:
        case "/apis/helm.cattle.io/v1/namespaces/kube-system/helmchartconfigs/traefik":
            return {
                "metadata": {"name": "traefik", "namespace": "kube-system"},
                "spec": {"valuesContent": "logs: {}"},
            }
        case "/apis/apps/v1/daemonsets":
            return {
                "items": [
                    daemon_set("theirs", "nvcr.io/nvidia/k8s-device-plugin:v0.17.0"),
                    daemon_set("logs", "fluent/fluent-bit:4.0"),
                ]
            }
        case _:
            return None


def answering(answer: Callable[[str], dict[str, Any] | None]) -> type[Handler]:
    class Api(Handler):
        protocol_version = "HTTP/1.0"

        def do_GET(self) -> None:  # noqa: N802
            found = answer(urlsplit(self.path).path)
            status = {"kind": "Status", "code": 404, "reason": "NotFound", "message": "none"}
            body = json.dumps(status if found is None else found).encode()
            self.whole(404 if found is None else 200, body, {"Content-Type": "application/json"})

    return Api


def test_what_others_have_at_home_is_found_with_its_content_and_its_owners() -> None:
    with serving(answering(objects_of_others)) as port:
        config, plugin = K3s(kubeconfig(port), None).found()
    assert config == Found(
        kind="HelmChartConfig",
        namespace="kube-system",
        name="traefik",
        managers=frozenset(),
        content="logs: {}",
    )
    assert plugin == Found(
        kind="DaemonSet",
        namespace="gpu",
        name="theirs",
        managers=frozenset({"helm"}),
        content="nvcr.io/nvidia/k8s-device-plugin:v0.17.0",
    )


def test_a_fresh_home_has_nothing_of_others() -> None:
    def fresh(path: str) -> dict[str, Any] | None:
        return {"items": []} if path == "/apis/apps/v1/daemonsets" else None

    with serving(answering(fresh)) as port:
        assert K3s(kubeconfig(port), None).found() == []
