"""A gateway of which no instance starts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from doctor.observations import Observations, Service
from doctor.problems.problem import Problem
from doctor.problems.tailnet import key_problem


def of_cloud_run(seen: Observations) -> Iterator[Problem]:
    service = seen.service if isinstance(seen.service, Service) else Service(deployed=True)
    if not service.deployed:
        yield Problem(hop="cloud run", cause="No service is deployed.", remedy=seen.refresh)
    elif seen.requests.nobody_answers:
        key = key_problem(seen) or _refused_key(service)
        words = f"Its last words: {service.last_words}" if service.last_words else ""
        if told := " ".join(filter(None, [key or service.failure, words])):
            cause = f"The gateway's instance does not start. {told}"
            remedy = f"{seen.refresh} renews the auth key." if key else seen.refresh
            yield Problem(hop="cloud run", cause=cause, remedy=remedy)


def _refused_key(service: Service) -> str:
    """In words, if the tailnet said that it does not take the key (tailscale's own messages)."""
    if not re.search(r"auth[ -]?key|API key", service.last_words, re.IGNORECASE):
        return ""
    return (
        "The tailnet does not take its auth key: it was revoked or used up, or its secret holds "
        "more than the key, such as the end of a line."
    )
