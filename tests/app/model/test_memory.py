from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from app.model.memory import activations_gib, fits, forecast
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
        assert plan.kv_gib * 2**30 >= profile.max_model_len * profile.kv_bytes_per_token
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
    assert not fits(PROFILES["7b"], 8)


def test_larger_batches_cost_activations() -> None:
    profile = PROFILES["7b"]
    assert activations_gib(replace(profile, max_num_batched_tokens=16_384)) > (
        activations_gib(profile)
    )
