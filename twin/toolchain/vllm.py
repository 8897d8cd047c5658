"""vLLM's CPU build in a virtual environment of its own.

Its pins (torch above all) are not the program's, so it never shares the program's environment.
``twin/tools/vllm/requirements.txt`` is the whole resolved set, with hashes; it leaves out
torchaudio and torchcodec, whose builds do not fit this torch and which vLLM does not need here.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from twin.toolchain.go_tools import MODULES
from twin.toolchain.overview import Overview
from twin.toolchain.shown import run_shown

REQUIREMENTS = MODULES / "vllm" / "requirements.txt"
VERSION = "0.32.0"
ESTIMATE_SECONDS = 150
FIRST_LOOK = """
import vllm.entrypoints.openai.api_server
from vllm.model_executor.models.registry import ModelRegistry
ModelRegistry.models["Qwen2_5_VLForConditionalGeneration"].inspect_model_cls()
"""
"""What vLLM does once for each cache, before a model of this class is loaded: a process of its own
imports the class and notes what it can do. Python compiles its modules on the way."""


def environment(cache: Path) -> Path:
    """The virtual environment's folder, named after what is in it."""
    digest = hashlib.sha256(REQUIREMENTS.read_bytes() + FIRST_LOOK.encode()).hexdigest()[:8]
    return cache / f"vllm-{VERSION}-{digest}"


def python(cache: Path) -> Path:
    """The interpreter that can import vLLM."""
    return environment(cache) / "bin" / "python"


def is_installed(cache: Path) -> bool:
    """Whether it is whole, and the Python that made it is still there."""
    return (environment(cache) / "complete").exists() and python(cache).exists()


def seed(python: Path, cache_root: Path) -> None:
    """Give a new home what vLLM noted at its first look, as if it had started there before."""
    shutil.copytree(_noted(python), cache_root, dirs_exist_ok=True)


def _noted(python: Path) -> Path:
    """What ``VLLM_CACHE_ROOT`` was at the first look."""
    return python.parent.parent / "noted"


def first_look_environment(inherited: Mapping[str, str], noted: Path) -> dict[str, str]:
    """The process's own, without a caller's wish to keep no bytecode: the bytecode is the point."""
    kept = {name: inherited[name] for name in inherited if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {
        "HF_HUB_OFFLINE": "1",
        "VLLM_CACHE_ROOT": str(noted),
        "VLLM_NO_USAGE_STATS": "1",
    }


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
        show("its first look at the model's class")
        await run_shown(
            [python(cache), "-c", FIRST_LOOK],
            lambda _: None,
            failed="vLLM could not be imported",
            env=first_look_environment(os.environ, _noted(python(cache))),
        )
    (target / "complete").touch()
