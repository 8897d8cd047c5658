"""A stream whose engine is killed in the middle ends with an error that clients know."""

from __future__ import annotations

import json

import pytest

from tests.faults.at_home import engine_killed
from tests.support.waiting import until
from tests.twin.conftest import HubUnderTest
from tests.twin.questions import chat, first_key

pytestmark = pytest.mark.faults


def test_the_last_event_of_the_stream_is_an_error_in_openais_shape(hub: HubUnderTest) -> None:
    long = chat("Hello", stream=True, max_tokens=3500, ignore_eos=True)
    with hub.http(first_key(hub)) as http:
        with http.stream("POST", "/v1/chat/completions", json=long) as answer:
            events = answer.iter_lines()
            assert next(events).startswith("data: {")
            with engine_killed(hub):
                data = [line.removeprefix("data: ") for line in events if line.startswith("data")]
        error = json.loads(data[-2])["error"]
        assert error.keys() == {"message", "type", "param", "code"}
        assert (error["type"], error["code"]) == ("server_error", "model_failed")
        assert data[-1] == "[DONE]"
        until(lambda: http.get("/v1/models").status_code == 200, seconds=120)
