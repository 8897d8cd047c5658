"""The disk of the twin's state was full; with room on it the next `hub up` brings the twin back."""

from __future__ import annotations

import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.faults.full_disk import small_disk
from tests.twin.conftest import HubUnderTest, temporary_twin
from tests.twin.questions import chat, first_key

pytestmark = pytest.mark.faults

DISK_MB = 300
"""Some times what a twin writes in minutes."""


@pytest.fixture
def disk() -> Generator[Path]:
    """Not in ``tmp_path``: the twin's sockets need a short one."""
    with tempfile.TemporaryDirectory(prefix="disk-") as folder, small_disk(Path(folder), DISK_MB):
        yield Path(folder)


@pytest.fixture
def twin(tools: None, disk: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[HubUnderTest]:
    monkeypatch.setattr(tempfile, "tempdir", str(disk))
    with temporary_twin() as twin:
        yield twin


def fill(file: Path) -> None:
    """To the last byte of the disk."""
    with file.open("wb", buffering=0) as filler:
        while True:
            try:
                filler.write(bytes(2**16))
            except OSError:
                return


def test_an_up_fails_in_words_and_the_next_one_with_room_works(
    twin: HubUnderTest, disk: Path
) -> None:
    filler = disk / "filler"
    fill(filler)
    full = twin.run("up")
    said = full.stdout + full.stderr
    assert full.returncode == 1, said
    assert "space" in said
    assert "Traceback" not in said
    filler.unlink()
    twin.ok("up")
    with twin.http(first_key(twin)) as http:
        assert http.post("/v1/chat/completions", json=chat("Hello")).status_code == 200
    twin.ok("status")
