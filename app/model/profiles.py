"""The models that can be served, with the numbers their memory, speed and flags follow from.

Shapes are from each model's ``config.json``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from app.model.shape import Language, Vision

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
    revision: str
    """Its commit: for Qwen's repositories the one that other projects pin, too (2026-11-30)."""
    language: Language
    vision: Vision
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

    @property
    def weights_gib(self) -> float:
        """Of all parameters in the served precision."""
        return (self.language.weight_bytes + self.vision.weight_bytes) / GIB


GIB = 2**30
RTX_3090_GIB = 23.69
"""What CUDA reports of the card (``torch.cuda.mem_get_info``); ``nvidia-smi`` shows 24.0."""
AWQ_BITS = 4 + (16 + 4) / 128
"""Four for each parameter; for 128 of them a scale of 16 and a zero of 4 (``quantization_config``
in the checkpoint's ``config.json``: bits 4, group_size 128)."""
LANGUAGE_OF_7B = Language(
    layers=28,
    hidden_size=3584,
    heads=28,
    kv_heads=4,
    head_width=128,
    intermediate_size=18_944,
    vocabulary=152_064,
)
VISION_OF_7B = Vision(
    layers=32,
    hidden_size=1280,
    intermediate_size=3420,
    whole_picture_layers=4,
    out_hidden_size=3584,
)

PROFILES: dict[ProfileName, Profile] = {
    "7b": Profile(
        model="Qwen/Qwen2.5-VL-7B-Instruct",
        revision="cc594898137f460bfe9f0759e9844b3ce807cfb5",
        language=LANGUAGE_OF_7B,
        vision=VISION_OF_7B,
        memory_fraction=0.90,
        max_model_len=8192,
        max_num_seqs=16,
    ),
    "7b-awq": Profile(
        model="Qwen/Qwen2.5-VL-7B-Instruct-AWQ",
        revision="536a35794df8831aa814970ee8f89eff577e7718",
        language=replace(LANGUAGE_OF_7B, layer_bits=AWQ_BITS),
        vision=VISION_OF_7B,
        memory_fraction=0.85,
        max_model_len=16_384,
        max_num_seqs=32,
        dtype=None,
    ),
    # Qwen's research licence: not for commercial use, unlike the two above (Apache 2.0).
    "3b": Profile(
        model="Qwen/Qwen2.5-VL-3B-Instruct",
        revision="66285546d2b821cf421d4f5eb2576359d3770cd3",
        language=Language(
            layers=36,
            hidden_size=2048,
            heads=16,
            kv_heads=2,
            head_width=128,
            intermediate_size=11_008,
            vocabulary=151_936,
            tied=True,
        ),
        vision=replace(VISION_OF_7B, out_hidden_size=2048),
        memory_fraction=0.45,
        max_model_len=8192,
        max_num_seqs=16,
    ),
    # The twin's own, of coloured shapes. Its revision follows from its files.
    "tiny": Profile(
        model="personal-cloud-hub/tiny-vl",
        revision="9411a13adf42d0242056184d22786a771fc9cc26",
        language=Language(
            layers=5,
            hidden_size=192,
            heads=6,
            kv_heads=6,
            head_width=32,
            intermediate_size=512,
            vocabulary=1792,
        ),
        vision=Vision(
            layers=4,
            hidden_size=128,
            intermediate_size=256,
            whole_picture_layers=4,
            out_hidden_size=192,
        ),
        memory_fraction=0.10,
        max_model_len=4096,
        max_num_seqs=8,
        min_pixels=40 * 28 * 28,
        max_pixels=64 * 28 * 28,
    ),
}
