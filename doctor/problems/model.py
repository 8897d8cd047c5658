"""What the model server answers, or that it does not."""

from __future__ import annotations

from collections.abc import Iterator

from app.model.profiles import SERVED_NAME
from doctor.observations import Cluster, Observations, Reply
from doctor.problems.pod import logs
from doctor.problems.problem import Problem
from infra.home_k3s.names import MODEL, NAMESPACE

SLOW_SECONDS = 5
"""For one small answer of an awake service."""


def of_the_model(seen: Observations, failed: Reply | None) -> Iterator[Problem]:
    asked = seen.requests
    if failed is not None and not failed.limited:
        if failed is asked.models and failed.by_model_server:
            yield _of_the_list(seen, failed)
        elif failed is asked.generation:
            yield _of_one_token(seen, failed)
        elif failed is asked.picture:
            cause = f"The model writes text, and a picture ended with: {failed.ended_with}."
            yield Problem(hop="model", cause=cause, remedy=_logs(seen))
    token = asked.generation
    if token is not None and token.good and token.seconds > SLOW_SECONDS:
        yield Problem(
            hop="model",
            cause=f"One token took {token.seconds:.0f} s: the GPU is busy, or the path slow.",
            remedy="Does something else use the GPU (nvidia-smi)? Is the line slow?",
            harmless=True,
        )


def _of_the_list(seen: Observations, failed: Reply) -> Problem:
    """Nothing on the way has refused it."""
    came = f"{failed.asked} ended with: {failed.ended_with}"
    if failed.status == 401:
        cause = f"{came}. The pod asks for a key of its own: --api-key, or VLLM_API_KEY."
        return Problem(hop="pod", cause=cause, remedy=seen.made_anew(f"deployment/{MODEL}"))
    return Problem(hop="pod", cause=f"{came}, from the pod itself.", remedy=_logs(seen))


def _of_one_token(seen: Observations, failed: Reply) -> Problem:
    busy = _works_on(seen)
    if failed.status is None and busy:
        return Problem(
            hop="model",
            cause=f"The model server is busy: {failed.failure}; its log has {busy}.",
            remedy="Wait. `hub usage` tells whose requests they are.",
            harmless=True,
            explains=True,
        )
    if failed.status is None:
        restart = f"{seen.kubectl} -n {NAMESPACE} rollout restart deployment/{MODEL}"
        cause = f"The model server answers, but generates nothing ({failed.failure}): it hangs, "
        remedy = (
            f"{_logs(seen)}. While it works, lines with Running: N reqs and a throughput above 0 "
            f"come every 10 s; if none does: {restart}"
        )
        return Problem(hop="model", cause=f"{cause}or works for others.", remedy=remedy)
    if failed.status == 404 and failed.by_model_server:
        cause = f"The pod serves its model under another name than {SERVED_NAME}"
        remedy = seen.made_anew(f"deployment/{MODEL}")
        return Problem(hop="model", cause=f"{cause}: {failed.words}", remedy=remedy)
    cause = f"{failed.asked} ended with: {failed.ended_with}."
    return Problem(hop="model", cause=cause, remedy=_logs(seen))


def _works_on(seen: Observations) -> str:
    pods = seen.cluster.pods if isinstance(seen.cluster, Cluster) else ()
    return next((pod.works_on for pod in pods if pod.works_on), "")


def _logs(seen: Observations) -> str:
    return f"Look: {logs(seen)}"
