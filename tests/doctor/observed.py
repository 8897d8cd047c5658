"""Made observations: of a deployment in which nothing is wrong, and pieces of others."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from doctor.observations import (
    Change,
    Cluster,
    Node,
    Observations,
    Pod,
    Reply,
    Requests,
    Service,
    Tailnet,
)

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def reply(
    asked: str, status: int | None = 200, code: str = "", *, seconds: float = 0.1, words: str = ""
) -> Reply:
    return Reply(
        asked=asked,
        seconds=seconds,
        status=status,
        code=code,
        words=words,
        in_gateways_form=True,
        failure="" if status else "no answer in 10 s",
    )


HEALTH, MODELS = "GET /health", "GET /v1/models with the key"
BODIES = tuple(reply(f"a request of {size}", 404) for size in ("1 kB", "64 kB", "1 MB"))
WELL_ASKED = Requests(
    health=reply(HEALTH),
    models=reply(MODELS),
    generation=reply("one token"),
    picture=reply("a picture"),
    bodies=BODIES,
)
HOME = Node(name="home", online=True, tags=("tag:llm-home",))
GATEWAY = Node(name="home-gateway", online=True, tags=("tag:llm-gateway",), path="direct")
WELL_CONNECTED = Tailnet(nodes=(HOME, GATEWAY), home_answers=True)
READY = Pod(name="vllm-qwen-1", phase="Running", ready=True)
WELL_SERVED = Cluster(
    ours=True, node_ready=True, gpus=10, ingress=True, endpoints=1, desired=1, pods=(READY,)
)
WELL = Observations(
    home="home",
    up="hub up",
    kubectl="kubectl",
    gateway_log="gcloud run services logs read home-gateway",
    take="hub home take",
    refresh="pulumi up --refresh",
    url="https://home-gateway.example",
    requests=WELL_ASKED,
    service=Service(deployed=True, instances=1, revision="home-gateway-00001"),
    tailnet=WELL_CONNECTED,
    auth_key=NOW + timedelta(days=80),
    key_days=90,
    cluster=WELL_SERVED,
    minutes=120.4,
    free_minutes=1000,
    now=NOW,
)


def changed(kind: str, name: str, op: str = "update") -> Change:
    return Change(op=op, kind=kind, name=name, fields=("spec.a",) if op == "update" else ())


def refused(code: str, status: int = 503) -> Requests:
    """No request comes further than the gateway, which says this."""
    return Requests(health=reply(HEALTH, status, code), models=reply(MODELS, status, code))


def googles_own(words: str = "Service Unavailable") -> Requests:
    answer = replace(reply(HEALTH, 503, words=words), in_gateways_form=False)
    return Requests(health=answer, models=replace(answer, asked=MODELS))


UNCONNECTED = Requests(
    health=Reply(asked=HEALTH, seconds=0, failure="[Errno 111] refused", connected=False)
)
HOME_AWAY, MODEL_AWAY = refused("home_unavailable"), refused("model_unavailable")
NONE_READY = replace(WELL_SERVED, endpoints=0)


def home_away(**tailnet: Any) -> Observations:
    """The gateway does not reach home, and the tailnet is so."""
    return replace(WELL, requests=HOME_AWAY, tailnet=replace(WELL_CONNECTED, **tailnet))


def unready_pod(phase: str = "Running", **more: Any) -> Observations:
    """The model server's only pod is this one."""
    pods = (Pod(name="p", phase=phase, ready=False, **more),)
    return replace(WELL, requests=MODEL_AWAY, cluster=replace(NONE_READY, pods=pods))
