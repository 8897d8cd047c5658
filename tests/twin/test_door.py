from __future__ import annotations

import socket
import subprocess
import sys

from tests.support.ports import free_port
from tests.support.waiting import until
from twin.listening import listens

ANSWERS = """
import socket
listener = socket.socket(fileno=0)
while True:
    connection, _ = listener.accept()
    connection.sendall(b"%d" % connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
    connection.close()
"""


def door(port: int, *program: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "twin.door", f"--listen=127.0.0.1:{port}", "--", *program)


def test_the_program_takes_the_connections_and_small_pieces_are_not_held_back() -> None:
    port = free_port()
    with subprocess.Popen(door(port, sys.executable, "-c", ANSWERS)) as program:
        until(lambda: listens(("127.0.0.1", port)))
        with socket.create_connection(("127.0.0.1", port), 10) as client:
            assert client.recv(1) == b"1"
        program.terminate()
    assert not listens(("127.0.0.1", port))


def test_the_programs_own_options_are_its_own() -> None:
    done = subprocess.run(
        door(free_port(), "echo", "--listen=no", "-x"), capture_output=True, text=True, check=True
    )
    assert done.stdout == "--listen=no -x\n"


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = subprocess.run(door(port, "true"), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(f"Cannot listen on 127.0.0.1:{port}, where another program may:")
