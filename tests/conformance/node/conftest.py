"""A twin whose node is the emulated one at first, and then a real one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra.home_k3s.gpu_sharing import IMAGE as DEVICE_PLUGIN
from tests.conformance.node.real import RealNode, real_node
from tests.conformance.node.running import run_cases
from tests.conformance.running import Facts
from tests.twin.conftest import HubUnderTest, temporary_twin
from twin.network import choose_mode
from twin.settings import TwinSettings


@dataclass(frozen=True)
class Nodes:
    """What was seen on both, and the twin, whose node is now the real one."""

    hub: HubUnderTest
    emulated: dict[str, Facts]
    real: dict[str, Facts]
    machine: RealNode


@pytest.fixture(scope="module")
def nodes(originals_folder: Path) -> Iterator[Nodes]:
    if os.geteuid() != 0 or choose_mode(TwinSettings.from_environment()) != "namespaces":
        pytest.skip("a kubelet needs root, and a machine that lets it make namespaces")
    with temporary_twin() as hub:
        emulated = run_cases(hub)
        [model] = hub.vllm_pod()["spec"]["containers"]
        with real_node(hub, originals_folder, (model["image"], DEVICE_PLUGIN)) as machine:
            yield Nodes(hub, emulated, run_cases(hub), machine)
