"""The Google provider over the engine's protocol, with a stub where Cloud Run listens."""

from __future__ import annotations

import json
import re
import socketserver
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import grpc
import pytest

from tests.support.google.interface import misfits
from tests.twin.providers.engine import Engine, engine
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

KEYS: dict[str, Any] = {"secretId": "keys", "replication": {"auto": {}}}
MAIL = "home-gateway@home.iam.gserviceaccount.com"
MEMBER = {
    "secretId": "projects/home/secrets/keys",
    "role": "roles/secretmanager.secretAccessor",
    "member": f"serviceAccount:{MAIL}",
}
MIRROR: dict[str, Any] = {
    "repositoryId": "docker-hub",
    "location": "asia-northeast3",
    "format": "DOCKER",
    "mode": "REMOTE_REPOSITORY",
}
RUN = "projects/home/locations/asia-northeast3/services/home-gateway"
GATEWAY: dict[str, Any] = {
    "name": "home-gateway",
    "location": "asia-northeast3",
    "deletionProtection": False,
    "template": {
        "serviceAccount": MAIL,
        "containers": [{"name": "caddy", "image": "caddy", "ports": {"containerPort": 8080}}],
        "volumes": [
            {
                "name": "keys",
                "secret": {"secret": "keys", "items": [{"path": "keys", "version": "1"}]},
            }
        ],
    },
}


class CloudRun(socketserver.ThreadingUnixStreamServer):
    """Answers as Cloud Run's admin socket does, and remembers what it was asked."""

    daemon_threads = True

    def __init__(self, socket: Path) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.error: str | None = None
        super().__init__(str(socket), _Answer)


