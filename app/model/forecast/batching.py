"""Continuous batching as vLLM's scheduler does it, simulated step by step.

Each step gives every running request that has read its prompt one token, and spends what is left of
``max_num_batched_tokens`` on prompts, in the order of arrival, in pieces where they do not fit
(``vllm/v1/core/sched/scheduler.py``).

Simplified: a request starts when its whole answer fits the KV cache, so none is ever put back;
a picture is encoded in the step that reads the first of its prompt.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from statistics import median

from app.model.forecast.speed import Costs


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What one request needs, tokens."""

    prompt: int
    answer: int
    picture: int = 0
    """Of the prompt."""
    cached: int = 0
    """Of the prompt, read for an earlier request; a picture then was, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The scheduler's."""

    sequences: int
    batched_tokens: int
    kv_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """Seconds since all requests were sent."""

    first_token: float
    last_token: float


@dataclass(slots=True, kw_only=True)
class _Running:
    work: Work
    read: int = 0
    written: int = 0
    first_token: float = 0

    @property
    def context(self) -> int:
        return self.read + self.written


def simulate(works: list[Work], costs: Costs, limits: Limits) -> list[Answered]:
    """All requests arrive at once. The results are in the order of completion.

    Raises:
        ValueError: a request needs more than the whole KV cache.
    """
    for work in works:
        if work.prompt + work.answer > limits.kv_tokens:
            raise ValueError(
                f"a request of {work.prompt + work.answer} tokens does not fit a KV cache of "
                f"{limits.kv_tokens}"
            )
    waiting, running = deque(works), list[_Running]()
    done: list[Answered] = []
    now = 0.0
    while waiting or running:
        _admit(waiting, running, limits)
        now += _step(running, costs, limits.batched_tokens)
        for one in running:
            if one.written == 1 and not one.first_token:
                one.first_token = now
        done += [
            Answered(first_token=one.first_token, last_token=now)
            for one in running
            if one.written == one.work.answer
        ]
        running = [one for one in running if one.written < one.work.answer]
    return done


def _admit(waiting: deque[Work], running: list[_Running], limits: Limits) -> None:
    taken = sum(one.work.prompt + one.work.answer for one in running)
    while waiting and len(running) < limits.sequences:
        taken += waiting[0].prompt + waiting[0].answer
        if taken > limits.kv_tokens:
            return
        running.append(_Running(work=waiting[0], read=waiting.popleft().cached))


def _step(running: list[_Running], costs: Costs, batched_tokens: int) -> float:
    """Advance every request by one step; seconds that it takes."""
    writing = [one for one in running if one.read == one.work.prompt]
    budget, flops, context = batched_tokens - len(writing), 0.0, 0
    for one in running:
        context += one.context
        if one.read == one.work.prompt:
            flops += costs.language.prefill_flops(1, one.context)
            one.written += 1
            continue
        tokens = min(budget, one.work.prompt - one.read)
        if not tokens:
            continue
        if one.read == 0:
            flops += costs.encode_flops(one.work.picture)
        flops += costs.language.prefill_flops(tokens, one.read)
        budget -= tokens
        one.read += tokens
        one.written += one.read == one.work.prompt
    return costs.step_seconds(context, flops)


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """What N users see who ask at the same moment."""

    first_token_seconds: float
    """Median."""
    last_first_token_seconds: float
    """The one who waits longest."""
    tokens_per_second_each: float
    """Median, from one's first token to one's last."""
    tokens_per_second: float
    """All users together, from the question to the last token of all."""


def speed(users: int, work: Work, costs: Costs, limits: Limits) -> Speed:
    """Simulate ``users`` who send the same kind of request at once."""
    answered = simulate([work] * users, costs, limits)
    firsts = [one.first_token for one in answered]
    rates = [(work.answer - 1) / (one.last_token - one.first_token) for one in answered]
    return Speed(
        first_token_seconds=median(firsts),
        last_first_token_seconds=max(firsts),
        tokens_per_second_each=median(rates),
        tokens_per_second=users * work.answer / max(one.last_token for one in answered),
    )
