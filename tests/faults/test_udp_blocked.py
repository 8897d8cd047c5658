"""A cloud that lets no datagram out: the tunnel goes through the relay, and nobody waits for it."""

from __future__ import annotations

import json
import time

import pytest

from tests.faults.on_the_way import udp_cannot_be_sent
from tests.support.waiting import until
from tests.twin.conftest import HubUnderTest
from tests.twin.questions import chat, first_key

pytestmark = pytest.mark.faults

MINUTES = 3
EVERY_SECONDS = 0.6
LONGEST_SECONDS = 5
"""For one small question; tailscaled rebinds its sockets every 26 s meanwhile."""


def test_for_three_minutes_no_question_fails_and_none_takes_five_seconds(hub: HubUnderTest) -> None:
    took: list[float] = []
    before = relayed(hub)
    with hub.http(first_key(hub)) as http, udp_cannot_be_sent(hub):
        until(lambda: http.get("/v1/models").status_code == 200, seconds=60)
        end = time.monotonic() + MINUTES * 60
        while time.monotonic() < end:
            begun = time.monotonic()
            assert http.post("/v1/chat/completions", json=chat("Hello")).status_code == 200
            took.append(time.monotonic() - begun)
            # A key may ask 120 times a minute.
            time.sleep(max(0, begun + EVERY_SECONDS - time.monotonic()))
        told = json.loads(hub.ok("doctor", "--json"))
    assert max(took) < LONGEST_SECONDS
    [tailnet] = [one for one in told["hops"] if one["hop"] == "tailnet"]
    assert (tailnet["state"], "relayed by" in tailnet["cause"]) == ("warning", True)
    assert relayed(hub) >= before + len(took)


def relayed(hub: HubUnderTest) -> int:
    """Requests that were answered through the relay, by the gateway's log."""
    return sum(row["relayed"] for row in json.loads(hub.ok("usage", "--json"))["requests"])
