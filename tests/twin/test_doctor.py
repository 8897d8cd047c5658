"""The doctor on a healthy twin, and on three of the faults that `make faults` makes."""

from __future__ import annotations

import json

import pytest

from doctor.hops import HOPS
from tests.faults.test_the_doctor import FAULTS
from tests.support.waiting import until
from tests.twin.conftest import HubUnderTest

pytestmark = pytest.mark.twin


def test_on_a_healthy_twin_every_hop_is_proven_by_a_request(hub: HubUnderTest) -> None:
    told = json.loads(hub.ok("doctor", "--json"))
    assert (told["healthy"], told["broken"]) == (True, None)
    assert [one["hop"] for one in told["hops"]] == list(HOPS)
    assert {one["state"] for one in told["hops"]} <= {"ok", "warning"}
    evidence = {one["hop"]: one["evidence"] for one in told["hops"]}
    assert "nvidia.com/gpu: 10" in evidence["kubernetes"]
    assert evidence["large requests"].startswith("a request of 20 MB: 404")


def test_what_was_changed_by_hand_is_told_with_its_field(hub: HubUnderTest) -> None:
    rate = ("-n", "vlm", "patch", "middlewares.traefik.io", "rate", "--type=merge", "-p")
    before = hub.kubectl("-n", "vlm", "get", "middlewares.traefik.io", "rate")["spec"]

    def told() -> dict[str, str]:
        hops = json.loads(hub.ok("doctor", "--drift", "--json"))["hops"]
        return {one["hop"]: one["cause"] for one in hops if "declared" in one["cause"]}

    assert told() == {}
    hub.kubectl(*rate, '{"spec": {"rateLimit": {"average": 121}}}')
    try:
        changed = "Not as declared: Middleware entry-rate differs in spec.rateLimit.average."
        assert told() == {"ingress": changed}
    finally:
        hub.kubectl(*rate, json.dumps({"spec": before}))
    assert told() == {}


@pytest.mark.parametrize("fault", ["wrong selector", "another gateway's key", "Traefik is frozen"])
def test_the_doctor_names_the_broken_hop(hub: HubUnderTest, fault: str) -> None:
    inject, hop, cause, remedy = FAULTS[fault]
    with inject(hub):
        done = hub.run("doctor", "--json")
    told = json.loads(done.stdout)["broken"]
    assert told["hop"] == hop
    assert cause in told["cause"]
    assert remedy in told["remedy"]
    assert done.returncode == 1
    until(lambda: hub.run("doctor").returncode == 0, seconds=120)
