"""What is made under load: the fault, how long it lasts, and what clients may see of it."""

from __future__ import annotations

from dataclasses import dataclass

from tests.faults.at_home import engine_killed
from tests.faults.injection import Fault, deployed, frozen, refused
from tests.faults.on_the_way import udp_cannot_be_sent
from tests.faults.test_the_doctor import FAULTS, HARMLESS

CUT = frozenset({"broken off", "no connection"})
"""What a client sees of a connection that ends."""
NONE: frozenset[str] = frozenset()
HOME_AWAY = CUT | {"502 home_lost", "503 home_unavailable"}
NO_GATEWAY = CUT | {"503 of Cloud Run"}
NO_MODEL = CUT | {"502 home_lost", "503 model_unavailable"}
NO_ROUTE = frozenset({"503 home_misconfigured"})
LAST = "    model:\n      profile: tiny"
"""The end of the twin's settings."""
OTHER_SERVER = f"{LAST}\n      image: vllm/vllm-openai:v0.32.0"


@dataclass(frozen=True)
class Case:
    """A fault, how many seconds it lasts at least, and which failures belong to it."""

    fault: Fault
    seconds: float
    failures: frozenset[str] = NONE


CHANGES: dict[str, Case] = {
    "a key is added": Case(deployed("[laptop, robot]", "[laptop, robot, phone]"), 0),
    "that key is revoked, the largest body changed": Case(
        deployed(LAST, f"{LAST}\n    limits:\n      bodyMb: 19"), 0
    ),
    "the requests in a minute are changed": Case(
        deployed(LAST, f"{LAST}\n    limits:\n      requestsPerMinute: 240"), 0
    ),
    "both limits are as before": Case(deployed(LAST, LAST), 0),
    "a new revision of the gateway does not start": Case(
        refused("cloud:\n", "cloud:\n      caddyImage: library/cady:2\n"), 0
    ),
    "the model server gets another version": Case(deployed(LAST, OTHER_SERVER), 0, NO_MODEL),
    "it gets the version of before": Case(deployed(LAST, LAST), 0, NO_MODEL),
}
"""Each made by `pulumi up`; together they end with the stack's file as it is."""
THE_DOCTORS: dict[str, tuple[float, frozenset[str]]] = {
    "the engine hangs": (15, NONE),
    "the model server was killed": (0, NO_MODEL),
    "scaled to zero by hand": (10, NO_MODEL),
    "somebody else's pod has the GPU": (5, NO_MODEL),
    "a flag that vLLM does not know": (5, NO_MODEL),
    "home's disk is full": (5, NO_MODEL),
    "wrong selector": (10, frozenset({"503 model_unavailable"})),
    "no Ingress": (10, NO_ROUTE),
    "another gateway's key": (10, frozenset({"502 home_misconfigured"})),
    "Traefik is frozen": (25, HOME_AWAY),
    "Traefik is gone": (10, HOME_AWAY | NO_ROUTE),
    "home sleeps": (25, HOME_AWAY),
    "home's cable is pulled": (20, HOME_AWAY),
    "home has another address": (10, HOME_AWAY),
    "home is far, and the path loses one packet in twenty": (20, NONE),
    "the path loses large packets": (20, HOME_AWAY | {"408 request_too_slow"}),
    "neither UDP nor the relay": (15, HOME_AWAY),
    "home was renamed": (10, HOME_AWAY),
    # Its gateway is ended, too: the next one looks home up by its name.
    "home is there twice": (10, HOME_AWAY | NO_GATEWAY),
    "the policy lacks the port": (20, HOME_AWAY),
    "the gateway was killed": (0, NO_GATEWAY),
    "the auth key has expired": (10, NO_GATEWAY),
    "the auth key was revoked": (10, NO_GATEWAY),
    "the auth key was for one use": (10, NO_GATEWAY),
    "the auth key ends with a new line": (10, NO_GATEWAY),
    "the secret's version is missing": (10, NO_GATEWAY),
    "a configuration that Caddy refuses": (10, NO_GATEWAY),
    "the key is another service's": (10, NO_GATEWAY | {"401 invalid_api_key"}),
}
"""By the name that the doctor's test has for it."""
STANDS_FOR = {
    "the relay is gone": "the relay is frozen",
    "home's API server is gone": "home's API server is frozen",
    "the door is gone": "the gateway was killed",
    "no Service": "no Ingress",
    "more of the GPU than the quota": "somebody else's pod has the GPU",
    "a revision that does not exist": "a flag that vLLM does not know",
    "an image that does not exist": "a flag that vLLM does not know",
    "the model is loading": "the model server was killed",
    "the pod asks for a key of its own": "the key is another service's",
}
"""Faults of the doctor's that clients see as they see the other one, which is made instead."""
CASES: dict[str, Case] = {
    **CHANGES,
    "the engine was killed": Case(
        engine_killed, 0, NO_MODEL | {"model_failed in the stream", "500 model_failed"}
    ),
    **{
        name: Case((FAULTS | HARMLESS)[name][0], seconds, failures)
        for name, (seconds, failures) in THE_DOCTORS.items()
    },
    "home's API server is frozen": Case(frozen("kube-apiserver"), 10),
    "Tailscale's control server is frozen": Case(frozen("headscale"), 10),
    "the relay is frozen": Case(frozen("derper"), 10),
    "the cloud lets no UDP out": Case(udp_cannot_be_sent, 15),
}
