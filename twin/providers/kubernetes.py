"""pulumi-kubernetes against a real API server.

Promises: server-side apply under the field manager that the object names (so that what the program
no longer says is pruned), adoption of existing objects with ``upsertExistingObjects`` and refusal
without, dry run at preview, replacement where a field cannot change, waiting for readiness with
the reason when it does not come, deletion that waits until the object is gone.
Leaves out: patch resources, charts, Kustomize, and readiness of types that the program has not.
"""

from __future__ import annotations

import base64
import os
import ssl
import time
from pathlib import Path
from typing import Any, cast

import httpx2
import yaml

from twin.providers.kubernetes_readiness import not_ready
from twin.providers.properties import Properties, has_unknown
from twin.providers.protocol import Created, NotReadyError, Operation, ProviderError

FIELD_MANAGER_ANNOTATION = "pulumi.com/patchFieldManager"
SKIP_AWAIT_ANNOTATION = "pulumi.com/skipAwait"
SECONDS_BETWEEN_LOOKS = 0.5


class ApiServer:
    """REST calls on objects, addressed by what is written in them."""

    def __init__(self, http: httpx2.Client) -> None:
        self._http = http
        self._kinds: dict[tuple[str, str], tuple[str, bool]] = {}

    @classmethod
    def connect(cls, kubeconfig: str | None, context: str | None) -> ApiServer:
        """From a kubeconfig's text or path, else the file that KUBECONFIG names.

        Raises:
            ProviderError: no kubeconfig, or none with that context.
        """
        text = kubeconfig or os.environ.get("KUBECONFIG", "")
        if "\n" not in text:
            if not Path(text).is_file():
                raise ProviderError(f"no kubeconfig at {text or 'KUBECONFIG, which is not set'}")
            text = Path(text).read_text()
        config = yaml.safe_load(text)
        name = context or config["current-context"]
        found = [c["context"] for c in config["contexts"] if c["name"] == name]
        if not found:
            raise ProviderError(f"the kubeconfig has no context {name!r}")
        cluster = next(c["cluster"] for c in config["clusters"] if c["name"] == found[0]["cluster"])
        user = next(u["user"] for u in config["users"] if u["name"] == found[0]["user"])
        verify = ssl.create_default_context(cafile=cluster["certificate-authority"])
        headers = {"Authorization": f"Bearer {user['token']}"}
        http = httpx2.Client(base_url=cluster["server"], verify=verify, headers=headers, timeout=30)
        return cls(http)

    def path(self, object_: Properties, *, collection: bool = False) -> str:
        """The object's path, from the API server's own discovery.

        Raises:
            ProviderError: the server does not know the kind.
        """
        version, kind = object_["apiVersion"], object_["kind"]
        prefix = f"/apis/{version}" if "/" in version else f"/api/{version}"
        if (version, kind) not in self._kinds:
            listed = self.call("GET", prefix)
            if listed.status_code != 200:
                raise ProviderError(f"the API server has no {version}; is its CRD installed?")
            for resource in listed.json()["resources"]:
                if "/" not in resource["name"]:
                    found = (resource["name"], bool(resource["namespaced"]))
                    self._kinds[version, resource["kind"]] = found
        if (version, kind) not in self._kinds:
            raise ProviderError(f"the API server has no kind {kind} in {version}")
        plural, namespaced = self._kinds[version, kind]
        metadata = object_["metadata"]
        where = f"/namespaces/{metadata.get('namespace', 'default')}" if namespaced else ""
        return f"{prefix}{where}/{plural}" + ("" if collection else f"/{metadata['name']}")

    def call(self, method: str, path: str, **more: Any) -> httpx2.Response:
        try:
            return self._http.request(method, path, **more)
        except httpx2.HTTPError as error:
            raise ProviderError(
                f"the Kubernetes API server at {self._http.base_url} does not answer: {error}"
            ) from error

    def list(self, path: str, selector: str) -> list[Properties]:
        found = self.call("GET", path, params={"labelSelector": selector})
        return cast("list[Properties]", found.json().get("items", []))


