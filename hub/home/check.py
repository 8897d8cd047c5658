"""One look at every hop at home: what is so, and what to do where it should not be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx2
from lightkube.models.core_v1 import PodStatus
from lightkube.resources.core_v1 import Pod
from rich.markup import escape
from rich.table import Table

from hub.home.cluster import Cluster, gateways, look_inside
from hub.home.facts import SLEEP, Facts, look
from hub.home.machine import Machine
from hub.home.requirements import NAME, gpu_problems, joined
from infra.config import Home
from infra.home_k3s.crash import in_one_line
from infra.home_k3s.names import MODEL, NAMESPACE
from infra.home_k3s.rollout import put_out
from twin.status.rows import COLOURS, State

SLICES = int(Home.model_fields["gpu_slices"].default)
"""Of the GPU, where none are declared yet."""
IMAGES_GO_PERCENT = 15
"""Of free disk: below it the kubelet deletes images, above all vLLM's (imageGCHighThreshold)."""
RENEW_DAYS = 30
INSTALL = "hub home install"
UP = "pulumi up --refresh"
"""Without a look at what is there, it would not miss what was deleted by hand."""
GATEWAY_SECONDS = 30
"""A start of an instance and a home that is off take 11.5 s together (docs/decisions/0012)."""
ASKS_FOR_THE_KEY = "401"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the answer."""

    hop: str
    what: str
    state: State
    detail: str
    remedy: str = ""
    """What to do; of each row that is down, and of some that will be."""


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
        return _row("gateway", "health", detail, ok=False, remedy=remedy)
    detail = f"{answer.status_code} after {answer.elapsed.total_seconds():.1f} s"
    return _row("gateway", "health", detail, ok=answer.status_code == 200, remedy=remedy)


def rows(facts: Facts, cluster: Cluster, now: datetime) -> list[Row]:
    """Each hop, from the tailnet inwards; not what can only follow from a hop that is down."""
    shown = [*_tailnet(facts, cluster), *_k3s(facts, cluster), _driver(facts)]
    if cluster.node:
        shown += [_slices(cluster), *_pods(cluster)]
    if facts.k3s and facts.tailscale.running:
        shown.append(_way_in(facts, cluster))
    return [*shown, *_machine(facts, cluster, now)]


def table(rows: list[Row]) -> Table:
    """The rows for a person: the remedy beside what is down."""
    shown = Table("hop", box=None, header_style="bold")
    for title in ("what", "state"):
        shown.add_column(title, no_wrap=True)
    shown.add_column("detail", overflow="fold")
    shown.add_column("what to do", overflow="fold")
    previous = ""
    for row in rows:
        colour = COLOURS[row.state]
        hop = row.hop if row.hop != previous else ""
        state = f"[{colour}]{row.state}[/{colour}]"
        shown.add_row(hop, row.what, state, escape(row.detail), escape(row.remedy))
        previous = row.hop
    return shown


def _row(hop: str, what: str, detail: str, *, ok: bool = True, remedy: str = "") -> Row:
    """Down with its remedy, where it is not ok."""
    if ok:
        return Row(hop=hop, what=what, state="ok", detail=detail)
    return Row(hop=hop, what=what, state="down", detail=detail, remedy=remedy)


def _tailnet(facts: Facts, cluster: Cluster) -> Iterator[Row]:
    tailscale = facts.tailscale
    yield _row(
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
    yield _row(
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
        yield _row(
            "tailnet",
            gateways(facts).get(address, address),
            answer.splitlines()[0] if answer else "no answer",
            ok=answer.startswith("pong"),
            remedy="is the policy of `hub policy` in place? does the router block UDP?",
        )


def _k3s(facts: Facts, cluster: Cluster) -> Iterator[Row]:
    if not facts.k3s:
        yield _row("K3s", "service", "not installed", ok=False, remedy=INSTALL)
        return
    after_boot = "" if facts.k3s_enabled else ", and will not start at boot"
    yield _row(
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
    yield _row("K3s", "node", detail, ok=not remedy, remedy=remedy)


def _driver(facts: Facts) -> Row:
    problem = next(iter(gpu_problems(facts)), None)
    return _row(
        "GPU",
        "driver",
        problem.what if problem else f"{facts.gpu}, driver {facts.driver}",
        ok=problem is None,
        remedy=problem.remedy if problem else "",
    )


def _slices(cluster: Cluster) -> Row:
    count = cluster.node.get("status", {}).get("allocatable", {}).get("nvidia.com/gpu", "0")
    declared = str(cluster.slices or SLICES)
    return _row(
        "GPU",
        "nvidia.com/gpu",
        f"{count} of {declared}" if count != declared else count,
        ok=count == declared,
        remedy=f"{UP}, if it was never deployed; else sudo systemctl restart k3s",
    )


def _pods(cluster: Cluster) -> Iterator[Row]:
    yield _model(cluster)
    if cluster.log:
        yield _row("pods", "its last line", cluster.log.splitlines()[-1])
    live = [pod for pod in cluster.pods if not _put_out(pod)]
    bad = [
        f"{pod['metadata']['name']} ({_trouble(pod)})"
        for pod in live
        if pod["metadata"]["namespace"] != NAMESPACE and _trouble(pod)
    ]
    left = len(cluster.pods) - len(live)
    still = (
        f"; {left} that ended with the machine's last restart are still listed: "
        "kubectl delete pods -A --field-selector status.phase=Failed"
    )
    yield _row(
        "pods",
        "the others",
        ", ".join(bad) or f"{len(live)} in all namespaces{still if left else ''}",
        ok=not bad and bool(live),
        remedy="kubectl get pods -A; kubectl -n kube-system describe pod NAME",
    )


def _model(cluster: Cluster) -> Row:
    if not cluster.model:
        return _row("pods", MODEL, "not deployed", ok=False, remedy=UP)
    if cluster.model.get("spec", {}).get("replicas") == 0:
        return Row(
            hop="pods",
            what=MODEL,
            state="idle",
            detail="the GPU is free for something else; `hub home take` starts the model",
        )
    of_model = [p for p in cluster.pods if p["metadata"].get("labels", {}).get("app") == MODEL]
    if not of_model:
        describe = f"kubectl -n {NAMESPACE} describe deployment {MODEL}"
        return _row("pods", MODEL, "no pod", ok=False, remedy=describe)
    return _of_its_pod(min(of_model, key=lambda one: bool(_put_out(one))), cluster.log)


def _of_its_pod(pod: Mapping[str, Any], log: str) -> Row:
    if why := _put_out(pod):
        return _row("pods", MODEL, why, ok=False, remedy=f"kubectl -n {NAMESPACE} get events")
    last = log.splitlines()[-1] if log else "no line in its log"
    restarts = sum(c.get("restartCount", 0) for c in pod["status"].get("containerStatuses", ()))
    times = f", restarted {restarts} times" if restarts else ""
    if trouble := _trouble(pod):
        running = pod["status"].get("phase") == "Running" and trouble == "not ready"
        if running and not restarts:
            detail = f"loading the model: {last}"
            return Row(hop="pods", what=MODEL, state="idle", detail=detail)
        why = in_one_line(log) or last
        logs = f"kubectl -n {NAMESPACE} logs deployment/{MODEL} --tail=50"
        return _row("pods", MODEL, f"{trouble}{times}: {why}", ok=False, remedy=logs)
    return _row("pods", MODEL, f"ready{times}")


def _put_out(pod: Mapping[str, Any]) -> str:
    told = {name: pod["status"].get(name) for name in ("phase", "reason", "message")}
    return put_out(Pod(status=PodStatus(**told)))


def _trouble(pod: Mapping[str, Any]) -> str:
    """Why a pod does not serve; empty where it does, or has done its work."""
    status = pod["status"]
    if status.get("phase") == "Succeeded":
        return ""
    for container in status.get("containerStatuses", ()):
        if waiting := container.get("state", {}).get("waiting"):
            return str(waiting.get("reason", "waiting"))
    ready = [c.get("ready") for c in status.get("containerStatuses", ())]
    if status.get("phase") != "Running" or not ready:
        return str(status.get("phase", "unknown"))
    return "" if all(ready) else "not ready"


def _way_in(facts: Facts, cluster: Cluster) -> Row:
    at = f"http://{facts.tailscale.address}"
    if cluster.entry == ASKS_FOR_THE_KEY:
        return _row("ingress", "port 80", f"{at} asks for the gateway's key")
    if cluster.entry == "000":
        detail, remedy = f"{at} does not answer", "kubectl -n kube-system get pods,svc"
    elif not cluster.has_ingress:
        detail, remedy = f"Traefik answers {cluster.entry}: no Ingress {MODEL}", UP
    else:
        detail = f"Traefik answers {cluster.entry} without the gateway's key, instead of 401"
        remedy = UP
    return _row("ingress", "port 80", detail, ok=False, remedy=remedy)


def _machine(facts: Facts, cluster: Cluster, now: datetime) -> Iterator[Row]:
    yield _row(
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
    yield _row(
        "machine", "sleep", "".join(asleep) or "never suspends", ok=not asleep, remedy=INSTALL
    )
    if facts.wakes is None:
        detail = f"the adapter {facts.interface} cannot be woken"
        yield Row(hop="machine", what="wake-on-LAN", state="idle", detail=detail)
    else:
        detail = f"{facts.mac} on {facts.interface}" if facts.wakes else "off"
        yield _row("machine", "wake-on-LAN", detail, ok=facts.wakes, remedy=INSTALL)


def _certificates(cluster: Cluster, now: datetime) -> Row:
    if cluster.certificate_ends is None:
        unread = "the API server's cannot be read"
        check = "sudo k3s certificate check"
        return _row("machine", "certificates", unread, ok=False, remedy=check)
    days = (cluster.certificate_ends - now).days
    state: State = "ok" if days >= RENEW_DAYS else "idle" if days >= 0 else "down"
    detail = f"{days} days left" if days >= 0 else "have ended"
    remedy = "" if state == "ok" else "sudo systemctl restart k3s, which renews them"
    return Row(hop="machine", what="certificates", state=state, detail=detail, remedy=remedy)
