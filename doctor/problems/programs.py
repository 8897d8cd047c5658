"""Programs of this machine that do not run."""

from __future__ import annotations

from collections.abc import Iterator

from doctor.observations import Observations
from doctor.problems.problem import Problem

CONTROL_SERVER = "headscale"
"""The twin's: each instance of the gateway joins the tailnet there."""


def of_programs(seen: Observations) -> Iterator[Problem]:
    for one in seen.programs:
        if one.state == "running":
            continue
        told = "has ended" if one.state == "ended" else "is stopped: it exists and does nothing"
        cause = f"The program {one.name} {told}."
        remedy = seen.up if one.state == "ended" else f"kill -CONT its process, or {seen.up}"
        yield Problem(hop=one.hop, cause=cause, remedy=remedy)
        if one.name == CONTROL_SERVER and seen.requests.nobody_answers:
            cause = f"The gateway's instance cannot join the tailnet. {cause}"
            yield Problem(hop="cloud run", cause=cause, remedy=remedy)