class KubernetesObject:
    """Every type of the provider: an object as the program wrote it."""

    def __init__(self, config: Properties) -> None:
        self._config = config
        self._connected: ApiServer | None = None

    @property
    def _api(self) -> ApiServer:
        if self._connected is None:
            kubeconfig, context = self._config.get("kubeconfig"), self._config.get("context")
            self._connected = ApiServer.connect(kubeconfig, context)
        return self._connected

    def _is_on(self, flag: str) -> bool:
        return str(self._config.get(flag, "false")).lower() == "true"

    def check(self, inputs: Properties) -> list[tuple[str, str]]:
        if not inputs.get("metadata", {}).get("name"):
            return [("metadata.name", "the twin generates no names; write one")]
        return []

    def replaces(self, path: str, old: Properties, new: Properties) -> bool:
        if path in ("apiVersion", "kind", "metadata.name", "metadata.namespace"):
            return True
        kind, top = new["kind"], path.partition(".")[0].partition("[")[0]
        if kind == "ConfigMap" and not self._is_on("enableConfigMapMutable"):
            return top in ("data", "binaryData")
        if kind == "Secret" and not self._is_on("enableSecretMutable"):
            return top in ("data", "stringData", "type")
        return kind in ("Deployment", "DaemonSet") and path.startswith("spec.selector")

    def live_inputs(
        self, inputs: Properties, outputs: Properties, planned: Properties
    ) -> Properties:
        """As ``pruneLiveState`` of the provider's ``pkg/provider/provider.go`` has them."""
        live = outputs
        if inputs.get("kind") == "Secret" and "stringData" in inputs:
            data: dict[str, str] = outputs.get("data") or {}
            live = {**outputs, "stringData": {k: _decoded(v) for k, v in data.items()}}
        return cast("Properties", pruned(live, inputs)) if outputs else inputs

    def create(self, inputs: Properties, operation: Operation) -> Created:
        id_ = _id(inputs)
        if self._is_on("upsertExistingObjects"):
            return Created(id_, self._apply(inputs, operation))
        if operation.preview:
            return Created(id_, inputs)
        made = self._api.call("POST", self._api.path(inputs, collection=True), json=inputs)
        if made.status_code == 409:
            raise ProviderError(
                f'resource "{id_}" was not successfully created by the Kubernetes API server: '
                f"{inputs['kind']} already exists"
            )
        return Created(id_, self._awaited(_expected(made), inputs, operation))

    def update(
        self, id_: str, old: Properties, inputs: Properties, operation: Operation
    ) -> Properties:
        return self._apply(inputs, operation)

    def read(self, id_: str, outputs: Properties) -> Properties | None:
        found = self._api.call("GET", self._api.path(outputs))
        return None if found.status_code == 404 else _without_bookkeeping(_expected(found))

    def delete(self, id_: str, outputs: Properties, operation: Operation) -> None:
        path = self._api.path(outputs)
        gone = self._api.call("DELETE", path, params={"propagationPolicy": "Foreground"})
        while gone.status_code != 404:
            _expected(gone)
            if time.monotonic() > operation.deadline:
                raise ProviderError(f"{outputs['kind']} {id_} was not gone in time")
            operation.pause(SECONDS_BETWEEN_LOOKS)
            gone = self._api.call("GET", path)

    def _apply(self, inputs: Properties, operation: Operation) -> Properties:
        if operation.preview and has_unknown(inputs):
            return inputs
        annotations = inputs["metadata"].get("annotations", {})
        params = {
            "fieldManager": annotations.get(FIELD_MANAGER_ANNOTATION, "pulumi-kubernetes"),
            "force": str(self._is_on("enablePatchForce")).lower(),
            **({"dryRun": "All"} if operation.preview else {}),
        }
        applied = self._api.call(
            "PATCH",
            self._api.path(inputs),
            params=params,
            json=inputs,
            headers={"Content-Type": "application/apply-patch+yaml"},
        )
        if operation.preview and applied.status_code == 404:
            return inputs  # its namespace comes with the same update
        live = _expected(applied)
        return inputs if operation.preview else self._awaited(live, inputs, operation)

    def _awaited(self, live: Properties, inputs: Properties, operation: Operation) -> Properties:
        """The object once it is ready.

        Raises:
            NotReadyError: it was not in time; says what is not ready and why.
        """
        annotations = inputs["metadata"].get("annotations", {})
        if annotations.get(SKIP_AWAIT_ANNOTATION) == "true":
            return _without_bookkeeping(live)
        path, said = self._api.path(inputs), ""
        while reason := not_ready(live, self._api.list):
            if time.monotonic() > operation.deadline:
                raise NotReadyError(
                    f"{inputs['kind']} was not ready in time: {reason}",
                    _id(inputs),
                    _without_bookkeeping(live),
                )
            if reason != said:
                operation.say(reason)
                said = reason
            operation.pause(SECONDS_BETWEEN_LOOKS)
            live = _expected(self._api.call("GET", path))
        return _without_bookkeeping(live)


def pruned(live: Any, inputs: Any) -> Any:
    """As much of a live value as the inputs speak of.

    >>> pruned({"a": 2, "b": [{"c": 1, "d": 1}], "e": 1}, {"a": 1, "b": [{"c": 1}, {}], "f": 1})
    {'a': 2, 'b': [{'c': 1}]}
    """
    if isinstance(live, dict) and isinstance(inputs, dict):
        has, says = cast("Properties", live), cast("Properties", inputs)
        return {name: pruned(has[name], value) for name, value in says.items() if name in has}
    if isinstance(live, list) and isinstance(inputs, list):
        pairs = zip(cast("list[Any]", live), cast("list[Any]", inputs), strict=False)
        return [pruned(one, value) for one, value in pairs]
    return cast("Any", live)


def _decoded(value: str) -> str:
    return base64.b64decode(value).decode(errors="replace")


def _id(inputs: Properties) -> str:
    metadata = inputs["metadata"]
    return "/".join(filter(None, (metadata.get("namespace"), metadata["name"])))


def _expected(response: httpx2.Response) -> Properties:
    if response.is_error:
        try:
            message = response.json()["message"]
        except (ValueError, KeyError):
            message = response.text
        raise ProviderError(f"the Kubernetes API server refused this: {message}")
    return cast("Properties", response.json())


def _without_bookkeeping(live: Properties) -> Properties:
    metadata = {k: v for k, v in live["metadata"].items() if k != "managedFields"}
    return {**live, "metadata": metadata}
