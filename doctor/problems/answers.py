"""What the answers to a client tell."""

from __future__ import annotations

from collections.abc import Iterator

from doctor.observations import Observations, Reply
from doctor.problems.problem import Problem
from infra.home_k3s.names import MODEL, NAMESPACE

CLOCK_SECONDS = 60
SLOW_SECONDS = 5
"""For one small answer of an awake service."""


def of_the_answers(seen: Observations, failed: Reply | None) -> Iterator[Problem]:
    if failed is not None and not failed.connected:
        remedy = f"Is this machine online, and the address right? {seen.up} prints it."
        yield Problem(hop="address", cause=failed.failure, remedy=remedy)
    ahead = seen.requests.health.clock_ahead
    if ahead is not None and abs(ahead) > CLOCK_SECONDS:
        way = "behind" if ahead > 0 else "ahead of"
        yield Problem(
            hop="address",
            cause=f"This computer's clock is {abs(ahead):.0f} s {way} the service's: certificates "
            "and log-ins fail by it.",
            remedy="timedatectl set-ntp true",
            harmless=True,
        )
    if failed is not None and failed.code == "invalid_api_key":
        yield Problem(
            hop="api key",
            cause="The gateway does not know this key: it was revoked, or is another service's.",
            remedy="`hub keys` lists the keys that are accepted; `hub keys show NAME` prints one.",
        )
    generation = seen.requests.generation
    if generation is not None and not generation.good:
        how = generation.failure or f"{generation.status}: {generation.words}"
        yield Problem(
            hop="model",
            cause=f"The model server answers, but generates nothing ({how}): it hangs.",
            remedy=f"{seen.kubectl} -n {NAMESPACE} rollout restart deployment/{MODEL}",
        )
    elif generation is not None and generation.seconds > SLOW_SECONDS:
        yield Problem(
            hop="model",
            cause=f"One token took {generation.seconds:.0f} s: the GPU is busy, or the path slow.",
            remedy="Does something else use the GPU (nvidia-smi)? Is the line slow?",
            harmless=True,
        )
    lost = next((r for r in seen.requests.bodies if r.status is None), None)
    if lost is not None and seen.requests.crossed_in_packets:
        *_, last = (r for r in seen.requests.bodies if r.status is not None)
        yield Problem(
            hop="large requests",
            cause=f"The path is slow: {last.asked} took {last.seconds:.1f} s, and {lost.asked} was "
            f"given up ({lost.failure}).",
            remedy="Is home's line slow or lossy, or far from the gateway's region?",
            harmless=True,
        )
    elif lost is not None:
        yield Problem(
            hop="large requests",
            cause=f"Small requests pass, {lost.asked} does not: the path loses large packets.",
            remedy=f"Lower tailnet.mtu (1024, then 900, then 576) and run {seen.up}.",
        )
