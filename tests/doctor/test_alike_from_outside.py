"""Faults that look alike from outside have causes of their own, and remedies that do no harm."""

from __future__ import annotations

from dataclasses import replace

import pytest

from doctor.diagnosis import diagnose, first_broken
from doctor.observations import (
    Cluster,
    NotSeen,
    Observations,
    Pod,
    Program,
    Reply,
    Requests,
    Service,
)
from tests.doctor.observed import (
    BODIES,
    GATEWAY,
    HEALTH,
    HOME,
    HOME_AWAY,
    MODEL_AWAY,
    MODELS,
    READY,
    WELL,
    WELL_ASKED,
    WELL_CONNECTED,
    WELL_SERVED,
    googles_own,
    home_away,
    refused,
    reply,
    unready_pod,
)

ONE_TOKEN, PICTURE = reply("one token"), reply("a picture")
TRAEFIK_READY = (Pod(name="traefik-1", phase="Running", ready=True),)
HEADSCALE_FROZEN = (Program(hop="tailnet", name="headscale", state="stopped"),)
HOME_OFF = replace(WELL_CONNECTED, nodes=(replace(HOME, online=False), GATEWAY), home_answers=False)


def asked(
    *,
    health: Reply = reply(HEALTH),  # noqa: B008  # a value
    models: Reply | None = reply(MODELS),  # noqa: B008
    generation: Reply | None = None,
    picture: Reply | None = None,
    bodies: tuple[Reply, ...] = (),
) -> Observations:
    """Where all sides are well."""
    requests = Requests(
        health=health, models=models, generation=generation, picture=picture, bodies=bodies
    )
    return replace(WELL, requests=requests)


ANOTHER_ANSWERS = asked(
    health=reply(HEALTH, 503, "home_unavailable"), models=replace(reply(MODELS), by_fallback=True)
)


def not_connected(failure: str) -> Observations:
    return asked(
        health=Reply(asked=HEALTH, seconds=0, failure=failure, connected=False), models=None
    )


