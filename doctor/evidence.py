"""What was seen of each hop, in a few words."""

from __future__ import annotations

from doctor.hops import Hop
from doctor.observations import Cluster, NotSeen, Observations, Reply, Service, Tailnet


def evidence(seen: Observations) -> dict[Hop, str]:
    """Nothing where nobody looked."""
    asked = seen.requests
    generated = (_answered(asked.generation), _answered(asked.picture))
    return {
        "address": "" if asked.health.connected else asked.health.failure,
        "cloud run": _of_service(seen.service),
        "gateway": _answered(asked.health),
        "api key": _answered(asked.models),
        "tailnet": f"{_online(seen.tailnet)}; {_minutes(seen)}",
        "model": ", ".join(filter(None, generated)),
        "large requests": _answered(asked.bodies[-1]) if asked.bodies else "",
        **_of_kubernetes(seen.cluster),
    }


def _of_service(service: Service | NotSeen) -> str:
    if isinstance(service, NotSeen):
        return service.why
    return f"{service.revision}, {service.instances} instance(s)" if service.deployed else ""


def _online(tailnet: Tailnet | NotSeen) -> str:
    if isinstance(tailnet, NotSeen):
        return tailnet.why
    online = [f"{node.name} {node.path}".strip() for node in tailnet.nodes if node.online]
    return f"online: {', '.join(online) or 'nobody'}"


def _minutes(seen: Observations) -> str:
    if isinstance(seen.minutes, NotSeen):
        return seen.minutes.why
    free = f" of {seen.free_minutes:,} free ones" if seen.free_minutes else ""
    return f"the gateway this month: {seen.minutes:,.0f} min{free}"


def _of_kubernetes(cluster: Cluster | NotSeen) -> dict[Hop, str]:
    if isinstance(cluster, NotSeen):
        return {"kubernetes": cluster.why}
    state = "ready" if cluster.node_ready else "not ready"
    return {
        "kubernetes": f"node {state}, nvidia.com/gpu: {cluster.gpus}",
        "ingress": f"{cluster.endpoints} address(es) behind the Service",
        "pod": ", ".join(f"{p.name} {p.phase}, {p.restarts} restarts" for p in cluster.pods),
    }


def _answered(reply: Reply | None) -> str:
    if reply is None:
        return ""
    came = str(reply.status) if reply.status is not None else reply.failure
    return f"{reply.asked}: {came} in {reply.seconds:.1f} s"
