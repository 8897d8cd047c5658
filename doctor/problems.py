"""What is wrong at a hop, as far as it was seen: each thing with its cause and what mends it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from doctor.hops import Hop
from doctor.observations import Change, Cluster, NotSeen, Observations, Pod, Reply, Service, Tailnet
from infra.home_k3s.names import MODEL, NAMESPACE
from infra.tailnet.policy import GATEWAY_TAG, HOME_TAG
from infra.tailnet.renewal import WARN_DAYS, days_left

CLOCK_SECONDS = 60
SLOW_SECONDS = 5
"""For one small answer of an awake service."""
WARN_SHARE = 0.8
"""Of the tailnet's free minutes."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Something wrong at a hop."""

    hop: Hop
    cause: str
    remedy: str
    harmless: bool = False
    """It breaks nothing by itself."""


def problems(seen: Observations, failed: Reply | None) -> Iterator[Problem]:
    """Of all hops; ``failed`` is the request that did not get through."""
    yield from _of_programs(seen)
    yield from _of_the_answers(seen, failed)
    if isinstance(seen.service, Service):
        yield from _of_cloud_run(seen, seen.service, failed)
    if isinstance(seen.tailnet, Tailnet):
        yield from _of_the_tailnet(seen, seen.tailnet)
    if isinstance(seen.cluster, Cluster):
        yield from _of_the_cluster(seen, seen.cluster, failed)
    yield from _of_the_minutes(seen)
    yield from _of_certificates(seen)
    yield from _of_drift(seen)


def _of_the_minutes(seen: Observations) -> Iterator[Problem]:
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


def _of_certificates(seen: Observations) -> Iterator[Problem]:
    whose: list[tuple[Hop, str, datetime | None, str]] = [
        (
            "address",
            "The certificate of the service's address",
            seen.address_expires,
            "Google renews its own; for a domain of yours look at its mapping in Cloud Run.",
        ),
        (
            "kubernetes",
            "Your certificate in the kubeconfig",
            seen.kubeconfig_expires,
            "On the server: sudo systemctl restart k3s. Then `hub home install` prints a new one.",
        ),
    ]
    for hop, what, expires, remedy in whose:
        if expires and days_left(expires, seen.now.date()) <= WARN_DAYS:
            verb = "expired" if expires < seen.now else "expires"
            cause = f"{what} {verb} on {expires:%Y-%m-%d}."
            yield Problem(hop=hop, cause=cause, remedy=remedy, harmless=True)


def _of_drift(seen: Observations) -> Iterator[Problem]:
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
            remedy=f"{seen.up}, or write what was changed by hand into the stack's file.",
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


def _of_programs(seen: Observations) -> Iterator[Problem]:
    for one in seen.programs:
        if one.state == "running":
            continue
        told = "has ended" if one.state == "ended" else "is stopped: it exists and does nothing"
        remedy = seen.up if one.state == "ended" else f"kill -CONT its process, or {seen.up}"
        yield Problem(hop=one.hop, cause=f"The program {one.name} {told}.", remedy=remedy)


def _of_the_answers(seen: Observations, failed: Reply | None) -> Iterator[Problem]:
    if failed is not None and not failed.connected:
        remedy = f"Is this machine online, and the address right? {seen.up} prints it."
        yield Problem(hop="address", cause=failed.failure, remedy=remedy)
    ahead = seen.requests.health.clock_ahead
    if ahead is not None and abs(ahead) > CLOCK_SECONDS:
        way = "behind" if ahead > 0 else "ahead of"
        yield Problem(
            hop="address",
            cause=f"This computer's clock is {abs(ahead):.0f} s {way} the service's: certificates "
            "and log-ins fail by it.",
            remedy="timedatectl set-ntp true",
            harmless=True,
        )
    if failed is not None and failed.code == "invalid_api_key":
        yield Problem(
            hop="api key",
            cause="The gateway does not know this key: it was revoked, or is another service's.",
            remedy="`hub keys` lists the keys that are accepted; `hub keys show NAME` prints one.",
        )
    generation = seen.requests.generation
    if generation is not None and not generation.good:
        how = generation.failure or f"{generation.status}: {generation.words}"
        yield Problem(
            hop="model",
            cause=f"The model server answers, but generates nothing ({how}): it hangs.",
            remedy=f"{seen.kubectl} -n {NAMESPACE} rollout restart deployment/{MODEL}",
        )
    elif generation is not None and generation.seconds > SLOW_SECONDS:
        yield Problem(
            hop="model",
            cause=f"One token took {generation.seconds:.0f} s: the GPU is busy, or the path slow.",
            remedy="Does something else use the GPU (nvidia-smi)? Is the line slow?",
            harmless=True,
        )
    lost = next((r for r in seen.requests.bodies if r.status is None), None)
    if lost is not None:
        yield Problem(
            hop="large requests",
            cause=f"Small requests pass, {lost.asked} does not: the path loses large packets.",
            remedy=f"Lower tailnet.mtu (1024, then 900, then 576) and run {seen.up}.",
        )


def _of_cloud_run(seen: Observations, service: Service, failed: Reply | None) -> Iterator[Problem]:
    if not service.deployed:
        yield Problem(hop="cloud run", cause="No service is deployed.", remedy=seen.up)
    elif service.failure and failed is not None and not failed.in_gateways_form:
        key = _key_problem(seen)
        yield Problem(
            hop="cloud run",
            cause=f"The gateway's instance does not start. {key or service.failure}",
            remedy=f"{seen.up} renews the auth key." if key else seen.up,
        )


