"""Home reboots in order while an answer is streamed; nobody helps, and nothing is lost."""

from __future__ import annotations

import json
import time

import pytest

from tests.support.waiting import until
from tests.twin import datastore_writes
from tests.twin.conftest import HubUnderTest
from tests.twin.home_machine import HomeMachine
from tests.twin.power_cut import (
    BACK_SECONDS,
    GIVEN_UP_SECONDS,
    RequestInFlight,
    at_home,
    home_answers,
    model_answers,
)
from tests.twin.questions import chat, first_key

pytestmark = pytest.mark.faults


def test_an_answer_ends_in_time_and_the_gateway_answers_again_after_a_reboot(
    hub: HubUnderTest,
) -> None:
    home, key = HomeMachine(hub), first_key(hub)
    before, old = at_home(home), hub.vllm_pod()["metadata"]
    request = RequestInFlight(hub, key)
    request.begin()
    begun = time.monotonic()
    home.shut_down()
    down = time.monotonic()
    request.join(60)
    assert request.ended_at - begun < GIVEN_UP_SECONDS, request.end
    assert datastore_writes.integrity(home.paths) == "ok"
    home.boot()
    started = time.monotonic()
    until(lambda: home_answers(hub), seconds=BACK_SECONDS)
    answered = time.monotonic()
    until(lambda: at_home(home) == before, seconds=BACK_SECONDS, shown=lambda: at_home(home))
    until(lambda: model_answers(hub), seconds=BACK_SECONDS)
    print(  # noqa: T201  # the table of docs/power-cuts.md
        f"{request.end} after {request.ended_at - begun:.1f} s; down after {down - begun:.1f} s; "
        f"from power on: all started after {started - down:.1f} s, home answered after "
        f"{answered - down:.1f} s, the model after {time.monotonic() - down:.1f} s"
    )
    with hub.http(key) as http:
        assert http.post("/v1/chat/completions", json=chat("Hello")).status_code == 200
    assert hub.vllm_pod()["metadata"]["uid"] != old["uid"]
    refused = hub.kubectl("-n", "vlm", "get", "pod", old["name"])["status"]
    assert (refused["phase"], refused["reason"]) == ("Failed", "UnexpectedAdmissionError")
    [container] = refused["containerStatuses"]
    assert not container["ready"]
    rows = {row["what"]: row["state"] for row in json.loads(hub.run("status", "--json").stdout)}
    assert rows[old["name"]] == "idle"
