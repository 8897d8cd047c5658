"""How long an RTX 3090 takes for a step: a roofline with two measured shares.

A step reads all weights once and each sequence's KV cache, and computes what is new. It takes as
long as the slower of the two, and a fixed time for launching it.

The shares are of a card limited to 220 W, because the published readings are. At its own limit of
350 W, one card read prompts 1.43 times as fast (llama.cpp, 27B; noonghunna/club-3090,
``docs/img/power-cap-3090-prefill.py``).
"""

from __future__ import annotations

from dataclasses import dataclass

from app.model.profiles import Profile
from app.model.shape import BYTES, Language, Vision

BANDWIDTH = 936e9
"""Bytes a second: GeForce RTX 3090, 384 bits of GDDR6X at 19.5 Gbit/s (NVIDIA, Ampere GA102 GPU
architecture, appendix A)."""
TENSOR_FLOPS = 71e12
"""Dense, bfloat16 with FP32 accumulation (same source)."""
BANDWIDTH_SHARE, STEP_SECONDS = 0.579, 0.0018
"""Fitted to one user's 35.5 tokens a second of Mistral-7B and 59.6 of Qwen3-4B, bfloat16, vLLM
0.25.0, one 3090 at 220 W (alesha-pro/4x3090-llm-benchmarks, ``catalog/campaigns/tli-synth*.md``,
means of seven and six runs). Readings for more users were not used."""
AWQ_BANDWIDTH_SHARE = 0.48
"""An estimate: 18.8 ms a token of Gemma 4 12B AWQ (same collection) for the 7.6 GB that it reads if
its shape is that of Gemma 3 12B. No reading of a model with a known shape was found."""
PREFILL_SHARE = 0.55
"""An estimate from two readings of 4-bit models: 39 TFLOPS a card for a 27B model on two at 230 W
(1,446 tokens a second, noonghunna/club-3090, ``BENCHMARKS.md``), 38 for Gemma 4 12B on one at 220 W
(1,576 tokens a second, 4x3090-llm-benchmarks)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What one model costs on this card."""

    language: Language
    vision: Vision | None = None

    @property
    def bandwidth(self) -> float:
        """Bytes a second of what is read in a step."""
        quantised = self.language.layer_bits < 8 * BYTES
        return BANDWIDTH * (AWQ_BANDWIDTH_SHARE if quantised else BANDWIDTH_SHARE)

    def step_seconds(self, context_tokens: int, flops: float) -> float:
        """One step: ``context_tokens`` are those of all sequences in it, ``flops`` what is new."""
        read = self.language.step_bytes + context_tokens * self.language.kv_bytes_per_token
        computed = flops / (TENSOR_FLOPS * PREFILL_SHARE)
        return STEP_SECONDS + max(read / self.bandwidth, computed)

    def encode_flops(self, picture_tokens: int) -> float:
        if self.vision is None or not picture_tokens:
            return 0
        return self.vision.flops(picture_tokens)


def writing_roofline(language: Language) -> float:
    """Tokens a second of one user's answer, were the memory's whole bandwidth used for it."""
    return BANDWIDTH / language.step_bytes


def reading_roofline(language: Language) -> float:
    """Tokens a second of prompts, were all tensor cores always busy; attention not counted."""
    return TENSOR_FLOPS / (2 * language.layer_parameters)


def costs(profile: Profile) -> Costs:
    return Costs(language=profile.language, vision=profile.vision)