def _key_problem(seen: Observations) -> str:
    """In words, if the auth key cannot let a new instance in."""
    if not isinstance(seen.tailnet, Tailnet) or not seen.tailnet.key_known:
        return ""
    expires = seen.tailnet.key_expires
    if expires is None:
        return "There is no valid auth key: it was revoked, used up or never made."
    if days_left(expires, seen.now.date()) < 0 or expires < seen.now:
        return f"The auth key expired on {expires:%Y-%m-%d %H:%M}."
    return ""


def _of_the_tailnet(seen: Observations, tailnet: Tailnet) -> Iterator[Problem]:
    if key := _key_problem(seen):
        yield Problem(
            hop="tailnet",
            cause=f"{key} The gateway's next start fails.",
            remedy=seen.up,
            harmless=True,
        )
    elif tailnet.key_expires and days_left(tailnet.key_expires, seen.now.date()) <= WARN_DAYS:
        told = f"The auth key expires on {tailnet.key_expires:%Y-%m-%d}."
        yield Problem(hop="tailnet", cause=told, remedy=seen.up, harmless=True)
    homes = [node for node in tailnet.nodes if HOME_TAG in node.tags]
    named = [node for node in homes if node.name == seen.home]
    others = ", ".join(node.name for node in homes if node.name != seen.home)
    if not named:
        called = f"; the machine with {HOME_TAG} is called {others}" if others else ""
        rename = f"Rename it to {seen.home}, or set home.host and run {seen.up}."
        join = f"On it: tailscale up --advertise-tags={HOME_TAG} --hostname={seen.home}"
        yield Problem(
            hop="tailnet",
            cause=f"No machine of the tailnet is called {seen.home} and has {HOME_TAG}{called}.",
            remedy=rename if others else join,
        )
    elif not named[0].online:
        yield Problem(
            hop="tailnet",
            cause=f"{seen.home} is offline: it is off, asleep, or tailscaled does not run there.",
            remedy="Switch it on; there: systemctl status tailscaled",
        )
    gateways = [node for node in tailnet.nodes if GATEWAY_TAG in node.tags and node.online]
    relayed = next((node for node in gateways if node.path.startswith("relayed")), None)
    if relayed is not None:
        yield Problem(
            hop="tailnet",
            cause=f"Gateway and home find no direct path: traffic is {relayed.path}, and slow.",
            remedy="Let home's router pass UDP port 41641, or leave it so.",
            harmless=True,
        )


def _of_the_cluster(
    seen: Observations, cluster: Cluster, failed: Reply | None
) -> Iterator[Problem]:
    kubectl = f"{seen.kubectl} -n {NAMESPACE}"
    if cluster.entry is not None and not any(pod.ready for pod in cluster.entry):
        told = "; ".join(map(_told, cluster.entry)) or "there is no pod of it"
        remedy = f"{seen.kubectl} -n kube-system get pods -l app.kubernetes.io/name=traefik"
        yield Problem(hop="home port 80", cause=f"Traefik is not ready: {told}.", remedy=remedy)
    if not cluster.node_ready:
        cause = f"The node is not ready: {cluster.node_reason or 'K3s does not say why'}."
        yield Problem(hop="kubernetes", cause=cause, remedy="On it: systemctl status k3s")
    elif cluster.gpus == 0:
        yield Problem(
            hop="kubernetes",
            cause="The node offers no GPU: the device plugin does not run, or sees none.",
            remedy="On it: nvidia-smi; then restart K3s. "
            f"{seen.kubectl} -n kube-system get pods shows the plugin.",
        )
    ready = [pod for pod in cluster.pods if pod.ready]
    if not cluster.ingress:
        yield Problem(hop="ingress", cause="Home has no route to the model server.", remedy=seen.up)
    elif failed is not None and failed.code == "home_misconfigured":
        cause = "Home does not accept this gateway's key: it was deployed by another stack since."
        yield Problem(hop="ingress", cause=cause, remedy=seen.up)
    elif ready and cluster.endpoints == 0:
        cause = "The Service finds no pod although one is ready: its selector was changed."
        yield Problem(hop="ingress", cause=cause, remedy=seen.up)
    if cluster.desired is None:
        yield Problem(hop="pod", cause="The model server is not deployed.", remedy=seen.up)
    elif cluster.desired == 0:
        cause = "The model server is scaled to 0: the GPU was freed, or it was scaled by hand."
        yield Problem(hop="pod", cause=cause, remedy=seen.take)
    elif not ready:
        yield _unready(cluster.pods, kubectl)


def _unready(pods: tuple[Pod, ...], kubectl: str) -> Problem:
    newest = pods[-1] if pods else None
    logs = f"{kubectl} logs deployment/{MODEL} --tail=50"
    if newest is None:
        remedy = f"{kubectl} get events"
        return Problem(hop="pod", cause="No pod of the model server was made.", remedy=remedy)
    if newest.phase == "Pending":
        cause, remedy = f"The pod waits to be placed: {newest.reason}.", f"{kubectl} get events"
        return Problem(hop="pod", cause=cause, remedy=remedy)
    if newest.restarts or newest.reason:
        return Problem(hop="pod", cause=f"The pod cannot start: {_told(newest)}", remedy=logs)
    cause = "The model server is loading its model; that takes minutes, the first time longer."
    return Problem(hop="pod", cause=cause, remedy=f"Wait, or look: {logs}")


def _told(pod: Pod) -> str:
    restarted = f", restarted {pod.restarts} times" if pod.restarts else ""
    words = f"; its last words: {pod.last_words}" if pod.last_words else ""
    return f"{pod.name}: {pod.reason or pod.phase}{restarted}{words}"
