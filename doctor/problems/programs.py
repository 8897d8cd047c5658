"""Programs of this machine that do not run."""

from __future__ import annotations

from collections.abc import Iterator

from doctor.observations import Observations
from doctor.problems.problem import Problem


def of_programs(seen: Observations) -> Iterator[Problem]:
    for one in seen.programs:
        if one.state == "running":
            continue
        told = "has ended" if one.state == "ended" else "is stopped: it exists and does nothing"
        remedy = seen.up if one.state == "ended" else f"kill -CONT its process, or {seen.up}"
        yield Problem(hop=one.hop, cause=f"The program {one.name} {told}.", remedy=remedy)
