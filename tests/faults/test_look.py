"""What counts as a process's own memory."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.faults.look import more, own_megabytes

READER = """
import mmap, pathlib, sys
with open(sys.argv[1], "rb") as file:
    mapped = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
sum(mapped[::4096])
print("read", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(bytes(50_000_000))
    return path


@contextmanager
def reader(file: Path) -> Generator[int]:
    """A process that has read the file's pages, as programs read their own code."""
    line = [sys.executable, "-S", "-c", READER, str(file)]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"read\n"
        yield process.pid
        process.kill()


def test_another_process_that_has_read_the_same_file_and_ends_changes_nothing(file: Path) -> None:
    with reader(file) as pid:
        with reader(file):
            before, unique_before = own_megabytes(pid), unique(pid)
        assert unique(pid) > unique_before + 45, "which is why this is not what is counted"
        assert own_megabytes(pid) == before


def test_what_is_more_is_told_by_name_and_what_is_as_before_is_not() -> None:
    before, after = Counter(caddy=4, kine=2, vllm=9), Counter(caddy=5, vllm=9)
    assert more(before, after) == {"caddy": 1, "kine": -2}


def unique(pid: int) -> float:
    return psutil.Process(pid).memory_full_info().uss / 1e6
