"""The models that can be served, with the numbers their memory and flags follow from.

Numbers are from each model's ``config.json``; weights are its parameters in the served precision.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from app.model.tiny.bounds import MAX_PIXELS, MIN_PIXELS
from app.model.tiny.checkpoint import NAME, REVISION

SERVED_NAME = "vlm"
"""What clients write as ``model``, whatever is served, so that they never change."""

ProfileName = Literal["7b", "7b-awq", "3b", "tiny"]
CoordSpace = Literal["pixels", "thousandths"]
"""What a model's box numbers count: pixels of the picture it was sent (Qwen2.5-VL), or thousandths
of its sides (Qwen3-VL)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One model, as one RTX 3090 serves it."""

    model: str
    """The repository at Hugging Face."""
    revision: str | None
    """Its commit that was looked at; ``None`` where nobody here has."""
    weights_gib: float
    kv_bytes_per_token: int
    """2 (key, value) * layers * KV heads * head width * 2 bytes."""
    intermediate_size: int
    vocabulary: int
    memory_fraction: float
    max_model_len: int
    max_num_seqs: int
    max_num_batched_tokens: int = 4096
    dtype: str | None = "bfloat16"
    """``None`` leaves it to the quantised checkpoint."""
    min_pixels: int = 3136
    max_pixels: int = 1_016_064
    """1008 by 1008: 1296 tokens at most. Qwen's default, 16,384 tokens, does not fit 24 GB."""
    coord_space: CoordSpace = "pixels"


PROFILES: dict[ProfileName, Profile] = {
    "7b": Profile(
        model="Qwen/Qwen2.5-VL-7B-Instruct",
        revision="cc594898137f460bfe9f0759e9844b3ce807cfb5",
        weights_gib=15.45,
        kv_bytes_per_token=57_344,
        intermediate_size=18_944,
        vocabulary=152_064,
        memory_fraction=0.90,
        max_model_len=8192,
        max_num_seqs=16,
    ),
    "7b-awq": Profile(
        model="Qwen/Qwen2.5-VL-7B-Instruct-AWQ",
        revision=None,
        weights_gib=6.45,
        kv_bytes_per_token=57_344,
        intermediate_size=18_944,
        vocabulary=152_064,
        memory_fraction=0.85,
        max_model_len=16_384,
        max_num_seqs=32,
        dtype=None,
    ),
    # Qwen's research licence: not for commercial use, unlike the two above (Apache 2.0).
    "3b": Profile(
        model="Qwen/Qwen2.5-VL-3B-Instruct",
        revision="66285546d2b821cf421d4f5eb2576359d3770cd3",
        weights_gib=6.99,
        kv_bytes_per_token=36_864,
        intermediate_size=11_008,
        vocabulary=151_936,
        memory_fraction=0.45,
        max_model_len=8192,
        max_num_seqs=16,
    ),
    "tiny": Profile(
        model=NAME,
        revision=REVISION,
        weights_gib=0.008,
        kv_bytes_per_token=3840,
        intermediate_size=512,
        vocabulary=1792,
        memory_fraction=0.10,
        max_model_len=4096,
        max_num_seqs=8,
        min_pixels=MIN_PIXELS,
        max_pixels=MAX_PIXELS,
    ),
}
