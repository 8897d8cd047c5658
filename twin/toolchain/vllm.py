"""vLLM's CPU build in a virtual environment of its own.

Its pins (torch above all) are not the program's, so it never shares the program's environment.
``twin/tools/vllm/requirements.txt`` is the whole resolved set, with hashes; it leaves out
torchaudio and torchcodec, whose builds do not fit this torch and which vLLM does not need here.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
from pathlib import Path

from twin.toolchain.go_tools import MODULES
from twin.toolchain.overview import Overview
from twin.toolchain.shown import run_shown

REQUIREMENTS = MODULES / "vllm" / "requirements.txt"
VERSION = "0.32.0"
ESTIMATE_SECONDS = 120


def environment(cache: Path) -> Path:
    """The virtual environment's folder, named after what is in it."""
    digest = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:8]
    return cache / f"vllm-{VERSION}-{digest}"


def python(cache: Path) -> Path:
    """The interpreter that can import vLLM."""
    return environment(cache) / "bin" / "python"


def is_installed(cache: Path) -> bool:
    return (environment(cache) / "complete").exists()


async def install(cache: Path, overview: Overview) -> None:
    """Make the environment; the caller holds the cache's lock.

    A virtual environment cannot be moved, so a marker file, not a rename, says that it is whole.

    Raises:
        TwinError: a package could not be had.
    """
    work = overview.plan(f"vLLM {VERSION} for CPU, 5.9 GB", ESTIMATE_SECONDS)
    target = environment(cache)
    shutil.rmtree(target, ignore_errors=True)

    def show(line: str) -> None:
        work.detail = line

    with overview.running(work):
        venv = [sys.executable, "-m", "venv", "--without-pip", target]
        await run_shown(venv, show, failed="The environment for vLLM could not be made")
        await run_shown(
            [
                *(sys.executable, "-m", "uv", "pip", "install", "--no-deps", "--require-hashes"),
                *("--python", python(cache), "-r", REQUIREMENTS),
            ],
            show,
            failed="vLLM could not be installed",
        )
    (target / "complete").touch()
