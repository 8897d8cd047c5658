from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from twin.relay import Endpoint


def test_endpoints_are_a_port_or_a_unix_socket() -> None:
    assert Endpoint.parse("127.0.0.1:80") == Endpoint(host="127.0.0.1", port=80)
    assert Endpoint.parse("unix:/run/x.sock") == Endpoint(path="/run/x.sock")


def test_bytes_and_the_end_of_input_cross_in_both_directions(tmp_path: Path) -> None:
    near = tmp_path / "near.sock"
    with socket.create_server(("127.0.0.1", 0)) as far:

        def answer() -> None:
            connection, _ = far.accept()
            with connection:
                received = b"".join(iter(lambda: connection.recv(65536), b""))
                connection.sendall(received[::-1])

        threading.Thread(target=answer, daemon=True).start()
        listen, connect = f"--listen=unix:{near}", f"--connect=127.0.0.1:{far.getsockname()[1]}"
        with subprocess.Popen([sys.executable, "-m", "twin.relay", listen, connect]) as relay:
            deadline = time.monotonic() + 10
            while not near.exists():
                assert time.monotonic() < deadline
            sent = bytes(range(256)) * 4096
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(10)
                client.connect(str(near))
                client.sendall(sent)
                client.shutdown(socket.SHUT_WR)
                got = b"".join(iter(lambda: client.recv(65536), b""))
            relay.terminate()
            assert relay.wait(10) == 0
    assert got == sent[::-1]
