"""HTTP/2, which Caddy speaks without TLS to who begins with it, under its two known attacks."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from contextlib import closing, suppress

import httpx2
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import Event, ResponseReceived
from hyperframe.frame import ContinuationFrame, HeadersFrame

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
        key = chat_headers("laptop")["Authorization"]
        named = {":method": "GET", ":path": path, ":scheme": "http", ":authority": "x"}
        self.h2.send_headers(
            stream, [*named.items(), ("authorization", key), *more], end_stream=True
        )

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
