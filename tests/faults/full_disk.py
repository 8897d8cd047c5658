"""The disk of home's model cache is full, and the model has to be downloaded."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from infra.home_k3s.names import MODEL_CACHE
from tests.faults.at_home import Container, edited
from tests.support.waiting import until
from tests.twin.conftest import HubUnderTest
from twin.model.checkpoint import FILES
from twin.network import NODE_ADDRESS
from twin.paths import TwinPaths

PORT = 8890
DISK_MB = 2
"""The weights are larger, all else of the model together is smaller."""
MODEL_HUB = Path(__file__).with_name("model_hub.py")


@contextmanager
def disk_full(hub: HubUnderTest) -> Generator[None]:
    """Its pod begins to download the model from a hub that has it."""
    folder = TwinPaths(hub.state).of_the_node(MODEL_CACHE)
    with small_disk(folder, DISK_MB), _model_hub(hub), edited(_from_that_hub)(hub):
        yield


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Generator[None]:
    """Over a folder, and gone with what was written to it."""
    size = ("-o", f"size={megabytes}m")
    subprocess.run(["mount", "-t", "tmpfs", *size, "none", folder], check=True)
    try:
        yield
    finally:
        # A process may still have it open.
        subprocess.run(["umount", "--lazy", folder], check=True)


@contextmanager
def _model_hub(hub: HubUnderTest) -> Generator[None]:
    """Hugging Face's, for the small model only, where a pod can reach it."""
    line = hub.network.at("home", sys.executable, str(MODEL_HUB), str(FILES), str(PORT))
    server = subprocess.Popen(line)
    try:
        until(lambda: hub.network.accepts("home", PORT))
        yield
    finally:
        server.terminate()
        server.wait()


def _from_that_hub(container: Container) -> None:
    container["env"] += [
        {"name": "HF_ENDPOINT", "value": f"http://{NODE_ADDRESS}:{PORT}"},
        {"name": "HF_HUB_OFFLINE", "value": "0"},
    ]
