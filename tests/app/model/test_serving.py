from __future__ import annotations

from app.model.profiles import PROFILES
from app.model.serving import serve_args


def test_the_7b_models_whole_command_line() -> None:
    assert serve_args(PROFILES["7b"], "f" * 40) == [
        "Qwen/Qwen2.5-VL-7B-Instruct",
        f"--revision={'f' * 40}",
        "--dtype=bfloat16",
        "--served-model-name=vlm",
        "--max-model-len=8192",
        "--gpu-memory-utilization=0.9",
        "--max-num-seqs=16",
        "--max-num-batched-tokens=4096",
        '--limit-mm-per-prompt={"image":16,"video":0}',
        "--enable-auto-tool-choice",
        "--tool-call-parser=hermes",
        '--mm-processor-kwargs={"size":{"shortest_edge":3136,"longest_edge":1016064}}',
        "--mm-processor-cache-gb=1",
        "--allowed-media-domains=media.invalid",
        "--allowed-local-media-path=/nothing",
        '--structured-outputs-config={"backend":"xgrammar","disable_any_whitespace":true}',
        "--shutdown-timeout=60",
        "--middleware=hub_refusals.OpenAIErrors",
        "--middleware=hub_failures.FailuresByRequest",
        "--sse-keep-alive-interval=15",
        "--disable-fastapi-docs",
        "--disable-access-log-for-endpoints=/health,/metrics",
        "--port=8000",
    ]


def test_a_quantised_checkpoint_says_itself_what_type_it_is() -> None:
    assert not [a for a in serve_args(PROFILES["7b-awq"], "f" * 40) if a.startswith("--dtype")]
