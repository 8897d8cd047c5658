"""The first questions after a quiet time, on the whole path: the gateway was scaled to zero.

The instance ends by Cloud Run's own idle stop, which the tests' twin has after ten seconds.
"""

from __future__ import annotations

import io
import json
import secrets
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx2
import psutil
import pytest
from PIL import Image

from infra.gcp.errors import RETRY_AFTER_SECONDS
from tests.support.waiting import until
from tests.twin.conftest import PATIENCE, HubUnderTest
from tests.twin.questions import as_data, at, chat, first_key
from twin.paths import TwinPaths

pytestmark = pytest.mark.twin

SIZE_OF_PICTURE = 5_000_000


def service(hub: HubUnderTest) -> dict[str, Any]:
    [only] = hub.services
    return only


def requests(hub: HubUnderTest) -> int:
    return len(TwinPaths(hub.state).cloud_run_requests.read_text().splitlines())


def await_idle_stop(hub: HubUnderTest) -> None:
    until(lambda: not service(hub)["instances"], seconds=PATIENCE, shown=lambda: service(hub))


def large_picture() -> dict[str, Any]:
    """5 MB: a small PNG, and bytes after its end that every decoder skips."""
    file = io.BytesIO()
    Image.new("RGB", (320, 240), "teal").save(file, "PNG")
    data = file.getvalue() + secrets.token_bytes(SIZE_OF_PICTURE * 3 // 4)
    return at(as_data(data))


def test_the_first_eight_requests_after_an_idle_stop_are_all_answered(hub: HubUnderTest) -> None:
    text = {"type": "text", "text": "Hello"}
    bodies = [chat([*([large_picture()] if i % 2 else []), text], stream=i >= 4) for i in range(8)]
    key = first_key(hub)
    await_idle_stop(hub)

    def ask(body: dict[str, Any]) -> tuple[int, bytes, float]:
        with hub.http(key) as http:
            begun = time.monotonic()
            answer = http.post("/v1/chat/completions", json=body)
            return answer.status_code, answer.content, time.monotonic() - begun

    with ThreadPoolExecutor(len(bodies)) as clients:
        answers = list(clients.map(ask, bodies))
    assert [status for status, _, _ in answers] == [200] * 8
    assert all(b'"completion_tokens":' in content for _, content, _ in answers[:4])
    assert all(content.endswith(b"data: [DONE]\n\n") for _, content, _ in answers[4:])


@contextmanager
def asleep(hub: HubUnderTest) -> Generator[None]:
    """Home takes packets and does nothing with them."""
    record = json.loads((hub.state / "parts" / "home-tailscaled.json").read_text())
    tailscaled = psutil.Process(record["pid"])
    tailscaled.suspend()
    try:
        yield
    finally:
        tailscaled.resume()


def test_home_asleep_is_said_in_time_after_a_cold_start_and_at_once_from_then_on(
    hub: HubUnderTest,
) -> None:
    def timed_post() -> tuple[httpx2.Response, float]:
        begun = time.monotonic()
        return http.post("/v1/chat/completions", json=chat("Hello")), time.monotonic() - begun

    key = first_key(hub)
    await_idle_stop(hub)
    with hub.http(key) as http:
        with asleep(hub):
            # Both bounds are promises to the user, not speeds.
            answer, seconds = timed_post()
            assert (answer.status_code, seconds < 15) == (503, True), seconds
            assert answer.headers["retry-after"] == str(RETRY_AFTER_SECONDS)
            answer, seconds = timed_post()
            assert (answer.status_code, seconds < 2) == (503, True), seconds
        # A client that does what Retry-After says is served at its next try, or the one after it.
        until(lambda: timed_post()[0].status_code == 200, seconds=3 * RETRY_AFTER_SECONDS)


def test_a_question_at_the_moment_in_which_home_falls_silent_is_answered_within_15_seconds(
    hub: HubUnderTest,
) -> None:
    with hub.http(first_key(hub)) as http:
        assert http.post("/v1/chat/completions", json=chat("Hello")).status_code == 200
        with asleep(hub):
            begun = time.monotonic()
            answer = http.post("/v1/chat/completions", json=chat("Hello"))
            seconds = time.monotonic() - begun
        assert (answer.status_code, answer.json()["error"]["code"]) == (502, "home_lost")
        assert seconds < 15
        until(
            lambda: http.post("/v1/chat/completions", json=chat("Hello")).status_code == 200,
            seconds=3 * RETRY_AFTER_SECONDS,
        )


def test_hub_ask_right_after_an_idle_stop_is_answered_without_a_second_try(
    hub: HubUnderTest,
) -> None:
    await_idle_stop(hub)
    before = requests(hub)
    assert hub.ok("ask", "Hello").strip()
    assert requests(hub) - before == 2, "which model there is, and the question"
