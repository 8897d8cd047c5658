"""Each fault while eight clients ask: no answer is wrong, no failure is hidden, all comes back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.faults import page
from tests.faults.at_home import (
    deleted,
    engine_hangs,
    engine_killed,
    model_server_killed,
    patched,
)
from tests.faults.at_the_tailnet import auth_key_expired
from tests.faults.injection import Fault, deployed, frozen, instance_killed, killed
from tests.faults.measured import Measured, await_answers, measure
from tests.faults.on_the_way import small_packets_only, udp_cannot_be_sent
from tests.faults.streams import Streams, steady_streams
from tests.twin.conftest import HubUnderTest

pytestmark = pytest.mark.faults

MEGABYTES = 150
"""A Go program's heap may double before it is collected; what is left over adds to this."""
LONGEST_SECONDS = 45
"""A request's end, whatever happens: 30 s for its body, and the work of a busy machine."""
NONE: frozenset[str] = frozenset()
LAST = "    model:\n      profile: tiny"
"""The end of the twin's settings."""
CUT = frozenset({"broken off", "no connection"})
"""What a client sees of a connection that ends."""


@dataclass(frozen=True)
class Case:
    """A fault, how long it lasts, and what clients may see of it."""

    fault: Fault
    seconds: float
    failures: frozenset[str] = NONE


CASES: dict[str, Case] = {
    "Tailscale's control server is frozen": Case(frozen("headscale"), 10),
    "the relay is frozen": Case(frozen("derper"), 10),
    "home's API server is frozen": Case(frozen("kube-apiserver"), 10),
    "the cloud lets no UDP out": Case(udp_cannot_be_sent, 15),
    "the path loses large packets": Case(
        small_packets_only,
        20,
        CUT | {"408 request_too_slow", "502 home_lost", "503 home_unavailable"},
    ),
    "home sleeps": Case(
        frozen("home-tailscaled"), 25, CUT | {"502 home_lost", "503 home_unavailable"}
    ),
    "Traefik is frozen": Case(
        frozen("traefik"), 25, CUT | {"502 home_lost", "503 home_unavailable"}
    ),
    "Traefik is gone": Case(killed("traefik"), 10, CUT | {"502 home_lost", "503 home_unavailable"}),
    "no Ingress": Case(deleted("ingress", "vllm-qwen"), 10, frozenset({"502 home_misconfigured"})),
    "another gateway's key": Case(
        patched("secret", "gateway-key", {"data": {"users": "bm9ib2R5OiRhcHIxJHgkeA=="}}),
        10,
        frozenset({"502 home_misconfigured"}),
    ),
    "wrong selector": Case(
        patched("service", "vllm-qwen", {"spec": {"selector": {"app": "other"}}}),
        10,
        frozenset({"503 model_unavailable"}),
    ),
    "the engine hangs": Case(engine_hangs, 15),
    "the engine is killed": Case(
        engine_killed,
        0,
        CUT | {"model_failed in the stream", "500 model_failed", "503 model_unavailable"},
    ),
    "the model server is killed": Case(
        model_server_killed, 0, CUT | {"502 home_lost", "503 model_unavailable"}
    ),
    "the gateway is killed": Case(instance_killed, 0, CUT | {"503 of Cloud Run"}),
    "the auth key has expired, and the gateway is killed": Case(
        auth_key_expired, 10, CUT | {"503 of Cloud Run"}
    ),
    "a key is added": Case(deployed("[laptop, robot]", "[laptop, robot, phone]"), 0),
    "that key is revoked, the largest body changed": Case(
        deployed(LAST, f"{LAST}\n    limits:\n      bodyMb: 19"), 0
    ),
    "the requests in a minute are changed": Case(
        deployed(LAST, f"{LAST}\n    limits:\n      requestsPerMinute: 240"), 0
    ),
    "both limits are as before": Case(deployed(LAST, LAST), 0),
}
ROWS: dict[str, Measured] = {}


@pytest.fixture(scope="module")
def streams(hub: HubUnderTest) -> Iterator[Streams]:
    """The same from one fault to the next; at the end the page is written if that is asked for."""
    with steady_streams(hub) as streams:
        await_answers(streams)
        yield streams
    if ROWS.keys() == CASES.keys():
        page.write_if_asked(ROWS)


@pytest.mark.parametrize("name", CASES)
def test_every_failure_is_told_no_answer_is_wrong_and_all_streams_come_back(
    hub: HubUnderTest, streams: Streams, name: str
) -> None:
    case = CASES[name]
    row = measure(hub, streams, case.fault, case.seconds)
    print(name, row)  # noqa: T201  # shown when it is asked for
    assert row.wrong == []
    assert set(row.failures) <= case.failures
    assert row.longest < LONGEST_SECONDS
    assert row.megabytes < MEGABYTES
    ROWS[name] = row
