"""What to expect of a profile on a card: memory, requests at once, speed. The table of `hub plan`
and of `pulumi preview`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.model.forecast.batching import Limits, Speed, Work, speed
from app.model.forecast.memory import (
    CONTEXT_GIB,
    Forecast,
    Request,
    calibrated,
    fits,
    forecast,
    longest_answer,
    nearest,
    needed_gib,
)
from app.model.forecast.speed import costs, reading_roofline, writing_roofline
from app.model.forecast.vllm_log import Reported
from app.model.profiles import PROFILES, Profile, ProfileName

SPEED_OF = "an RTX 3090"
"""Whatever memory the card is said to have: the bandwidth and the tensor cores are those."""
SMALLEST: ProfileName = min(PROFILES, key=lambda name: needed_gib(PROFILES[name]))


class TooLongError(ValueError):
    """A request is longer than the model's context; the message says the longest answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A profile on a card, under a given use."""

    name: ProfileName
    card_gib: float
    request: Request
    users: int
    memory: Forecast
    at_once: int
    """Requests of this kind."""
    speed: Speed | None
    """On an RTX 3090; ``None`` where no request fits, or the model runs on a CPU."""
    on_cpu: bool = False
    """As the twin's model does: nothing of a GPU is used then."""

    @property
    def profile(self) -> Profile:
        return PROFILES[self.name]

    @property
    def left_gib(self) -> float:
        """Of the card, for the desktop and other pods."""
        return self.card_gib - self.memory.budget_gib - CONTEXT_GIB

    @property
    def fits(self) -> bool:
        """Whether one request of the longest length fits, as vLLM demands at its start."""
        return self.memory.kv_tokens >= self.profile.max_model_len

    @property
    def seconds_per_request(self) -> float:
        """Of the GPU's time, where so many are answered at once."""
        return self.request.answer_tokens / self.speed.tokens_per_second if self.speed else 0


def plan(
    name: ProfileName,
    card_gib: float,
    request: Request | None = None,
    users: int = 1,
    log: Reported | None = None,
) -> Plan:
    """What to expect; ``log`` is what vLLM itself said at its start.

    Raises:
        TooLongError: the request is longer than the profile's context.
        ValueError: the picture has a side of nothing, or is too elongated.
    """
    request, profile = request or Request(), PROFILES[name]
    tokens = request.tokens(profile)
    if tokens > profile.max_model_len:
        longest = longest_answer(request, profile)
        raise TooLongError(
            f"a request of {tokens:,} tokens (question {request.prompt_tokens(profile):,}, answer "
            f"{request.answer_tokens:,}) is longer than profile {name}'s {profile.max_model_len:,}"
            f"; the longest answer to this question has {longest:,} tokens"
        )
    memory = forecast(profile, card_gib) if log is None else calibrated(profile, card_gib, log)
    at_once, on_cpu = memory.at_once(tokens, profile), log is not None and log.device == "CPU"
    limits = Limits(
        sequences=profile.max_num_seqs,
        batched_tokens=profile.max_num_batched_tokens,
        kv_tokens=memory.kv_tokens,
    )
    work = Work(
        prompt=request.prompt_tokens(profile),
        answer=request.answer_tokens,
        picture=request.picture_tokens(profile),
    )
    return Plan(
        name=name,
        card_gib=card_gib,
        request=request,
        users=users,
        memory=memory,
        at_once=at_once,
        speed=speed(users, work, costs(profile), limits) if at_once and not on_cpu else None,
        on_cpu=on_cpu,
    )


def rows(what: Plan) -> dict[str, str]:
    """For a person."""
    memory, profile, request = what.memory, what.profile, what.request
    tokens, picture = request.tokens(profile), request.picture_tokens(profile)
    bound = "max_num_seqs" if what.at_once == profile.max_num_seqs else "KV cache"
    of_a_gpu = {
        "vLLM's share": f"{memory.budget_gib:.1f} of {what.card_gib:.1f} GiB",
        "left for others": f"{what.left_gib:.1f} GiB",
        "weights": f"{memory.weights_gib:.2f} GiB",
        "CUDA libraries": f"{memory.libraries_gib:.2f} GiB",
        "largest step": f"{memory.step_gib:.2f} GiB",
        "CUDA graphs": f"{memory.graphs_gib:.2f} GiB",
    }
    shown = ({} if what.on_cpu else of_a_gpu) | {
        "KV cache": f"{memory.kv_gib:.2f} GiB",
        "KV cache holds": f"{memory.kv_tokens:,} tokens",
        "fits": "yes" if what.fits else "no",
        "one request": f"{tokens:,} tokens",
        "picture in it": f"{picture:,} tokens",
        "at once": f"{what.at_once} ({bound})",
    }
    if what.speed is None:
        return shown
    fast = what.speed
    return shown | {
        "speed of": SPEED_OF,
        "roofline, reading": f"{reading_roofline(profile.language):,.0f} tokens/s",
        "roofline, writing": f"{writing_roofline(profile.language):,.0f} tokens/s",
        "users": f"{what.users}",
        "first token": f"{fast.first_token_seconds:.1f} s"
        + (f", last {fast.last_first_token_seconds:.1f} s" if what.users > 1 else ""),
        "each writes": f"{fast.tokens_per_second_each:.0f} tokens/s",
        "together": f"{fast.tokens_per_second:.0f} tokens/s",
    }


def crowding(pods: Sequence[Plan]) -> str | None:
    """Why pods do not fit one card together: vLLM does not start where less is free than its share
    (``request_memory`` in ``vllm/v1/worker/utils.py``). ``None`` if they fit."""
    first = pods[0]
    used = sum(pod.memory.budget_gib + CONTEXT_GIB for pod in pods)
    if used <= first.card_gib:
        return None
    return (
        f"{' and '.join(pod.name for pod in pods)} may use {used:.1f} GiB together, and the GPU "
        f"has {first.card_gib:g}; beside {first.name} {first.left_gib:.1f} GiB are left"
    )


def refusal(name: ProfileName, card_gib: float) -> str | None:
    """Why a profile does not fit the card, and the nearest that does; ``None`` if it fits."""
    profile = PROFILES[name]
    if fits(profile, card_gib):
        return None
    expected, other = forecast(profile, card_gib), nearest(name, card_gib)
    told = (
        f"profile {name} does not fit a GPU of {card_gib:g} GiB: "
        f"{expected.budget_gib:.1f} GiB may be used, "
        f"{expected.weights_gib:.1f} are weights, {expected.other_gib:.1f} activations and CUDA, "
        f"which leaves {expected.kv_gib:.1f} for the KV cache of {profile.max_model_len:,} tokens; "
        f"it needs {needed_gib(profile):.1f} GiB"
    )
    if other is not None:
        return f"{told}; the nearest profile that fits is {other}"
    smallest = needed_gib(PROFILES[SMALLEST])
    return f"{told}; none fits, {SMALLEST} needs least: {smallest:.1f} GiB"
