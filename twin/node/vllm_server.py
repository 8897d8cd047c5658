"""vLLM's server, run by vLLM's own interpreter, with three things set before it starts."""
# pyright: basic, reportMissingImports=false

from __future__ import annotations

import gc
import multiprocessing
import runpy

import torch
from vllm.utils import system_utils

# A start makes millions of objects that all stay; looking for garbage among them is a sixth of its
# processor time.
gc.set_threshold(100_000, 50, 100)

# Linux lets a process use Intel's matrix instructions (AMX) once it has asked. vLLM 0.32.0 uses
# them without asking; oneDNN asks, but only for larger products than those of one token. So the
# engine died of a first question as short as the liveness probe's.
torch.cpu._init_amx()  # noqa: SLF001

# On a GPU the engine's process is forked by default. The CPU platform asks for a new one, which
# imports vLLM once more, as a fork loses OpenMP's threads. There are none: OMP_NUM_THREADS is 1.
system_utils.get_mp_context = lambda: multiprocessing.get_context("fork")

if __name__ == "__main__":
    runpy.run_module("vllm.entrypoints.openai.api_server", run_name="__main__")
