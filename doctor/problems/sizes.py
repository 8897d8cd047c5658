"""Requests of growing size: the first that did not get through."""

from __future__ import annotations

from collections.abc import Iterator

from doctor.observations import Observations, Reply
from doctor.problems.problem import Problem


def of_the_sizes(seen: Observations, failed: Reply | None) -> Iterator[Problem]:
    bodies = seen.requests.bodies
    if failed not in bodies:
        return
    too_slow = failed.code == "request_too_slow"
    if seen.requests.crossed_in_packets and (too_slow or failed.status is None):
        *_, last = (body for body in bodies if body.was_read)
        yield Problem(
            hop="large requests",
            cause=f"The path is slow: {last.asked} took {last.seconds:.1f} s, and {failed.asked} "
            f"was given up ({failed.ended_with}).",
            remedy="Is home's line slow or lossy, or far from the gateway's region? Or this "
            "computer's own line slow?",
            harmless=True,
            explains=True,
        )
    elif too_slow:
        yield Problem(
            hop="large requests",
            cause=f"{failed.asked} did not reach the gateway in time: this computer's own line is "
            "very slow, or loses large packets.",
            remedy="Try from another network.",
        )
    elif failed.status is None:
        yield Problem(
            hop="large requests",
            cause=f"Small requests pass, {failed.asked} does not: the path loses large packets.",
            remedy=f"Lower tailnet.mtu (1024, then 900, then 576) and run {seen.up}.",
        )
