"""vLLM's server, run by vLLM's own interpreter, with a garbage collector that looks seldom.

A start makes millions of objects that all stay, and looking for garbage among them is a sixth of
its processor time. Python's ``spawn`` runs this file in the engine's process, too.
"""

from __future__ import annotations

import gc
import runpy

gc.set_threshold(100_000, 50, 100)

if __name__ == "__main__":
    runpy.run_module("vllm.entrypoints.openai.api_server", run_name="__main__")
