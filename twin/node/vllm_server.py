"""vLLM's server, run by vLLM's own interpreter, with two things set before it starts.

Python's ``spawn`` runs this file in the engine's process, too.
"""
# pyright: basic, reportMissingImports=false

from __future__ import annotations

import gc
import runpy

import torch

# A start makes millions of objects that all stay; looking for garbage among them is a sixth of its
# processor time.
gc.set_threshold(100_000, 50, 100)

# Linux lets a process use Intel's matrix instructions (AMX) once it has asked. vLLM 0.32.0 uses
# them without asking; oneDNN asks, but only for larger products than those of one token. So the
# engine died of a first question as short as the liveness probe's.
torch.cpu._init_amx()  # noqa: SLF001

if __name__ == "__main__":
    runpy.run_module("vllm.entrypoints.openai.api_server", run_name="__main__")
