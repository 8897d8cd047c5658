"""A stream whose engine is killed in the middle ends with an error that clients know."""

from __future__ import annotations

import json
from collections.abc import Generator

import httpx2
import pytest

from tests.faults.at_home import engine_killed
from tests.support.waiting import until
from tests.twin.conftest import HubUnderTest
from tests.twin.questions import chat, first_key

pytestmark = pytest.mark.faults

CHAT = "/v1/chat/completions"


@pytest.fixture
def http(hub: HubUnderTest) -> Generator[httpx2.Client]:
    """To a model that answers; after a dead engine its server still lists it for a moment."""
    with hub.http(first_key(hub)) as http:
        until(lambda: http.post(CHAT, json=chat("Hello")).status_code == 200, seconds=120)
        yield http


def test_the_last_event_of_a_stream_of_responses_is_that_interfaces_error(
    hub: HubUnderTest, http: httpx2.Client
) -> None:
    long = {"model": "vlm", "input": "Hello", "stream": True, "store": False}
    long |= {"max_output_tokens": 3500, "ignore_eos": True}
    with http.stream("POST", "/v1/responses", json=long) as answer:
        events = answer.iter_lines()
        until(lambda: "response.output_text.delta" in next(events))
        with engine_killed(hub):
            lines = [line for line in events if line]
    assert lines[-2] == "event: error"
    error = json.loads(lines[-1].removeprefix("data: "))
    assert (error["type"], error["code"]) == ("error", "model_failed")
    before = json.loads(lines[-3].removeprefix("data: "))
    assert error["sequence_number"] == before["sequence_number"] + 1


def test_the_last_event_of_the_stream_is_an_error_in_openais_shape(
    hub: HubUnderTest, http: httpx2.Client
) -> None:
    long = chat("Hello", stream=True, max_tokens=3500, ignore_eos=True)
    with http.stream("POST", CHAT, json=long) as answer:
        events = answer.iter_lines()
        assert next(events).startswith("data: {")
        with engine_killed(hub):
            data = [line.removeprefix("data: ") for line in events if line.startswith("data")]
    error = json.loads(data[-2])["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert (error["type"], error["code"]) == ("server_error", "model_failed")
    assert data[-1] == "[DONE]"
