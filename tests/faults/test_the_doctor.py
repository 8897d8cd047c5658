"""Each fault is made for real; the doctor names the hop, the cause, and what mends it."""

from __future__ import annotations

import json
import time

import pytest

from tests.faults.injection import (
    Fault,
    auth_key_expired,
    deleted,
    engine_hangs,
    frozen,
    killed,
    patched,
    small_packets_only,
)
from tests.support.waiting import until
from tests.twin.conftest import HubUnderTest

pytestmark = pytest.mark.faults

NO_KEY = {"data": {"users": "bm9ib2R5OiRhcHIxJHgkeA=="}}
FAULTS: dict[str, tuple[Fault, str, str, str]] = {
    "scaled to zero by hand": (
        patched("deployment", "vllm-qwen", {"spec": {"replicas": 0}}),
        *("pod", "scaled to 0", "scale deployment/vllm-qwen --replicas=1"),
    ),
    "wrong selector": (
        patched("service", "vllm-qwen", {"spec": {"selector": {"app": "other"}}}),
        *("ingress", "selector was changed", "hub up"),
    ),
    "no Ingress": (
        deleted("ingress", "vllm-qwen"),
        *("ingress", "no route to the model server", "hub up"),
    ),
    "another gateway's key": (
        patched("secret", "gateway-key", NO_KEY),
        *("ingress", "does not accept this gateway's key", "hub up"),
    ),
    "the engine hangs": (
        engine_hangs,
        *("model", "generates nothing", "rollout restart deployment/vllm-qwen"),
    ),
    "Traefik is frozen": (frozen("traefik"), "home port 80", "traefik is stopped", "kill -CONT"),
    "home sleeps": (
        frozen("home-tailscaled"),
        *("tailnet", "home-tailscaled is stopped", "kill -CONT"),
    ),
    "the door is gone": (killed("door"), "address", "The program door has ended", "hub up"),
    "the path loses large packets": (
        small_packets_only,
        *("large requests", "loses large packets", "tailnet.mtu"),
    ),
    "the auth key has expired": (
        auth_key_expired,
        *("cloud run", "auth key expired", "renews the auth key"),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_doctor_names_the_broken_hop_its_cause_and_what_mends_it_in_half_a_minute(
    hub: HubUnderTest, fault: str
) -> None:
    inject, hop, cause, remedy = FAULTS[fault]
    until(lambda: hub.run("doctor").returncode == 0, seconds=120)
    with inject(hub):
        begun = time.monotonic()
        done = hub.run("doctor", "--json")
        seconds = time.monotonic() - begun
        told = json.loads(done.stdout)["broken"]
        assert told is not None, done.stdout
        assert told["hop"] == hop, told
        assert cause in told["cause"]
        assert remedy in told["remedy"]
        assert done.returncode == 1
        assert seconds < 35, "half a minute, and the start of Python and Pulumi on a busy machine"
    until(lambda: hub.run("doctor").returncode == 0, seconds=120)
