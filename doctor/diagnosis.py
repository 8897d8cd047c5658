"""Which hop is broken, why, and what mends it: from observations alone.

A request proves every hop that it has passed. Whatever else is seen of a proven hop is worth a
warning at most. Behind the last proven hop the first one with something wrong is the broken one; if
nothing is seen to be wrong there, it is the hop at which requests end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from doctor.hops import HOPS, Hop
from doctor.observations import Cluster, NotSeen, Observations, Pod, Reply, Service, Tailnet
from infra.home_k3s.names import MODEL, NAMESPACE
from infra.tailnet.policy import GATEWAY_TAG, HOME_TAG
from infra.tailnet.renewal import WARN_DAYS, days_left

State = Literal["ok", "warning", "broken", "not seen"]
SLOW_SECONDS = 5
"""For one small answer of an awake service."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Something wrong at a hop."""

    hop: Hop
    cause: str
    remedy: str
    harmless: bool = False
    """It breaks nothing by itself."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A hop's line of the answer."""

    hop: Hop
    state: State
    evidence: str
    cause: str = ""
    remedy: str = ""


def diagnose(seen: Observations) -> list[Finding]:
    """One finding for each hop, in the order of the path."""
    proven, failed = _proven(seen)
    problems = list(_problems(seen, failed))
    texts, seen_well = _evidence(seen), _seen_well(seen)
    findings: list[Finding] = []
    broken = False
    for index, hop in enumerate(HOPS):
        here = [p for p in problems if p.hop == hop]
        grave = [p for p in here if not p.harmless]
        evidence = texts.get(hop, "")
        if index <= proven:
            first = here[0] if here else None
            findings.append(_finding(hop, "warning" if first else "ok", evidence, first))
        elif grave:
            findings.append(_finding(hop, "warning" if broken else "broken", evidence, grave[0]))
            broken = True
        elif here:
            findings.append(_finding(hop, "warning", evidence, here[0]))
        else:
            state: State = "ok" if hop in seen_well else "not seen"
            findings.append(_finding(hop, state, evidence, None))
    if failed is not None and not broken:
        rest: list[Hop] = [hop for hop in HOPS[proven + 1 :] if hop not in seen_well]
        at = rest[0] if rest else HOPS[-1]
        findings[HOPS.index(at)] = _ends_here(at, seen, failed)
    return findings


def first_broken(findings: list[Finding]) -> Finding | None:
    return next((one for one in findings if one.state == "broken"), None)


def _finding(hop: Hop, state: State, evidence: str, problem: Problem | None) -> Finding:
    cause, remedy = (problem.cause, problem.remedy) if problem else ("", "")
    return Finding(hop=hop, state=state, evidence=evidence, cause=cause, remedy=remedy)


def _proven(seen: Observations) -> tuple[int, Reply | None]:
    """The furthest hop that a request has passed, and the request that failed."""
    asked = seen.requests
    steps: list[tuple[Reply | None, Hop]] = [
        (asked.health, "gateway"),
        (asked.models, "pod"),
        (asked.generation, "model"),
        (asked.picture, "model"),
    ]
    proven, failed = -1, None
    for reply, hop in steps:
        if reply is not None and reply.good:
            proven = HOPS.index(hop)
        elif reply is not None:
            proven, failed = max(proven, _how_far(reply)), reply
    lost = [body for body in asked.bodies if not _was_read(body)]
    if failed is None and asked.bodies and not lost:
        proven = HOPS.index("large requests")
    return proven, failed or (lost[0] if lost else None)


def _seen_well(seen: Observations) -> set[Hop]:
    """Hops that were looked at; who asks has found nothing wrong there."""
    well: set[Hop] = set()
    if isinstance(seen.tailnet, Tailnet):
        well.add("tailnet")
    if isinstance(seen.cluster, Cluster):
        well |= {"kubernetes", "ingress", "pod"}
    return well


def _was_read(body: Reply) -> bool:
    """It ends as the model server's refusal of a model that it does not have, or is too large."""
    return body.status in {404, 413} and body.code != "unknown_url"


def _how_far(reply: Reply) -> int:
    if not reply.connected:
        return -1
    if not reply.in_gateways_form:
        return HOPS.index("address")
    match reply.code:
        case "invalid_api_key":
            return HOPS.index("gateway")
        case "home_unavailable" | "home_lost":
            # /health needs no key, so it says nothing of it; models is asked with one.
            return HOPS.index("gateway" if "health" in reply.asked else "api key")
        case "home_misconfigured" | "model_unavailable":
            return HOPS.index("home port 80")
        case _:
            return HOPS.index("gateway")


def _problems(seen: Observations, failed: Reply | None) -> Iterator[Problem]:
    yield from _of_programs(seen)
    yield from _of_the_answers(seen, failed)
    if isinstance(seen.service, Service):
        yield from _of_cloud_run(seen, seen.service, failed)
    if isinstance(seen.tailnet, Tailnet):
        yield from _of_the_tailnet(seen, seen.tailnet)
    if isinstance(seen.cluster, Cluster):
        yield from _of_the_cluster(seen, seen.cluster, failed)


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
        remedy = f"{kubectl} scale deployment/{MODEL} --replicas=1"
        yield Problem(hop="pod", cause="The model server was scaled to 0 by hand.", remedy=remedy)
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


def _ends_here(hop: Hop, seen: Observations, failed: Reply) -> Finding:
    """Requests end at a hop of which nothing wrong was seen."""
    came = failed.failure or f"{failed.status} {failed.code or failed.words[:80]}".strip()
    causes: dict[Hop, tuple[str, str]] = {
        "cloud run": (
            f"Google answers in the gateway's place: {failed.status} {failed.words[:120]}",
            seen.up,
        ),
        "tailnet": (
            f"Home is in the tailnet, but the gateway gets no answer from port 80 of {seen.home}.",
            "Is the policy of `hub policy` in place, and Traefik running at home?",
        ),
        "home port 80": (
            f"Home is in the tailnet, but the gateway gets no answer from port 80 of {seen.home}.",
            "Is the policy of `hub policy` in place, and Traefik running at home?",
        ),
    }
    cause, remedy = causes.get(hop, (f"{failed.asked} ended with: {came}.", seen.up))
    return Finding(hop=hop, state="broken", evidence=came, cause=cause, remedy=remedy)


def _evidence(seen: Observations) -> dict[Hop, str]:
    asked = seen.requests
    generated = (_answered(asked.generation), _answered(asked.picture))
    return {
        "address": "" if asked.health.connected else asked.health.failure,
        "cloud run": _of_service(seen.service),
        "gateway": _answered(asked.health),
        "api key": _answered(asked.models),
        "tailnet": _online(seen.tailnet),
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
