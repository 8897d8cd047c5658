"""What the answers to a client tell of the address, the gateway, the key, and home's doors."""

from __future__ import annotations

from collections.abc import Iterator

from doctor.observations import Observations, Reply
from doctor.problems.problem import Problem

CLOCK_SECONDS = 60


def of_the_answers(seen: Observations, failed: Reply | None) -> Iterator[Problem]:
    asked = seen.requests
    if failed is not None and not failed.connected:
        yield _unconnected(seen, failed)
    elif failed is not None and (refused := _refused(seen, failed)):
        yield refused
    if not asked.health.good and asked.models is not None and asked.models.good:
        yield Problem(
            hop="gateway",
            cause=f"{asked.health.asked} ended with: {asked.health.ended_with}; the next question "
            "was answered.",
            remedy="Ask again. Strangers share one limit of requests to /health.",
            harmless=True,
        )
    ahead = asked.health.clock_ahead
    if ahead is not None and abs(ahead) > CLOCK_SECONDS:
        way = "behind" if ahead > 0 else "ahead of"
        yield Problem(
            hop="address",
            cause=f"This computer's clock is {abs(ahead):.0f} s {way} the service's: certificates "
            "and log-ins fail by it.",
            remedy="timedatectl set-ntp true",
            harmless=True,
        )


def _unconnected(seen: Observations, failed: Reply) -> Problem:
    if "CERTIFICATE_VERIFY_FAILED" in failed.failure:
        cause = (
            f"{failed.failure}: this computer's clock is wrong, or a proxy of this network shows a "
            "certificate of its own."
        )
        remedy = "timedatectl set-ntp true; behind a proxy, its authority in SSL_CERT_FILE"
    else:
        cause = failed.failure
        remedy = f"Is this machine online, and the address right? {seen.up} prints it."
    return Problem(hop="address", cause=cause, remedy=remedy)


def _refused(seen: Observations, failed: Reply) -> Problem | None:
    """By somebody on the way, who says why."""
    match failed.code:
        case "gateway_error":
            cause = f"The gateway itself failed at {failed.asked}: {failed.ended_with}."
            return Problem(hop="gateway", cause=cause, remedy=f"Look: {seen.gateway_log}")
        case "invalid_api_key":
            return Problem(
                hop="api key",
                cause="The gateway does not know this key: it was revoked, or is another "
                "service's.",
                remedy="`hub keys` lists the keys that are accepted; `hub keys show NAME` prints "
                "one.",
            )
        case _ if failed.limited:
            return Problem(
                hop="api key",
                cause=f"This key's limit of requests is used up ({failed.ended_with}), so the "
                "rest was not asked.",
                remedy="Wait until its other requests are answered, or a minute.",
                harmless=True,
                explains=True,
            )
        case "home_misconfigured" if failed.status == 502:
            cause = (
                "Home does not accept this gateway's key: it is another program's home, the key is "
                "from an older deployment, or objects were changed by hand."
            )
            return Problem(hop="ingress", cause=cause, remedy=seen.refresh)
        case "home_misconfigured":
            cause = (
                "Home has no route to the model server: its Ingress is not there, or has another "
                "class or path. Traefik has none right after its start, either."
            )
            return Problem(hop="ingress", cause=cause, remedy=seen.refresh)
        case _:
            return None
