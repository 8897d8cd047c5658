from __future__ import annotations

import pytest

from app.model.forecast.memory import Request
from app.model.forecast.plan import TooLongError, crowding, plan, refusal, rows
from app.model.forecast.vllm_log import Reported
from app.model.image_tokens import Size
from app.model.profiles import PROFILES


def test_the_rows_of_the_7b_model_on_a_3090() -> None:
    assert rows(plan("7b", 23.69, users=8)) == {
        "vLLM's share": "21.3 of 23.7 GiB",
        "left for others": "1.7 GiB",
        "weights": "15.44 GiB",
        "CUDA libraries": "0.50 GiB",
        "largest step": "0.57 GiB",
        "CUDA graphs": "0.60 GiB",
        "KV cache": "4.21 GiB",
        "KV cache holds": "78,784 tokens",
        "fits": "yes",
        "one request": "1,401 tokens",
        "picture in it": "999 tokens",
        "at once": "16 (max_num_seqs)",
        "speed of": "an RTX 3090",
        "roofline, reading": "5,440 tokens/s",
        "roofline, writing": "66 tokens/s",
        "users": "8",
        "first token": "3.9 s, last 4.1 s",
        "each writes": "34 tokens/s",
        "together": "188 tokens/s",
    }


def test_where_nothing_fits_there_is_no_speed() -> None:
    shown = rows(plan("7b", 12))
    assert (shown["fits"], shown["at once"]) == ("no", "0 (KV cache)")
    assert "first token" not in shown


def test_a_request_longer_than_the_context_is_refused_with_the_longest_answer() -> None:
    request = Request(picture=Size(1024, 768), answer_tokens=9000)
    with pytest.raises(TooLongError, match="the longest answer to this question has 7,091 tokens"):
        plan("7b", 23.69, request)
    longest = Request(picture=Size(1024, 768), answer_tokens=7091)
    assert plan("7b", 23.69, longest).at_once == 9


def test_a_refusal_names_what_is_needed_and_the_nearest_that_fits() -> None:
    assert refusal("7b", 23.69) is None
    told = refusal("7b", 11.6) or ""
    assert (
        "profile 7b does not fit a GPU of 11.6 GiB: 10.4 GiB may be used, 15.4 are weights" in told
    )
    assert "it needs 19.5 GiB; the nearest profile that fits is 7b-awq" in told
    assert "none fits, 7b-awq needs least: 10.6 GiB" in (refusal("3b", 4) or "")


def test_every_profile_is_either_fitting_or_refused() -> None:
    for name in PROFILES:
        for card in (4, 8, 12, 16, 20, 24):
            assert plan(name, card).fits == (refusal(name, card) is None)


def test_pods_share_a_card_as_long_as_their_shares_do() -> None:
    seven, three, tiny = plan("7b", 23.69), plan("3b", 23.69), plan("tiny", 23.69)
    assert crowding([three, three]) is None
    assert crowding([three, three, tiny]) is not None
    # Their shares alone are 23.69 GiB; each pod's CUDA context comes on top.
    assert crowding([seven, tiny]) is not None
    assert crowding([seven, three]) == (
        "7b and 3b may use 33.2 GiB together, and the GPU has 23.69; beside 7b 1.7 GiB are left"
    )


def test_on_a_cpu_nothing_is_said_of_a_gpu() -> None:
    log = Reported(model="", device="CPU", kv_tokens=279_552, max_model_len=4096, kv_gib=1.0)
    assert rows(plan("tiny", 23.69, log=log)) == {
        "KV cache": "1.00 GiB",
        "KV cache holds": "279,552 tokens",
        "fits": "yes",
        "one request": "456 tokens",
        "picture in it": "54 tokens",
        "at once": "8 (max_num_seqs)",
    }
