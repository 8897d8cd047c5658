from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.model.forecast.memory import (
    Request,
    encoder_tokens,
    fits,
    forecast,
    kv_tokens,
    longest_answer,
    nearest,
    needed_gib,
    step_gib,
)
from app.model.image_tokens import Size
from app.model.profiles import PROFILES, ProfileName

CARDS = st.floats(0.5, 200)
NAMES = st.sampled_from(sorted(PROFILES))


@given(NAMES, CARDS)
def test_the_parts_add_up_to_the_budget_and_the_budget_leaves_some_of_the_card(
    name: ProfileName, card_gib: float
) -> None:
    plan = forecast(PROFILES[name], card_gib)
    assert abs(plan.weights_gib + plan.other_gib + plan.kv_gib - plan.budget_gib) < 1e-9
    assert plan.budget_gib < card_gib


@given(NAMES, CARDS)
def test_what_fits_holds_one_whole_request_without_going_over(
    name: ProfileName, card_gib: float
) -> None:
    profile = PROFILES[name]
    plan = forecast(profile, card_gib)
    if fits(profile, card_gib):
        assert plan.kv_gib * 2**30 >= profile.max_model_len * profile.language.kv_bytes_per_token
    assert plan.kv_tokens >= 0


@given(NAMES, CARDS, st.floats(0, 50))
def test_a_larger_card_never_holds_less(name: ProfileName, card_gib: float, more: float) -> None:
    profile = PROFILES[name]
    small, large = forecast(profile, card_gib), forecast(profile, card_gib + more)
    assert large.kv_tokens >= small.kv_tokens


def test_weights_larger_than_the_card_do_not_fit_and_say_zero_tokens() -> None:
    plan = forecast(PROFILES["7b"], 8)
    assert plan.kv_gib < 0
    assert plan.kv_tokens == 0
    assert plan.at_once(1000, PROFILES["7b"]) == 0
    assert not fits(PROFILES["7b"], 8)


@pytest.mark.parametrize(
    ("name", "gib", "tokens"),
    [("7b", 4.21, 78_784), ("7b-awq", 12.02, 225_072), ("3b", 2.02, 58_768)],
)
def test_the_kv_cache_of_each_profile_on_a_3090(name: ProfileName, gib: float, tokens: int) -> None:
    plan = forecast(PROFILES[name], 23.69)
    assert plan.kv_gib == pytest.approx(gib, abs=0.005)
    assert plan.kv_tokens == tokens


def test_every_profile_fits_a_3090_and_the_largest_does_not_fit_half_of_it() -> None:
    assert all(fits(profile, 23.69) for profile in PROFILES.values())
    assert not fits(PROFILES["7b"], 23.69 / 2)


def test_as_many_of_the_largest_pictures_are_encoded_at_once_as_one_batch_holds() -> None:
    profile = PROFILES["7b"]  # 1,296 tokens at most, batches of 4,096
    assert encoder_tokens(profile) == 3 * 1296
    assert encoder_tokens(replace(profile, max_num_batched_tokens=2048)) == 1296
    # One that is larger than a batch is encoded whole.
    assert encoder_tokens(replace(profile, max_pixels=12_845_056)) == 16_384


def test_the_largest_step_is_the_largest_of_encoding_reading_and_sampling() -> None:
    profile = PROFILES["7b"]
    # 4,096 tokens * 2 bytes * (4 * 3,584 + 3 * 18,944), and 3 encoded pictures of 7,168 bytes each
    assert step_gib(profile) * 2**30 == 4096 * 2 * 71_168 + 3888 * 7168
    # 65,536 patches of 38,024 bytes
    assert step_gib(replace(profile, max_pixels=12_845_056)) * 2**30 == 65_536 * 38_024
    # 1,024 * 152,064 logits of 41 bytes
    assert step_gib(replace(profile, max_num_seqs=1024)) * 2**30 == 1024 * 152_064 * 41


def test_a_kv_cache_is_made_of_whole_blocks() -> None:
    tiny = PROFILES["tiny"]  # 3,840 bytes a token
    assert kv_tokens(tiny, 16 * 3840 - 1) == 0
    assert kv_tokens(tiny, 16 * 3840) == 16
    assert kv_tokens(tiny, 2**30, block_tokens=128) == 279_552


def test_a_request_is_its_picture_two_markers_the_text_and_the_answer() -> None:
    seven = PROFILES["7b"]
    assert Request(picture=Size(640, 480), answer_tokens=50).tokens(seven) == 391 + 2 + 100 + 50
    assert Request(picture=None, answer_tokens=50).tokens(seven) == 150
    assert longest_answer(Request(picture=Size(640, 480)), seven) == 8192 - 493


def test_requests_at_once_are_limited_by_blocks_or_by_the_scheduler() -> None:
    seven = PROFILES["7b"]
    plan = replace(forecast(seven, 23.69), kv_tokens=101 * 16)  # one block is vLLM's own
    assert plan.at_once(16, seven) == 16  # max_num_seqs
    assert plan.at_once(160, seven) == 10
    assert plan.at_once(161, seven) == 9
    assert plan.at_once(1601, seven) == 0


def test_the_smallest_card_is_one_that_just_fits() -> None:
    for profile in PROFILES.values():
        assert fits(profile, needed_gib(profile) + 0.01)
        assert not fits(profile, needed_gib(profile) - 0.01)


@pytest.mark.parametrize(
    ("name", "card_gib", "other"),
    [
        ("7b", 23.69, "7b"),
        ("7b", 16, "7b-awq"),
        ("3b", 16, "7b-awq"),
        ("3b", 19.6, "7b-awq"),
        ("7b", 8, None),
    ],
)
def test_the_nearest_that_fits_is_the_largest_up_to_the_one_that_was_wanted(
    name: ProfileName, card_gib: float, other: ProfileName | None
) -> None:
    assert nearest(name, card_gib) == other
