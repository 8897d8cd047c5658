"""A power cut at home while its datastore writes and a request waits, and what comes after it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any

import httpx2

from tests.support.waiting import until
from tests.twin import datastore_writes
from tests.twin.conftest import HubUnderTest
from tests.twin.home_machine import HomeMachine
from tests.twin.questions import chat
from twin.parts import tailnet
from twin.toolchain.toolchain import Toolchain

BACK_SECONDS = 300
"""From power to the first answer, the load of the model included, on a machine that is busy."""
GIVEN_UP_SECONDS = 15
"""A promise to the user: a request that home leaves alone has ended by then (decision 15)."""
KINDS = "deployments,services,ingresses,secrets,configmaps,middlewares,networkpolicies"
LONG = chat("Hello", stream=True, max_tokens=600, ignore_eos=True)


@dataclass(frozen=True)
class Recovery:
    """Of one power cut, in seconds."""

    cut_at: float
    power_at: float
    """Both by the monotonic clock."""
    moment: float
    """From the first confirmed write to the cut."""
    confirmed_writes: int
    unconfirmed_but_kept: int
    parts_started: float
    """From power on; so is the next."""
    home_answered: float
    """Through the tunnel, asked by the gateway; the model may still be loading."""

    def __str__(self) -> str:
        return (
            f"cut {self.moment:.2f} s after the first of {self.confirmed_writes} writes; "
            f"{self.unconfirmed_but_kept} more are there; all started after "
            f"{self.parts_started:.1f} s, home answered after {self.home_answered:.1f} s"
        )


class RequestInFlight(threading.Thread):
    """One long, streamed answer."""

    def __init__(self, hub: HubUnderTest, key: str) -> None:
        super().__init__()
        self._hub, self._key = hub, key
        self._begun = threading.Event()
        self.end, self.ended_at = "", 0.0

    def begin(self) -> None:
        """Return when the first piece of the answer has come."""
        self.start()
        assert self._begun.wait(60)
        assert not self.end, f"it ended too early: {self.end}"

    def run(self) -> None:
        text = ""
        try:
            with (
                self._hub.http(self._key) as http,
                http.stream("POST", "/v1/chat/completions", json=LONG) as answer,
            ):
                for piece in answer.iter_text():
                    text += piece
                    self._begun.set()
            self.end = "whole" if text.endswith("data: [DONE]\n\n") else "broken off"
        except httpx2.HTTPError as error:
            self.end = f"broken off ({type(error).__name__})"
        self.ended_at = time.monotonic()
        self._begun.set()


def at_home(home: HomeMachine) -> dict[str, Any]:
    """UIDs of what the program has at home, how many pods run, home's tailnet addresses, the GPUs.

    What was made again has another UID; a node that joined again has another name. The model's
    pod is another one each time: the kubelet refuses the old one, as the GPU's plugin comes later.
    """
    listed = home.hub.kubectl("-n", "vlm", "get", KINDS)["items"]
    uids = {f"{one['kind']}/{one['metadata']['name']}": one["metadata"]["uid"] for one in listed}
    nodes = tailnet.nodes(home.paths, Toolchain.of_running_twin(home.paths).path)
    assert nodes is not None
    names = {node["given_name"]: node["ip_addresses"] for node in nodes}
    members = {name: names[name] for name in names if not name.startswith("home-gateway")}
    node = home.hub.kubectl("get", "node", "home")
    pods = home.hub.kubectl("-n", "vlm", "get", "pods")["items"]
    running = sum(1 for pod in pods if pod["status"].get("phase") == "Running")
    return {
        **uids,
        **members,
        "pods": running,
        "gpus": node["status"]["capacity"]["nvidia.com/gpu"],
    }


def home_answers(hub: HubUnderTest) -> bool:
    """Whether home's own ingress answers the gateway, with or without a model behind it."""
    answer = httpx2.get(f"{hub.gateway}/health", timeout=60)
    return answer.status_code == 200 or answer.json()["error"]["code"] == "model_unavailable"


def model_answers(hub: HubUnderTest) -> bool:
    return httpx2.get(f"{hub.gateway}/health", timeout=60).status_code == 200


def cut_and_boot(home: HomeMachine, moment: float, name: str) -> Recovery:
    """The power goes ``moment`` seconds after the first write and comes back at once."""
    before = at_home(home)
    datastore_writes.clear(home.paths)
    with datastore_writes.writing(home.paths, name) as writes:
        until(lambda: writes.confirmed)
        time.sleep(moment)  # random, so there is no condition to wait for
        home.cut_power()
        cut_at = time.monotonic()
    assert datastore_writes.integrity(home.paths) == "ok"
    power_at = time.monotonic()
    home.boot()
    parts_started = time.monotonic() - power_at
    until(lambda: home_answers(home.hub), seconds=BACK_SECONDS)
    home_answered = time.monotonic() - power_at
    kept = datastore_writes.found(home.paths)
    assert all(kept.values()), "a write is there in part"
    assert writes.confirmed <= set(kept), "a confirmed write is lost"
    more = len(set(kept) - writes.confirmed)
    assert more <= datastore_writes.WRITERS, "more is there than was under way"
    until(lambda: at_home(home) == before, seconds=BACK_SECONDS, shown=lambda: at_home(home))
    return Recovery(
        cut_at=cut_at,
        power_at=power_at,
        moment=moment,
        confirmed_writes=len(writes.confirmed),
        unconfirmed_but_kept=more,
        parts_started=parts_started,
        home_answered=home_answered,
    )
