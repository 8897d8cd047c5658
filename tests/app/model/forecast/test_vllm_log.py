"""vLLM's start-up log: lines of real starts, and what is missing in them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.model.forecast.memory import calibrated, forecast
from app.model.forecast.vllm_log import NoStartError, Reported, reported
from app.model.profiles import PROFILES

CPU = (Path(__file__).parent / "logs" / "cpu.log").read_text()
"""Lines of vLLM 0.32.0 with the twin's model, started for this test with the twin's arguments."""
START = (
    "(APIServer pid=1) INFO non-default args: {'model_tag': 'a/b', 'model': 'a/b', 'port': 8000}\n"
)
# https://github.com/wtdcode/vllm-backport/issues/34 : one of eight RTX 3090.
USAGE = (
    "(Worker_PP1_TP3 pid=4365) INFO 08-31 15:25:55 [gpu_worker.py:805] Free memory on device "
    "(22.93/23.56 GiB) on startup. Desired GPU memory utilization is (0.935, 22.03 GiB). Actual "
    "usage is 19.47 GiB for consumed memory (weights + non-torch), 0.6 GiB for peak activation, "
    "and 0.1 GiB for CUDAGraph memory. Replace gpu_memory_utilization config with "
    "`--kv-cache-memory=1828800984` (1.7 GiB) to fit into requested memory, or "
    "`--kv-cache-memory=2798683648` (2.61 GiB) to fully utilize gpu memory. Current kv cache "
    "memory in use is 1.95 GiB.\n"
)
# https://github.com/Sandermage/genesis-vllm-patches/issues/24
LOADED = (
    "(Worker_TP0 pid=92375) INFO 05-08 16:18:24 [gpu_model_runner.py:4960] Model loading took "
    "15.26 GiB memory and 23.107530 seconds\n"
)
# https://github.com/noonghunna/club-3090/issues/127
GRAPHS = (
    "(Worker_TP1 pid=148) INFO 05-14 00:04:16 [gpu_model_runner.py:6143] Estimated CUDA graph "
    "memory: 0.17 GiB total\n"
)
AVAILABLE = (
    "(Worker_TP0 pid=147) INFO 05-14 00:04:17 [gpu_worker.py:460] Available KV cache memory: "
    "15.72 GiB\n"
)
# Not from a GPU: the line of 0.32.0 and 0.33.0, which names the device (`_kv_cache_device_name`).
SIZE = (
    "(EngineCore pid=100) INFO 11-26 02:27:37 [kv_cache_utils.py:2327] GPU KV cache size: 100,000 "
    "tokens, Maximum concurrency for 8,192 tokens per request: 12.21x\n"
)
GPU = START + LOADED + GRAPHS + AVAILABLE + SIZE + USAGE


def test_the_twins_log_tells_the_kv_cache_and_nothing_of_a_gpu() -> None:
    assert reported(CPU) == Reported(
        model="personal-cloud-hub/tiny-vl",
        device="CPU",
        kv_tokens=279_552,
        max_model_len=4096,
        kv_gib=1.0,
    )


def test_a_gpus_log_tells_all_of_its_memory() -> None:
    log = reported(GPU)
    assert log == Reported(
        model="a/b",
        device="GPU",
        kv_tokens=100_000,
        max_model_len=8192,
        kv_gib=15.72,
        weights_gib=15.26,
        consumed_gib=19.47,
        graphs_gib=0.17,
        step_gib=0.43,
        card_gib=23.56,
        budget_gib=22.03,
    )
    assert log.libraries_gib == 4.21


def test_what_vllm_calls_peak_activation_has_the_graphs_in_it() -> None:
    """The same start says so: share, less consumed, less peak, is its KV cache."""
    assert pytest.approx(1.95, abs=0.02) == 22.03 - 19.47 - 0.6


def test_of_several_starts_the_last_counts() -> None:
    assert reported(GPU + CPU).device == "CPU"
    assert reported(CPU + GPU).device == "GPU"


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("", "which model"),
        (LOADED + AVAILABLE + SIZE, "which model"),
        (START + LOADED, "has not come as far as its KV cache"),
        (GPU + START, "a/b has not come as far"),
    ],
)
def test_a_log_without_a_whole_start_is_told(log: str, words: str) -> None:
    with pytest.raises(NoStartError, match=words):
        reported(log)


def test_vllms_figures_replace_the_estimates() -> None:
    seven = PROFILES["7b"]
    plan = calibrated(seven, 23.69, reported(GPU))
    assert (plan.kv_tokens, plan.kv_gib, plan.weights_gib) == (100_000, 15.72, 15.26)
    assert (plan.libraries_gib, plan.graphs_gib) == (4.21, 0.17)
    assert plan.block_tokens == 16
    assert "step_gib" in plan.reported


def test_on_a_cpu_only_the_kv_cache_is_replaced() -> None:
    tiny = PROFILES["tiny"]
    plan, before = calibrated(tiny, 23.69, reported(CPU)), forecast(tiny, 23.69)
    assert plan.reported == {"kv_gib", "kv_tokens"}
    assert (
        replace(
            plan,
            kv_gib=before.kv_gib,
            kv_tokens=before.kv_tokens,
            block_tokens=before.block_tokens,
            reported=frozenset[str](),
        )
        == before
    )
    assert plan.block_tokens == 128
