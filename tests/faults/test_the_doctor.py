"""Each fault is made for real; the doctor names the hop, the cause, and what mends it.

Where that is a deployment, it is done, and mends it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest

from tests.faults.at_google import secret_changed, secret_destroyed
from tests.faults.at_home import (
    Container,
    beside_another_pod,
    deleted,
    edited,
    engine_hangs,
    model_loading,
    model_server_killed,
    patched,
    serves,
)
from tests.faults.at_the_tailnet import (
    AUTH_KEY,
    auth_key_expired,
    auth_key_revoked,
    auth_key_used_up,
    home_doubled,
    home_renamed,
    port_not_allowed,
)
from tests.faults.full_disk import disk_full
from tests.faults.injection import Fault, frozen, instance_killed, killed
from tests.faults.on_the_way import (
    cable_pulled,
    far_and_lossy,
    home_moved,
    no_way_at_all,
    small_packets_only,
)
from tests.support.waiting import until
from tests.twin.conftest import HubUnderTest

pytestmark = pytest.mark.faults

NO_KEY = {"data": {"users": "bm9ib2R5OiRhcHIxJHgkeA=="}}
REFRESH = "pulumi up --stack twin --refresh"
OTHERS_KEYS = '"keyOfAnotherStackThatNobodyHasHere0123456789" laptop laptop\n'


def gpus(count: int) -> Callable[[Container], None]:
    def change(container: Container) -> None:
        container["resources"]["limits"]["nvidia.com/gpu"] = str(count)

    return change


def an_unknown_flag(container: Container) -> None:
    container["args"].append("--no-such-flag")


def a_key_of_its_own(container: Container) -> None:
    container["args"].append("--api-key=somebody-elses")


def no_such_image(container: Container) -> None:
    container["image"] = "registry.invalid/vllm-openai-typo:1"


def a_revision_that_is_none(container: Container) -> None:
    [at] = [n for n, one in enumerate(container["args"]) if one.startswith("--revision=")]
    container["args"][at] = f"--revision={'0' * 40}"


FAULTS: dict[str, tuple[Fault, str, str, str]] = {
    "the door is gone": (
        killed("cloud-run"),
        *("address", "The program cloud-run has ended", "hub up"),
    ),
    "the auth key has expired": (
        auth_key_expired,
        *("cloud run", "auth key expired", f"{REFRESH} renews the auth key"),
    ),
    "the auth key was revoked": (
        auth_key_revoked,
        *("cloud run", "no valid auth key", f"{REFRESH} renews the auth key"),
    ),
    "the auth key was for one use": (
        auth_key_used_up,
        *("cloud run", "authkey already used", "renews the auth key"),
    ),
    "the auth key ends with a new line": (
        secret_changed(AUTH_KEY, lambda key: f"{key}\n"),
        *("cloud run", "does not take its auth key", "renews the auth key"),
    ),
    "the secret's version is missing": (
        secret_destroyed("home-gateway-upstream-authorization"),
        *("cloud run", "home-gateway-upstream-authorization", REFRESH),
    ),
    "a configuration that Caddy refuses": (
        secret_changed("home-gateway-caddyfile", lambda text: text + "}"),
        *("cloud run", "container caddy failed to start", REFRESH),
    ),
    "the key is another service's": (
        secret_changed("home-gateway-api-keys", lambda _: OTHERS_KEYS),
        *("api key", "does not know this key", "hub keys"),
    ),
    "home sleeps": (
        frozen("home-tailscaled"),
        *("tailnet", "home-tailscaled is stopped", "kill -CONT"),
    ),
    "home's cable is pulled": (
        cable_pulled,
        *("tailnet", "home does not answer in the tailnet", "Look at its line"),
    ),
    "home was renamed": (home_renamed, "tailnet", "is called home-1", "Rename it to home"),
    "home is there twice": (
        home_doubled,
        *("tailnet", "home-1 with the same tag is online", "Remove"),
    ),
    "neither UDP nor the relay": (no_way_at_all, "tailnet", "derper is stopped", "kill -CONT"),
    "the policy lacks the port": (
        port_not_allowed,
        *("home port 80", "policy does not let it in", "hub policy"),
    ),
    "Traefik is frozen": (frozen("traefik"), "home port 80", "traefik is stopped", "kill -CONT"),
    "Traefik is gone": (killed("traefik"), "home port 80", "traefik has ended", "hub up"),
    "no Ingress": (
        deleted("ingress", "vllm-qwen"),
        *("ingress", "no route to the model server", REFRESH),
    ),
    "no Service": (
        deleted("service", "vllm-qwen"),
        *("ingress", "no route to the model server", REFRESH),
    ),
    "another gateway's key": (
        patched("secret", "gateway-key", NO_KEY),
        *("ingress", "does not accept this gateway's key", REFRESH),
    ),
    "wrong selector": (
        # Added, which a refresh does not see.
        patched("service", "vllm-qwen", {"spec": {"selector": {"tier": "other"}}}),
        *("ingress", "selector was changed", "delete service/vllm-qwen"),
    ),
    "scaled to zero by hand": (
        patched("deployment", "vllm-qwen", {"spec": {"replicas": 0}}),
        *("pod", "scaled to 0", "scale deployment/vllm-qwen --replicas=1"),
    ),
    "more of the GPU than the quota": (
        edited(gpus(11)),
        *("pod", "exceeded quota: gpu", "get events"),
    ),
    "somebody else's pod has the GPU": (
        beside_another_pod(edited(gpus(10))),
        *("pod", "Insufficient nvidia.com/gpu", "get events"),
    ),
    "a flag that vLLM does not know": (edited(an_unknown_flag), "pod", "no-such-flag", "logs"),
    "a revision that does not exist": (
        edited(a_revision_that_is_none),
        *("pod", "LocalEntryNotFoundError", "logs"),
    ),
    "an image that does not exist": (
        edited(no_such_image),
        *("pod", "ErrImagePull: ", "get events"),
    ),
    "home's disk is full": (
        disk_full,
        *("pod", "Home's disk is full", "crictl rmi --prune"),
    ),
    "the model server was killed": (
        model_server_killed,
        *("pod", "The model server was killed", "journalctl -k"),
    ),
    "the pod asks for a key of its own": (
        edited(a_key_of_its_own, until_seen=serves),
        *("pod", "asks for a key of its own", "delete deployment/vllm-qwen"),
    ),
    "the model is loading": (model_loading, "pod", "is loading its model", "Wait"),
    "the engine hangs": (
        engine_hangs,
        *("model", "generates nothing", "rollout restart deployment/vllm-qwen"),
    ),
    "the path loses large packets": (
        small_packets_only,
        *("large requests", "loses large packets", "tailnet.mtu"),
    ),
}
OF_A_FILE = frozenset(
    {
        "the auth key was for one use",
        "the auth key ends with a new line",
        "the secret's version is missing",
        "a configuration that Caddy refuses",
    }
)
"""Made in the emulator's file of a secret, of which no deployment knows: nothing mends them but the
test. In Secret Manager a version cannot be changed."""
HARMLESS: dict[str, tuple[Fault, str, str]] = {
    "the gateway was killed": (instance_killed, "", ""),
    "home has another address": (home_moved, "", ""),
    "home's API server is gone": (
        killed("kube-apiserver"),
        *("kubernetes", "kube-apiserver has ended"),
    ),
    "the relay is gone": (killed("derper"), "tailnet", "derper has ended"),
    "home is far, and the path loses one packet in twenty": (
        far_and_lossy,
        *("large requests", "The path is slow"),
    ),
}


def do(hub: HubUnderTest, remedy: str) -> bool:
    """What the doctor says, where it is a deployment or a command of one line."""
    if remedy.endswith("hub up"):
        hub.ok("up")
    elif REFRESH in remedy:
        for command in remedy.split("; "):
            if " delete " in command:
                assert hub.shell(command).returncode == 0
        done = hub.shell(f"{REFRESH} --yes --skip-preview")
        assert done.returncode == 0, done.stdout
    elif " scale " in remedy:
        assert hub.shell(remedy.partition("; ")[2]).returncode == 0
    else:
        return False
    return True


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
        if fault not in OF_A_FILE and do(hub, told["remedy"]):
            until(lambda: hub.run("doctor").returncode == 0, seconds=120)
    until(lambda: hub.run("doctor").returncode == 0, seconds=120)


@pytest.mark.parametrize("fault", HARMLESS)
def test_what_ends_no_request_is_no_fault_and_is_told_where_it_lasts(
    hub: HubUnderTest, fault: str
) -> None:
    inject, hop, cause = HARMLESS[fault]
    until(lambda: hub.run("doctor").returncode == 0, seconds=120)
    with inject(hub):
        told = json.loads(hub.ok("doctor", "--json"))
    warned = {one["hop"]: one["cause"] for one in told["hops"] if one["state"] == "warning"}
    assert told["healthy"]
    assert cause in warned.get(hop, "")
