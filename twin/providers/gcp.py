"""pulumi-gcp, for the seven types that the program declares.

Promises: names, limits and references are checked as the real API does, computed attributes have
their real form, secret versions only count up, a protected service is not deleted; a service is
handed to Cloud Run on this machine and is ready when its revision is.
Leaves out: every other type, billing, quotas, IAM beyond reading one's own secrets, and the
propagation delays of the real thing.
"""

from __future__ import annotations

import hashlib
import re
from abc import abstractmethod
from pathlib import Path
from typing import Any

import httpx2

from twin.providers import google_rules as rules
from twin.providers.google_store import GoogleStore
from twin.providers.properties import Properties
from twin.providers.protocol import Created, Operation, ProviderError, ResourceType

DEPLOY_SECONDS = 300


class _Stored:
    """A resource that is nothing but a declaration."""

    key = "{name}"
    replacing: tuple[str, ...] = ()

    def __init__(self, store: GoogleStore, project: str) -> None:
        self.store = store
        self.project = project

    @abstractmethod
    def computed(self, inputs: Properties) -> tuple[str, Properties]:
        """The id and the attributes that Google adds."""

    @abstractmethod
    def record(self, id_: str, outputs: Properties) -> str:
        """The name under which the store keeps it."""

    def check(self, inputs: Properties) -> list[tuple[str, str]]:
        return []

    def replaces(self, path: str, old: Properties, new: Properties) -> bool:
        """What the provider's schema marks as "changing this forces a new resource"."""
        return re.split(r"[.\[]", path)[0] in self.replacing

    def live_inputs(self, inputs: Properties, outputs: Properties) -> Properties:
        return inputs

    def create(self, inputs: Properties, operation: Operation) -> Created:
        if operation.preview:
            return Created("", inputs)
        id_, more = self.computed(inputs)
        outputs = {"project": self.project, **inputs, **more}
        self._keep(id_, outputs)
        return Created(id_, outputs)

    def update(
        self, id_: str, old: Properties, inputs: Properties, operation: Operation
    ) -> Properties:
        outputs = {**old, **inputs}
        if not operation.preview:
            self._keep(id_, outputs)
        return outputs

    def read(self, id_: str, outputs: Properties) -> Properties | None:
        return outputs if self.store.get(self.record(id_, outputs)) is not None else None

    def delete(self, id_: str, outputs: Properties, operation: Operation) -> None:
        self.store.remove(self.record(id_, outputs))

    def _keep(self, id_: str, outputs: Properties) -> None:
        declared = {k: v for k, v in outputs.items() if k != "secretData"}
        self.store.put(self.record(id_, outputs), declared)


class Api(_Stored):
    """``gcp:projects/service:Service``: an API of the project, switched on.

    Stays on when it is destroyed, unless ``disableOnDestroy``: the provider's documentation of
    ``google_project_service``.
    """

    replacing = ("service", "project")

    def computed(self, inputs: Properties) -> tuple[str, Properties]:
        return f"{self.project}/{inputs['service']}", {}

    def record(self, id_: str, outputs: Properties) -> str:
        return f"api/{id_}"

    def delete(self, id_: str, outputs: Properties, operation: Operation) -> None:
        if outputs.get("disableOnDestroy"):
            super().delete(id_, outputs, operation)


class Account(_Stored):
    """``gcp:serviceaccount/account:Account``.

    E-mail, name and a ``uniqueId`` of 21 digits: IAM v1's ``ServiceAccount``; ``member`` is the
    provider's own.
    """

    replacing = ("accountId", "project")

    def check(self, inputs: Properties) -> list[tuple[str, str]]:
        if not rules.ACCOUNT_ID.fullmatch(inputs.get("accountId", "")):
            return [("accountId", "6 to 30 of a-z, 0-9 and -, a letter first")]
        return []

    def computed(self, inputs: Properties) -> tuple[str, Properties]:
        email = f"{inputs['accountId']}@{self.project}.iam.gserviceaccount.com"
        name = f"projects/{self.project}/serviceAccounts/{email}"
        unique = str(int(hashlib.sha256(email.encode()).hexdigest(), 16))[:21]
        return name, {
            "email": email,
            "member": f"serviceAccount:{email}",
            "name": name,
            "uniqueId": unique,
        }

    def record(self, id_: str, outputs: Properties) -> str:
        return f"account/{outputs['email']}"


class Secret(_Stored):
    """``gcp:secretmanager/secret:Secret``; its name is Secret Manager v1's ``Secret.name``."""

    replacing = ("secretId", "project", "replication")

    def check(self, inputs: Properties) -> list[tuple[str, str]]:
        if not rules.SECRET_ID.fullmatch(inputs.get("secretId", "")):
            return [("secretId", "1 to 255 letters, digits, - and _")]
        return []

    def computed(self, inputs: Properties) -> tuple[str, Properties]:
        name = f"projects/{self.project}/secrets/{inputs['secretId']}"
        return name, {"name": name}

    def record(self, id_: str, outputs: Properties) -> str:
        return id_

    def delete(self, id_: str, outputs: Properties, operation: Operation) -> None:
        super().delete(id_, outputs, operation)
        self.store.remove(f"count/{id_}")  # a new secret of that name starts at version 1