class _Answer(BaseHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing is said beside the tests."""

    def _answer(self) -> None:
        server = self.server
        assert isinstance(server, CloudRun)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        server.asked.append((self.command, self.path, json.loads(body) if body else None))
        answer: dict[str, Any] = {
            "uri": "http://127.0.0.1:8080",
            "latestReadyRevision": f"home-gateway-{len(server.asked):05}-abc",
            "generation": len(server.asked),
        }
        self.send_response(200 if server.error is None else 409)
        self.end_headers()
        text = json.dumps(answer) if server.error is None else server.error
        self.wfile.write(text.encode())

    do_PUT = do_DELETE = _answer  # noqa: N815


@pytest.fixture
def socket() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="gcp-") as folder:  # socket paths must be short
        yield Path(folder) / "run.sock"


@pytest.fixture
def cloud_run(socket: Path) -> Iterator[CloudRun]:
    with CloudRun(socket) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def google(tmp_path: Path, socket: Path) -> Iterator[Engine]:
    store = GoogleStore(tmp_path)
    with engine(lambda config: lambda token: gcp.type_of(token, config, store, socket)) as attached:
        attached.configure(project="home")
        yield attached


def prepare(google: Engine) -> None:
    """Everything the gateway needs."""
    google.of(API).create({"service": "run.googleapis.com"})
    google.of(ACCOUNT).create({"accountId": "home-gateway"})
    id_, _ = google.of(SECRET).create(KEYS)
    google.of(VERSION).create({"secret": id_, "secretData": "hk-1"})
    google.of(READER).create(MEMBER)


def test_an_api_has_its_project(google: Engine) -> None:
    assert google.of(API).create({"service": "run.googleapis.com"}) == (
        "home/run.googleapis.com",
        {"service": "run.googleapis.com", "project": "home"},
    )


def test_an_account_has_its_mail_address_and_a_numeric_id(google: Engine) -> None:
    id_, outputs = google.of(ACCOUNT).create({"accountId": "home-gateway"})
    assert id_ == f"projects/home/serviceAccounts/{MAIL}"
    assert outputs == {
        "accountId": "home-gateway",
        "project": "home",
        "email": MAIL,
        "member": f"serviceAccount:{MAIL}",
        "name": id_,
        "uniqueId": outputs["uniqueId"],
    }
    assert re.fullmatch(r"[1-9]\d{20}", outputs["uniqueId"])
    assert google.of(ACCOUNT).read(id_, outputs) == outputs


def test_an_account_that_is_made_anew_is_another_one(google: Engine) -> None:
    accounts = google.of(ACCOUNT)
    id_, outputs = accounts.create({"accountId": "home-gateway"})
    accounts.delete(id_, outputs)
    assert accounts.create({"accountId": "home-gateway"})[1]["uniqueId"] != outputs["uniqueId"]


def test_a_repository_has_its_registry_uri(google: Engine) -> None:
    id_, outputs = google.of(REPOSITORY).create(MIRROR)
    assert id_ == "projects/home/locations/asia-northeast3/repositories/docker-hub"
    assert outputs == {
        **MIRROR,
        "project": "home",
        "name": "docker-hub",
        "registryUri": "asia-northeast3-docker.pkg.dev/home/docker-hub",
    }


def test_a_member_has_an_id_of_its_three_parts(google: Engine) -> None:
    id_, outputs = google.of(READER).create(MEMBER)
    assert id_ == "{secretId}/{role}/{member}".format_map(MEMBER)
    assert outputs == {**MEMBER, "project": "home", "etag": "twin"}


@pytest.mark.parametrize("name", ["", "a b", "a.b", "a" * 256])
def test_a_secret_id_that_google_refuses_is_refused(google: Engine, name: str) -> None:
    secrets = google.of(SECRET)
    told = {"secretId": "1 to 255 letters, digits, - and _"}
    assert secrets.check({**KEYS, "secretId": name}) == told
    assert secrets.check({**KEYS, "secretId": "A-z_9" * 51}) == {}


@pytest.mark.parametrize("name", ["short", "Home-gateway", "home-gateway-", "h" * 31])
def test_an_account_id_that_google_refuses_is_refused(google: Engine, name: str) -> None:
    assert "accountId" in google.of(ACCOUNT).check({"accountId": name})


def test_secret_versions_only_count_up(google: Engine, tmp_path: Path) -> None:
    secret, keys = google.of(SECRET).create(KEYS)
    assert (secret, keys) == (
        "projects/home/secrets/keys",
        {**KEYS, "project": "home", "name": "projects/home/secrets/keys"},
    )
    versions = google.of(VERSION)
    id_, first = versions.create({"secret": secret, "secretData": "hk-1"})
    assert id_ == "projects/home/secrets/keys/versions/1"
    assert first == {
        "secret": secret,
        "secretData": "hk-1",
        "project": "home",
        "name": id_,
        "version": "1",
        "enabled": True,
    }
    assert versions.create({"secret": secret, "secretData": "hk-2"})[1]["version"] == "2"
    versions.delete("projects/home/secrets/keys/versions/2", {"secret": secret, "version": "2"})
    google.of(SECRET).update(secret, KEYS, {**KEYS, "labels": {"of": "gateway"}})
    assert versions.create({"secret": secret, "secretData": "hk-3"})[1]["version"] == "3"
    assert sorted(p.name for p in (tmp_path / "secrets" / "keys").iterdir()) == ["1", "3"]


def test_a_secret_created_anew_starts_at_version_one(google: Engine) -> None:
    for _ in range(2):
        secret, outputs = google.of(SECRET).create(KEYS)
        id_, version = google.of(VERSION).create({"secret": secret, "secretData": "hk-1"})
        assert version["version"] == "1"
        google.of(VERSION).delete(id_, version)
        google.of(SECRET).delete(secret, outputs)


def test_a_payload_is_private_and_nowhere_else(google: Engine, tmp_path: Path) -> None:
    secret, _ = google.of(SECRET).create(KEYS)
    inputs = {"secret": secret, "secretData": "hk-very-private"}
    id_, version = google.of(VERSION).create(inputs)
    google.of(VERSION).update(id_, version, {**inputs, "enabled": False})
    payload = tmp_path / "secrets" / "keys" / "1"
    assert payload.read_text() == "hk-very-private"
    assert payload.stat().st_mode & 0o777 == 0o600
    assert payload.parent.stat().st_mode & 0o777 == 0o700
    assert "hk-very-private" not in (tmp_path / "resources.json").read_text()
    assert (tmp_path / "resources.json").stat().st_mode & 0o777 == 0o600


def test_a_version_of_no_secret_is_refused(google: Engine) -> None:
    with pytest.raises(grpc.RpcError, match=r"Error 404: Secret \[projects/home/secrets/no\]"):
        google.of(VERSION).create({"secret": "projects/home/secrets/no", "secretData": "x"})


def test_other_data_is_another_version(google: Engine) -> None:
    old = {"secret": "projects/home/secrets/keys", "secretData": "1"}
    kinds = google.of(VERSION).diff(old, {**old, "secretData": "2"})
    assert kinds == {"secretData": "UPDATE_REPLACE"}


def test_a_place_inside_a_replacing_property_replaces(google: Engine) -> None:
    elsewhere: dict[str, Any] = {**KEYS, "replication": {"userManaged": {}}, "labels": {"a": "b"}}
    assert google.of(SECRET).diff(KEYS, elsewhere) == {
        "labels": "ADD",
        "replication.auto": "DELETE_REPLACE",
        "replication.userManaged": "ADD_REPLACE",
    }


def test_an_api_stays_on_unless_destroy_is_to_switch_it_off(google: Engine) -> None:
    apis = google.of(API)
    id_, outputs = apis.create({"service": "run.googleapis.com", "disableOnDestroy": False})
    apis.delete(id_, outputs)
    assert apis.read(id_, outputs) == outputs
    apis.delete(id_, {**outputs, "disableOnDestroy": True})
    assert apis.read(id_, outputs) is None


def test_what_is_created_at_once_is_all_kept(google: Engine, tmp_path: Path) -> None:
    apis = google.of(API)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(apis.create, [{"service": f"api-{n}"} for n in range(40)]))
    assert len(json.loads((tmp_path / "resources.json").read_text())) == 40


def test_a_service_is_handed_to_cloud_run(google: Engine, cloud_run: CloudRun) -> None:
    prepare(google)
    services = google.of(SERVICE)
    id_, outputs = services.create(GATEWAY)
    assert id_ == RUN
    assert outputs == {
        **GATEWAY,
        "project": "home",
        "uri": "http://127.0.0.1:8080",
        "urls": ["http://127.0.0.1:8080"],
        "latestReadyRevision": f"{RUN}/revisions/home-gateway-00001-abc",
        "generation": "1",
    }
    updated = services.update(id_, outputs, {**GATEWAY, "ingress": "INGRESS_TRAFFIC_ALL"})
    assert updated["latestReadyRevision"] == f"{RUN}/revisions/home-gateway-00002-abc"
    assert updated["generation"] == "2"
    services.delete(id_, updated)
    assert cloud_run.asked == [
        ("PUT", "/services/home-gateway", GATEWAY),
        ("PUT", "/services/home-gateway", {**GATEWAY, "ingress": "INGRESS_TRAFFIC_ALL"}),
        ("DELETE", "/services/home-gateway", None),
    ]
    assert services.read(id_, updated) is None


PROVIDERS_OWN = {"project", "member"}
"""What the provider adds by itself."""


@pytest.mark.parametrize(
    ("type_", "inputs", "schema"),
    [
        (ACCOUNT, {"accountId": "home-gateway-2"}, ("iam", "ServiceAccount")),
        (SECRET, {**KEYS, "secretId": "keys-2"}, ("secretmanager", "Secret")),
        (REPOSITORY, MIRROR, ("artifactregistry", "Repository")),
        (SERVICE, GATEWAY, ("run", "GoogleCloudRunV2Service")),
    ],
)
def test_what_google_computes_is_in_googles_words(
    google: Engine,
    cloud_run: CloudRun,
    type_: str,
    inputs: dict[str, Any],
    schema: tuple[str, str],
) -> None:
    prepare(google)
    _, outputs = google.of(type_).create(inputs)
    computed = {k: v for k, v in outputs.items() if k not in inputs.keys() | PROVIDERS_OWN}
    assert computed
    assert misfits(*schema, computed, sent=False) == []


def test_the_preview_of_a_service_asks_nobody(google: Engine, cloud_run: CloudRun) -> None:
    services = google.of(SERVICE)
    assert services.create(GATEWAY, preview=True) == ("", GATEWAY)
    services.update("id", GATEWAY, {**GATEWAY, "ingress": "INGRESS_TRAFFIC_ALL"}, preview=True)
    assert cloud_run.asked == []


def test_a_revision_that_does_not_start_fails_in_cloud_runs_words(
    google: Engine, cloud_run: CloudRun
) -> None:
    prepare(google)
    cloud_run.error = "container caddy exited with 1: unknown directive"
    with pytest.raises(grpc.RpcError, match="container caddy exited with 1: unknown directive"):
        google.of(SERVICE).create(GATEWAY)


def test_a_service_whose_secret_nobody_may_read_is_refused(
    google: Engine, cloud_run: CloudRun
) -> None:
    prepare(google)
    google.of(READER).delete("reader", MEMBER)
    refusal = r"Error 400:\nPermission denied on secret: projects/home/secrets"
    with pytest.raises(grpc.RpcError, match=refusal):
        google.of(SERVICE).create(GATEWAY)
    assert cloud_run.asked == []


def test_a_protected_service_is_not_deleted(google: Engine, cloud_run: CloudRun) -> None:
    with pytest.raises(grpc.RpcError, match="without setting deletion_protection=false"):
        google.of(SERVICE).delete("id", {"name": "home-gateway"})
    assert cloud_run.asked == []


# The HTTP library leaves its socket to the garbage collector when it cannot connect.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_cloud_run_that_does_not_answer_is_told_with_where_to_look(google: Engine) -> None:
    prepare(google)
    with pytest.raises(grpc.RpcError, match=r"does not answer.*`hub status` shows why"):
        google.of(SERVICE).create(GATEWAY)


def test_a_type_that_the_program_does_not_use_is_refused(google: Engine) -> None:
    with pytest.raises(grpc.RpcError, match="the twin has no gcp:compute/instance:Instance"):
        google.of("gcp:compute/instance:Instance").check({})
