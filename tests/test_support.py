"""The tests' own tools."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import threading
import urllib.request

import pytest

from tests.support.chromium import INSTALLING, chromium
from tests.support.http_server import Handler, serving
from tests.support.ports import free_port, free_ports_in_a_row
from tests.support.waiting import until, until_async


def test_a_free_port_refuses_connections_and_is_given_to_nobody_but_who_asks_for_it() -> None:
    port = free_port()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 5)
    others = [socket.create_server(("127.0.0.1", 0)) for _ in range(50)]
    assert port not in {other.getsockname()[1] for other in others}
    for other in others:
        other.close()
    with (
        socket.create_server(("127.0.0.1", port)),
        socket.create_connection(("127.0.0.1", port), 5) as client,
    ):
        assert client.getpeername() == ("127.0.0.1", port)


def test_ports_in_a_row_can_all_be_listened_on() -> None:
    first = free_ports_in_a_row(4)
    servers = [socket.create_server(("127.0.0.1", first + i)) for i in range(4)]
    for server in servers:
        server.close()


def test_who_waits_in_vain_is_told_what_is_there_instead() -> None:
    with pytest.raises(AssertionError, match=r"still not so after 0 s: two of three"):
        until(lambda: False, seconds=0, shown=lambda: "two of three")


def test_a_condition_that_is_asked_on_an_event_loop_may_be_a_coroutine_function() -> None:
    counted: list[int] = []

    async def third_time() -> bool:
        counted.append(1)
        return len(counted) == 3

    asyncio.run(until_async(third_time))
    assert len(counted) == 3


def test_a_small_server_answers_whole_and_in_pieces() -> None:
    class Answering(Handler):
        def do_GET(self) -> None:  # noqa: N802
            self.begin_events()
            for piece in (b"one", b"two", b""):
                self.piece(piece)

        def do_POST(self) -> None:  # noqa: N802
            self.whole(200, self.body()[::-1])

    with serving(Answering) as port:
        url = f"http://127.0.0.1:{port}/"
        with urllib.request.urlopen(url, timeout=5) as response:
            assert (response.headers["Content-Type"], response.read()) == (
                "text/event-stream",
                b"onetwo",
            )
        with urllib.request.urlopen(url, b"abc", timeout=5) as response:
            assert response.read() == b"cba"


def test_a_small_servers_end_is_the_end_of_its_requests_too() -> None:
    begun, ended = threading.Event(), threading.Event()

    class Waiting(Handler):
        def do_POST(self) -> None:  # noqa: N802  # the name that the server calls
            begun.set()
            with pytest.raises(ValueError, match="0 bytes of 10 came"):
                self.body()
            ended.set()

    with serving(Waiting) as port:
        client = socket.create_connection(("127.0.0.1", port), 5)
        client.sendall(b"POST / HTTP/1.1\r\nHost: home\r\nContent-Length: 10\r\n\r\n")
        assert begun.wait(10)
    assert ended.is_set()
    client.close()


@pytest.fixture
def without_chromium(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is said and run, in order; apt-get puts Chromium on the PATH."""
    events: list[str] = []

    def which(name: str) -> str | None:
        is_chromium = name.startswith("chromium")
        installed = not is_chromium or ("shell" in name and "apt-get install" in events)
        return f"/usr/bin/{name}" if installed else None

    def run(command: list[str], **_: object) -> None:
        events.append(" ".join(command[:2]))

    monkeypatch.setattr(shutil, "which", which)
    monkeypatch.setattr(subprocess, "run", run)
    return events


def test_installing_chromium_is_said_before_it_is_done(
    without_chromium: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert chromium(without_chromium.append) == "/usr/bin/chromium-headless-shell"
    assert without_chromium == [INSTALLING, "apt-get update", "apt-get install"]


def test_a_chromium_with_windows_is_taken_where_there_is_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shutil, "which", {"chromium": "/usr/bin/chromium"}.get)
    assert chromium(pytest.fail) == "/usr/bin/chromium"


def test_who_may_not_install_chromium_is_told_what_to_do_and_nothing_runs(
    without_chromium: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(
        RuntimeError, match=r"`sudo apt-get install chromium-headless-shell`.*`make check`"
    ):
        chromium(without_chromium.append)
    assert without_chromium == []
