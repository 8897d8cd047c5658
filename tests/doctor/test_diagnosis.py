"""What the doctor concludes, for each way in which a deployment can be broken."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from doctor.diagnosis import diagnose, first_broken
from doctor.hops import HOPS
from doctor.observations import NotSeen, Observations, Pod, Program, Requests, Service
from tests.doctor.observed import (
    BODIES,
    GATEWAY,
    HEALTH,
    HOME,
    HOME_AWAY,
    MODEL_AWAY,
    MODELS,
    NONE_READY,
    NOW,
    UNCONNECTED,
    WELL,
    WELL_ASKED,
    WELL_CONNECTED,
    WELL_SERVED,
    changed,
    googles_own,
    home_away,
    refused,
    reply,
    unready_pod,
)


def test_where_nothing_is_wrong_every_hop_is_ok() -> None:
    findings = diagnose(WELL)
    assert [one.hop for one in findings] == list(HOPS)
    assert {one.state for one in findings} == {"ok"}
    assert first_broken(findings) is None


FAULTS = {
    "the address leads nowhere": (
        replace(WELL, requests=UNCONNECTED),
        ("address", "[Errno 111] refused", "hub up prints it"),
    ),
    "Cloud Run's program has ended": (
        replace(
            WELL,
            requests=UNCONNECTED,
            programs=(Program(hop="address", name="cloud-run", state="ended"),),
        ),
        ("address", "The program cloud-run has ended", "hub up"),
    ),
    "no service is deployed": (
        replace(WELL, requests=googles_own("404"), service=Service(deployed=False)),
        ("cloud run", "No service is deployed", "up --refresh"),
    ),
    "a revision fails": (
        replace(
            WELL,
            requests=googles_own(),
            service=Service(deployed=True, failure="container caddy ended with exit code 1"),
        ),
        ("cloud run", "container caddy ended with exit code 1", "up --refresh"),
    ),
    "the auth key has expired": (
        replace(
            WELL,
            requests=googles_own(),
            service=Service(deployed=True, failure="container tailscale failed to start"),
            auth_key=NOW - timedelta(hours=1),
        ),
        ("cloud run", "auth key expired on 2026-11-26", "up --refresh renews the auth key"),
    ),
    "the auth key was revoked": (
        replace(
            WELL,
            requests=googles_own(),
            service=Service(deployed=True, failure="container tailscale failed to start"),
            auth_key=None,
        ),
        ("cloud run", "no valid auth key", "renews the auth key"),
    ),
    "the auth key has expired, and nobody has access to the cloud or the tailnet": (
        replace(
            WELL,
            requests=googles_own(),
            service=NotSeen(why="no gcloud"),
            tailnet=NotSeen(why="no tailscale"),
            auth_key=NOW - timedelta(hours=1),
        ),
        ("cloud run", "auth key expired on 2026-11-26", "up --refresh renews the auth key"),
    ),
    "the tailnet refuses a key that the stack believes in": (
        replace(
            WELL,
            requests=googles_own(),
            service=Service(
                deployed=True, last_words="backend error: invalid key: API key k1 not valid"
            ),
        ),
        (
            *("cloud run", "does not take its auth key: it was revoked or used up, or its secret "),
            "renews the auth key",
        ),
    ),
    "Caddy refuses its configuration": (
        replace(
            WELL,
            requests=googles_own(),
            service=Service(deployed=True, last_words="Error: adapting config: unexpected '}'"),
        ),
        ("cloud run", "Its last words: Error: adapting config: unexpected '}'", "up --refresh"),
    ),
    "Google answers and nobody knows more": (
        replace(
            WELL, requests=googles_own("no healthy upstream"), service=NotSeen(why="no gcloud")
        ),
        ("cloud run", "503 no healthy upstream", "up --refresh"),
    ),
    "the key is wrong": (
        replace(
            WELL,
            requests=Requests(health=reply(HEALTH), models=reply(MODELS, 401, "invalid_api_key")),
        ),
        ("api key", "does not know this key", "hub keys"),
    ),
    "home is offline": (
        replace(
            WELL,
            requests=HOME_AWAY,
            tailnet=replace(WELL_CONNECTED, nodes=(replace(HOME, online=False), GATEWAY)),
            cluster=NotSeen(why="no route to host"),
        ),
        ("tailnet", "home is offline", "Switch it on"),
    ),
    "home has another name": (
        home_away(nodes=(replace(HOME, name="home-1"), GATEWAY)),
        ("tailnet", "is called home-1", "Rename it to home"),
    ),
    "home joined anew and has another name": (
        home_away(
            nodes=(replace(HOME, online=False), replace(HOME, name="home-1"), GATEWAY),
            home_answers=None,
        ),
        ("tailnet", "home-1 with the same tag is online", "rename home-1"),
    ),
    "home's cable is pulled, and the tailnet has not noticed it": (
        home_away(home_answers=False),
        ("tailnet", "home does not answer in the tailnet", "Look at its line"),
    ),
    "home was never joined": (
        home_away(nodes=(GATEWAY,)),
        ("tailnet", "No machine of the tailnet is called home", "--advertise-tags=tag:llm-home"),
    ),
    "the tailnet's policy lacks the port": (
        replace(
            WELL,
            requests=HOME_AWAY,
            cluster=replace(
                WELL_SERVED, entry=(Pod(name="traefik-1", phase="Running", ready=True),)
            ),
        ),
        ("home port 80", "policy does not let it in", "Put the rules that `hub policy` prints"),
    ),
    "the tailnet's policy lacks the port, on the twin": (
        replace(
            WELL,
            requests=HOME_AWAY,
            programs=(Program(hop="home port 80", name="traefik", state="running"),),
        ),
        ("home port 80", "policy does not let it in", "Put the rules that `hub policy` prints"),
    ),
    "port 80 of home does not answer, and nobody knows more": (
        replace(WELL, requests=HOME_AWAY, cluster=NotSeen(why="no kubeconfig here")),
        ("home port 80", "gets no answer from port 80 of home", "hub policy"),
    ),
    "Traefik is down": (
        replace(
            WELL,
            requests=HOME_AWAY,
            cluster=replace(
                WELL_SERVED,
                entry=(Pod(name="traefik-1", phase="Running", ready=False, reason="Error"),),
            ),
        ),
        ("home port 80", "Traefik is not ready: traefik-1: Error", "kube-system get pods"),
    ),
    "Traefik is frozen": (
        replace(
            WELL,
            requests=refused("home_lost", 502),
            programs=(Program(hop="home port 80", name="traefik", state="stopped"),),
        ),
        ("home port 80", "traefik is stopped", "kill -CONT"),
    ),
    "the Ingress is gone": (
        replace(
            WELL,
            requests=refused("home_misconfigured", 503),
            cluster=replace(WELL_SERVED, ingress=False),
        ),
        ("ingress", "no route to the model server", "up --refresh"),
    ),
    "home knows another gateway's key": (
        replace(WELL, requests=refused("home_misconfigured", 502)),
        (
            "ingress",
            "another program's home, the key is from an older deployment, or objects were changed",
            "up --refresh",
        ),
    ),
    "the Service's selector finds nobody": (
        replace(WELL, requests=MODEL_AWAY, cluster=NONE_READY),
        ("ingress", "selector was changed", "delete service/vllm-qwen; pulumi up --refresh"),
    ),
    "the node is not ready": (
        replace(
            WELL,
            requests=MODEL_AWAY,
            cluster=replace(NONE_READY, node_ready=False, node_reason="kubelet stopped posting"),
        ),
        ("kubernetes", "kubelet stopped posting", "systemctl status k3s"),
    ),
    "there is no GPU": (
        replace(WELL, requests=MODEL_AWAY, cluster=replace(NONE_READY, gpus=0, pods=())),
        ("kubernetes", "offers no GPU", "nvidia-smi"),
    ),
    "the model was scaled to 0": (
        replace(WELL, requests=MODEL_AWAY, cluster=replace(NONE_READY, desired=0, pods=())),
        ("pod", "the GPU was freed, or it was scaled by hand", "hub home take"),
    ),
    "no pod may be made": (
        replace(
            WELL,
            requests=MODEL_AWAY,
            cluster=replace(NONE_READY, pods=(), unmade="exceeded quota: gpu"),
        ),
        ("pod", "No pod of the model server was made: exceeded quota: gpu", "get events"),
    ),
    "the pod cannot be placed": (
        unready_pod(phase="Pending", unplaced=True, reason="Insufficient nvidia.com/gpu"),
        ("pod", "Insufficient nvidia.com/gpu", "get events"),
    ),
    "the pod crashes": (
        unready_pod(restarts=3, reason="Error (exit code 1)", last_words="CUDA out of memory"),
        ("pod", "Error (exit code 1), restarted 3 times; its last words: CUDA", "logs"),
    ),
    "a model that is downloaded does not fit on the disk": (
        unready_pod(
            restarts=1,
            reason="Error (exit code 1)",
            last_words="OSError: [Errno 28] No space left on device",
        ),
        ("pod", "Home's disk is full: p: Error (exit code 1), restarted once", "df -h /var/lib"),
    ),
    "an image does not fit on the disk": (
        unready_pod(
            phase="Pending",
            never_began=True,
            reason="ErrImagePull: write /var/lib/x: no space left on device",
        ),
        ("pod", "Home's disk is full: p: ErrImagePull", "crictl rmi --prune"),
    ),
    "the kubelet takes no pod as the disk is full": (
        unready_pod(
            phase="Pending",
            unplaced=True,
            reason="1 node(s) had untolerated taint(s) {node.kubernetes.io/disk-pressure: }",
        ),
        ("pod", "Home's disk is full: p: 1 node(s)", "crictl rmi --prune"),
    ),
    "the kubelet ended the pod as the disk is full": (
        unready_pod(
            phase="Failed",
            reason="Evicted: The node was low on resource: ephemeral-storage.",
        ),
        ("pod", "Home's disk is full: p: Evicted", "crictl rmi --prune"),
    ),
    "there is no such image": (
        unready_pod(
            phase="Pending",
            never_began=True,
            reason="ImagePullBackOff: vllm/vllm-openai:v9: not found",
        ),
        ("pod", "cannot start: p: ImagePullBackOff: vllm/vllm-openai:v9: not found", "get events"),
    ),
    "the model server was killed": (
        unready_pod(restarts=1, reason="Error (exit code 137)", killed=True),
        ("pod", "was killed: p: Error (exit code 137), restarted once.", "get events says so"),
    ),
    "the model is loading": (
        unready_pod(),
        ("pod", "is loading its model", "Wait"),
    ),
    "the engine hangs while /health is well": (
        replace(
            WELL,
            requests=Requests(
                health=reply(HEALTH), models=reply(MODELS), generation=reply("one token", None)
            ),
        ),
        ("model", "generates nothing (no answer in 10 s)", "rollout restart deployment/vllm-qwen"),
    ),
    "large packets are lost": (
        replace(
            WELL,
            requests=replace(WELL_ASKED, bodies=(BODIES[0], reply("a request of 2 kB", None))),
        ),
        ("large requests", "a request of 2 kB does not", "Lower tailnet.mtu"),
    ),
    "the API server and the model are down": (
        replace(
            WELL,
            requests=MODEL_AWAY,
            cluster=NotSeen(why="connection refused"),
            programs=(Program(hop="kubernetes", name="kube-apiserver", state="ended"),),
        ),
        ("kubernetes", "kube-apiserver has ended", "hub up"),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_first_broken_hop_is_named_with_its_cause_and_what_mends_it(fault: str) -> None:
    seen, (hop, cause, remedy) = FAULTS[fault]
    broken = first_broken(diagnose(seen))
    assert broken is not None
    assert broken.hop == hop
    assert cause in broken.cause
    assert remedy in broken.remedy
    assert sum(one.state == "broken" for one in diagnose(seen)) == 1


@pytest.mark.parametrize(
    ("seen", "hop", "cause"),
    [
        (
            replace(
                WELL,
                tailnet=replace(
                    WELL_CONNECTED, nodes=(HOME, replace(GATEWAY, path="relayed by twin"))
                ),
            ),
            "tailnet",
            "relayed by twin",
        ),
        (
            replace(WELL, auth_key=NOW + timedelta(days=9)),
            "tailnet",
            "expires on 2026-12-05",
        ),
        (
            replace(WELL, auth_key=NOW - timedelta(days=1)),
            "tailnet",
            "The gateway's next start fails",
        ),
        (
            replace(
                WELL,
                requests=replace(WELL_ASKED, health=replace(reply(HEALTH), clock_ahead=90.0)),
            ),
            "address",
            "clock is 90 s behind the service's",
        ),
        (
            replace(WELL, programs=(Program(hop="tailnet", name="derper", state="ended"),)),
            "tailnet",
            "derper has ended",
        ),
        (
            replace(WELL, drift=(changed("kubernetes:traefik.io/v1alpha1:Middleware", "rate"),)),
            "ingress",
            "Not as declared: Middleware rate differs in spec.a.",
        ),
        (
            replace(WELL, drift=(changed("kubernetes:networking.k8s.io/v1:Ingress", "in"),)),
            "ingress",
            "Ingress in differs",
        ),
        (
            replace(WELL, drift=(changed("kubernetes:apps/v1:Deployment", "model", "create"),)),
            "pod",
            "Deployment model is missing.",
        ),
        (
            replace(
                WELL,
                drift=(
                    changed("kubernetes:core/v1:Secret", "one", "replace"),
                    changed("kubernetes:networking.k8s.io/v1:NetworkPolicy", "two", "delete"),
                ),
            ),
            "kubernetes",
            "Secret one has to be replaced, NetworkPolicy two is there.",
        ),
        (
            replace(WELL, drift=(changed("gcp:cloudrunv2/service:Service", "gateway"),)),
            "cloud run",
            "Service gateway differs",
        ),
        (
            replace(WELL, drift=(changed("tailscale:index/tailnetKey:TailnetKey", "key"),)),
            "tailnet",
            "TailnetKey key differs",
        ),
        (
            replace(WELL, drift=(changed("random:index/randomPassword:RandomPassword", "k"),)),
            "api key",
            "RandomPassword k differs",
        ),
        (
            replace(WELL, address_expires=NOW + timedelta(days=14)),
            "address",
            "The certificate of the service's address expires on 2026-12-10.",
        ),
        (
            replace(WELL, kubeconfig_expires=NOW - timedelta(days=1)),
            "kubernetes",
            "Your certificate in the kubeconfig expired on 2026-11-25.",
        ),
        (
            replace(WELL, drift=NotSeen(why="pulumi is not installed here")),
            "kubernetes",
            "What is not as declared was not seen: pulumi is not installed here.",
        ),
        (
            replace(WELL, requests=replace(WELL_ASKED, generation=reply("one token", seconds=9))),
            "model",
            "One token took 9 s",
        ),
        (
            replace(
                WELL,
                requests=replace(
                    WELL_ASKED,
                    bodies=(*BODIES, reply("a request of 8 MB", None), reply("20 MB", None)),
                ),
            ),
            "large requests",
            "The path is slow: a request of 1 MB took 0.1 s, and a request of 8 MB was given up",
        ),
        (
            replace(WELL, minutes=800.0),
            "tailnet",
            "in the tailnet for 800 minutes this month; Tailscale's free plan has 1,000.",
        ),
    ],
)
def test_what_breaks_nothing_by_itself_is_a_warning(
    seen: Observations, hop: str, cause: str
) -> None:
    findings = diagnose(seen)
    assert first_broken(findings) is None
    [warned] = [one for one in findings if one.state == "warning"]
    assert warned.hop == hop
    assert cause in warned.cause


@pytest.mark.parametrize(("days_left", "warnings"), [(12, 0), (9, 1)])
def test_a_short_lived_auth_key_is_no_warning_before_an_up_renews_it(
    days_left: int, warnings: int
) -> None:
    seen = replace(WELL, auth_key=NOW + timedelta(days=days_left), key_days=20)
    assert sum(one.state == "warning" for one in diagnose(seen)) == warnings


def test_a_certificate_with_more_than_a_fortnight_left_is_no_warning() -> None:
    later = NOW + timedelta(days=15)
    findings = diagnose(replace(WELL, address_expires=later, kubeconfig_expires=later))
    assert {one.state for one in findings} == {"ok"}


@pytest.mark.parametrize(
    ("minutes", "free", "told"),
    [
        (799.4, 1000, "the gateway this month: 799 min of 1,000 free ones"),
        (5000, None, "the gateway this month: 5,000 min"),
        (NotSeen(why="Google was not reached"), 1000, "Google was not reached"),
    ],
)
def test_minutes_that_are_few_free_or_not_seen_are_told_without_a_warning(
    minutes: float | NotSeen, free: int | None, told: str
) -> None:
    [found] = [
        one
        for one in diagnose(replace(WELL, minutes=minutes, free_minutes=free))
        if one.hop == "tailnet"
    ]
    assert (found.state, found.evidence) == ("ok", f"online: home, home-gateway direct; {told}")


def test_a_side_that_cannot_be_looked_at_says_why_and_breaks_nothing() -> None:
    blind = replace(
        WELL,
        service=NotSeen(why="gcloud is not installed here"),
        tailnet=NotSeen(why="tailscale is not installed here"),
        cluster=NotSeen(why="no kubeconfig for home here"),
    )
    findings = diagnose(blind)
    assert {one.state for one in findings} == {"ok"}
    evidence = {one.hop: one.evidence for one in findings}
    assert evidence["cloud run"] == "gcloud is not installed here"
    assert evidence["tailnet"].startswith("tailscale is not installed here; ")
    assert evidence["kubernetes"] == "no kubeconfig for home here"


def test_without_any_access_the_answers_alone_still_tell_where_requests_end() -> None:
    nothing = NotSeen(why="no access")
    blind = replace(WELL, service=nothing, tailnet=nothing, cluster=nothing)
    for code, status, hop in (
        ("home_unavailable", 503, "tailnet"),
        ("home_waking", 503, "tailnet"),
        ("home_lost", 502, "tailnet"),
        ("model_unavailable", 503, "kubernetes"),
    ):
        broken = first_broken(diagnose(replace(blind, requests=refused(code, status))))
        assert broken is not None
        assert (broken.hop, broken.evidence) == (hop, f"{status} {code}")


def test_a_path_of_an_instance_that_has_ended_is_no_warning() -> None:
    ended = replace(GATEWAY, name="home-gateway-1", path="relayed by twin")
    seen = replace(WELL, tailnet=replace(WELL_CONNECTED, nodes=(HOME, ended, GATEWAY)))
    assert {one.state for one in diagnose(seen)} == {"ok"}
