"""The production command line, made fit for a CPU."""

from __future__ import annotations

from app.model.profiles import PROFILES
from app.model.serving import environment as production_environment
from app.model.serving import serve_args
from twin.node.vllm_on_cpu import arguments, environment


def test_the_model_is_named_and_the_gpus_memory_is_not() -> None:
    production = [
        "Qwen/Qwen2.5-VL-3B-Instruct",
        "--revision=abc",
        "--gpu-memory-utilization=0.9",
        "--kv-cache-memory-bytes=2684354560",
        "--served-model-name=vlm",
    ]
    assert arguments(production) == [
        "--model",
        "Qwen/Qwen2.5-VL-3B-Instruct",
        "--revision=abc",
        "--served-model-name=vlm",
        "--enforce-eager",
    ]


def test_a_flag_whose_name_only_begins_alike_is_kept() -> None:
    assert "--gpu-memory-utilization-x=1" in arguments(["m", "--gpu-memory-utilization-x=1"])


def test_the_pods_environment_stays_and_nothing_is_downloaded() -> None:
    found = environment({**production_environment(), "VLLM_API_KEY": "sesame"})
    assert found["HF_HOME"] == "/cache/huggingface"
    assert found["VLLM_API_KEY"] == "sesame"
    assert found["HF_HUB_OFFLINE"] == "1"
    assert found["VLLM_CPU_KVCACHE_SPACE"] == "1"


def test_the_programs_own_command_line_loses_only_the_share_of_memory() -> None:
    production = serve_args(PROFILES["tiny"], "abc")
    found = arguments(production)
    assert set(production) - set(found) == {"--gpu-memory-utilization=0.1"}
    assert set(found) - set(production) == {"--model", "--enforce-eager"}
