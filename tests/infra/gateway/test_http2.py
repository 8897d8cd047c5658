"""HTTP/2, which Caddy speaks without TLS to who begins with it, under its two known attacks."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from contextlib import closing, suppress

import httpx2
import pytest
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import DataReceived, Event, ResponseReceived, StreamEnded
from hyperframe.frame import ContinuationFrame, DataFrame, HeadersFrame

from infra.gcp.caddyfile import BODY_SECONDS
from tests.infra.gateway.conftest import Gateway
from tests.infra.gateway.invariants import check_received
from tests.support.gateway import chat_headers
from tests.support.waiting import until

SECONDS = 10
RESETS = 3000
KEPT_DESCRIPTORS = 100
"""Caddy keeps 32 idle connections to a next hop at most; of one it has both ends."""
CONTINUATIONS = 2000
"""Of 1 kB each."""


class Client:
    """One connection."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), SECONDS)
        self.h2 = H2Connection()
        self.h2.initiate_connection()

    def ask(self, stream: int, *more: tuple[str, str], path: str = "/v1/models") -> None:
        self._head(stream, "GET", path, *more, end_stream=True)

    def begin_question(self, stream: int, length: int) -> None:
        self._head(
            stream,
            "POST",
            "/v1/chat/completions",
            ("content-length", str(length)),
            end_stream=False,
        )

    def _head(
        self, stream: int, method: str, path: str, *more: tuple[str, str], end_stream: bool
    ) -> None:
        key = chat_headers("laptop")["Authorization"]
        named = {":method": method, ":path": path, ":scheme": "http", ":authority": "x"}
        headers = [*named.items(), ("authorization", key), *more]
        self.h2.send_headers(stream, headers, end_stream=end_stream)

    def send(self) -> None:
        self.socket.sendall(self.h2.data_to_send())

    def events_until(self, kind: type[Event]) -> Sequence[Event]:
        """What came, up to the first event of that kind or the end of the connection."""
        seen: list[Event] = []
        while not any(isinstance(one, kind) for one in seen):
            data = self.socket.recv(65_536)
            if not data:
                break
            seen += self.h2.receive_data(data)
        return seen


def test_http2_is_answered_under_the_same_rules(gateway: Gateway) -> None:
    client = Client(gateway.port)
    gateway.received.clear()
    with closing(client.socket):
        client.ask(1, ("x-hub-key-id", "robot"))
        client.ask(3, path="/tokenize")
        client.send()
        statuses: dict[int, bytes] = {}
        while len(statuses) < 2:
            for event in client.events_until(ResponseReceived):
                if isinstance(event, ResponseReceived):
                    statuses[event.stream_id] = dict(event.headers)[b":status"]
    assert statuses == {1: b"200", 3: b"404"}
    check_received(gateway.received, {"laptop"})


def test_streams_that_are_reset_at_once_harm_nobody(gateway: Gateway) -> None:
    # CVE-2023-44487
    caddy = gateway.process()
    descriptors = caddy.num_fds()
    client = Client(gateway.port)
    with closing(client.socket):
        with suppress(OSError):  # the gateway may close the connection
            for stream in range(1, 2 * RESETS, 2):
                client.ask(stream)
                client.h2.reset_stream(stream, ErrorCodes.CANCEL)
                client.send()
        answer = httpx2.get(f"{gateway.url}/v1/models", headers=chat_headers("robot"), timeout=2)
        assert answer.status_code == 200
    until(lambda: caddy.num_fds() <= descriptors + KEPT_DESCRIPTORS, shown=caddy.num_fds)
    check_received(gateway.received, {"laptop", "robot"})


def test_a_head_without_an_end_is_cut(gateway: Gateway) -> None:
    # CVE-2023-45288
    client = Client(gateway.port)
    # A literal field without indexing: its name has one byte, its value 1 kB.
    field = b"\x00\x01x\x7f\x81\x07" + b"y" * 1024
    with closing(client.socket), suppress(ConnectionError):
        client.send()
        client.socket.sendall(HeadersFrame(1, data=b"").serialize())
        for _ in range(CONTINUATIONS):
            client.socket.sendall(ContinuationFrame(1, data=field).serialize())
        while client.socket.recv(65_536):  # the gateway closes; a time-out fails
            pass
    assert httpx2.get(f"{gateway.url}/health", timeout=2).status_code == 200


def asked(client: Client) -> tuple[bytes, bytes]:
    """Status and body of the answer to the one question."""
    client.send()
    seen = client.events_until(StreamEnded)
    [answer] = [event for event in seen if isinstance(event, ResponseReceived)]
    body = b"".join(event.data for event in seen if isinstance(event, DataReceived))
    return dict(answer.headers)[b":status"], body


def test_a_question_shorter_than_declared_is_the_clients_mistake(gateway: Gateway) -> None:
    client = Client(gateway.port)
    with closing(client.socket):
        client.begin_question(1, length=1000)
        client.send()
        # The library would not send it.
        client.socket.sendall(DataFrame(1, data=b"{}", flags=["END_STREAM"]).serialize())
        status, told = asked(client)
    assert status == b"400"
    assert b'"invalid_request_error"' in told


@pytest.mark.slow
@pytest.mark.parametrize("begun", [b"", b"{"])
def test_a_question_that_does_not_come_whole_is_the_clients_mistake(
    gateway: Gateway, begun: bytes
) -> None:
    client = Client(gateway.port)
    client.socket.settimeout(BODY_SECONDS + SECONDS)
    with closing(client.socket):
        client.begin_question(1, length=1000)
        client.h2.send_data(1, begun)
        status, told = asked(client)
    assert status == b"408"
    assert b'"request_too_slow"' in told
