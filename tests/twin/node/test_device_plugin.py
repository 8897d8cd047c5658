"""What the device plugin reads, announces and withdraws."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.home_k3s.gpu_sharing import time_slicing
from twin.node.device_plugin import PluginConfigError, replicas
from twin.node.node import announced_gpus


def test_the_programs_own_configuration_gives_ten() -> None:
    assert replicas(time_slicing(10)) == 10


def test_without_sharing_one_gpu_is_one() -> None:
    assert replicas("version: v1\n") == 1


def test_other_resources_are_not_the_gpu() -> None:
    text = """
        version: v1
        sharing: {timeSlicing: {resources: [{name: nvidia.com/mig-1g.5gb, replicas: 4}]}}
    """
    assert replicas(text) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "version must be v1"),
        ("just text", "version must be v1"),
        ("version: v2", "version must be v1"),
        ("version: [", "is not YAML"),
        (time_slicing(1), "must be 2 or more, not 1"),
        (time_slicing(0), "must be 2 or more, not 0"),
        (time_slicing(10).replace("10", "ten"), "must be 2 or more, not ten"),
    ],
)
def test_what_the_real_one_refuses_is_refused(text: str, said: str) -> None:
    with pytest.raises(PluginConfigError, match=said):
        replicas(text)


def plugin(folder: Path, config: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "twin.node.device_plugin"],
        env={**os.environ, "DEVICE_PLUGINS": str(folder), "CONFIG_FILE": str(config)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "config.yaml"
    file.write_text(time_slicing(10))
    return file


def test_gpus_are_announced_while_it_runs_and_withdrawn_when_it_stops(
    tmp_path: Path, config: Path
) -> None:
    assert announced_gpus(tmp_path) is None
    with plugin(tmp_path, config) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "announced nvidia.com/gpu: 10\n"
        assert announced_gpus(tmp_path) == 10
        running.terminate()
        assert running.wait(10) == 0
    assert announced_gpus(tmp_path) is None
    assert not (tmp_path / "nvidia.json").exists()


def test_a_plugin_that_was_killed_announces_nothing(tmp_path: Path, config: Path) -> None:
    with plugin(tmp_path, config) as running:
        assert running.stdout is not None
        running.stdout.readline()
        running.kill()
    assert (tmp_path / "nvidia.json").exists()
    assert announced_gpus(tmp_path) is None


def test_a_wrong_configuration_is_told_without_a_traceback(tmp_path: Path, config: Path) -> None:
    config.write_text(time_slicing(1))
    with plugin(tmp_path, config) as running:
        _, said = running.communicate(timeout=10)
    assert running.returncode == 1
    assert said == "device plugin: replicas of nvidia.com/gpu must be 2 or more, not 1\n"