class SecretVersion(_Stored):
    """``gcp:secretmanager/secretVersion:SecretVersion``: numbers only count up.

    Secret Manager v1's ``SecretVersion.name``: "assigned sequentially", from 1. A version cannot be
    changed, only added: ``secrets.addVersion`` is all there is.
    """

    replacing = ("secret", "secretData")

    def computed(self, inputs: Properties) -> tuple[str, Properties]:
        secret = inputs["secret"]
        if (number := self.store.next_version(secret)) is None:
            raise ProviderError(f"Error 404: Secret [{secret}] not found.")
        self.store.write_payload(secret.rpartition("/")[2], number, inputs["secretData"])
        name = f"{secret}/versions/{number}"
        return name, {"name": name, "version": str(number), "enabled": True}

    def record(self, id_: str, outputs: Properties) -> str:
        return id_

    def delete(self, id_: str, outputs: Properties, operation: Operation) -> None:
        secret = outputs["secret"].rpartition("/")[2]
        self.store.remove_payload(secret, int(outputs["version"]))
        super().delete(id_, outputs, operation)


class SecretReader(_Stored):
    """``gcp:secretmanager/secretIamMember:SecretIamMember``.

    Its id has the form that the provider's documentation gives for an import.
    """

    replacing = ("secretId", "role", "member", "project")

    def computed(self, inputs: Properties) -> tuple[str, Properties]:
        return f"{inputs['secretId']}/{inputs['role']}/{inputs['member']}", {"etag": "twin"}

    def record(self, id_: str, outputs: Properties) -> str:
        secret = outputs["secretId"].rpartition("/")[2]
        kind = "reader" if outputs["role"] == "roles/secretmanager.secretAccessor" else "member"
        return f"{kind}/{secret}/{outputs['member']}"


class Repository(_Stored):
    """``gcp:artifactregistry/repository:Repository``.

    ``registryUri``: Artifact Registry's page "Repository and image names".
    """

    replacing = ("repositoryId", "location", "format", "mode", "project")

    def computed(self, inputs: Properties) -> tuple[str, Properties]:
        place, name = inputs["location"], inputs["repositoryId"]
        id_ = f"projects/{self.project}/locations/{place}/repositories/{name}"
        return id_, {
            "name": name,
            "registryUri": f"{place}-docker.pkg.dev/{self.project}/{name}",
        }

    def record(self, id_: str, outputs: Properties) -> str:
        return id_


class Service(_Stored):
    """``gcp:cloudrunv2/service:Service``: run by Cloud Run on this machine.

    Computed are the outputs of Cloud Run v2's ``Service``. That a protected service is not deleted
    is the provider's rule, in its words (``resource_cloud_run_v2_service.go``).
    """

    replacing = ("name", "location", "project")

    def __init__(self, store: GoogleStore, project: str, cloud_run: Path) -> None:
        super().__init__(store, project)
        self._cloud_run = cloud_run

    def check(self, inputs: Properties) -> list[tuple[str, str]]:
        return rules.service_problems(inputs)

    def record(self, id_: str, outputs: Properties) -> str:
        return id_

    def computed(self, inputs: Properties) -> tuple[str, Properties]:
        name = inputs["name"]
        id_ = f"projects/{self.project}/locations/{inputs['location']}/services/{name}"
        return id_, self._deploy(inputs)

    def update(
        self, id_: str, old: Properties, inputs: Properties, operation: Operation
    ) -> Properties:
        if operation.preview:
            return {**old, **inputs}
        return super().update(id_, old, {**inputs, **self._deploy(inputs)}, operation)

    def delete(self, id_: str, outputs: Properties, operation: Operation) -> None:
        if outputs.get("deletionProtection", True):
            raise ProviderError(
                "cannot destroy service without setting deletion_protection=false and running "
                "`pulumi up`"
            )
        self._call("DELETE", f"/services/{outputs['name']}")
        super().delete(id_, outputs, operation)

    def _deploy(self, inputs: Properties) -> Properties:
        missing = rules.missing_for_service(inputs, self.store.all(), self.project)
        if missing:
            raise ProviderError("\n".join(["Error 400:", *missing]))
        revision = self._call("PUT", f"/services/{inputs['name']}", json=inputs)
        return {
            "uri": revision["uri"],
            "urls": [revision["uri"]],
            "latestReadyRevision": revision["latestReadyRevision"],
            "generation": str(revision["generation"]),
        }

    def _call(self, method: str, path: str, **more: Any) -> Any:
        transport = httpx2.HTTPTransport(uds=str(self._cloud_run))
        try:
            with httpx2.Client(transport=transport, timeout=DEPLOY_SECONDS) as http:
                answer = http.request(method, f"http://cloud-run{path}", **more)
        except httpx2.HTTPError as error:
            raise ProviderError(
                f"Cloud Run on this machine does not answer ({error}); `hub status` shows why"
            ) from error
        if answer.is_error:
            raise ProviderError(answer.json()["error"])
        return answer.json()


_PLAIN: dict[str, type[_Stored]] = {
    "gcp:projects/service:Service": Api,
    "gcp:serviceaccount/account:Account": Account,
    "gcp:secretmanager/secret:Secret": Secret,
    "gcp:secretmanager/secretVersion:SecretVersion": SecretVersion,
    "gcp:secretmanager/secretIamMember:SecretIamMember": SecretReader,
    "gcp:artifactregistry/repository:Repository": Repository,
}


def type_of(token: str, config: Properties, store: GoogleStore, cloud_run: Path) -> ResourceType:
    """The resource type for a Pulumi type token.

    Raises:
        ProviderError: the twin has nothing for it.
    """
    project = str(config.get("project", ""))
    if token == "gcp:cloudrunv2/service:Service":
        return Service(store, project, cloud_run)
    if token in _PLAIN:
        return _PLAIN[token](store, project)
    raise ProviderError(f"the twin has no {token}")
