"""The auth key, the machines of the tailnet, and its minutes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from doctor.observations import NotSeen, Observations, Reply, Tailnet
from doctor.problems.problem import Problem
from infra.tailnet.policy import GATEWAY_TAG, HOME_TAG
from infra.tailnet.renewal import days_left, is_told

WARN_SHARE = 0.8
"""Of the tailnet's free minutes."""


def of_the_auth_key(seen: Observations) -> Iterator[Problem]:
    """What does no harm before the gateway's next start."""
    if key := key_problem(seen):
        yield Problem(
            hop="tailnet",
            cause=f"{key} The gateway's next start fails.",
            remedy=seen.refresh,
            harmless=True,
        )
    elif isinstance(seen.auth_key, datetime) and is_told(
        seen.auth_key, seen.now.date(), seen.key_days
    ):
        told = f"The auth key expires on {seen.auth_key:%Y-%m-%d}."
        yield Problem(hop="tailnet", cause=told, remedy=seen.up, harmless=True)


def key_problem(seen: Observations) -> str:
    """In words, if the auth key cannot let a new instance in."""
    if isinstance(seen.auth_key, NotSeen):
        return ""
    expires = seen.auth_key
    if expires is None:
        return "There is no valid auth key: it was revoked, used up or never made."
    if days_left(expires, seen.now.date()) < 0 or expires < seen.now:
        return f"The auth key expired on {expires:%Y-%m-%d %H:%M}."
    return ""


def of_the_tailnet(seen: Observations, tailnet: Tailnet, failed: Reply | None) -> Iterator[Problem]:
    homes = [node for node in tailnet.nodes if HOME_TAG in node.tags]
    named = [node for node in homes if node.name == seen.home]
    others = ", ".join(node.name for node in homes if node.name != seen.home)
    # Of instances that have just ended the tailnet still says that they are online.
    gateways = [node for node in tailnet.nodes if GATEWAY_TAG in node.tags and node.online]
    present = ", ".join(n.name for n in homes if n.name != seen.home and n.online)
    if not named:
        called = f"; the machine with {HOME_TAG} is called {others}" if others else ""
        rename = f"Rename it to {seen.home}, or set home.host and run {seen.up}."
        join = f"On it: tailscale up --advertise-tags={HOME_TAG} --hostname={seen.home}"
        yield Problem(
            hop="tailnet",
            cause=f"No machine of the tailnet is called {seen.home} and has {HOME_TAG}{called}.",
            remedy=rename if others else join,
        )
    elif not named[0].online and present:
        cause = f"{seen.home} is offline, and {present} with the same tag is online: home has "
        yield Problem(
            hop="tailnet",
            cause=f"{cause}joined anew while its old entry was still there.",
            remedy=f"Remove the old {seen.home} from the tailnet, and rename {present} to it.",
        )
    elif not named[0].online:
        yield Problem(
            hop="tailnet",
            cause=f"{seen.home} is offline: it is off, asleep, or tailscaled does not run there.",
            remedy="Switch it on; there: systemctl status tailscaled",
        )
    elif tailnet.home_answers is False and failed is not None and failed.home_is_silent:
        yield Problem(
            hop="tailnet",
            cause=f"{seen.home} does not answer in the tailnet, which has not noticed it yet: its "
            "line or power is gone, or it sleeps.",
            remedy="Look at its line; switch it on; there: systemctl status tailscaled",
        )
    elif tailnet.whole and not gateways and failed is not None and failed.home_is_silent:
        yield Problem(
            hop="tailnet",
            cause=f"The gateway runs, and is not in the tailnet: no machine with {GATEWAY_TAG} is "
            "online. Somebody has removed it.",
            remedy="Ask nothing for 15 minutes: its instance ends, and the next one joins anew.",
        )
    relayed = next((node for node in gateways if node.path.startswith("relayed")), None)
    if relayed is not None and not any(node.path == "direct" for node in gateways):
        yield Problem(
            hop="tailnet",
            cause=f"Gateway and home find no direct path: traffic is {relayed.path}, and slow.",
            remedy="Let home's router pass UDP port 41641, or leave it so.",
            harmless=True,
        )


def of_the_minutes(seen: Observations) -> Iterator[Problem]:
    free, used = seen.free_minutes, seen.minutes
    if free and not isinstance(used, NotSeen) and used >= WARN_SHARE * free:
        yield Problem(
            hop="tailnet",
            cause=f"The gateway was in the tailnet for {used:,.0f} minutes this month; Tailscale's "
            f"free plan has {free:,}.",
            remedy="Who keeps it awake? `hub usage` counts requests by key; strangers and "
            "monitors count, too.",
            harmless=True,
        )
