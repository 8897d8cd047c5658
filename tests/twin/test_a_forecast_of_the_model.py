"""What is forecast of the twin's model is what real vLLM reports: KV cache and image tokens."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

from app.model.forecast.memory import CPU_BLOCK_TOKENS, kv_tokens
from app.model.image_tokens import Size, image_tokens
from app.model.profiles import GIB, PROFILES
from tests.twin.conftest import HubUnderTest
from tests.twin.questions import chat, first_key, picture
from twin.node.vllm_on_cpu import ENVIRONMENT

pytestmark = pytest.mark.twin

TINY = PROFILES["tiny"]
SIZES = [Size(320, 240), Size(640, 480), Size(1920, 1080), Size(100, 1000), Size(28, 28)]


def calibrated(hub: HubUnderTest) -> dict[str, Any]:
    return json.loads(hub.ok("plan", "--calibrate", "--json"))


def test_the_kv_cache_has_exactly_as_many_blocks_as_were_forecast(hub: HubUnderTest) -> None:
    log = calibrated(hub)["vllm_log"]
    given = float(ENVIRONMENT["VLLM_CPU_KVCACHE_SPACE"])
    assert (log["model"], log["device"]) == (TINY.model, "CPU")
    assert (log["kv_gib"], log["max_model_len"]) == (given, TINY.max_model_len)
    forecast = kv_tokens(TINY, given * GIB, CPU_BLOCK_TOKENS)
    assert log["kv_tokens"] // CPU_BLOCK_TOKENS == forecast // CPU_BLOCK_TOKENS == 2184
    assert log["kv_tokens"] == forecast == 279_552


def test_the_table_shows_both_and_uses_vllms(hub: HubUnderTest) -> None:
    shown = hub.ok("plan", "--calibrate")
    [line] = [line.split() for line in shown.splitlines() if "KV cache, tokens" in line]
    assert line[-2:] == ["279,552", "279,552"]
    [plan] = calibrated(hub)["profiles"]
    assert plan["memory"]["reported"] == ["kv_gib", "kv_tokens"]
    # 2,184 blocks of 128 tokens, one of them vLLM's own; the scheduler's limit is lower.
    assert plan["at_once"] == TINY.max_num_seqs


def prompt_tokens(http: httpx2.Client, content: list[dict[str, Any]]) -> int:
    answer = http.post("/v1/chat/completions", json=chat(content)).raise_for_status()
    return answer.json()["usage"]["prompt_tokens"]


def test_each_picture_takes_exactly_as_many_tokens_as_were_forecast(hub: HubUnderTest) -> None:
    text = {"type": "text", "text": "Hello"}
    with hub.http(first_key(hub)) as http:
        alone = prompt_tokens(http, [text])
        taken = {size: prompt_tokens(http, [picture(*size), text]) - alone for size in SIZES}
    expected = {size: image_tokens(size, TINY.min_pixels, TINY.max_pixels) + 2 for size in SIZES}
    assert taken == expected
