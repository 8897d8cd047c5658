"""The Kubernetes provider over the engine's protocol, with a small API server in memory."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import httpx2
import pytest
import yaml

from tests.twin.providers.engine import Engine, engine
from twin.providers import kubernetes
from twin.providers.kubernetes import ApiServer, KubernetesObject
from twin.providers.properties import UNKNOWN, Properties
from twin.providers.protocol import ProviderError

UPSERT = {"upsertExistingObjects": "true", "enablePatchForce": "true"}
OWNER = {"pulumi.com/patchFieldManager": "personal-cloud-hub"}
CONFIG_MAP: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "slicing", "namespace": "vlm", "annotations": OWNER},
    "data": {"replicas": "10"},
}
DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "vllm-qwen", "namespace": "vlm", "generation": 1},
    "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "vllm-qwen"}}},
}
KINDS = {
    "/api/v1": [("namespaces", "Namespace", False), ("configmaps", "ConfigMap", True)],
    "/apis/apps/v1": [("deployments", "Deployment", True), ("deployments/scale", "Scale", True)],
}
LOOKS_UNTIL_GONE = 2
"""At an object that was deleted."""


@dataclass
class Api:
    """As much of an API server as the provider can notice."""

    objects: dict[str, Properties] = field(default_factory=dict[str, Properties])
    asked: list[httpx2.Request] = field(default_factory=list[httpx2.Request])
    leaving: dict[str, int] = field(default_factory=dict[str, int])
    refusal: str | None = None

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        path = request.url.path
        if path in KINDS:
            resources = [{"name": n, "kind": k, "namespaced": s} for n, k, s in KINDS[path]]
            return httpx2.Response(200, json={"resources": resources})
        if request.method != "GET":
            self.asked.append(request)
        if self.refusal:
            return httpx2.Response(422, json={"message": self.refusal})
        match request.method:
            case "PATCH":
                return self._apply(path, request)
            case "POST":
                object_ = json.loads(request.content)
                return self._create(f"{path}/{object_['metadata']['name']}", object_)
            case "DELETE":
                self.leaving[path] = LOOKS_UNTIL_GONE
                return httpx2.Response(200, json={}) if path in self.objects else _not_found()
            case _:
                return self._get(path)

    def _apply(self, path: str, request: httpx2.Request) -> httpx2.Response:
        object_ = json.loads(request.content)
        object_["metadata"]["managedFields"] = [{"manager": "x"}]
        if request.url.params.get("dryRun") != "All":
            self.objects[path] = object_
        return httpx2.Response(200, json=object_)

    def _create(self, path: str, object_: Properties) -> httpx2.Response:
        if path in self.objects:
            return httpx2.Response(409, json={"message": "already exists"})
        self.objects[path] = object_
        return httpx2.Response(201, json=object_)

    def _get(self, path: str) -> httpx2.Response:
        if path.endswith("/pods"):
            return httpx2.Response(200, json={"items": []})
        if path in self.leaving:
            self.leaving[path] -= 1
            if self.leaving[path] == 0:
                self.objects.pop(path, None)
        return (
            httpx2.Response(200, json=self.objects[path]) if path in self.objects else _not_found()
        )


def _not_found() -> httpx2.Response:
    return httpx2.Response(404, json={"message": "not found"})


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    server = Api()

    def connect(kubeconfig: str | None, context: str | None) -> ApiServer:
        return ApiServer(
            httpx2.Client(
                transport=httpx2.MockTransport(server.answer), base_url="https://127.0.0.1:6443"
            )
        )

    monkeypatch.setattr(ApiServer, "connect", connect)
    monkeypatch.setattr(kubernetes, "SECONDS_BETWEEN_LOOKS", 0.01)
    return server


def one(config: Properties) -> Any:
    every = KubernetesObject(config)

    def of(token: str) -> KubernetesObject:
        return every

    return of


@pytest.fixture
def cluster(api: Api) -> Iterator[Engine]:
    """Configured as the program does."""
    with engine(one, "kubernetes:core/v1:ConfigMap") as attached:
        attached.configure(**UPSERT)
        yield attached


PATH = "/api/v1/namespaces/vlm/configmaps/slicing"


def test_an_object_is_applied_under_the_manager_it_names(cluster: Engine, api: Api) -> None:
    id_, outputs = cluster.create(CONFIG_MAP)
    [applied] = api.asked
    assert (applied.method, applied.url.path) == ("PATCH", PATH)
    assert dict(applied.url.params) == {"fieldManager": "personal-cloud-hub", "force": "true"}
    assert applied.headers["content-type"] == "application/apply-patch+yaml"
    assert id_ == "vlm/slicing"
    assert outputs == CONFIG_MAP


def test_an_object_of_the_whole_cluster_has_no_namespace(cluster: Engine, api: Api) -> None:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "vlm"}}
    assert cluster.create(namespace)[0] == "vlm"
    assert api.asked[0].url.path == "/api/v1/namespaces/vlm"


def test_an_existing_object_is_taken_over(cluster: Engine, api: Api) -> None:
    api.objects[PATH] = {**CONFIG_MAP, "data": {"replicas": "4"}}
    cluster.create(CONFIG_MAP)
    assert api.objects[PATH]["data"] == {"replicas": "10"}


def test_an_existing_object_is_refused_without_upsert(cluster: Engine, api: Api) -> None:
    cluster.configure()
    cluster.create(CONFIG_MAP)
    with pytest.raises(grpc.RpcError, match=r'"vlm/slicing".*ConfigMap already exists'):
        cluster.create(CONFIG_MAP)
    assert [request.method for request in api.asked] == ["POST", "POST"]


def test_the_preview_is_a_dry_run(cluster: Engine, api: Api) -> None:
    cluster.create(CONFIG_MAP, preview=True)
    assert api.asked[0].url.params["dryRun"] == "All"
    assert api.objects == {}


def test_the_preview_tells_what_the_api_server_refuses(cluster: Engine, api: Api) -> None:
    api.refusal = "data.replicas: Invalid value"
    with pytest.raises(grpc.RpcError, match=r"refused this: data\.replicas: Invalid value"):
        cluster.update("vlm/slicing", CONFIG_MAP, CONFIG_MAP, preview=True)


def test_the_preview_asks_nobody_about_what_is_not_known_yet(cluster: Engine, api: Api) -> None:
    unknown = {**CONFIG_MAP, "data": {"key": UNKNOWN}}
    assert cluster.create(unknown, preview=True)[1] == unknown
    assert api.asked == []


@pytest.mark.parametrize(
    ("path", "value", "kind"),
    [
        (("metadata", "name"), "other", "UPDATE_REPLACE"),
        (("metadata", "namespace"), "other", "UPDATE_REPLACE"),
        (("spec", "selector", "matchLabels", "app"), "other", "UPDATE_REPLACE"),
        (("spec", "replicas"), 2, "UPDATE"),
    ],
)
def test_what_cannot_change_in_place_is_replaced(
    cluster: Engine, path: tuple[str, ...], value: Any, kind: str
) -> None:
    new = copy.deepcopy(DEPLOYMENT)
    here: Any = new
    for step in path[:-1]:
        here = here[step]
    here[path[-1]] = value
    assert cluster.diff(DEPLOYMENT, new) == {".".join(path): kind}


def test_data_is_replaced_unless_it_is_mutable(cluster: Engine) -> None:
    new = {**CONFIG_MAP, "data": {"replicas": "4"}}
    assert cluster.diff(CONFIG_MAP, new) == {"data.replicas": "UPDATE_REPLACE"}
    cluster.configure(**UPSERT, enableConfigMapMutable="true")
    assert cluster.diff(CONFIG_MAP, new) == {"data.replicas": "UPDATE"}


def test_secrets_are_replaced_unless_they_are_mutable(cluster: Engine) -> None:
    old: dict[str, Any] = {"apiVersion": "v1", "kind": "Secret", "stringData": {"key": "1"}}
    new = {**old, "stringData": {"key": "2"}}
    live = {"apiVersion": "v1", "kind": "Secret", "data": {"key": "MQ=="}, "type": "Opaque"}
    assert cluster.diff(old, new, live) == {"stringData.key": "UPDATE_REPLACE"}
    cluster.configure(**UPSERT, enableSecretMutable="true")
    assert cluster.diff(old, new, live) == {"stringData.key": "UPDATE"}
    assert cluster.diff(old, old, live) == {}


def test_what_somebody_else_changed_is_put_right_and_what_they_added_is_left(
    cluster: Engine,
) -> None:
    live = {**CONFIG_MAP, "data": {"replicas": "4", "more": "1"}, "status": {}}
    cluster.configure(**UPSERT, enableConfigMapMutable="true")
    assert cluster.diff(CONFIG_MAP, CONFIG_MAP, live) == {"data.replicas": "UPDATE"}


def test_an_object_without_a_name_is_refused(cluster: Engine) -> None:
    nameless = {**CONFIG_MAP, "metadata": {"namespace": "vlm"}}
    assert "metadata.name" in cluster.check(nameless)


def test_readiness_that_does_not_come_fails_with_its_reason(cluster: Engine) -> None:
    with pytest.raises(
        grpc.RpcError, match=r"Deployment was not ready in time: 0 of 1 pods available"
    ):
        cluster.create(DEPLOYMENT, seconds=0.1)
    assert cluster.said("0 of 1 pods available")


def test_readiness_is_not_waited_for_where_the_program_says_so(cluster: Engine) -> None:
    impatient = copy.deepcopy(DEPLOYMENT)
    impatient["metadata"]["annotations"] = {"pulumi.com/skipAwait": "true"}
    assert cluster.create(impatient)[0] == "vlm/vllm-qwen"


def test_deletion_waits_until_the_object_is_gone(cluster: Engine, api: Api) -> None:
    id_, outputs = cluster.create(CONFIG_MAP)
    cluster.delete(id_, outputs)
    assert api.objects == {}
    assert cluster.read(id_, outputs) is None
    cluster.delete(id_, outputs)  # already gone is as good


def test_deletion_that_takes_too_long_is_told(
    cluster: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{__name__}.LOOKS_UNTIL_GONE", 10_000)
    id_, outputs = cluster.create(CONFIG_MAP)
    with pytest.raises(grpc.RpcError, match="ConfigMap vlm/slicing was not gone in time"):
        cluster.delete(id_, outputs, seconds=0.05)


def test_refresh_reads_the_object_without_the_servers_bookkeeping(
    cluster: Engine, api: Api
) -> None:
    id_, outputs = cluster.create(CONFIG_MAP)
    api.objects[PATH]["data"] = {"replicas": "4"}
    assert cluster.read(id_, outputs) == {**CONFIG_MAP, "data": {"replicas": "4"}}


@pytest.mark.parametrize(
    ("version", "kind", "words"),
    [
        ("traefik.io/v1alpha1", "Middleware", r"no traefik\.io/v1alpha1; is its CRD installed"),
        ("v1", "Poem", "no kind Poem in v1"),
    ],
)
def test_a_kind_the_api_server_does_not_know_is_told(
    cluster: Engine, version: str, kind: str, words: str
) -> None:
    with pytest.raises(grpc.RpcError, match=words):
        cluster.create({**CONFIG_MAP, "apiVersion": version, "kind": kind})


def test_a_kubeconfig_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match=f"no kubeconfig at {tmp_path}/no"):
        ApiServer.connect(f"{tmp_path}/no", None)


def test_a_context_that_is_not_in_the_kubeconfig_is_told() -> None:
    text = yaml.safe_dump({"current-context": "a", "contexts": [{"name": "a", "context": {}}]})
    with pytest.raises(ProviderError, match="no context 'home'"):
        ApiServer.connect(text, "home")
