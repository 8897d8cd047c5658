"""``gcp:cloudrunv2/service:Service``, run by Cloud Run on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2

from twin.providers import google_rules as rules
from twin.providers.google_resource import GoogleResource
from twin.providers.google_store import GoogleStore
from twin.providers.properties import Properties
from twin.providers.protocol import Operation, ProviderError

DEPLOY_SECONDS = 300


class Service(GoogleResource):
    """A service is handed over, and is ready when its revision is.

    Computed are outputs of Cloud Run v2's ``Service``. The refusal to delete a protected service is
    the provider's, in its words (``resource_cloud_run_v2_service.go``).
    """

    replacing = ("name", "location", "project", "tags")

    def __init__(self, store: GoogleStore, project: str, cloud_run: Path) -> None:
        super().__init__(store, project)
        self._cloud_run = cloud_run

    def check(self, inputs: Properties) -> list[tuple[str, str]]:
        return rules.service_problems(inputs)

    def computed(self, inputs: Properties) -> tuple[str, Properties]:
        place, name = inputs["location"], inputs["name"]
        id_ = f"projects/{self.project}/locations/{place}/services/{name}"
        return id_, self._deploy(id_, inputs)

    def update(
        self, id_: str, old: Properties, inputs: Properties, operation: Operation
    ) -> Properties:
        if operation.preview:
            return {**old, **inputs}
        return super().update(id_, old, {**inputs, **self._deploy(id_, inputs)}, operation)

    def delete(self, id_: str, outputs: Properties, operation: Operation) -> None:
        if outputs.get("deletionProtection", True):
            raise ProviderError(
                "cannot destroy service without setting deletion_protection=false and running "
                "`pulumi up`"
            )
        self._call("DELETE", f"/services/{outputs['name']}")
        super().delete(id_, outputs, operation)

    def _deploy(self, id_: str, inputs: Properties) -> Properties:
        missing = rules.missing_for_service(inputs, self.store.all(), self.project)
        if missing:
            raise ProviderError("\n".join(["Error 400:", *missing]))
        revision = self._call("PUT", f"/services/{inputs['name']}", json=inputs).json()
        return {
            "uri": revision["uri"],
            "urls": [revision["uri"]],
            "latestReadyRevision": f"{id_}/revisions/{revision['latestReadyRevision']}",
            "generation": str(revision["generation"]),
        }

    def _call(self, method: str, path: str, **more: Any) -> httpx2.Response:
        transport = httpx2.HTTPTransport(uds=str(self._cloud_run))
        try:
            with httpx2.Client(transport=transport, timeout=DEPLOY_SECONDS) as http:
                answer = http.request(method, f"http://cloud-run{path}", **more)
        except httpx2.HTTPError as error:
            raise ProviderError(
                f"Cloud Run on this machine does not answer ({error}); `hub status` shows why"
            ) from error
        if answer.is_error:
            raise ProviderError(answer.text)
        return answer
