"""One look at every hop at home: what is so, and what to do where it should not be."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import httpx2

from hub.home.cluster import Cluster, gateways, look_inside
from hub.home.facts import SLEEP, Facts, look
from hub.home.machine import Machine
from hub.home.pods import of_pods
from hub.home.requirements import NAME, gpu_problems, joined
from hub.home.rows import UP, Row, row
from infra.config import Home
from infra.home_k3s.names import MODEL
from twin.status.rows import State

SLICES = int(Home.model_fields["gpu_slices"].default)
"""Of the GPU, where none are declared yet."""
IMAGES_GO_PERCENT = 15
"""Of free disk: below it the kubelet deletes images, above all vLLM's (imageGCHighThreshold)."""
RENEW_DAYS = 30
INSTALL = "hub home install"
GATEWAY_SECONDS = 30
"""A start of an instance and a home that is off take 11.5 s together (docs/decisions/0012)."""
ASKS_FOR_THE_KEY = "401"


def check(machine: Machine, now: datetime) -> list[Row]:
    """Look at the server.

    Raises:
        HomeError: the server refuses.
    """
    facts = look(machine)
    return rows(facts, look_inside(machine, facts), now)


def ask_gateway(url: str) -> Row:
    """The whole path from outside, which wakes the gateway."""
    address = f"{url.rstrip('/').removesuffix('/v1')}/health"
    remedy = "the table in docs/operations.md, by this status"
    try:
        answer = httpx2.get(address, timeout=GATEWAY_SECONDS)
    except httpx2.HTTPError as error:
        detail = f"{address}: {error or type(error).__name__}"
        # Who has taken the connection is there.
        slow = isinstance(error, httpx2.ReadTimeout)
        remedy = "hub doctor --stack NAME" if slow else "is the address right?"
        return row("gateway", "health", detail, ok=False, remedy=remedy)
    detail = f"{answer.status_code} after {answer.elapsed.total_seconds():.1f} s"
    return row("gateway", "health", detail, ok=answer.status_code == 200, remedy=remedy)


def rows(facts: Facts, cluster: Cluster, now: datetime) -> list[Row]:
    """Each hop, from the tailnet inwards; not what can only follow from a hop that is down."""
    shown = [*_tailnet(facts, cluster), *_k3s(facts, cluster), _driver(facts)]
    if cluster.node:
        shown += [_slices(cluster), *of_pods(cluster)]
    if facts.k3s and facts.tailscale.running:
        shown.append(_way_in(facts, cluster))
    return [*shown, *_machine(facts, cluster, now)]


def _tailnet(facts: Facts, cluster: Cluster) -> Iterator[Row]:
    tailscale = facts.tailscale
    yield row(
        "tailnet",
        "address",
        f"{tailscale.address}, {tailscale.name}"
        if tailscale.running
        else f"none: {tailscale.state or 'tailscaled does not run'}",
        ok=tailscale.running,
        remedy="sudo systemctl restart tailscaled; sudo tailscale up" if facts.k3s else INSTALL,
    )
    if not tailscale.running:
        return
    yield row(
        "tailnet",
        "identity",
        f"{tailscale.hostname}, {', '.join(tailscale.tags) or 'no tag'}",
        ok=joined(facts) and tailscale.name.partition(".")[0] == NAME,
        remedy=INSTALL,
    )
    if not cluster.pings:
        detail = "no instance is awake: nobody asks"
        yield Row(hop="tailnet", what="gateway", state="idle", detail=detail)
    for address, answer in cluster.pings.items():
        yield row(
            "tailnet",
            gateways(facts).get(address, address),
            answer.splitlines()[0] if answer else "no answer",
            ok=answer.startswith("pong"),
            remedy="is the policy of `hub policy` in place? does the router block UDP?",
        )


