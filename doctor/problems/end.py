"""The hop at which requests end, where nothing was seen to be wrong."""

from __future__ import annotations

from doctor.hops import Hop
from doctor.observations import Cluster, Observations, Reply, Tailnet
from doctor.problems.problem import Problem
from infra.home_k3s.names import NAMESPACE, SYSTEM


def ends_here(hop: Hop, seen: Observations, failed: Reply) -> Problem:
    match hop:
        case "cloud run":
            cause, remedy = _nobody(seen, failed)
        case "tailnet":
            cause, remedy = _silent(seen)
        case "home port 80" if _traefik_runs(seen) and _home_answers(seen):
            cause, remedy = _kept_out(seen)
        case "home port 80":
            cause, remedy = _silent(seen)
        case "kubernetes":
            cause = f"Home answers, and its model server does not: {failed.ended_with}."
            remedy = f"Look there: hub home check, or {seen.kubectl} -n {NAMESPACE} get pods,events"
        case _:
            cause, remedy = f"{failed.asked} ended with: {failed.ended_with}.", seen.refresh
    return Problem(hop=hop, cause=cause, remedy=remedy)


def _nobody(seen: Observations, failed: Reply) -> tuple[str, str]:
    if failed.status is None:
        return (
            f"The address takes the connection and answers nothing: {failed.failure}.",
            f"Ask again: it may be starting. Then look: {seen.gateway_log}",
        )
    words = f"{failed.status} {failed.words[:120]}"
    if failed.status < 400:
        who = "a proxy of this network or its log-in page"
        cause = f"The gateway does not answer, but somebody in its place, such as {who}: {words}"
        return cause, "Try from another network."
    return f"Google answers in the gateway's place: {words}", seen.refresh


def _silent(seen: Observations) -> tuple[str, str]:
    cause = f"Home is in the tailnet, but the gateway gets no answer from port 80 of {seen.home}."
    return cause, "Is the policy of `hub policy` in place, and Traefik running at home?"


def _kept_out(seen: Observations) -> tuple[str, str]:
    """Three can stop what arrives for a Traefik that is ready."""
    cause = (
        f"The gateway gets no answer from port 80 of {seen.home}, which answers in the tailnet, "
        "and Traefik runs there: the policy does not let it in, or home's firewall or K3s' load "
        "balancer stops it; which of them was not seen."
    )
    remedy = (
        "Put the rules that `hub policy` prints into the tailnet's policy. If they are there: "
        "`hub home check` asks port 80 from home itself. No answer: the load balancer "
        f"({seen.kubectl} -n {SYSTEM} get pods | grep svclb). An answer: the firewall, there: "
        "sudo nft list ruleset"
    )
    return cause, remedy


def _traefik_runs(seen: Observations) -> bool:
    """As its own pod says, or its program on the twin."""
    if isinstance(seen.cluster, Cluster) and seen.cluster.ours and seen.cluster.entry is not None:
        return any(pod.ready for pod in seen.cluster.entry)
    return any((one.name, one.state) == ("traefik", "running") for one in seen.programs)


def _home_answers(seen: Observations) -> bool:
    return isinstance(seen.tailnet, Tailnet) and seen.tailnet.home_answers is True
