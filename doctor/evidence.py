"""What was seen of each hop, in a few words, and how long that took."""

from __future__ import annotations

from collections.abc import Mapping

from doctor.hops import Hop
from doctor.observations import Cluster, NotSeen, Observations, Pod, Reply, Service, Tailnet


def evidence(seen: Observations) -> dict[Hop, str]:
    """Nothing where nobody looked."""
    asked = seen.requests
    generated = [answered(one) for one in (asked.generation, asked.picture) if one]
    return {
        "address": _of_address(seen),
        "cloud run": of_service(seen.service),
        "gateway": answered(asked.health),
        "api key": answered(asked.models) if asked.models else "",
        "tailnet": f"{online(seen.tailnet)}; {_minutes(seen)}",
        "model": ", ".join(generated),
        "large requests": answered(asked.bodies[-1]) if asked.bodies else "",
        **of_kubernetes(seen.cluster),
        "home port 80": _of_entry(seen),
    }


def seconds(seen: Observations) -> Mapping[Hop, float]:
    """Of the request or the look that is a hop's own."""
    asked = seen.requests
    took: dict[Hop, float | None] = {
        **seen.seconds,
        "address": asked.health.connected_seconds,
        "gateway": asked.health.seconds,
        "home port 80": _home_seconds(seen),
        "api key": asked.models and asked.models.seconds,
        "model": asked.generation and asked.generation.seconds,
        "large requests": asked.bodies[-1].seconds if asked.bodies else None,
    }
    return {hop: one for hop, one in took.items() if one is not None}


def answered(reply: Reply) -> str:
    came = str(reply.status) if reply.status is not None else reply.failure
    whose = " from another service" if reply.by_fallback else ""
    return f"{reply.asked}: {came}{whose} in {reply.seconds:.1f} s"


def of_service(service: Service | NotSeen) -> str:
    if isinstance(service, NotSeen):
        return service.why
    return f"{service.revision}, {service.instances} instance(s)" if service.deployed else ""


def online(tailnet: Tailnet | NotSeen) -> str:
    if isinstance(tailnet, NotSeen):
        return tailnet.why
    names = [f"{node.name} {node.path}".strip() for node in tailnet.nodes if node.online]
    return f"online: {', '.join(names) or 'nobody'}"


def of_kubernetes(cluster: Cluster | NotSeen) -> dict[Hop, str]:
    if isinstance(cluster, NotSeen):
        return {"kubernetes": cluster.why}
    state = "ready" if cluster.node_ready else "not ready"
    return {
        "kubernetes": f"node {state}, nvidia.com/gpu: {cluster.gpus}",
        "ingress": f"{cluster.endpoints} address(es) behind the Service",
        "pod": ", ".join(map(_state, cluster.pods)),
    }


def _state(pod: Pod) -> str:
    return f"{pod.name} {pod.phase}, {pod.restarts} restarts"


def _of_address(seen: Observations) -> str:
    if not seen.requests.health.connected:
        return seen.requests.health.failure
    ends = seen.address_expires
    return f"{seen.url}{f', its certificate ends on {ends:%Y-%m-%d}' if ends else ''}"


def _of_entry(seen: Observations) -> str:
    """Traefik, and what the gateway has seen of it."""
    told = [f"{one.name} {one.state}" for one in seen.programs if one.hop == "home port 80"]
    if isinstance(seen.cluster, Cluster):
        told += map(_state, seen.cluster.entry or ())
    if (waited := _home_seconds(seen)) is not None:
        told.append(f"home's first byte reached the gateway after {waited * 1000:.0f} ms")
    return ", ".join(told)


def _home_seconds(seen: Observations) -> float | None:
    """Of a small request, which costs the model nothing."""
    answers = (seen.requests.models, seen.requests.health)
    return next((one.home_seconds for one in answers if one and one.home_seconds is not None), None)


def _minutes(seen: Observations) -> str:
    if isinstance(seen.minutes, NotSeen):
        return seen.minutes.why
    free = f" of {seen.free_minutes:,} free ones" if seen.free_minutes else ""
    return f"the gateway this month: {seen.minutes:,.0f} min{free}"
