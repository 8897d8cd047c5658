"""pulumi-gcp, for seven of the eight types that the program declares.

Promises: the names, limits, references and computed attributes of ``docs/providers.md``, each as
in the source that is named there; secret versions only count up, a protected service is not
deleted; a service is handed to Cloud Run on this machine and is ready when its revision is.
Leaves out: every other type (the eighth, ``gcp:billing/budget:Budget``, is refused); other limits
and attributes, billing, quotas, IAM beyond reading one's own secrets, conditions of a member, the
propagation delays of the real thing, and its refusal (409) of a second object of one name: an `up`
that was killed before the engine noted a creation goes on here.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from twin.providers import google_rules as rules
from twin.providers.google_resource import GoogleResource
from twin.providers.google_service import Service
from twin.providers.google_store import GoogleStore
from twin.providers.properties import Properties
from twin.providers.protocol import Operation, ProviderError, ResourceType


class Api(GoogleResource):
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


class Account(GoogleResource):
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
        return name, {
            "email": email,
            "member": f"serviceAccount:{email}",
            "name": name,
            # An account that is made anew has another one, even under the same name.
            "uniqueId": str(10**20 + secrets.randbelow(9 * 10**20)),
        }

    def record(self, id_: str, outputs: Properties) -> str:
        return f"account/{outputs['email']}"


class Secret(GoogleResource):
    """``gcp:secretmanager/secret:Secret``; its name is Secret Manager v1's ``Secret.name``."""

    replacing = ("secretId", "project", "replication", "tags")
    updating = (
        "replication.auto.customerManagedEncryption",
        "replication.userManaged.replicas.customerManagedEncryption",
    )

    def check(self, inputs: Properties) -> list[tuple[str, str]]:
        if not rules.SECRET_ID.fullmatch(inputs.get("secretId", "")):
            return [("secretId", "1 to 255 letters, digits, - and _")]
        return []

    def computed(self, inputs: Properties) -> tuple[str, Properties]:
        name = f"projects/{self.project}/secrets/{inputs['secretId']}"
        return name, {"name": name}

    def delete(self, id_: str, outputs: Properties, operation: Operation) -> None:
        super().delete(id_, outputs, operation)
        self.store.remove(f"count/{id_}")  # a new secret of that name starts at version 1


class SecretVersion(GoogleResource):
    """``gcp:secretmanager/secretVersion:SecretVersion``: numbers only count up.

    Secret Manager v1's ``SecretVersion.name``: IDs "start at 1 and are incremented". A version's
    payload cannot be changed, only added: ``secrets.addVersion`` is all there is.
    """

    replacing = ("secret", "secretData", "secretDataWoVersion", "isSecretDataBase64")

    def computed(self, inputs: Properties) -> tuple[str, Properties]:
        secret = inputs["secret"]
        if (number := self.store.next_version(secret)) is None:
            raise ProviderError(f"Error 404: Secret [{secret}] not found.")
        self.store.write_payload(secret.rpartition("/")[2], number, inputs["secretData"])
        name = f"{secret}/versions/{number}"
        return name, {"name": name, "version": str(number), "enabled": inputs.get("enabled", True)}

    def delete(self, id_: str, outputs: Properties, operation: Operation) -> None:
        secret = outputs["secret"].rpartition("/")[2]
        self.store.remove_payload(secret, int(outputs["version"]))
        super().delete(id_, outputs, operation)


class SecretReader(GoogleResource):
    """``gcp:secretmanager/secretIamMember:SecretIamMember``.

    Its id is made as in the provider's ``resource_iam_member.go``; an import is written otherwise.
    """

    replacing = ("secretId", "role", "member", "condition", "project")

    def computed(self, inputs: Properties) -> tuple[str, Properties]:
        return f"{inputs['secretId']}/{inputs['role']}/{inputs['member']}", {"etag": "twin"}

    def record(self, id_: str, outputs: Properties) -> str:
        secret = outputs["secretId"].rpartition("/")[2]
        kind = "reader" if outputs["role"] == "roles/secretmanager.secretAccessor" else "member"
        return f"{kind}/{secret}/{outputs['member']}"


class Repository(GoogleResource):
    """``gcp:artifactregistry/repository:Repository``.

    ``registryUri``: Artifact Registry v1's ``Repository``. ``name`` is the last part of Google's
    in the provider (``flattenArtifactRegistryRepositoryName``).
    """

    replacing = (
        *("repositoryId", "location", "format", "mode", "project", "kmsKeyName"),
        *("mavenConfig", "remoteRepositoryConfig"),
    )
    updating = (
        "remoteRepositoryConfig.disableUpstreamValidation",
        "remoteRepositoryConfig.upstreamCredentials",
    )

    def computed(self, inputs: Properties) -> tuple[str, Properties]:
        place, name = inputs["location"], inputs["repositoryId"]
        id_ = f"projects/{self.project}/locations/{place}/repositories/{name}"
        return id_, {
            "name": name,
            "registryUri": f"{place}-docker.pkg.dev/{self.project}/{name}",
        }


_PLAIN: dict[str, type[GoogleResource]] = {
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
