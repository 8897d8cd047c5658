"""vLLM's own processes, in its environment."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from twin.node.vllm_on_cpu import SERVER
from twin.paths import cache_dir
from twin.toolchain import vllm

pytestmark = pytest.mark.slow

# <asm/prctl.h> and Linux' x86/xstate: the features that the process was allowed, as bits.
IS_ALLOWED = f"""
import ctypes, runpy
runpy.run_path({str(SERVER)!r}, run_name="__mp_main__")
allowed, syscall_number, get, tiles = ctypes.c_uint64(), 158, 0x1022, 18
assert ctypes.CDLL(None).syscall(syscall_number, get, ctypes.byref(allowed)) == 0
print(bool(allowed.value >> tiles & 1))
"""


@pytest.mark.skipif(
    "amx_tile" not in Path("/proc/cpuinfo").read_text(),
    reason="this processor has no matrix instructions to ask for",
)
def test_the_engine_may_use_the_processors_matrices_from_its_first_token_on(tools: None) -> None:
    done = subprocess.run(
        [vllm.python(cache_dir()), "-c", IS_ALLOWED], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "True"
