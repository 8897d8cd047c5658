"""Readings that others published, and what this forecast says of the same, its misses included.

Models of other families stand here where their decoder has the same shape of layers; they are not
served by this project. Of the rig that measured the speeds, all readings are here that are of one
card, without speculative decoding, and of a model whose shape is known. ``docs/forecast.md`` shows
the table, a test holds it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from app.model.forecast.batching import Limits, Work, speed
from app.model.forecast.memory import (
    BLOCK_TOKENS,
    CPU_BLOCK_TOKENS,
    fits,
    forecast,
    kv_tokens,
    step_gib,
)
from app.model.forecast.speed import Costs
from app.model.image_tokens import Size, image_tokens
from app.model.profiles import AWQ_BITS, GIB, LANGUAGE_OF_7B, PROFILES, RTX_3090_GIB, VISION_OF_7B
from app.model.shape import Language

VLLM = "https://github.com/vllm-project/vllm"
QWEN = "https://github.com/QwenLM/Qwen3-VL"
RIG = "https://github.com/alesha-pro/4x3090-llm-benchmarks"
NEWER, OLDER = "vLLM 0.25.0", "vLLM 0.23.0"
"""Of that rig."""
LIMITS = Limits(sequences=8, batched_tokens=8192, kv_tokens=100_000)
OURS = "on CPU, here"
LLAMA_3_8B = Language(
    layers=32,
    hidden_size=4096,
    heads=32,
    kv_heads=8,
    head_width=128,
    intermediate_size=14_336,
    vocabulary=128_256,
)
MISTRAL_7B = replace(LLAMA_3_8B, vocabulary=32_768)
QWEN3_8B = Language(
    layers=36,
    hidden_size=4096,
    heads=32,
    kv_heads=8,
    head_width=128,
    intermediate_size=12_288,
    vocabulary=151_936,
)
QWEN3_4B = replace(QWEN3_8B, hidden_size=2560, intermediate_size=9728, tied=True)
QWEN25_32B = Language(
    layers=64,
    hidden_size=5120,
    heads=40,
    kv_heads=8,
    head_width=128,
    intermediate_size=27_648,
    vocabulary=152_064,
)
QWEN25_72B = replace(QWEN25_32B, layers=80, hidden_size=8192, heads=64, intermediate_size=29_568)
VISION_OF_72B = replace(VISION_OF_7B, intermediate_size=3456, out_hidden_size=8192)
RECIPE_PICTURE = 1_003_520
"""Pixels: vLLM's recipe for Qwen2.5-VL."""
DEFAULTS: dict[str, Any] = {
    "memory_fraction": 0.9,
    "max_model_len": 128_000,
    "max_num_seqs": 256,
    "max_num_batched_tokens": 2048,
    "max_pixels": 12_845_056,
}
"""vLLM's, and the checkpoints' own bound of a picture, when these readings were made."""
BLOCK_OF_HALF_A_32B = QWEN25_32B.kv_bytes_per_token // 2 * BLOCK_TOKENS
"""Bytes, on one of two GPUs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A published number beside ours."""

    what: str
    predicted: float
    reported: float
    unit: str
    within: float
    """How far apart the two may be, of the reported number; a test holds it."""
    source: str
    engine: str = "vLLM"
    missed: str = ""
    """Why the two are further apart, as far as it is known."""

    @property
    def apart(self) -> float:
        """Of the reported number."""
        return self.predicted / self.reported - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Whether vLLM started, and what we say of it."""

    what: str
    predicted: bool
    reported: bool
    source: str
    missed: str = ""
    """Why it went another way, as far as it is known."""


def _weights(of: str, gib: float, reported: float, source: str) -> Reading:
    return Reading(
        what=f"weights of {of}",
        predicted=gib,
        reported=reported,
        unit="GiB",
        within=0.015,
        source=source,
    )


def memory_readings() -> list[Reading]:
    """Weights, KV cache, activations and image tokens."""
    text = replace(LANGUAGE_OF_7B, layer_bits=AWQ_BITS)
    half_of_32b = QWEN25_32B.weight_bytes / 2 / GIB
    of_72b = (QWEN25_72B.weight_bytes + VISION_OF_72B.weight_bytes) / 4 / GIB
    tiny = kv_tokens(PROFILES["tiny"], 1 * GIB, CPU_BLOCK_TOKENS)
    picture = image_tokens(Size(4000, 3000), PROFILES["7b"].min_pixels, RECIPE_PICTURE)
    # The log does not say what CUDA reports for the H100; 79.1 GiB is usual.
    of_h100 = forecast(replace(PROFILES["7b"], **DEFAULTS), 79.1)
    return [
        _weights("Qwen2.5-VL-7B", PROFILES["7b"].weights_gib, 15.6271, f"{QWEN}/issues/1057"),
        _weights("Qwen2.5-7B AWQ", text.weight_bytes / GIB, 5.2032, f"{VLLM}/issues/13882"),
        _weights("Llama 3 8B", LLAMA_3_8B.weight_bytes / GIB, 14.96, f"{VLLM}/pull/10511"),
        _weights("Qwen2.5-32B, half", half_of_32b, 30.7098, f"{VLLM}/issues/15815"),
        _weights("Qwen2.5-VL-72B, a quarter", of_72b, 34.43, f"{VLLM}/issues/16570"),
        Reading(
            what="KV blocks in 7.71 GiB, Qwen2.5-32B on two GPUs",
            predicted=7.71 * GIB // BLOCK_OF_HALF_A_32B,
            reported=3947,
            unit="blocks",
            within=0,
            source=f"{VLLM}/issues/15815",
        ),
        Reading(
            what="KV blocks in 14.26 GiB, QwQ-32B on two GPUs",
            predicted=14.26 * GIB // BLOCK_OF_HALF_A_32B,
            reported=7299,
            unit="blocks",
            within=0.001,  # the log rounds the GiB
            source=f"{VLLM}/issues/14452",
        ),
        Reading(
            what="KV tokens of Qwen2.5-VL-7B with vLLM's defaults, H100",
            predicted=of_h100.kv_tokens,
            reported=905_648,
            unit="tokens",
            within=0.15,
            source=f"{QWEN}/issues/1057",
            engine="vLLM 0.8.2",
        ),
        Reading(
            what="tokens in 1 GiB of KV cache, the twin's model",
            predicted=tiny,
            reported=279_552,
            unit="tokens",
            within=0,
            source=OURS,
            engine="vLLM 0.32.0",
        ),
        Reading(
            what="a picture of 4000x3000 at the recipe's bound",
            predicted=picture,
            reported=1230,
            unit="tokens",
            within=0,
            source=OURS,
            engine="vLLM 0.32.0",
        ),
        Reading(
            what="a step's peak, Qwen2.5-7B, 256 sequences",
            predicted=step_gib(replace(PROFILES["7b"], max_num_seqs=256)),
            reported=1.42,
            unit="GiB",
            within=0.15,
            source=f"{VLLM}/issues/13882",
        ),
    ]


def starts() -> list[Start]:
    """Starts that failed or not."""
    recipe = replace(
        PROFILES["7b"],
        **DEFAULTS
        | {"memory_fraction": 0.92, "max_model_len": 16_384, "max_pixels": RECIPE_PICTURE},
    )
    default = replace(PROFILES["7b"], **DEFAULTS)
    small = replace(PROFILES["7b-awq"], memory_fraction=0.7, max_model_len=4096, max_num_seqs=256)
    of_3b = replace(PROFILES["3b"], **DEFAULTS | {"memory_fraction": 0.3})
    return [
        Start(
            what="7B with vLLM's defaults on an RTX 3090",
            predicted=fits(default, RTX_3090_GIB),
            reported=False,
            source="https://github.com/gpustack/gpustack/issues/1800",
        ),
        Start(
            what="7B as vLLM's recipe recommends for 24 GB",
            predicted=fits(recipe, RTX_3090_GIB),
            reported=True,
            source="https://github.com/vllm-project/recipes",
        ),
        Start(
            what="7B AWQ in 0.7 of 8 GiB",
            predicted=fits(small, 8),
            reported=False,
            source=f"{VLLM}/issues/13882",
        ),
        Start(
            what="3B with vLLM's defaults in 0.3 of an A100",
            predicted=fits(of_3b, 79.15),
            reported=False,
            source=f"{VLLM}/issues/18124",
            missed="video was on, which the profiles switch off",
        ),
        Start(
            what="7B AWQ on a card of 23.69 GiB",
            predicted=fits(replace(PROFILES["7b-awq"], **DEFAULTS), RTX_3090_GIB),
            reported=False,
            source=f"{QWEN}/issues/1224",
            missed="other processes held 8.6 GiB of it",
        ),
    ]


def speed_readings() -> list[Reading]:
    """Tokens a second of one RTX 3090 at 220 W, and seconds until the first one.

    Prompts of 512 tokens where no other number is told, answers of 256. The first and the fifth row
    were used to fit the two constants. How long people's prompts were is not published.
    """
    mistral = {1: 35.5, 2: 68.9, 4: 136.2, 8: 261.2}
    qwen = {1: 59.6, 4: 238.9, 8: 452.8}
    of_people = {1: 34.69, 4: 131.97, 8: 253.39}
    instructed = {1: 37.47, 4: 121.33, 8: 208.43}
    shorter = {8: "its answers may end before 256 tokens; not told"}
    bonsai = "Ternary-Bonsai 8B, float16"
    llama = "llama.cpp"
    cached = "a part of the prompt was cached, it seems"
    return [
        *(_tokens("Mistral-7B", MISTRAL_7B, *one) for one in mistral.items()),
        *(_tokens("Qwen3-4B", QWEN3_4B, *one) for one in qwen.items()),
        *(_tokens("Mistral-7B, people's prompts", MISTRAL_7B, *one) for one in of_people.items()),
        *(
            replace(
                _tokens("Mistral-7B-Instruct, people's prompts", MISTRAL_7B, *one),
                missed=shorter.get(one[0], ""),
            )
            for one in instructed.items()
        ),
        _tokens(bonsai, QWEN3_8B, 1, 35.98, prompt=2048, engine=OLDER),
        _tokens(bonsai, QWEN3_8B, 1, 35.06, prompt=4096, engine=OLDER),
        _tokens(bonsai, QWEN3_8B, 1, 35.6, prompt=BLOCK_TOKENS, engine=llama),
        _first_token(bonsai, 2048, 0.5552, OLDER, cached),
        _first_token(bonsai, 4096, 0.6097, OLDER, cached),
        _first_token(bonsai, 2048, 2048 / 2095.63, llama, "another engine"),
        _first_token(
            bonsai, 4096, 4096 / 3021.37, llama, "another engine, whose runs vary by 23 %"
        ),
    ]


def _tokens(  # noqa: PLR0913
    model: str,
    shape: Language,
    users: int,
    reported: float,
    *,
    prompt: int = 512,
    engine: str = NEWER,
) -> Reading:
    # These prompts were in the prefix cache: from 1 user to 8 the time grows by less than reading
    # the others' prompts would take. Whole blocks are cached, the last one is read again.
    work = Work(prompt=prompt, answer=256, cached=prompt - BLOCK_TOKENS)
    return Reading(
        what=f"{model}, {users} at once" + (f" after {prompt:,}" if prompt > 512 else ""),
        predicted=speed(users, work, Costs(language=shape), LIMITS).tokens_per_second,
        reported=reported,
        unit="tokens/s",
        within=0.15,
        source=RIG,
        engine=engine,
    )


def _first_token(model: str, prompt: int, reported: float, engine: str, missed: str) -> Reading:
    work = Work(prompt=prompt, answer=256)
    return Reading(
        what=f"{model}, first token after {prompt:,}",
        predicted=speed(1, work, Costs(language=QWEN3_8B), LIMITS).first_token_seconds,
        reported=reported,
        unit="s",
        within=0.15,
        source=RIG,
        engine=engine,
        missed=missed,
    )


def shown() -> str:
    """The tables of `docs/forecast.md`."""
    head = "| what | engine | predicted | reported | apart | source |\n|---|---|---|---|---|---|\n"
    numbers = "".join(
        f"| {one.what} | {one.engine} | {_figure(one.predicted)} {one.unit} "
        f"| {_figure(one.reported)} | {one.apart:+.1%}{_miss(one.missed)} | {_link(one.source)} |\n"
        for one in (*memory_readings(), *speed_readings())
    )
    began = "| start | predicted | reported | source |\n|---|---|---|---|\n"
    outcomes = "".join(
        f"| {one.what} | {_outcome(one.predicted)} | {_outcome(one.reported)}{_miss(one.missed)} "
        f"| {_link(one.source)} |\n"
        for one in starts()
    )
    return f"{head}{numbers}\n{began}{outcomes}"


def _figure(number: float) -> str:
    return f"{number:,.0f}" if number >= 1000 else f"{number:.2f}"


def _miss(why: str) -> str:
    return f", **missed**: {why}" if why else ""


def _outcome(fits_: bool) -> str:  # noqa: FBT001
    return "starts" if fits_ else "too large"


def _link(source: str) -> str:
    name = source.removeprefix("https://github.com/")
    return source if name == source else f"[{name}]({source})"
