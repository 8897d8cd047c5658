"""A deployment while people ask: a new revision of the gateway takes over, and no answer is cut."""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from tests.twin.conftest import HubUnderTest
from tests.twin.questions import chat, first_key

pytestmark = pytest.mark.twin

CLIENTS = 4
EVERY = 2.0
"""Seconds from one question of a client to its next at least: together 120 a minute, the limit."""
LONG = chat("Hello", stream=True, max_tokens=200, ignore_eos=True)
"""About as long as a deployment's steps, so that some answers are under way at each of them."""


def test_a_change_of_keys_cuts_no_stream_and_refuses_none(hub: HubUnderTest) -> None:
    if hub.network.mode == "flat":
        pytest.skip("on a flat network a deployment stops the old instance first")
    key, deployed, ends = first_key(hub), threading.Event(), Counter[str]()

    def ask_until_deployed(_: int) -> None:
        with hub.http(key) as http:
            while not deployed.is_set():
                begun = time.monotonic()
                try:
                    answer = http.post("/v1/chat/completions", json=LONG)
                    whole = answer.text.endswith("data: [DONE]\n\n")
                    ends[f"{answer.status_code} {'whole' if whole else answer.text[-80:]}"] += 1
                except httpx2.HTTPError as error:
                    ends[repr(error)] += 1
                deployed.wait(EVERY - (time.monotonic() - begun))

    with ThreadPoolExecutor(CLIENTS) as people:
        asking = people.map(ask_until_deployed, range(CLIENTS))
        done = hub.up_with("[laptop, robot]", "[laptop, robot, phone]")
        added = hub.api_keys().get("phone", "")
        deployed.set()
        list(asking)
    assert done.returncode == 0, done.stdout
    assert set(ends) == {"200 whole"}, ends
    assert ends["200 whole"] > 2 * CLIENTS
    with hub.http(added) as http:
        assert http.get("/v1/models").status_code == 200
    assert hub.up_with("[laptop, robot]", "[laptop, robot]").returncode == 0
    with hub.http(added) as http:
        assert http.get("/v1/models").status_code == 401, "the key was removed again"
