from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.model.forecast.batching import Limits, Work, simulate, speed
from app.model.forecast.speed import STEP_SECONDS, costs, reading_roofline, writing_roofline
from app.model.profiles import PROFILES

SEVEN = costs(PROFILES["7b"])
LIMITS = Limits(sequences=16, batched_tokens=4096, kv_tokens=78_784)
WORKS = st.builds(Work, prompt=st.integers(1, 3000), answer=st.integers(1, 20), picture=st.just(0))


def step(context: int, prompt: int = 0) -> float:
    return SEVEN.step_seconds(context, SEVEN.language.prefill_flops(prompt))


def test_a_step_reads_all_weights_and_the_kv_cache_of_everybody_in_it() -> None:
    # 14.14 GB at 0.579 of 936 GB/s, and 57,344 bytes for each token of context
    assert step(0) == pytest.approx(0.0018 + 14.14e9 / 541.9e9, rel=1e-3)
    assert step(10_000) - step(0) == pytest.approx(10_000 * 57_344 / 541.9e9, rel=1e-3)


def test_no_user_is_faster_than_memory() -> None:
    for name in ("7b", "7b-awq", "3b"):
        one = costs(PROFILES[name])
        assert 1 / one.step_seconds(0, 0) < writing_roofline(one.language)
    assert writing_roofline(SEVEN.language) == pytest.approx(66.2, abs=0.1)


def test_no_prompt_is_read_faster_than_the_tensor_cores_multiply() -> None:
    # 71 TFLOPS, twice 6.525 billion parameters
    assert reading_roofline(SEVEN.language) == pytest.approx(5440, rel=1e-3)
    assert 4096 / step(0, 4096) < reading_roofline(SEVEN.language)


def test_one_user_waits_for_the_prompt_and_then_for_each_token() -> None:
    [answered] = simulate([Work(prompt=1000, answer=3)], SEVEN, LIMITS)
    assert answered.first_token == pytest.approx(step(0, 1000))
    writing = [SEVEN.step_seconds(n, SEVEN.language.prefill_flops(1, n)) for n in (1001, 1002)]
    assert answered.last_token == pytest.approx(answered.first_token + sum(writing))


def test_a_prompt_longer_than_a_batch_is_read_in_pieces() -> None:
    [short] = simulate([Work(prompt=4096, answer=1)], SEVEN, LIMITS)
    [long] = simulate([Work(prompt=4097, answer=1)], SEVEN, LIMITS)
    assert long.first_token - short.first_token == pytest.approx(step(4096), rel=0.01)


def test_those_who_write_go_on_while_others_are_read() -> None:
    works = [Work(prompt=10, answer=2), Work(prompt=12_000, answer=1)]  # read in three steps
    first, second = simulate(works, SEVEN, LIMITS)
    assert first.first_token < first.last_token < second.first_token


def test_who_does_not_fit_waits_for_who_is_done() -> None:
    work = Work(prompt=100, answer=10)
    narrow = replace(LIMITS, kv_tokens=110)
    first, second = simulate([work, work], SEVEN, narrow)
    assert second.first_token == pytest.approx(first.last_token + first.first_token)
    one_seat = replace(LIMITS, sequences=1)
    assert simulate([work, work], SEVEN, one_seat) == simulate([work, work], SEVEN, narrow)


def test_a_request_that_can_never_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="1010 tokens does not fit a KV cache of 1000"):
        simulate([Work(prompt=1000, answer=10)], SEVEN, replace(LIMITS, kv_tokens=1000))


def test_a_picture_is_encoded_unless_it_was_before() -> None:
    work = Work(prompt=1101, answer=2, picture=999)
    [new] = simulate([work], SEVEN, LIMITS)
    [text] = simulate([replace(work, picture=0)], SEVEN, LIMITS)
    [known] = simulate([replace(work, cached=1088)], SEVEN, LIMITS)
    encoding = SEVEN.encode_flops(999) / (71e12 * 0.55)
    assert new.first_token - text.first_token == pytest.approx(encoding)
    assert known.first_token == pytest.approx(step(1088), rel=0.05)


@given(st.lists(WORKS, min_size=1, max_size=12), st.integers(1, 4))
def test_every_request_is_answered_once_and_in_no_less_than_its_own_steps(
    works: list[Work], sequences: int
) -> None:
    limits = Limits(sequences=sequences, batched_tokens=512, kv_tokens=4000)
    answered = simulate(works, SEVEN, limits)
    assert len(answered) == len(works)
    assert all(0 < one.first_token <= one.last_token for one in answered)
    assert min(one.last_token for one in answered) >= min(w.answer for w in works) * STEP_SECONDS


def test_more_users_write_more_together_and_less_each() -> None:
    work = Work(prompt=1101, answer=300, picture=999)
    one, eight = (speed(users, work, SEVEN, LIMITS) for users in (1, 8))
    assert one.first_token_seconds == one.last_first_token_seconds
    assert eight.tokens_per_second > 3 * one.tokens_per_second
    assert eight.tokens_per_second_each < one.tokens_per_second_each
    assert one.first_token_seconds < eight.first_token_seconds < eight.last_first_token_seconds


def test_four_bits_are_read_quicker_than_sixteen_but_not_four_times() -> None:
    four = costs(PROFILES["7b-awq"]).step_seconds(0, 0)
    assert 2 < step(0) / four < 4
