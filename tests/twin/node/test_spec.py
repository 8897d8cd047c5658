"""From a pod's JSON to environment, volumes and probes."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from twin.containers.probes import Probe
from twin.node.spec import PodConfigError, environment, expand, gpus, probes, volume

OBJECTS: dict[tuple[str, str], Mapping[str, Any]] = {
    ("secrets", "vllm-key"): {"data": {"VLLM_API_KEY": base64.b64encode(b"sesame").decode()}},
    ("configmaps", "settings"): {"data": {"LEVEL": "info", "config.yaml": "version: v1\n"}},
    ("configmaps", "empty"): {},
}


async def lookup(kind: str, name: str) -> Mapping[str, Any] | None:
    return OBJECTS.get((kind, name))


def env_of(container: Mapping[str, Any]) -> dict[str, str]:
    return asyncio.run(
        environment(container, {"metadata.namespace": "vlm", "status.podIP": "10.99.0.4"}, lookup)
    )


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("--port=$(PORT)", "--port=8000"),
        ("$$(PORT)", "$(PORT)"),
        ("$(UNKNOWN)", "$(UNKNOWN)"),
        ("$PORT and ${PORT} are a shell's", "$PORT and ${PORT} are a shell's"),
    ],
)
def test_references_are_expanded_as_kubernetes_does(text: str, expanded: str) -> None:
    assert expand(text, {"PORT": "8000"}) == expanded


def test_values_come_from_text_secrets_config_maps_and_the_pod() -> None:
    env: list[dict[str, Any]] = [
        {"name": "PLAIN", "value": "1"},
        {"name": "EMPTY"},
        {
            "name": "KEY",
            "valueFrom": {"secretKeyRef": {"name": "vllm-key", "key": "VLLM_API_KEY"}},
        },
        {"name": "LEVEL", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "LEVEL"}}},
        {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
    ]
    assert env_of({"env": env}) == {
        "PLAIN": "1",
        "EMPTY": "",
        "KEY": "sesame",
        "LEVEL": "info",
        "IP": "10.99.0.4",
    }


def test_a_value_may_refer_to_an_earlier_one_and_not_to_a_later_one() -> None:
    env = [
        {"name": "A", "value": "a"},
        {"name": "B", "value": "$(A)$(C)"},
        {"name": "C", "value": "c"},
    ]
    assert env_of({"env": env})["B"] == "a$(C)"


def test_whole_objects_come_first_and_single_values_win() -> None:
    container = {
        "envFrom": [
            {"configMapRef": {"name": "settings"}},
            {"secretRef": {"name": "vllm-key"}},
            {"configMapRef": {"name": "empty"}},
        ],
        "env": [{"name": "LEVEL", "value": "debug"}],
    }
    assert env_of(container) == {
        "LEVEL": "debug",
        "config.yaml": "version: v1\n",
        "VLLM_API_KEY": "sesame",
    }


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ({"secretKeyRef": {"name": "gone", "key": "k"}}, 'secret "gone" not found'),
        (
            {"secretKeyRef": {"name": "vllm-key", "key": "k"}},
            "couldn't find key k in Secret vlm/vllm-key",
        ),
        ({"configMapKeyRef": {"name": "gone", "key": "k"}}, 'configmap "gone" not found'),
    ],
)
def test_a_missing_reference_is_named(reference: dict[str, Any], said: str) -> None:
    with pytest.raises(PodConfigError, match=f"^{said}$"):
        env_of({"env": [{"name": "X", "valueFrom": reference}]})


def test_a_config_map_becomes_files_below_the_pods_folder(tmp_path: Path) -> None:
    raw = {"name": "config", "configMap": {"name": "settings"}}
    folder = asyncio.run(volume(raw, tmp_path / "pod", tmp_path / "home", lookup))
    assert folder is not None
    assert folder == tmp_path / "pod/volumes/config"
    assert (folder / "config.yaml").read_text() == "version: v1\n"


@pytest.mark.parametrize(("mode", "shown"), [({}, "0o644"), ({"defaultMode": 0o400}, "0o400")])
def test_a_secret_becomes_files_with_the_mode_that_the_volume_says(
    mode: dict[str, int], shown: str, tmp_path: Path
) -> None:
    raw = {"name": "key", "secret": {"secretName": "vllm-key", **mode}}
    folder = asyncio.run(volume(raw, tmp_path / "pod", tmp_path / "home", lookup))
    assert folder is not None
    file = folder / "VLLM_API_KEY"
    assert (file.read_text(), oct(file.stat().st_mode & 0o777)) == ("sesame", shown)


def test_a_host_path_stays_below_what_stands_for_homes_file_system(tmp_path: Path) -> None:
    raw = {"name": "cache", "hostPath": {"path": "/var/lib/cache"}}
    folder = asyncio.run(volume(raw, tmp_path / "pod", tmp_path / "home", lookup))
    assert folder is not None
    assert folder == tmp_path / "home/var/lib/cache"
    assert folder.is_dir()


def test_service_account_tokens_are_left_out(tmp_path: Path) -> None:
    raw: dict[str, Any] = {"name": "token", "projected": {"sources": []}}
    assert asyncio.run(volume(raw, tmp_path, tmp_path, lookup)) is None


def test_a_volume_of_a_missing_object_is_refused(tmp_path: Path) -> None:
    raw = {"name": "config", "configMap": {"name": "gone"}}
    with pytest.raises(PodConfigError, match=r'^configmap "gone" not found$'):
        asyncio.run(volume(raw, tmp_path, tmp_path, lookup))


def test_probes_take_named_ports_and_kubernetes_defaults() -> None:
    found = probes(
        {
            "ports": [{"name": "http", "containerPort": 8000}],
            "startupProbe": {
                "httpGet": {"path": "/health", "port": "http"},
                "periodSeconds": 5,
                "failureThreshold": 360,
                "timeoutSeconds": 2,
            },
            "livenessProbe": {"tcpSocket": {"port": 8000}},
        }
    )
    assert found.startup == Probe(
        port=8000, path="/health", period_seconds=5, failure_threshold=360, timeout_seconds=2
    )
    assert found.liveness == Probe(
        port=8000,
        path=None,
        initial_delay_seconds=0,
        period_seconds=10,
        timeout_seconds=1,
        failure_threshold=3,
        success_threshold=1,
    )
    assert found.readiness is None


def test_a_probe_can_be_a_command() -> None:
    found = probes({"livenessProbe": {"exec": {"command": ["sh", "-c", "exit 0"]}}})
    assert found.liveness == Probe(command=("sh", "-c", "exit 0"))


@pytest.mark.parametrize(
    ("resources", "count"),
    [
        ({}, 0),
        ({"limits": {"memory": "16Gi"}}, 0),
        ({"limits": {"nvidia.com/gpu": "1"}}, 1),
        ({"limits": {"nvidia.com/gpu": 2}}, 2),
    ],
)
def test_gpus_are_what_the_limits_ask(resources: dict[str, Any], count: int) -> None:
    assert gpus({"resources": resources}) == count
