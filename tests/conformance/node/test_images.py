"""What containerd is given to run, and what of a node's words is compared."""

from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.node.images import archive, local, mounted
from tests.conformance.node.running import address, by_name, plain
from tests.conformance.node.runtime import with_mounts
from twin.containers.images import IMAGES, LocalImage


def test_an_archive_has_each_image_under_its_full_name_and_holds_what_its_digests_say(
    tmp_path: Path,
) -> None:
    file = tmp_path / "images.tar"
    images = {
        "vllm/vllm-openai:v1": LocalImage(entrypoint=("python", "-m", "x"), env={"A": "b"}),
        "registry.k8s.io/pause:3.10": LocalImage(entrypoint=("sleep",), cmd=("infinity",)),
    }
    archive(file, images, "/tools:/bin")
    with tarfile.open(file) as tar:
        read: dict[str, bytes] = {}
        for entry in tar:
            content = tar.extractfile(entry)
            assert content is not None
            read[entry.name] = content.read()
    found: dict[str, Any] = {}
    for manifest in json.loads(read["index.json"])["manifests"]:
        config = json.loads(_blob(read, manifest))["config"]
        name = manifest["annotations"]["io.containerd.image.name"]
        found[name] = json.loads(_blob(read, config))["config"]
    assert found.keys() == {"docker.io/vllm/vllm-openai:v1", "registry.k8s.io/pause:3.10"}
    vllm = found["docker.io/vllm/vllm-openai:v1"]
    assert (vllm["Entrypoint"], vllm["Cmd"]) == (["python", "-m", "x"], [])
    assert vllm["Env"] == ["PATH=/tools:/bin", "LANG=C.UTF-8", "A=b"]
    assert found["registry.k8s.io/pause:3.10"]["Cmd"] == ["infinity"]


def _blob(read: dict[str, bytes], described: dict[str, Any]) -> bytes:
    digest: str = described["digest"].removeprefix("sha256:")
    content = read[f"blobs/sha256/{digest}"]
    assert hashlib.sha256(content).hexdigest() == digest
    assert len(content) == described["size"]
    return content


def test_only_the_device_plugin_and_vllm_differ_from_the_twins_own_table() -> None:
    where = {"vllm_python": Path("/v/python"), "device_plugin": Path("/d/plugin")}
    plugin = local("k8s-device-plugin", **where)
    assert plugin.entrypoint[-1] == "tests.conformance.node.device_plugin"
    assert plugin.env == {"DEVICE_PLUGIN": "/d/plugin"}
    assert local("vllm-openai", **where).env == {"HUB_VLLM_PYTHON": "/v/python"}
    assert local("pause", **where) == IMAGES["pause"]


def test_no_folder_that_is_mounted_lies_in_another(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    seen = mounted(tmp_path / "a", inner)
    assert tmp_path / "a" in seen
    assert inner not in seen
    assert Path("/usr") in seen


def test_the_pods_own_mounts_lie_above_the_folders_which_it_may_only_read() -> None:
    own = {"destination": "/cache", "source": "/var/lib/x", "type": "bind"}
    config = with_mounts({"ociVersion": "1", "mounts": [own]}, ["/usr"])
    assert config["ociVersion"] == "1"
    folder = {
        "destination": "/usr",
        "source": "/usr",
        "type": "bind",
        "options": ["rbind", "ro", "nosuid"],
    }
    assert config["mounts"] == [folder, own]


@pytest.mark.parametrize(
    ("words", "compared"),
    [
        ("in pod a_b(0b5df6a5-cf65-4cd3-9c79-aebf6abcabd4)\n", "in pod a_b(…)"),
        ('Get "http://10.42.0.17:8000/": refused', 'Get "http://ADDRESS:8000/": refused'),
        ("back-off 1m20s, then 10s and 0.5s", "back-off TIME, then TIME and TIME"),
        ("registry.k8s.io/pause:3.10", "registry.k8s.io/pause:3.10"),
    ],
)
def test_words_are_compared_without_what_varies(words: str, compared: str) -> None:
    assert plain(words) == compared


def test_a_status_is_read_by_names() -> None:
    ready = {"type": "Ready", "status": "True"}
    status = {"phase": "Running", "conditions": [ready], "containerStatuses": [{"name": "main"}]}
    assert by_name(status) == {
        "phase": "Running",
        "conditions": {"Ready": ready},
        "containerStatuses": {"main": {"name": "main"}},
    }


@pytest.mark.parametrize(
    ("own", "others", "compared"),
    [
        ("10.42.0.2", [("Running", "10.42.0.3"), ("Pending", None)], "its own"),
        ("10.42.0.2", [("Running", "10.42.0.2")], "another pod's"),
        ("10.42.0.2", [("Succeeded", "10.42.0.2"), ("Failed", "10.42.0.2")], "its own"),
        ("192.0.2.1", [], "not of the node's range"),
        (None, [("Pending", None)], "none"),
    ],
)
def test_an_address_is_compared_by_whose_it_is(
    own: str | None, others: list[tuple[str, str | None]], compared: str
) -> None:
    pods = [
        {"status": {"phase": phase, **({"podIP": ip} if ip else {})}}
        for phase, ip in [("Running", own), *others]
    ]
    assert address(pods[0], pods) == compared
