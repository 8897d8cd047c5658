"""vLLM's own processes, in its environment."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from twin.node.vllm_on_cpu import SERVER
from twin.paths import cache_dir
from twin.toolchain import vllm

pytestmark = pytest.mark.slow

BEGUN = f"import runpy; runpy.run_path({str(SERVER)!r})"
# <asm/prctl.h> and Linux' x86/xstate: the features that the process was allowed, as bits.
IS_ALLOWED = """
import ctypes, os
if os.fork():
    os.wait()
else:
    allowed, syscall_number, get, tiles = ctypes.c_uint64(), 158, 0x1022, 18
    assert ctypes.CDLL(None).syscall(syscall_number, get, ctypes.byref(allowed)) == 0
    print(bool(allowed.value >> tiles & 1))
"""
# What the CPU platform does when the server reads its arguments.
HOW_THE_ENGINE_BEGINS = """
import os
os.environ["VLLM_WORKER_MULTIPROC_METHOD"] = "spawn"
from vllm.v1.engine.utils import get_mp_context
print(get_mp_context().get_start_method())
"""


def said(program: str) -> str:
    """The last line that the server's beginning and then the program print."""
    done = subprocess.run(
        [vllm.python(cache_dir()), "-c", f"{BEGUN}\n{program}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()[-1]


@pytest.mark.skipif(
    "amx_tile" not in Path("/proc/cpuinfo").read_text(),
    reason="this processor has no matrix instructions to ask for",
)
def test_the_engine_may_use_the_processors_matrices_from_its_first_token_on(tools: None) -> None:
    assert said(IS_ALLOWED) == "True"


def test_the_engine_is_a_fork_of_the_server_which_has_imported_everything(tools: None) -> None:
    assert said(HOW_THE_ENGINE_BEGINS) == "fork"