BROKEN = {
    "a picture alone fails": (
        asked(generation=ONE_TOKEN, picture=reply("a picture", 500, "model_failed")),
        ("model", "writes text, and a picture ended with: 500 model_failed", "logs"),
    ),
    "a picture alone is never answered": (
        asked(generation=ONE_TOKEN, picture=reply("a picture", None), bodies=BODIES),
        ("model", "a picture ended with: no answer in 10 s", "logs"),
    ),
    "the model is served under another name": (
        asked(generation=reply("one token", 404, "model_not_found")),
        (
            "model",
            "serves its model under another name than vlm",
            "kubectl -n vlm delete deployment/vllm-qwen; pulumi up --refresh",
        ),
    ),
    "the engine answers with an error": (
        asked(generation=reply("one token", 500, "model_failed", words="It failed.")),
        ("model", "one token ended with: 500 model_failed", "logs"),
    ),
    "the engine dies at the first token": (
        asked(generation=reply("one token", 502, "home_lost")),
        ("model", "one token ended with: 502 home_lost", "logs"),
    ),
    "home is off, and another service answers": (
        replace(
            ANOTHER_ANSWERS,
            tailnet=HOME_OFF,
            cluster=NotSeen(why="no route"),
        ),
        ("tailnet", "home is offline", "Switch it on"),
    ),
    "home's cable is pulled, and another service answers": (
        replace(
            ANOTHER_ANSWERS,
            tailnet=replace(WELL_CONNECTED, home_answers=False),
        ),
        ("tailnet", "home does not answer in the tailnet", "Look at its line"),
    ),
    "home was asleep a moment ago": (
        replace(
            replace(WELL, requests=refused("home_waking")),
            tailnet=replace(WELL_CONNECTED, home_answers=False),
        ),
        ("tailnet", "home does not answer in the tailnet", "Look at its line"),
    ),
    "the first question is never answered": (
        asked(health=replace(reply(HEALTH, None), in_gateways_form=False), models=None),
        ("cloud run", "takes the connection and answers nothing: no answer in 10 s", "Ask again"),
    ),
    "a log-in page of a hotel answers": (
        asked(
            health=replace(reply(HEALTH, words="<html>"), in_gateways_form=False),
            models=replace(reply(MODELS, words="<html>"), in_gateways_form=False),
        ),
        ("cloud run", "a proxy of this network", "another network"),
    ),
    "the gateway's machine was removed from the tailnet": (
        home_away(nodes=(HOME,), home_answers=None),
        ("tailnet", "gateway runs, and is not in the tailnet", "15 minutes"),
    ),
    "the gateway's machine cannot be seen from here": (
        home_away(nodes=(HOME,), home_answers=True, whole=False),
        ("home port 80", "gets no answer from port 80 of home", "hub policy"),
    ),
    "the policy, home's firewall or K3s' load balancer": (
        replace(
            WELL,
            requests=HOME_AWAY,
            cluster=replace(WELL_SERVED, entry=TRAEFIK_READY),
        ),
        ("home port 80", "which of them was not seen", "svclb"),
    ),
    "the pod asks for a key of its own": (
        asked(models=reply(MODELS, 401, words='{"error":"Unauthorized"}')),
        (
            "pod",
            "asks for a key of its own",
            "kubectl -n vlm delete deployment/vllm-qwen; pulumi up --refresh",
        ),
    ),
    "the pod's own error": (
        asked(models=reply(MODELS, 500, "model_failed")),
        ("pod", "GET /v1/models with the key ended with: 500 model_failed", "logs"),
    ),
    "an image is being downloaded": (
        unready_pod(phase="Pending"),
        ("pod", "image is being downloaded, or the container made", "Wait"),
    ),
    "a volume's ConfigMap is missing": (
        unready_pod(phase="Pending", event='FailedMount: configmap "vllm-modules" not found'),
        ("pod", 'made. Its newest event: FailedMount: configmap "vllm-modules" not', "get events"),
    ),
    "no scheduler runs": (
        unready_pod(phase="Pending", unplaced=True),
        ("pod", "waits to be placed, and nobody says why", "get events"),
    ),
    "a liveness probe ended a hung engine": (
        unready_pod(
            restarts=1,
            reason="Error (exit code 137)",
            killed=True,
            event="Unhealthy: Liveness probe failed",
        ),
        ("pod", "killed: p: Error (exit code 137), restarted once. Its newest event: Un", "events"),
    ),
    "the kernel ended it for want of memory": (
        unready_pod(restarts=1, reason="OOMKilled (exit code 137)", killed=True),
        ("pod", "for want of memory: p: OOMKilled", "free -h"),
    ),
    "the kubeconfig is another cluster's": (
        replace(WELL, requests=MODEL_AWAY, cluster=Cluster(node_ready=True)),
        ("kubernetes", "no namespace vlm: is it home's?", "kubectl config get-contexts"),
    ),
    "the control server is frozen, and no instance can start": (
        replace(
            WELL,
            requests=googles_own(),
            service=Service(deployed=True, failure="container tailscale failed to start"),
            auth_key=NotSeen(why="the tailnet's control server does not answer"),
            tailnet=NotSeen(why="the tailnet's control server does not answer"),
            programs=HEADSCALE_FROZEN,
        ),
        ("cloud run", "The program headscale is stopped", "kill -CONT"),
    ),
    "the Service leads to a wrong port": (
        replace(WELL, requests=MODEL_AWAY),
        ("ingress", "pod is ready, and Traefik does not reach it", "pulumi up --refresh"),
    ),
    "home has no route": (
        replace(WELL, requests=refused("home_misconfigured", 503)),
        ("ingress", "Home has no route to the model server", "pulumi up --refresh"),
    ),
    "home has no route, and nobody has access to it": (
        replace(
            WELL,
            requests=refused("home_misconfigured", 503),
            cluster=NotSeen(why="no kubeconfig for home here"),
        ),
        ("ingress", "Home has no route to the model server", "pulumi up --refresh"),
    ),
    "another gateway's key, and the kubeconfig is another cluster's": (
        replace(
            WELL, requests=refused("home_misconfigured", 502), cluster=Cluster(node_ready=True)
        ),
        ("ingress", "does not accept this gateway's key", "pulumi up --refresh"),
    ),
    "the gateway itself fails": (
        replace(WELL, requests=refused("gateway_error", 500)),
        ("gateway", "The gateway itself failed", "logs read"),
    ),
    "this computer's clock is wrong": (
        not_connected("[SSL: CERTIFICATE_VERIFY_FAILED] certificate is not yet valid"),
        ("address", "clock", "timedatectl"),
    ),
    "a proxy shows a certificate of its own": (
        not_connected("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate in chain"),
        ("address", "a proxy of this network", "SSL_CERT_FILE"),
    ),
    "this computer cannot send two packets' worth": (
        asked(
            generation=ONE_TOKEN,
            picture=PICTURE,
            bodies=(BODIES[0], reply("a request of 2 kB", 408, "request_too_slow")),
        ),
        ("large requests", "did not reach the gateway", "another network"),
    ),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_the_cause_is_the_one_that_was_seen(fault: str) -> None:
    seen, (hop, cause, remedy) = BROKEN[fault]
    broken = first_broken(diagnose(seen))
    assert broken is not None
    assert broken.hop == hop, broken.cause
    assert cause in broken.cause
    assert remedy in broken.remedy


RATE = "rate_limit_exceeded"
NOT_BROKEN = {
    "the key's requests of this minute are used up": (
        asked(models=reply(MODELS, 429, RATE)),
        ("api key", "limit of requests is used up", "Wait"),
    ),
    "the key has too many requests at once": (
        asked(generation=reply("one token", 429, "too_many_at_once")),
        ("api key", "limit of requests is used up", "Wait"),
    ),
    "the key's limit ends a picture": (
        asked(generation=ONE_TOKEN, picture=reply("a picture", 429, RATE), bodies=BODIES),
        ("api key", "limit of requests is used up", "Wait"),
    ),
    "the key's limit ends the larger bodies": (
        asked(
            generation=ONE_TOKEN,
            picture=PICTURE,
            bodies=(BODIES[0], reply("a request of 2 kB", 429, RATE)),
        ),
        ("api key", "limit of requests is used up", "Wait"),
    ),
    "this computer sends slowly": (
        asked(
            generation=ONE_TOKEN,
            picture=PICTURE,
            bodies=(*BODIES, reply("a request of 8 MB", 408, "request_too_slow")),
        ),
        ("large requests", "The path is slow: a request of 1 MB took 0.1 s", "line slow"),
    ),
    "the engine works for others": (
        replace(
            asked(generation=reply("one token", None)),
            cluster=replace(WELL_SERVED, pods=(replace(READY, works_on="Running: 8 reqs"),)),
        ),
        ("model", "busy: no answer in 10 s; its log has Running: 8 reqs", "Wait"),
    ),
    "home came back between two questions": (
        replace(
            WELL,
            requests=replace(WELL_ASKED, health=reply(HEALTH, 503, "home_unavailable")),
        ),
        ("gateway", "GET /health ended with: 503 home_unavailable; the next question was", ""),
    ),
    "strangers have used up the limit of /health": (
        replace(WELL, requests=replace(WELL_ASKED, health=reply(HEALTH, 429, RATE))),
        ("gateway", f"GET /health ended with: 429 {RATE}; the next question was answered", ""),
    ),
    "home's kubeconfig is another cluster's": (
        replace(WELL, cluster=Cluster(node_ready=True)),
        ("kubernetes", "no namespace vlm: is it home's?", "kubectl config get-contexts"),
    ),
}


@pytest.mark.parametrize("case", NOT_BROKEN)
def test_what_is_used_up_slow_or_over_is_not_broken(case: str) -> None:
    seen, (hop, cause, remedy) = NOT_BROKEN[case]
    findings = diagnose(seen)
    assert first_broken(findings) is None
    [warned] = [one for one in findings if one.state == "warning"]
    assert warned.hop == hop
    assert cause in warned.cause
    assert remedy in warned.remedy


def test_a_limit_proves_the_way_to_traefik_which_knows_it() -> None:
    limited = asked(models=reply(MODELS, 429, RATE))
    blind = replace(limited, tailnet=NotSeen(why="x"), cluster=NotSeen(why="x"))
    states = {one.hop: one.state for one in diagnose(blind)}
    assert (states["tailnet"], states["home port 80"]) == ("ok", "ok")
    assert states["kubernetes"] == "not seen"


def test_behind_a_limit_that_is_used_up_what_is_seen_to_be_broken_is_broken() -> None:
    scaled = replace(WELL_SERVED, endpoints=0, desired=0, pods=())
    limited = asked(models=reply(MODELS, 429, RATE))
    broken = first_broken(diagnose(replace(limited, cluster=scaled)))
    assert broken is not None
    assert broken.hop == "pod"


def test_a_token_that_does_not_come_may_be_waiting_for_others() -> None:
    broken = first_broken(diagnose(asked(generation=reply("one token", None))))
    assert broken is not None
    assert "or works for others" in broken.cause
    assert broken.remedy.index("logs") < broken.remedy.index("rollout restart")
