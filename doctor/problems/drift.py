"""What is not as it was declared."""

from __future__ import annotations

from collections.abc import Iterator

from doctor.hops import Hop
from doctor.observations import Change, NotSeen, Observations
from doctor.problems.problem import Problem


def of_drift(seen: Observations) -> Iterator[Problem]:
    """One for each hop that somebody has changed, or that was never deployed."""
    if isinstance(seen.drift, NotSeen):
        cause = f"What is not as declared was not seen: {seen.drift.why}."
        yield Problem(hop="kubernetes", cause=cause, remedy=seen.up, harmless=True)
        return
    changed: dict[Hop, list[str]] = {}
    for one in seen.drift:
        changed.setdefault(_hop_of(one), []).append(_difference(one))
    for hop, told in changed.items():
        yield Problem(
            hop=hop,
            cause=f"Not as declared: {', '.join(told)}.",
            remedy=f"{seen.refresh}, or write what was changed by hand into the stack's file.",
            harmless=True,
        )


def _hop_of(change: Change) -> Hop:
    package, _, rest = change.kind.partition(":")
    match package:
        case "gcp":
            return "cloud run"
        case "tailscale":
            return "tailnet"
        case "random":
            return "api key"
        case _ if "Ingress" in rest or rest.startswith(("traefik.io", "helm.cattle.io")):
            return "ingress"
        case _ if rest == "apps/v1:Deployment":
            return "pod"
        case _:
            return "kubernetes"


def _difference(change: Change) -> str:
    kind = change.kind.rpartition(":")[2]
    ways = {"create": "is missing", "delete": "is there", "update": "differs"}
    way = ways.get(change.op, "has to be replaced")
    fields = f" in {', '.join(change.fields)}" if change.fields else ""
    return f"{kind} {change.name} {way}{fields}"
