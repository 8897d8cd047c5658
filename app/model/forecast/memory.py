"""How a GPU's memory will be used: weights, activations, CUDA graphs and KV cache.

Follows what vLLM 0.33.0 does at its start: it runs the largest step it can meet, measures the peak,
and gives the KV cache what is left of its share (``vllm/v1/worker/gpu_worker.py``,
``determine_available_memory``). None was checked on an RTX 3090 here, so a person may overrule it
(``model.evenIfTooLarge``), and :mod:`app.model.forecast.vllm_log` replaces it by vLLM's figures.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import ceil

from app.model.forecast.vllm_log import Reported
from app.model.image_tokens import FACTOR, Size, image_tokens
from app.model.profiles import GIB, PROFILES, Profile, ProfileName
from app.model.shape import BYTES, MERGED

CONTEXT_GIB = 0.63
"""CUDA's context: outside of vLLM's share, because vLLM looks at what is free only after it was
made (``init_snapshot``). 22.93 of 23.56 GiB were free then on RTX 3090s
(wtdcode/vllm-backport#34)."""
LIBRARIES_GIB = 0.5
"""CUDA's libraries, inside the share. Logs have 0.30 to 0.43 GiB of "non-torch memory" for one GPU
(vllm-project/vllm issues 15815, 16570, 14452); an estimate above them."""
GRAPHS_GIB = 0.6
"""CUDA graphs. Logs have 0.63 GiB (QwenLM/Qwen3-VL issue 1057) and 0.73 (vllm-project/vllm#39559)
with all sizes captured, 0.36 with 16 sizes (gpustack/runner#251); here are 7 sizes, 11 of 7b-awq
(twice ``max_num_seqs`` at most). An estimate above what these should need."""
SAMPLER_BYTES = 41
"""Bytes for each logit while one step's tokens are drawn: 1.26 GiB for 256 sequences and 128,256
entries, the same on one GPU as on two, so no layer's activations (vllm-project/vllm#10511)."""
BLOCK_TOKENS = 16
"""Tokens in one block of the KV cache on a GPU (``CacheConfig.DEFAULT_BLOCK_SIZE``)."""
CPU_BLOCK_TOKENS = 128
"""On the twin, whose vLLM is 0.32.0 (``vllm/platforms/cpu.py``)."""
MARKERS = 2
"""Tokens before and after a picture's own."""
TEXT_TOKENS = 100
"""Question, system prompt and chat template: an assumption about the use."""
PICTURE, ANSWER_TOKENS = Size(1024, 768), 300
"""The usual question: a camera's picture, and a list of boxes in the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What one user asks for."""

    picture: Size | None = PICTURE
    answer_tokens: int = ANSWER_TOKENS

    def picture_tokens(self, profile: Profile) -> int:
        """Image tokens after the server's own resize."""
        if self.picture is None:
            return 0
        return image_tokens(self.picture, profile.min_pixels, profile.max_pixels)

    def prompt_tokens(self, profile: Profile) -> int:
        picture = self.picture_tokens(profile)
        return TEXT_TOKENS + (picture + MARKERS if picture else 0)

    def tokens(self, profile: Profile) -> int:
        """Of the KV cache, when the answer is complete."""
        return self.prompt_tokens(profile) + self.answer_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """How a GPU's memory will be used, GiB; negative ``kv_gib``: the rest alone is too large."""

    budget_gib: float
    weights_gib: float
    libraries_gib: float
    step_gib: float
    """The peak of the largest step, above the weights."""
    graphs_gib: float
    kv_gib: float
    kv_tokens: int
    """In whole blocks."""
    block_tokens: int = BLOCK_TOKENS
    reported: frozenset[str] = field(default_factory=frozenset[str])
    """Names of the fields above that vLLM's log gave."""

    @property
    def other_gib(self) -> float:
        return self.libraries_gib + self.step_gib + self.graphs_gib

    def at_once(self, tokens: int, profile: Profile) -> int:
        """How many requests of so many tokens are answered at the same time.

        vLLM keeps one block for itself (``BlockPool.null_block``).
        """
        blocks = max(0, self.kv_tokens // self.block_tokens - 1)
        return min(profile.max_num_seqs, blocks // ceil(tokens / self.block_tokens))


def encoder_tokens(profile: Profile) -> int:
    """Image tokens that are encoded at once in the largest step: as many of the largest pictures as
    fit ``max_num_batched_tokens``, at least one (``vllm/multimodal/encoder_budget.py``)."""
    largest = profile.max_pixels // FACTOR**2
    return largest * max(1, profile.max_num_batched_tokens // largest)


def step_gib(profile: Profile) -> float:
    """The peak of a step: encoding, reading or sampling, which follow one another. What has been
    encoded stays until it has been read.

    The language model's is in its MLP: input, norm, residual and result; gate, up and product.
    """
    language = profile.language
    vision = profile.vision.bytes_per_patch * MERGED * encoder_tokens(profile)
    wide = 4 * language.hidden_size + 3 * language.intermediate_size
    read = BYTES * wide * profile.max_num_batched_tokens
    encoded = BYTES * language.hidden_size * encoder_tokens(profile)
    sampled = SAMPLER_BYTES * profile.max_num_seqs * language.vocabulary
    return max(vision, read + encoded, sampled) / GIB


def kv_tokens(profile: Profile, kv_bytes: float, block_tokens: int = BLOCK_TOKENS) -> int:
    """How many tokens fit, in whole blocks (``get_kv_cache_config_from_groups`` in
    ``vllm/v1/core/kv_cache_utils.py``)."""
    blocks = kv_bytes // (profile.language.kv_bytes_per_token * block_tokens)
    return max(0, int(blocks)) * block_tokens


def forecast(profile: Profile, card_gib: float) -> Forecast:
    """Before the first start.

    ``card_gib`` is what CUDA reports, such as ``RTX_3090_GIB``.
    """
    budget = card_gib * profile.memory_fraction
    step = step_gib(profile)
    kv = budget - profile.weights_gib - LIBRARIES_GIB - step - GRAPHS_GIB
    return Forecast(
        budget_gib=budget,
        weights_gib=profile.weights_gib,
        libraries_gib=LIBRARIES_GIB,
        step_gib=step,
        graphs_gib=GRAPHS_GIB,
        kv_gib=kv,
        kv_tokens=kv_tokens(profile, kv * GIB),
    )


def calibrated(profile: Profile, card_gib: float, log: Reported) -> Forecast:
    """The forecast with vLLM's figures in place of the estimates.

    On a CPU the KV cache has a size of its own, and nothing of a GPU is reported.
    """
    given = {
        name: value
        for name in (
            "budget_gib",
            "weights_gib",
            "libraries_gib",
            "step_gib",
            "graphs_gib",
            "kv_gib",
        )
        if (value := getattr(log, name)) is not None
    }
    block = BLOCK_TOKENS if log.device == "GPU" else CPU_BLOCK_TOKENS
    return replace(
        forecast(profile, card_gib),
        **given,
        kv_tokens=log.kv_tokens,
        block_tokens=block,
        reported=frozenset({*given, "kv_tokens"}),
    )


def fits(profile: Profile, card_gib: float) -> bool:
    """Whether at least one request of the longest length can be held."""
    return forecast(profile, card_gib).kv_tokens >= profile.max_model_len


def nearest(name: ProfileName, card_gib: float) -> ProfileName | None:
    """The profile with the most weights, up to those of ``name``, that fits the card."""
    most = PROFILES[name].weights_gib
    return max(
        (
            other
            for other, profile in PROFILES.items()
            if profile.weights_gib <= most and fits(profile, card_gib)
        ),
        key=lambda other: PROFILES[other].weights_gib,
        default=None,
    )


def needed_gib(profile: Profile) -> float:
    """The smallest card that holds one request of the longest length."""
    kv = ceil(profile.max_model_len / BLOCK_TOKENS) * BLOCK_TOKENS
    rest = LIBRARIES_GIB + step_gib(profile) + GRAPHS_GIB
    kv_gib = kv * profile.language.kv_bytes_per_token / GIB
    return (profile.weights_gib + rest + kv_gib) / profile.memory_fraction


def longest_answer(request: Request, profile: Profile) -> int:
    """Tokens that the profile's context leaves for an answer; negative: not even the question."""
    return profile.max_model_len - request.prompt_tokens(profile)