def _k3s(facts: Facts, cluster: Cluster) -> Iterator[Row]:
    if not facts.k3s:
        yield row("K3s", "service", "not installed", ok=False, remedy=INSTALL)
        return
    after_boot = "" if facts.k3s_enabled else ", and will not start at boot"
    yield row(
        "K3s",
        "service",
        f"{facts.k3s}{after_boot}" if facts.k3s_active else f"{facts.k3s}, does not run",
        ok=facts.k3s_active and facts.k3s_enabled,
        remedy=INSTALL if facts.k3s_active else "hub home start; sudo journalctl -u k3s -n 50",
    )
    conditions = cluster.node.get("status", {}).get("conditions", ())
    ready = next((c for c in conditions if c["type"] == "Ready"), {"status": "", "message": ""})
    addresses = {
        a["address"]
        for a in cluster.node.get("status", {}).get("addresses", ())
        if a["type"] == "InternalIP"
    }
    if not cluster.node:
        detail, remedy = "the API server does not answer", "sudo journalctl -u k3s -n 50"
    elif ready["status"] != "True":
        detail, remedy = f"not ready: {ready['message']}", "sudo journalctl -u k3s -n 50"
    elif cluster.node.get("spec", {}).get("unschedulable"):
        name = cluster.node["metadata"]["name"]
        detail, remedy = "cordoned: no pod may start", f"kubectl uncordon {name}"
    elif facts.tailscale.address not in addresses:
        at = ", ".join(sorted(addresses))
        detail, remedy = f"at {at}, which is not the tailnet address", INSTALL
    else:
        detail, remedy = f"Ready at {facts.tailscale.address}", ""
    yield row("K3s", "node", detail, ok=not remedy, remedy=remedy)


def _driver(facts: Facts) -> Row:
    problem = next(iter(gpu_problems(facts)), None)
    return row(
        "GPU",
        "driver",
        problem.what if problem else f"{facts.gpu}, driver {facts.driver}",
        ok=problem is None,
        remedy=problem.remedy if problem else "",
    )


def _slices(cluster: Cluster) -> Row:
    count = cluster.node.get("status", {}).get("allocatable", {}).get("nvidia.com/gpu", "0")
    declared = str(cluster.slices or SLICES)
    return row(
        "GPU",
        "nvidia.com/gpu",
        f"{count} of {declared}" if count != declared else count,
        ok=count == declared,
        remedy=f"{UP}, if it was never deployed; else sudo systemctl restart k3s",
    )


def _way_in(facts: Facts, cluster: Cluster) -> Row:
    at = f"http://{facts.tailscale.address}"
    if cluster.entry == ASKS_FOR_THE_KEY:
        return row("ingress", "port 80", f"{at} asks for the gateway's key")
    if cluster.entry == "000":
        detail, remedy = f"{at} does not answer", "kubectl -n kube-system get pods,svc"
    elif not cluster.has_ingress:
        detail, remedy = f"Traefik answers {cluster.entry}: no Ingress {MODEL}", UP
    else:
        detail = f"Traefik answers {cluster.entry} without the gateway's key, instead of 401"
        remedy = UP
    return row("ingress", "port 80", detail, ok=False, remedy=remedy)


def _machine(facts: Facts, cluster: Cluster, now: datetime) -> Iterator[Row]:
    yield row(
        "machine",
        "disk",
        f"{facts.free_gb} GB free below /var/lib, {facts.free_percent} %",
        ok=facts.free_percent >= IMAGES_GO_PERCENT,
        remedy="sudo k3s crictl rmi --prune",
    )
    if facts.k3s:
        yield _certificates(cluster, now)
    asleep = (
        [] if len(facts.masked) == len(SLEEP) else ["may suspend, which destroys the GPU's state"]
    )
    yield row(
        "machine", "sleep", "".join(asleep) or "never suspends", ok=not asleep, remedy=INSTALL
    )
    if facts.wakes is None:
        detail = f"the adapter {facts.interface} cannot be woken"
        yield Row(hop="machine", what="wake-on-LAN", state="idle", detail=detail)
    else:
        detail = f"{facts.mac} on {facts.interface}" if facts.wakes else "off"
        yield row("machine", "wake-on-LAN", detail, ok=facts.wakes, remedy=INSTALL)


def _certificates(cluster: Cluster, now: datetime) -> Row:
    if cluster.certificate_ends is None:
        unread = "the API server's cannot be read"
        check = "sudo k3s certificate check"
        return row("machine", "certificates", unread, ok=False, remedy=check)
    days = (cluster.certificate_ends - now).days
    state: State = "ok" if days >= RENEW_DAYS else "idle" if days >= 0 else "down"
    detail = f"{days} days left" if days >= 0 else "have ended"
    remedy = "" if state == "ok" else "sudo systemctl restart k3s, which renews them"
    return Row(hop="machine", what="certificates", state=state, detail=detail, remedy=remedy)
