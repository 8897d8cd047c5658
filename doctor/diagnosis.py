"""Which hop is broken, why, and what mends it: from observations alone.

A request proves every hop that it has passed. Whatever else is seen of a proven hop is worth a
warning at most. Behind the last proven hop the first one with something wrong is the broken one; if
nothing is seen to be wrong there, it is the hop at which requests end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from doctor.evidence import evidence, seconds
from doctor.hops import HOPS, Hop
from doctor.observations import Cluster, Observations, Tailnet
from doctor.problems import Problem, problems
from doctor.problems.end import ends_here
from doctor.proof import proven

State = Literal["ok", "warning", "broken", "not seen"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A hop's line of the answer."""

    hop: Hop
    state: State
    seconds: float | None
    """What a request or a look at this hop took; ``None``: none was for this hop alone."""
    evidence: str
    cause: str = ""
    remedy: str = ""


def diagnose(seen: Observations) -> list[Finding]:
    """One finding for each hop, in the order of the path."""
    last_proven, failed = proven(seen.requests)
    wrong = list(problems(seen, failed))
    well, texts, took = _seen_well(seen), evidence(seen), seconds(seen)
    states: dict[Hop, tuple[State, Problem | None]] = {}
    broken = False
    for index, hop in enumerate(HOPS):
        here = [p for p in wrong if p.hop == hop]
        grave = [p for p in here if not p.harmless]
        if index > last_proven and grave:
            states[hop] = "warning" if broken else "broken", grave[0]
            broken = True
        elif here:
            states[hop] = "warning", here[0]
        else:
            states[hop] = "ok" if index <= last_proven or hop in well else "not seen", None
    if failed is not None and not broken and not any(p.explains for p in wrong):
        unknown: list[Hop] = [hop for hop in HOPS[last_proven + 1 :] if hop not in well]
        at = unknown[0] if unknown else HOPS[-1]
        states[at] = "broken", ends_here(at, seen, failed)
        texts[at] = failed.ended_with
    return [
        Finding(
            hop=hop,
            state=state,
            seconds=took.get(hop),
            evidence=texts.get(hop, ""),
            cause=problem.cause if problem else "",
            remedy=problem.remedy if problem else "",
        )
        for hop, (state, problem) in states.items()
    ]


def first_broken(findings: list[Finding]) -> Finding | None:
    return next((one for one in findings if one.state == "broken"), None)


def _seen_well(seen: Observations) -> set[Hop]:
    """Hops that were looked at; who asks has found nothing wrong there."""
    well: set[Hop] = set()
    if isinstance(seen.tailnet, Tailnet):
        well.add("tailnet")
    if isinstance(seen.cluster, Cluster) and seen.cluster.ours:
        well |= {"kubernetes", "ingress", "pod"}
    return well
