"""Which hop is broken, why, and what mends it: from observations alone.

A request proves every hop that it has passed. Whatever else is seen of a proven hop is worth a
warning at most. Behind the last proven hop the first one with something wrong is the broken one; if
nothing is seen to be wrong there, it is the hop at which requests end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from doctor.evidence import evidence
from doctor.hops import HOPS, Hop
from doctor.observations import Cluster, Observations, Reply, Tailnet
from doctor.problems import Problem, problems

State = Literal["ok", "warning", "broken", "not seen"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A hop's line of the answer."""

    hop: Hop
    state: State
    evidence: str
    cause: str = ""
    remedy: str = ""


def diagnose(seen: Observations) -> list[Finding]:
    """One finding for each hop, in the order of the path."""
    proven, failed = _proven(seen)
    wrong = list(problems(seen, failed))
    texts, seen_well = evidence(seen), _seen_well(seen)
    findings: list[Finding] = []
    broken = False
    for index, hop in enumerate(HOPS):
        here = [p for p in wrong if p.hop == hop]
        grave = [p for p in here if not p.harmless]
        text = texts.get(hop, "")
        if index <= proven:
            first = here[0] if here else None
            findings.append(_finding(hop, "warning" if first else "ok", text, first))
        elif grave:
            findings.append(_finding(hop, "warning" if broken else "broken", text, grave[0]))
            broken = True
        elif here:
            findings.append(_finding(hop, "warning", text, here[0]))
        else:
            state: State = "ok" if hop in seen_well else "not seen"
            findings.append(_finding(hop, state, text, None))
    if failed is not None and not broken:
        rest: list[Hop] = [hop for hop in HOPS[proven + 1 :] if hop not in seen_well]
        at = rest[0] if rest else HOPS[-1]
        findings[HOPS.index(at)] = _ends_here(at, seen, failed)
    return findings


def first_broken(findings: list[Finding]) -> Finding | None:
    return next((one for one in findings if one.state == "broken"), None)


def _finding(hop: Hop, state: State, evidence: str, problem: Problem | None) -> Finding:
    cause, remedy = (problem.cause, problem.remedy) if problem else ("", "")
    return Finding(hop=hop, state=state, evidence=evidence, cause=cause, remedy=remedy)


def _proven(seen: Observations) -> tuple[int, Reply | None]:
    """The furthest hop that a request has passed, and the request that failed."""
    asked = seen.requests
    steps: list[tuple[Reply | None, Hop]] = [
        (asked.health, "gateway"),
        (asked.models, "pod"),
        (asked.generation, "model"),
        (asked.picture, "model"),
    ]
    proven, failed = -1, None
    for reply, hop in steps:
        if reply is not None and reply.good:
            proven = HOPS.index(hop)
        elif reply is not None:
            proven, failed = max(proven, _how_far(reply)), reply
    slow = asked.crossed_in_packets
    lost = [b for b in asked.bodies if not (_was_read(b) or (slow and b.status is None))]
    if failed is None and asked.bodies and not lost:
        proven = HOPS.index("large requests")
    return proven, failed or (lost[0] if lost else None)


def _seen_well(seen: Observations) -> set[Hop]:
    """Hops that were looked at; who asks has found nothing wrong there."""
    well: set[Hop] = set()
    if isinstance(seen.tailnet, Tailnet):
        well.add("tailnet")
    if isinstance(seen.cluster, Cluster):
        well |= {"kubernetes", "ingress", "pod"}
    return well


def _was_read(body: Reply) -> bool:
    """It ends as the model server's refusal of a model that it does not have, or is too large."""
    return body.status in {404, 413} and body.code != "unknown_url"


def _how_far(reply: Reply) -> int:
    if not reply.connected:
        return -1
    if not reply.in_gateways_form:
        return HOPS.index("address")
    match reply.code:
        case "invalid_api_key":
            return HOPS.index("gateway")
        case "home_unavailable" | "home_waking" | "home_lost":
            # /health needs no key, so it says nothing of it; models is asked with one.
            return HOPS.index("gateway" if "health" in reply.asked else "api key")
        case "home_misconfigured" | "model_unavailable":
            return HOPS.index("home port 80")
        case _:
            return HOPS.index("gateway")


def _ends_here(hop: Hop, seen: Observations, failed: Reply) -> Finding:
    """Requests end at a hop of which nothing wrong was seen."""
    came = failed.failure or f"{failed.status} {failed.code or failed.words[:80]}".strip()
    silent = (
        f"Home is in the tailnet, but the gateway gets no answer from port 80 of {seen.home}.",
        "Is the policy of `hub policy` in place, and Traefik running at home?",
    )
    why = "which answers in the tailnet, and Traefik runs there: the policy does not let it in."
    kept_out = (
        f"The gateway gets no answer from port 80 of {seen.home}, {why}",
        "Put the rules that `hub policy` prints into the tailnet's policy.",
    )
    causes: dict[Hop, tuple[str, str]] = {
        "cloud run": (
            f"Google answers in the gateway's place: {failed.status} {failed.words[:120]}",
            seen.refresh,
        ),
        "tailnet": silent,
        "home port 80": kept_out if _traefik_runs(seen) and _home_answers(seen) else silent,
    }
    cause, remedy = causes.get(hop, (f"{failed.asked} ended with: {came}.", seen.refresh))
    return Finding(hop=hop, state="broken", evidence=came, cause=cause, remedy=remedy)


def _traefik_runs(seen: Observations) -> bool:
    """As its own pod says, or its program on the twin."""
    if isinstance(seen.cluster, Cluster) and seen.cluster.entry is not None:
        return any(pod.ready for pod in seen.cluster.entry)
    return any((one.name, one.state) == ("traefik", "running") for one in seen.programs)


def _home_answers(seen: Observations) -> bool:
    return isinstance(seen.tailnet, Tailnet) and seen.tailnet.home_answers is True
