"""How far requests have come: each proves every hop that it has passed."""

from __future__ import annotations

from doctor.hops import HOPS, Hop
from doctor.observations import Reply, Requests


def proven(asked: Requests) -> tuple[int, Reply | None]:
    """The furthest hop that a request has passed, and the request that did not get through."""
    far = HOPS.index("gateway") if asked.health.good else _how_far(asked.health)
    if asked.models is None:
        return far, asked.health
    # It is asked later than health and with a key, so it decides.
    if not asked.models.good:
        return max(far, _how_far(asked.models)), asked.models
    for reply in (asked.generation, asked.picture):
        if reply is None or not reply.good:
            return HOPS.index("pod"), reply
    unread = [body for body in asked.bodies if not body.was_read]
    if unread or not asked.bodies:
        return HOPS.index("model"), unread[0] if unread else None
    return HOPS.index("large requests"), None


def _how_far(reply: Reply) -> int:
    """``-1``: nowhere."""
    if not reply.connected:
        return -1
    hop: Hop = "gateway"
    match reply.code:
        case _ if not reply.in_gateways_form:
            hop = "address"
        case _ if reply.by_model_server:
            hop = "ingress"
        case _ if reply.home_is_silent and "health" not in reply.asked:
            # /health needs no key, so it says nothing of it.
            hop = "api key"
        case "gateway_error":
            hop = "cloud run"
        case "home_misconfigured" | "model_unavailable":
            hop = "home port 80"
        case _ if reply.limited:
            hop = "home port 80"
        case _:
            pass
    return HOPS.index(hop)
