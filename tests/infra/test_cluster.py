"""What the program reads of home's API server, over HTTP."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from infra.home_k3s.cluster import K3s, NotReachedError
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
