from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.ports import free_port
from tests.support.waiting import until
from twin.listening import listens
from twin.relay import Endpoint


def test_endpoints_are_a_port_or_a_unix_socket() -> None:
    assert Endpoint.parse("127.0.0.1:80") == Endpoint(host="127.0.0.1", port=80)
    assert Endpoint.parse("unix:/run/x.sock") == Endpoint(path="/run/x.sock")


@contextmanager
def relayed(folder: Path, far: Callable[[socket.socket], None]) -> Generator[socket.socket]:
    """A client's connection through a relay to ``far``, which gets each connection."""
    near, behind = ("127.0.0.1", free_port()), folder / "far.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(behind))
        server.listen()

        def accept() -> None:
            for _ in range(2):  # who asks whether the relay listens, and the client
                connection, _ = server.accept()
                with connection:
                    far(connection)

        threading.Thread(target=accept, daemon=True).start()
        line = (f"--listen={near[0]}:{near[1]}", f"--connect=unix:{behind}")
        with subprocess.Popen([sys.executable, "-m", "twin.relay", *line]) as relay:
            try:
                until(lambda: listens(near))
                with socket.create_connection(near, 10) as client:
                    yield client
            finally:
                relay.terminate()
        assert relay.returncode == 0


def test_bytes_and_the_end_of_input_cross_in_both_directions(tmp_path: Path) -> None:
    sent = bytes(range(256)) * 4096

    def answer(far: socket.socket) -> None:
        far.sendall(everything(far)[::-1])

    with relayed(tmp_path, answer) as client:
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        assert everything(client) == sent[::-1]


def test_who_is_answered_and_hung_up_on_unread_is_hung_up_on_here_too(tmp_path: Path) -> None:
    def refuse(far: socket.socket) -> None:
        if far.recv(1):
            far.sendall(b"refused")  # and closes with the rest unread, which resets it

    with relayed(tmp_path, refuse) as client:
        client.sendall(bytes(1000))
        assert everything(client) == b"refused"


def test_who_goes_away_with_the_answer_unread_is_gone_at_the_far_end_too(tmp_path: Path) -> None:
    gone = threading.Event()

    def answer(far: socket.socket) -> None:
        if far.recv(1):
            far.sendall(b"answer")
            with suppress(ConnectionResetError):
                everything(far)
            gone.set()

    with relayed(tmp_path, answer) as client:
        client.sendall(b"?")
        assert client.recv(1) == b"a"
        client.close()
        assert gone.wait(10)


def test_small_pieces_are_not_held_back_until_the_ones_before_are_acknowledged(
    tmp_path: Path,
) -> None:
    def answer(far: socket.socket) -> None:
        while far.recv(1):
            far.sendall(b"a")
            time.sleep(0.001)
            far.sendall(b"b")

    begun = time.monotonic()
    with relayed(tmp_path, answer) as client:
        for _ in range(100):
            client.sendall(b"?")
            assert client.recv(1) + client.recv(1) == b"ab"
        client.shutdown(socket.SHUT_WR)
    # Each acknowledgement comes 40 ms late: 4 s in all.
    assert time.monotonic() - begun < 3


def everything(connection: socket.socket) -> bytes:
    """All that comes until the other side ends its output."""
    return b"".join(iter(lambda: connection.recv(65536), b""))
