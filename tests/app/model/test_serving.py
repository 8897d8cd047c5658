from __future__ import annotations

import pytest

from app.model.memory import fits, forecast
from app.model.profiles import PROFILES, ProfileName
from app.model.serving import serve_args
from app.model.tiny.checkpoint import REVISION

CARD_GIB = 23.69


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
        "--sse-keep-alive-interval=15",
        "--disable-fastapi-docs",
        "--disable-access-log-for-endpoints=/health,/metrics",
        "--port=8000",
    ]


def test_a_quantised_checkpoint_says_itself_what_type_it_is() -> None:
    assert not [a for a in serve_args(PROFILES["7b-awq"], REVISION) if a.startswith("--dtype")]


@pytest.mark.parametrize(("name", "kv_gib"), [("7b", 4.3), ("7b-awq", 12.1), ("3b", 2.2)])
def test_the_kv_cache_of_each_profile_on_a_3090(name: ProfileName, kv_gib: float) -> None:
    assert forecast(PROFILES[name], CARD_GIB).kv_gib == pytest.approx(kv_gib, abs=0.15)


def test_every_profile_fits_a_3090_and_the_largest_does_not_fit_half_of_it() -> None:
    assert {name: fits(profile, CARD_GIB) for name, profile in PROFILES.items()} == {
        "7b": True,
        "7b-awq": True,
        "3b": True,
        "tiny": True,
    }
    assert not fits(PROFILES["7b"], CARD_GIB / 2)


def test_the_forecast_reads_as_a_sentence() -> None:
    assert str(forecast(PROFILES["7b"], CARD_GIB)).startswith(
        "21.3 GiB for vLLM: weights 15.4, context, activations and graphs 1.6, KV cache 4.3 GiB"
    )
