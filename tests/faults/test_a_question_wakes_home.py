"""Home sleeps; a question of somebody with a key wakes it, and nothing else does."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.faults.wake_on_lan import always_on_device, asleep
from tests.support.waiting import until
from tests.twin.conftest import HubUnderTest
from tests.twin.home_machine import HomeMachine
from tests.twin.power_cut import BACK_SECONDS, model_answers
from tests.twin.questions import chat, first_key

pytestmark = pytest.mark.faults

RETURNS_AFTER = 40
"""Seconds, as its owner has measured them; any number would do."""
PACKET_SECONDS = 10


def test_a_question_wakes_a_sleeping_home_and_is_answered_when_it_comes_back(
    hub: HubUnderTest, tmp_path: Path
) -> None:
    home, key = HomeMachine(hub), first_key(hub)
    with always_on_device(hub, tmp_path) as address:
        wake = f"wake: {{through: {address}, seconds: {RETURNS_AFTER}}}"
        setting = f"    home:\n      {wake}\n    model:\n"
        done = hub.up_with("    model:\n", setting)
        assert done.returncode == 0, done.stdout
        home.shut_down()
        with asleep(hub.network) as sleeper:
            with hub.http(key) as http, hub.http("a-strangers-key") as stranger:
                until(lambda: http.get("/v1/models").status_code == 503)
                assert http.get("/health").status_code == 503
                assert stranger.post("/v1/chat/completions", json=chat("Hi")).status_code == 401
                assert sleeper.sleeps, "woken by a monitor or by a stranger"
                answer = http.post("/v1/chat/completions", json=chat("Hello"))
            asked = time.monotonic()
            assert answer.status_code == 503
            assert answer.json()["error"]["code"] == "home_waking"
            assert answer.headers["Retry-After"] == str(RETURNS_AFTER)
            until(lambda: not sleeper.sleeps, seconds=PACKET_SECONDS)
        home.boot()
        until(lambda: model_answers(hub), seconds=BACK_SECONDS)
        print(f"answered {time.monotonic() - asked:.1f} s after the question that woke home")  # noqa: T201
        with hub.http(key) as http:
            assert http.post("/v1/chat/completions", json=chat("Hello")).status_code == 200
    assert hub.up_with("    model:\n", "    model:\n").returncode == 0
