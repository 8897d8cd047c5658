"""A state folder for Cloud Run's emulator."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.twin.cloud_run.emulator import PROGRAMS
from twin.containers.images import IMAGES, LocalImage


@pytest.fixture(autouse=True)
def _caddy_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the twin: Caddy comes with the program's environment."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def state() -> Iterator[Path]:
    # Not pytest's own folder: a socket's path has room for 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="run"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def images(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, code in PROGRAMS.items():
        python = ("python3", "-u", "-c", code)  # by name: a container has a /tmp of its own
        monkeypatch.setitem(IMAGES, name, LocalImage(entrypoint=python))
