"""Whether a model fits the GPU: weights, activations and KV cache against its memory.

Estimates before the first start; afterwards vLLM's log has the measured numbers ("Available KV
cache memory"). None was checked on an RTX 3090 here, so a person may overrule it
(``model.evenIfTooLarge``).
"""

from __future__ import annotations

from dataclasses import dataclass

from app.model.image_tokens import FACTOR
from app.model.profiles import Profile

CUDA_CONTEXT_GIB = 0.5
"""Context and libraries: our estimate, between 0.4 and 0.6; no log tells it alone."""
CUDA_GRAPHS_GIB = 0.6
"""0.63 GiB in a log with all sizes captured (QwenLM/Qwen3-VL issue 1057); fewer are here."""
VIT_BYTES_PER_PATCH = 33_000
"""Our estimate from the encoder's shape (hidden 1280, MLP 3420, 16 heads, bfloat16)."""
PATCHES_PER_TOKEN = 4
"""Two by two are merged: ``spatial_merge_size`` in the model's ``config.json``."""
LANGUAGE_OVERHEAD = 1.5
"""Our estimate of what lives beside an MLP's two activations."""
SAMPLER_COPIES = 3
"""Our estimate: logits, their sorted copy, probabilities; four bytes each."""
TYPICAL_REQUEST_TOKENS = 2000
"""One picture of about 1,000 tokens, 500 of text, 500 of answer."""
GIB = 2**30


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """How a GPU's memory will be used, GiB."""

    budget_gib: float
    weights_gib: float
    other_gib: float
    kv_gib: float
    kv_tokens: int
    concurrent_requests: int

    def __str__(self) -> str:
        return (
            f"{self.budget_gib:.1f} GiB for vLLM: weights {self.weights_gib:.1f}, context, "
            f"activations and graphs {self.other_gib:.1f}, KV cache {self.kv_gib:.1f} GiB = "
            f"{self.kv_tokens:,} tokens, about {self.concurrent_requests} requests at once"
        )


def activations_gib(profile: Profile) -> float:
    """The larger of encoding the largest picture and one batch of the language model."""
    tokens = profile.max_pixels // FACTOR**2
    vision = VIT_BYTES_PER_PATCH * PATCHES_PER_TOKEN * tokens
    language = (
        2 * 2 * profile.intermediate_size * profile.max_num_batched_tokens * LANGUAGE_OVERHEAD
    )
    sampler = profile.max_num_seqs * profile.vocabulary * 4 * SAMPLER_COPIES
    return (max(vision, language) + sampler) / GIB


def forecast(profile: Profile, gpu_gib: float) -> Forecast:
    """What is left for the KV cache; negative when the weights alone are too large.

    ``gpu_gib`` is what the driver reports: 23.69 for a card sold as 24 GB.
    """
    budget = gpu_gib * profile.memory_fraction
    other = CUDA_CONTEXT_GIB + activations_gib(profile) + CUDA_GRAPHS_GIB
    kv = budget - profile.weights_gib - other
    tokens = max(0, int(kv * GIB / profile.kv_bytes_per_token))
    return Forecast(
        budget_gib=budget,
        weights_gib=profile.weights_gib,
        other_gib=other,
        kv_gib=kv,
        kv_tokens=tokens,
        concurrent_requests=tokens // TYPICAL_REQUEST_TOKENS,
    )


def fits(profile: Profile, gpu_gib: float) -> bool:
    """Whether at least one request of the longest length can be held."""
    return forecast(profile, gpu_gib).kv_tokens >= profile.max_model_len
