"""Which change makes a new resource of Google's, and which changes it in place."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.twin.providers.google_types import (
    ACCOUNT,
    API,
    READER,
    REPOSITORY,
    SECRET,
    SERVICE,
    VERSION,
)
from twin.providers import gcp
from twin.providers.google_store import GoogleStore

REPLACING = {
    API: ("service", "project"),
    ACCOUNT: ("accountId", "project"),
    SECRET: (
        *("secretId", "project", "tags"),
        *("replication", "replication.auto", "replication.userManaged.replicas[0].location"),
    ),
    VERSION: ("secret", "secretData", "secretDataWoVersion", "isSecretDataBase64"),
    READER: ("secretId", "role", "member", "project", "condition", "condition.title"),
    REPOSITORY: (
        *("repositoryId", "location", "format", "mode", "project", "kmsKeyName"),
        *("mavenConfig.versionPolicy", "remoteRepositoryConfig"),
        "remoteRepositoryConfig.dockerRepository.publicRepository",
    ),
    SERVICE: ("name", "location", "project", "tags"),
}
UPDATING = {
    API: ("disableOnDestroy",),
    ACCOUNT: ("displayName", "description"),
    SECRET: (
        *("labels", "ttl"),
        "replication.auto.customerManagedEncryption.kmsKeyName",
        "replication.userManaged.replicas[0].customerManagedEncryption",
    ),
    VERSION: ("enabled",),
    REPOSITORY: (
        *("description", "labels", "modes"),
        "remoteRepositoryConfig.upstreamCredentials.usernamePasswordCredentials",
        "remoteRepositoryConfig.disableUpstreamValidation",
    ),
    SERVICE: ("labels", "template.timeout", "names", 'labels["name"]'),
}


@pytest.mark.parametrize(
    ("type_", "path", "replaces"),
    [
        *((type_, path, True) for type_, paths in REPLACING.items() for path in paths),
        *((type_, path, False) for type_, paths in UPDATING.items() for path in paths),
    ],
)
def test_what_the_providers_schema_marks_replaces(
    tmp_path: Path, type_: str, path: str, *, replaces: bool
) -> None:
    """``ForceNew`` in terraform-provider-google-beta 7.45."""
    emulated = gcp.type_of(type_, {"project": "home"}, GoogleStore(tmp_path), tmp_path)
    assert emulated.replaces(path, {}, {}) is replaces
