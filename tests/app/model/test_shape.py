from __future__ import annotations

import pytest

from app.model.profiles import PROFILES, ProfileName
from app.model.shape import Language


@pytest.mark.parametrize(
    ("name", "weights_gib", "step_gb", "kv_bytes"),
    [
        # Parameters as transformers counts them on its meta device: 8.292 and 3.755 billion.
        ("7b", 15.45, 14.14, 57_344),
        ("7b-awq", 6.45, 4.48, 57_344),
        ("3b", 6.99, 6.17, 36_864),
        # The file has 0.0076 GiB.
        ("tiny", 0.0076, 0.0051, 3840),
    ],
)
def test_weights_what_a_step_reads_and_the_kv_cache_follow_from_the_shape(
    name: ProfileName, weights_gib: float, step_gb: float, kv_bytes: int
) -> None:
    profile = PROFILES[name]
    assert profile.weights_gib == pytest.approx(weights_gib, rel=0.01)
    assert profile.language.step_bytes / 1e9 == pytest.approx(step_gb, rel=0.01)
    assert profile.language.kv_bytes_per_token == kv_bytes


ONE = Language(
    layers=1,
    hidden_size=4,
    heads=2,
    kv_heads=1,
    head_width=2,
    intermediate_size=8,
    vocabulary=10,
)


def test_a_layer_is_four_projections_and_three_matrices_of_the_mlp() -> None:
    assert ONE.layer_parameters == (4 * 4 + 2 * (4 * 2) + 4 * 4) + 3 * 4 * 8
    assert ONE.weight_bytes == 2 * (144 + 40 + 40)


def test_reading_a_prompt_in_two_pieces_computes_as_much_as_in_one() -> None:
    whole = ONE.prefill_flops(10)
    assert whole == 2 * 144 * 10 + 4 * 4 * 50
    assert ONE.prefill_flops(6) + ONE.prefill_flops(4, 6) == pytest.approx(whole)


def test_a_patch_takes_the_memory_of_the_encoders_mlp() -> None:
    # 2 bytes * (5 * 1,280 + 3 * 3,420 + 2 * 1,176)
    assert PROFILES["7b"].vision.bytes_per_patch == 38_024


def test_a_picture_of_twice_the_tokens_takes_more_than_twice_the_work() -> None:
    vision = PROFILES["7b"].vision
    assert vision.flops(1296) == pytest.approx(7.24e12, rel=0.01)
    assert 2 * vision.flops(1296) < vision.flops(2592) < 2.3 * vision.flops(1296)
