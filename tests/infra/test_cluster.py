"""What the program reads of home's API server, over HTTP."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec
import pytest

from infra.home_k3s import cluster
from infra.home_k3s.cluster import MADE, K3s, NotReachedError
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


def api_server(pods: list[dict[str, Any]], log: str = "log of {name}\nits end\n") -> type[Handler]:
    """It has these pods with the label `app=vllm-qwen`, and one log each."""

    class Api(Handler):
        protocol_version = "HTTP/1.0"  # closes each connection, which the client does not

        def do_GET(self) -> None:  # noqa: N802
            url = urlsplit(self.path)
            name = url.path.removeprefix("/api/v1/namespaces/vlm/pods").removesuffix("/log")
            if name:
                self.whole(200, log.replace("{name}", name.strip("/")).encode())
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
    """Somebody's Traefik configuration and time slicing, two device plugins, another DaemonSet."""

    def daemon_set(name: str, image: str, namespace: str = "gpu") -> dict[str, Any]:
        containers = [{"name": "c", "image": image}]
        spec = {"selector": {}, "template": {"spec": {"containers": containers}}}
        managers = [
            {"manager": "helm", "operation": "Update"},
            {"manager": "kubelet", "operation": "Update", "subresource": "status"},
        ]
        metadata = {"name": name, "namespace": namespace, "managedFields": managers}
        return {"metadata": metadata, "spec": spec}

    own = daemon_set("nvidia-device-plugin", "nvcr.io/nvidia/k8s-device-plugin:v0.1", "kube-system")

    match path:
        case "/apis/helm.cattle.io/v1/namespaces/kube-system/helmchartconfigs/traefik":
            return {
                "metadata": {"name": "traefik", "namespace": "kube-system"},
                "spec": {"valuesContent": "logs: {}"},
            }
        case "/api/v1/namespaces/kube-system/configmaps/nvidia-time-slicing":
            metadata = {"name": "nvidia-time-slicing", "namespace": "kube-system"}
            restored = {"pulumi.com/patchFieldManager": "personal-cloud-hub"}
            return {"metadata": metadata | {"annotations": restored}}
        case "/api/v1/namespaces/vlm":
            return {"metadata": {"name": "vlm"}}
        case "/apis/apps/v1/namespaces/kube-system/daemonsets/nvidia-device-plugin":
            return own
        case "/apis/apps/v1/daemonsets":
            return {
                "items": [
                    own,
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
            found = answer(unquote(self.path))
            status = {"kind": "Status", "code": 404, "reason": "NotFound", "message": "none"}
            body = json.dumps(status if found is None else found).encode()
            self.whole(404 if found is None else 200, body, {"Content-Type": "application/json"})

    return Api


def test_what_others_have_at_home_is_found_with_its_content_and_its_owners() -> None:
    with serving(answering(objects_of_others)) as port:
        config, own, slicing, namespace, plugin = K3s(kubeconfig(port), None).found()
    assert config == Found(
        kind="HelmChartConfig",
        namespace="kube-system",
        name="traefik",
        managers=frozenset(),
        content="logs: {}",
    )
    assert (own.kind, own.name, own.managers, own.ours) == (
        "DaemonSet",
        "nvidia-device-plugin",
        frozenset({"helm"}),
        False,
    )
    assert (slicing.kind, slicing.name) == ("ConfigMap", "nvidia-time-slicing")
    assert slicing.ours, "a backup of ours that was restored"
    assert (namespace.kind, namespace.namespace, namespace.name) == ("Namespace", "", "vlm")
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


def test_home_is_asked_for_all_objects_at_once() -> None:
    together = threading.Barrier(len(MADE), timeout=2)

    def when_all_ask(path: str) -> dict[str, Any] | None:
        if path == "/apis/apps/v1/daemonsets":
            return {"items": []}
        together.wait()
        return None

    with serving(answering(when_all_ask)) as port:
        assert K3s(kubeconfig(port), None).found() == []


def test_answers_are_read_in_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """msgspec ends the process with SIGSEGV when two of them read a kind for the first time."""
    threads: set[int] = set()
    decode: Callable[..., object] = msgspec.json.decode

    def noted(*given: Any, **options: Any) -> object:
        threads.add(threading.get_ident())
        return decode(*given, **options)

    monkeypatch.setattr("lightkube.core.decoders.json_decode", noted)
    with serving(answering(objects_of_others)) as port:
        assert len(K3s(kubeconfig(port), None).found()) == 5
    assert len(threads) == 1


@pytest.mark.parametrize("status", [404, 502])
def test_an_answer_without_json_is_none_of_such_a_kind_or_not_reached(status: int) -> None:
    """As of kinds that a fresh K3s does not have yet, or from a proxy before it."""

    class Api(Handler):
        protocol_version = "HTTP/1.0"

        def do_GET(self) -> None:  # noqa: N802
            listed = self.path == "/apis/apps/v1/daemonsets"
            body = b'{"items": []}' if listed else b"page not found"
            kind = "application/json" if listed else "text/plain"
            self.whole(200 if listed else status, body, {"Content-Type": kind})

    with serving(Api) as port:
        home = K3s(kubeconfig(port), None)
        if status == 404:
            assert home.found() == []
        else:
            with pytest.raises(NotReachedError, match="502"):
                home.found()


def test_a_deployment_is_seen_with_what_it_made_in_the_programs_namespace() -> None:
    asked: list[str] = []
    answers: dict[str, dict[str, Any]] = {
        "/apis/apps/v1/namespaces/vlm/deployments/vllm-qwen": {
            "metadata": {"name": "vllm-qwen"},
            "spec": {"selector": {"matchLabels": {"app": "vllm-qwen"}}, "template": {}},
        },
        "/apis/apps/v1/namespaces/vlm/replicasets?labelSelector=app=vllm-qwen": {
            "items": [{"metadata": {"name": "vllm-qwen-1"}, "spec": {"selector": {}}}]
        },
        "/api/v1/namespaces/vlm/pods?labelSelector=app=vllm-qwen": {
            "items": [{"metadata": {"name": "vllm-qwen-1-a"}, "spec": {"containers": []}}]
        },
    }

    def answer(path: str) -> dict[str, Any]:
        asked.append(path)
        return answers[path]

    with serving(answering(answer)) as port:
        seen = K3s(kubeconfig(port), None).seen("vllm-qwen")
    assert asked == list(answers)
    assert names(seen.deployment) == ["vllm-qwen"]
    assert names(*seen.replica_sets) == ["vllm-qwen-1"]
    assert names(*seen.pods) == ["vllm-qwen-1-a"]


def names(*objects: Any) -> list[str]:
    return [one.metadata.name for one in objects]


def test_the_end_of_a_log_is_that_of_the_one_container() -> None:
    asked: list[str] = []

    class Api(Handler):
        protocol_version = "HTTP/1.0"

        def do_GET(self) -> None:  # noqa: N802
            asked.append(self.path)
            self.whole(200, b"out of memory\nbye\n\n")

    with serving(Api) as port:
        told = K3s(kubeconfig(port), None).end_of_log("vllm-qwen-1-a", "vllm")
    assert told == "out of memory\nbye"
    url = urlsplit(asked[0])
    assert url.path == "/api/v1/namespaces/vlm/pods/vllm-qwen-1-a/log"
    query = parse_qs(url.query)
    assert (query["container"], query["tailLines"]) == (["vllm"], ["400"])


def test_the_context_that_is_named_is_asked_and_not_the_files_own() -> None:
    with serving(api_server([pod("vllm-qwen-1", "2026-11-26T02:00:00Z")])) as port:
        known = json.loads(kubeconfig(port))
        known["clusters"].append({"name": "work", "cluster": {"server": "http://127.0.0.1:1"}})
        work = {"cluster": "work", "user": "me"}
        known["contexts"].append({"name": "work", "context": work})
        known["current-context"] = "work"
        K3s(json.dumps(known), "home").log("vllm-qwen")
        with pytest.raises(NotReachedError):
            K3s(json.dumps(known), None).log("vllm-qwen")


def test_a_home_that_takes_the_connection_and_says_nothing_is_not_reached(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cluster, "ANSWER_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        home = K3s(kubeconfig(silent.getsockname()[1]), None)
        begun = time.monotonic()
        with pytest.raises(NotReachedError, match="timed out"):
            home.log("vllm-qwen")
        assert time.monotonic() - begun < 5, "lightkube's own limit is 10 s"


def test_a_context_that_is_not_in_the_kubeconfig_is_not_reached() -> None:
    with pytest.raises(NotReachedError):
        K3s(kubeconfig(1), "gaming-pc").found()


def test_an_api_server_that_refuses_is_not_reached() -> None:
    class Refusing(Handler):
        protocol_version = "HTTP/1.0"  # closes each connection, which the client does not

        def do_GET(self) -> None:  # noqa: N802
            status = {"kind": "Status", "apiVersion": "v1", "message": "not yours", "code": 403}
            self.whole(403, json.dumps(status).encode(), {"Content-Type": "application/json"})

    with serving(Refusing) as port, pytest.raises(NotReachedError, match="not yours"):
        K3s(kubeconfig(port), None).seen("vllm-qwen")
