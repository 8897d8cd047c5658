"""The image ``vllm/vllm-openai`` on a machine without a GPU: real vLLM, built for CPU.

Promises: the production arguments, taken as they are but for those below; the model comes from the
cache volume at the pinned revision, and nothing is downloaded unless the pod's own environment has
``HF_HUB_OFFLINE=0``.
Leaves out: the image's version (the CPU build's own is 0.32.0), CUDA graphs, GPU memory.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from twin.containers.images import VLLM_PYTHON

SERVER = Path(__file__).with_name("vllm_server.py")
NOT_ON_CPU = ("--gpu-memory-utilization", "--kv-cache-memory-bytes")
"""Shares of a GPU's memory; the CPU's KV cache has a size of its own below."""
ENVIRONMENT = {
    "VLLM_CPU_KVCACHE_SPACE": "1",  # GiB
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    # Otherwise the CPU platform starts a worker process beside the engine's, which imports vLLM
    # once more, only to bind its threads to cores; they are not bound here (vllm/platforms/cpu.py).
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
}


def arguments(production: Sequence[str]) -> list[str]:
    """What the image's entrypoint (``vllm serve``) was given, for this build's server module."""
    model, *flags = production
    kept = [flag for flag in flags if flag.partition("=")[0] not in NOT_ON_CPU]
    # Eager: two cores would need minutes to compile what a model of 8 MB never pays back.
    return ["--model", model, *kept, "--enforce-eager"]


def environment(production: Mapping[str, str]) -> dict[str, str]:
    # Nothing is downloaded, unless the pod says so of itself.
    return {"HF_HUB_OFFLINE": "1", **production, **ENVIRONMENT}


def main() -> None:
    python = os.environ[VLLM_PYTHON]
    line = [python, str(SERVER), *arguments(sys.argv[1:])]
    os.execve(python, line, environment(os.environ))  # noqa: S606


if __name__ == "__main__":
    main()
