"""Listen on a port of the normal machine, and become a program that takes the connections.

A socket stays in the network in which it was made. So the user's 127.0.0.1 leads straight to a
program in a network of its own, to which there is no route, and nothing stands between them.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys

LISTENER_FD = 0
"""The program finds the listening socket in place of its standard input, as from inetd."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listen", required=True, help="HOST:PORT")
    parser.add_argument("program", nargs="+", help="and its arguments")
    arguments = parser.parse_args()
    host, _, port = arguments.listen.rpartition(":")
    try:
        listener = socket.create_server((host, int(port)))
    except OSError as error:
        sys.exit(f"Cannot listen on {arguments.listen}, where another program may: {error}")
    # What is accepted inherits it; small pieces would wait 40 ms for acknowledgements.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    os.dup2(listener.fileno(), LISTENER_FD)
    os.execvp(arguments.program[0], arguments.program)  # noqa: S606  # no shell is meant


if __name__ == "__main__":
    main()
