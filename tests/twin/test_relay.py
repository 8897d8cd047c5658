from __future__ import annotations

import socket
import subprocess
import sys
import threading
from pathlib import Path

from tests.support.waiting import until
from twin.listening import listens
from twin.relay import Endpoint


def test_endpoints_are_a_port_or_a_unix_socket() -> None:
    assert Endpoint.parse("127.0.0.1:80") == Endpoint(host="127.0.0.1", port=80)
    assert Endpoint.parse("unix:/run/x.sock") == Endpoint(path="/run/x.sock")


def test_bytes_and_the_end_of_input_cross_in_both_directions(tmp_path: Path) -> None:
    near = tmp_path / "near.sock"
    with socket.create_server(("127.0.0.1", 0)) as far:

        def answer() -> None:
            for _ in range(2):  # who asks whether the relay listens, and the client
                connection, _ = far.accept()
                with connection:
                    connection.sendall(everything(connection)[::-1])

        threading.Thread(target=answer, daemon=True).start()
        listen, connect = f"--listen=unix:{near}", f"--connect=127.0.0.1:{far.getsockname()[1]}"
        with subprocess.Popen([sys.executable, "-m", "twin.relay", listen, connect]) as relay:
            until(lambda: listens(near))
            sent = bytes(range(256)) * 4096
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(10)
                client.connect(str(near))
                client.sendall(sent)
                client.shutdown(socket.SHUT_WR)
                got = everything(client)
            relay.terminate()
            assert relay.wait(10) == 0
    assert got == sent[::-1]


def everything(connection: socket.socket) -> bytes:
    """All that comes until the other side ends its output."""
    return b"".join(iter(lambda: connection.recv(65536), b""))
