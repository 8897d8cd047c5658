"""What happens to a machine in somebody's home: nobody helps it, and the gateway answers again."""

from __future__ import annotations

import time

import httpx2
import pytest

from tests.support.waiting import until
from tests.twin.conftest import HubUnderTest
from tests.twin.home_machine import HomeMachine
from tests.twin.power_cut import (
    BACK_SECONDS,
    GIVEN_UP_SECONDS,
    RequestInFlight,
    at_home,
    cut_and_boot,
    model_answers,
)
from tests.twin.questions import chat, first_key

pytestmark = pytest.mark.twin

CHANGES = {
    "another address": HomeMachine.another_address,
    "another default route": HomeMachine.another_default_route,
}
FOUND_AGAIN_SECONDS = 60
IN_A_ROW = 10


@pytest.fixture
def home(hub: HubUnderTest) -> HomeMachine:
    return HomeMachine(hub)


def test_after_a_power_cut_the_gateway_answers_again_and_nothing_is_lost(
    home: HomeMachine,
) -> None:
    key = first_key(home.hub)
    request = RequestInFlight(home.hub, key)
    request.begin()
    recovery = cut_and_boot(home, moment=0.5, name="cut")
    request.join(60)
    took = request.ended_at - recovery.cut_at
    assert took < GIVEN_UP_SECONDS
    until(lambda: model_answers(home.hub), seconds=BACK_SECONDS)
    seconds = time.monotonic() - recovery.power_at
    print(f"{recovery}, the model after {seconds:.1f} s; {request.end} after {took:.1f} s")  # noqa: T201
    with home.hub.http(key) as http:
        assert http.post("/v1/chat/completions", json=chat("Hello")).status_code == 200


@pytest.mark.parametrize("change", CHANGES)
def test_home_is_found_again_after_a_change_of_its_line_and_after_the_change_back(
    home: HomeMachine, change: str
) -> None:
    before = at_home(home)
    with home.hub.http(first_key(home.hub)) as http:
        await_answer(http)
        with CHANGES[change](home):
            begun = time.monotonic()
            await_answer(http)
            print(f"{change}: {time.monotonic() - begun:.1f} s")  # noqa: T201
        begun = time.monotonic()
        await_answer(http)
        print(f"{change}, back: {time.monotonic() - begun:.1f} s")  # noqa: T201
    assert at_home(home) == before


def await_answer(http: httpx2.Client) -> None:
    def asked() -> int:
        return http.post("/v1/chat/completions", json=chat("Hello")).status_code

    # Some in a row: while tailscaled tries which way is open, one may be answered and the next not.
    until(
        lambda: all(asked() == 200 for _ in range(IN_A_ROW)),
        seconds=FOUND_AGAIN_SECONDS,
    )
